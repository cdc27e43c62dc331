"""What comes from outside ends up in one spelling, or is refused with a reason in both languages."""

import csv
import random
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from chassis import fields
from chassis.fields import FieldCheck
from chassis.money import CURRENCIES

SHEET = Path(__file__).parents[1] / "journeys" / "data" / "leads-50.csv"


def outcome(read: Callable[..., Any], *values: Any) -> Any:
    """What `read` returns, None where it refuses with a reason in both languages."""
    check = FieldCheck()
    found = check.take("it", read, *values)
    for field, english, chinese in check.violations:
        assert field == "it"
        assert english.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)
    assert (found is None) == bool(check.violations)
    return found


def by_the_library(number: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number, "CN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("13812345678", "+8613812345678"),
        (" 138 1234 5678 ", "+8613812345678"),
        ("138-1234-5678", "+8613812345678"),
        ("+86 138 1234 5678", "+8613812345678"),
        ("+86-13812345678", "+8613812345678"),
        ("0086 13812345678", "+8613812345678"),
        ("8613812345678", "+8613812345678"),
        ("１３８１２３４５６７８", "+8613812345678"),
        ("＋８６　１３８－１２３４－５６７８", "+8613812345678"),
        ("\u202d13812345678\u202c", "+8613812345678"),
        ("138.1234.5678", "+8613812345678"),
        ("tel:13812345678", "+8613812345678"),
        ("010-12345678", "+861012345678"),
        ("(010) 1234 5678", "+861012345678"),
        ("（0755）26781234", "+8675526781234"),
        ("+86 010 62345678", "+861062345678"),
        ("0512—65123456", "+8651265123456"),
        ("021-62345678-801", "+862162345678"),
        ("021-62345678转801", "+862162345678"),
        ("021 6234 5678 分机 801", "+862162345678"),
        ("021-62345678 ext. 801", "+862162345678"),
        ("400-800-0088", "+864008000088"),
        ("4008000088 转 2", "+864008000088"),
        ("800-810-1234", "+868008101234"),
        ("+1 650-253-0000", "+16502530000"),
        ("00852 2345 6789", "+85223456789"),
        ("16101234567", "+8616101234567"),
        ("17401234567", "+8617401234567"),
    ],
)
def test_L2_a_phone_in_any_spelling_is_one_number(written: str, read: str) -> None:
    assert fields.phone(written) == read
    assert fields.phone(read) == read


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        " ",
        "+",
        "abc",
        "1381234567",
        "138123456789",
        "12812345678",
        "13812345678/13912345678",
        "13812345678 张总",
        "call 13812345678",
        "1-800-FLOWERS",
        "110",
        "0000",
        "=13812345678",
        "13812345678" * 400_000,
        "+" * 64,
        "-" * 64 + "1",
        "1381234567²",
        None,
        13812345678,
    ],
)
def test_L2_what_is_no_phone_is_refused_in_both_languages(wrong: Any) -> None:
    assert outcome(fields.phone, wrong) is None


def test_L2_an_extension_is_kept_apart_from_the_number() -> None:
    assert fields.phone_and_extension("021-62345678-801") == ("+862162345678", "801")
    assert fields.phone_and_extension("+86 21 62345678 转 801") == ("+862162345678", "801")
    assert fields.phone_and_extension("021-62345678 x9") == ("+862162345678", "9")
    assert fields.phone_and_extension("13812345678") == ("+8613812345678", "")
    assert fields.direct_line("021-62345678 转 801") == "+862162345678;ext=801"
    assert fields.direct_line("+862162345678;ext=801") == "+862162345678;ext=801"
    assert fields.direct_line("021-62345678") == "+862162345678"
    assert fields.direct_line(" 138 1234-5678 ") == "+8613812345678"


def test_L2_the_fast_way_of_a_mobile_number_agrees_with_phonenumbers_on_every_prefix() -> None:
    chance = random.Random(20261122)
    quick = 0
    # Every first four digits, in each of the spellings that the fast way knows.
    for start in range(1000):
        number = f"1{start:03}{chance.randrange(10**7):07}"
        parted = f"{number[:3]}-{number[3:7]} {number[7:]}"
        for spelled in (number, "+86" + number, "0086" + number, "86" + number, parted, "+86 " + parted):
            assert outcome(fields.phone, spelled) == by_the_library(spelled), spelled
        quick += fields._CHINA_MOBILE.fullmatch(number) is not None
    # Ranges open to the public: the test would prove nothing if none of them went the fast way.
    assert quick > 400


@given(st.from_regex(r"(\+86|0086|86|)[ -]?1[3-9]([ -]?[0-9]){8,10}", fullmatch=True))
def test_L2_any_mobile_number_with_separators_reads_as_phonenumbers_reads_it(written: str) -> None:
    assert outcome(fields.phone, written) == by_the_library(written)


@given(st.text(st.sampled_from("0123456789+-() .转xX#,;/１８０\u202d"), max_size=24) | st.text(max_size=80))
@example("+8601012345678")
def test_L2_a_phone_read_once_reads_the_same_again(written: str) -> None:
    read = outcome(fields.phone, written)
    if read is not None:
        assert read.startswith("+")
        assert read[1:].isdigit()
        assert read[1:].isascii()
        assert fields.phone(read) == read


def test_L2_a_number_of_another_region_needs_no_country_code_there() -> None:
    assert fields.phone("2345 6789", "HK") == "+85223456789"
    assert fields.phone("+86 13812345678", "HK") == "+8613812345678"
    assert outcome(fields.phone, "13812345678", "US") is None
    assert outcome(fields.phone, "13812345678", "no such region") is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (" A.B-C+d_e@Example.COM ", "a.b-c+d_e@example.com"),
        ("ｚｈａｎｇ＠example.cn", "zhang@example.cn"),
        ("张三@例子.中国", "张三@例子.中国"),
        ("o'neil@example.co.uk", "o'neil@example.co.uk"),
    ],
)
def test_L2_an_email_is_lower_case_and_plain(written: str, read: str) -> None:
    assert fields.email(written) == read


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "f6211(at)example.cn",
        "a@b",
        "a@localhost",
        "a@x.test",
        "a..b@example.com",
        ".a@example.com",
        "a@-example.com",
        "a@@example.com",
        "a@example.com\n@b.com",
        "a b@example.com",
        "x" * 65 + "@example.com",
        "a@" + "b." * 200 + "com",
        "a@" * 2_000_000,
        "a\u202eb@example.com",
        "\ud800@example.com",
        None,
    ],
)
def test_L2_what_is_no_email_is_refused_in_both_languages(wrong: Any) -> None:
    assert outcome(fields.email, wrong) is None


@given(
    st.from_regex(r"[a-z0-9._+-]{1,66}@([a-z0-9-]{1,22}\.){1,4}[a-z]{1,13}", fullmatch=True)
    | st.sampled_from(SPECIAL_USE_DOMAIN_NAMES).map("a@b.{}".format)
    | st.sampled_from(SPECIAL_USE_DOMAIN_NAMES).map("a@{}".format)
)
@example("a@b--c.com")
@example("a@xn--fiqs8s.cn")
@example("a@ab--c.cn")
def test_L2_the_fast_way_of_an_email_agrees_with_email_validator(written: str) -> None:
    try:
        expected: str | None = validate_email(written, check_deliverability=False, strict=True).normalized.lower()
    except ValueError:
        expected = None
    assert outcome(fields.email, written) == expected


@given(st.emails() | st.text(max_size=30) | st.text(max_size=12).map("{}@例子.中国".format))
@example("İ@example.com")
@example("ǅ@example.com")
def test_L2_an_email_read_once_reads_the_same_again(written: str) -> None:
    read = outcome(fields.email, written)
    if read is not None:
        assert fields.email(read) == read


OVERRIDES = (
    {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
    | {"\u200e", "\u200f", "\u061c"}
    | {*map(chr, range(0xE0000, 0xE0080))}
)


@given(st.text(st.characters(), max_size=40), st.booleans(), st.integers(0, 40))
@example("e\u0301", False, 1)
@example("\u1fbf\u0345\u0301" * 4, True, 5)
def test_L2_a_text_never_holds_a_control_or_override_and_never_exceeds_its_length(
    written: str, multiline: bool, length: int
) -> None:
    read = outcome(fields.text, written, length, multiline)
    if read is None:
        return
    assert len(read) <= length
    assert read == read.strip(" \n\t\u3000\ufeff")
    assert unicodedata.is_normalized("NFC", read)
    allowed = {"\n", "\t"} if multiline else set()
    assert not [c for c in read if (unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")) and c not in allowed]
    assert not OVERRIDES & set(read)
    read.encode()
    assert fields.text(read, length, multiline) == read


@given(st.text(st.sampled_from("a é中　,。\u3042🙂"), max_size=10))
def test_L2_a_clean_text_is_taken_as_it_is(written: str) -> None:
    assert fields.text(written, 10) == written.strip()


@pytest.mark.parametrize("unseen", ["\u200e", "\u200f", "\u061c", "\U000e0000", "\U000e0041", "\U000e007f"])
@pytest.mark.parametrize("multiline", [False, True])
def test_L2_a_mark_or_a_tag_that_nobody_sees_is_refused(unseen: str, multiline: bool) -> None:
    with pytest.raises(fields.FieldProblem) as problem:
        fields.text(f"张{unseen}三", 20, multiline)
    assert f"U+{ord(unseen):04X}" in problem.value.english


def test_L2_a_text_counts_code_points_and_keeps_lines_only_where_there_are_some() -> None:
    assert fields.text("  张三  ", 2) == "张三"
    assert fields.text("e\u0301" * 5, 5) == "é" * 5
    assert fields.text("a\r\nb\rc\n\td", 20, multiline=True) == "a\nb\nc\n\td"
    assert fields.text("张三\n", 20) == "张三"
    assert fields.text("\ufeff张三", 2) == "张三"
    family = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
    assert fields.text(family, 5) == family
    assert fields.text("e\u0301", 20) == "é"
    # The longest composition there is: four code points become one.
    assert fields.text("α\u0313\u0301\u0345" * 20, 20) == "\u1f84" * 20
    for inner in (*"\n\t\0\x1f\x7f\x85\u2028\u2029\ud800\udfff\uffff", *OVERRIDES):
        assert outcome(fields.text, f"a{inner}b", 20) is None, ascii(inner)
    for wrong in (5, None, b"a"):
        assert outcome(fields.text, wrong, 20) is None, wrong
    assert outcome(fields.text, "x" * 21, 20) is None
    assert outcome(fields.text, "\u0315\u0300" * 2_000_000, 20) is None
    assert fields.text("", 20) == ""
    assert outcome(fields.text, " \u3000", 20, False, True) is None


def test_C20_a_licence_is_a_credit_code_whose_check_digit_holds() -> None:
    # Codes that companies print on their sites: Huawei, Tencent, Alibaba (China).
    for real in ("914403001922038216", "9144030071526726XG", "91330100799655058B"):
        assert fields.licence(real) == real
        assert fields.licence(f" {real[:8].lower()}-{real[8:].lower()} ") == real
        for place in range(18):
            for digit in "0123456789ABCDEFGHJKLMNPQRTUWXY":
                other = real[:place] + digit + real[place + 1 :]
                assert (outcome(fields.licence, other) is not None) == (other == real), other
    assert fields.licence("９１４４０３００１９２２０３８２１６") == "914403001922038216"
    for wrong in (
        "",
        "91440300192203821",
        "9144030019220382166",
        "I14403001922038216",
        "440301103097413",
        None,
    ):
        assert outcome(fields.licence, wrong) is None


def test_C20_a_licence_from_a_list_typed_by_hand_needs_only_the_shape() -> None:
    assert fields.licence("912uakwkdl2xxy2nkt", strict=False) == "912UAKWKDL2XXY2NKT"
    assert fields.licence("440301103097413", strict=False) == "440301103097413"
    for wrong in ("", "12345", "912UAKWKDL2XXY2NK!", "91" * 2_000_000):
        assert outcome(fields.licence, wrong, False) is None


def test_L12_a_location_is_two_finite_numbers_in_range() -> None:
    assert fields.location(31, 121.5) == (31.0, 121.5)
    assert fields.location(-90, 180) == (-90.0, 180.0)
    nan, infinite = float("nan"), float("inf")
    for wrong in (
        (nan, 0),
        (0, nan),
        (infinite, 0),
        (0, -infinite),
        (90.001, 0),
        (0, 181),
        ("1", 2),
        (True, 0),
        (10**400, 0),
    ):
        assert outcome(fields.location, *wrong) is None, wrong


def test_L2_a_moment_has_an_offset_and_lies_between_2000_and_2100() -> None:
    nine = datetime(2026, 10, 1, 1, tzinfo=UTC)
    assert fields.moment("2026-10-01T09:00:00+08:00") == nine
    assert fields.moment(nine.astimezone(timezone(timedelta(hours=8)))).tzinfo is UTC
    assert fields.moment(datetime(2100, 12, 31, 23, 59, 59, tzinfo=UTC)).year == 2100
    west = timezone(timedelta(hours=-23))
    for wrong in (
        datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, tzinfo=west),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23))),
        datetime(1999, 12, 31, 23, 59, tzinfo=UTC),
        datetime(2101, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1),  # noqa: DTZ001
        "2026-10-01",
        "2026-10-01T09:00:00",
        "yesterday",
        "9" * 4_000_000,
        None,
        1_790_000_000,
    ):
        assert outcome(fields.moment, wrong) is None, wrong


def test_L15_a_province_has_one_name_however_it_is_spelled() -> None:
    for written in ("北京", "北京市", " Beijing ", "BEIJING", "beijing city", "Beijing Municipality"):
        assert fields.region(written) == "北京"
    assert fields.region("广西壮族自治区") == "广西"
    assert fields.region("Inner Mongolia") == fields.region("内蒙古自治区") == "内蒙古"
    assert fields.region("廣東省") == fields.region("Guangdong Province") == "广东"
    assert fields.region("Shanxi") == "山西"
    assert fields.region("Shaanxi") == "陕西"
    assert fields.region("Hong Kong SAR") == fields.region("香港特别行政区") == "香港"
    # A town of its province's name, and what is none: as given.
    assert [fields.region(given) for given in ("吉林市", "华东", "Bavaria")] == ["吉林市", "华东", "Bavaria"]
    assert len(set(fields.REGIONS.values())) == 34
    assert all(fields.region(short) == short for short in fields.REGIONS.values())
    assert outcome(fields.region, "北\n京") is None


def test_a_currency_is_one_that_people_pay_with() -> None:
    for code in ("CNY", "USD", "EUR", "JPY", "HKD", "XOF"):
        assert outcome(fields.currency, code) == code
    for wrong in ("XXY", "XXX", "XTS", "XAU", "DEM", "cny", "RMB", "", " CNY", "CNYX", None, 7):
        assert outcome(fields.currency, wrong) is None, wrong
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)


def test_I5_a_check_names_every_wrong_field_at_once() -> None:
    check = FieldCheck()
    assert check.take("lead.phone", fields.phone, "138 1234 5678") == "+8613812345678"
    assert check.take("lead.email", fields.email, "nobody") is None
    assert check.take("lead.full_name", fields.text, "x" * 9, 8) is None
    check.refuse("lead", "needs a phone or an e-mail", "需要电话或邮箱")
    assert [field for field, _, _ in check.violations] == ["lead.email", "lead.full_name", "lead"]


def test_I5_the_sample_sheet_has_two_short_phones_and_addresses_without_an_at() -> None:
    with SHEET.open(encoding="utf-8-sig") as sheet:
        rows = list(csv.DictReader(sheet))
    phones = {row["手机号"] for row in rows if row["手机号"]}
    emails = {row["邮箱"].lower() for row in rows if row["邮箱"]}
    licences = {row["营业执照号"] for row in rows if row["营业执照号"]}
    short = {each for each in phones if sum(map(str.isdigit, each)) < 11}
    assert len(short) == 2
    assert {each for each in phones if outcome(fields.phone, each) is None} == short
    assert {each for each in emails if outcome(fields.email, each) is None} == {"f6211(at)example.cn"}
    assert all(outcome(fields.licence, each, False) for each in licences)
