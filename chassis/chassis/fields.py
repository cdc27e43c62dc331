"""What comes from outside, normalised and checked: phones, e-mails, texts, licences, places, moments.

Every function returns the one spelling that is stored and matched, or raises FieldProblem. What it returns it
returns again unchanged. Empty text is the caller's affair: `text` gives "" back, the others refuse it.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Concatenate, ParamSpec, TypeVar

from chassis.china_regions import REGIONS as REGIONS
from chassis.money import CURRENCIES

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")

LONGEST_PHONE = 64
LONGEST_EMAIL = 254
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2101, 1, 1, tzinfo=UTC)


class FieldProblem(ValueError):
    """A value that cannot be taken, with the reason for people in English and Chinese."""

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(english)
        self.english = english
        self.chinese = chinese


class FieldCheck:
    """Collects what is wrong with the fields of one message, so that all are named in one answer.

    `phone = check.take("lead.phone", fields.phone, lead.phone)`; at the end
    `if check.violations: raise Invalid(check.violations)`.
    """

    def __init__(self) -> None:
        self.violations: list[tuple[str, str, str]] = []

    def take(
        self, field: str, read: Callable[Concatenate[V, P], T], value: V, *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """The value as `read` normalises it; None, and the field noted, where `read` refuses it."""
        try:
            return read(value, *args, **kwargs)
        except FieldProblem as problem:
            self.violations.append((field, problem.english, problem.chinese))
            return None

    def refuse(self, field: str, english: str, chinese: str) -> None:
        """Notes a field as wrong."""
        self.violations.append((field, english, chinese))


# --- text ---

# Stripped from both ends. Not among them: \x1c to \x1f and \x85, which str.strip takes for white space too.
_WHITE = " \t\n\r\v\f\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
_WHITE = _WHITE.replace("\u2000-\u200b", "".join(map(chr, range(0x2000, 0x200C))))
# Controls; bidirectional marks, embeddings, overrides and isolates, which make a text read other than it is; tag
# characters, which nobody sees; the separators that break a line; lone surrogates and non-characters, which no database
# stores as UTF-8.
_REFUSED_EITHER = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
)
_REFUSED = re.compile(f"[\t\n{_REFUSED_EITHER}]")
_REFUSED_IN_LINES = re.compile(f"[{_REFUSED_EITHER}]")


def text(value: str, max_length: int, multiline: bool = False, required: bool = False) -> str:
    """The text in NFC without white space at its ends, at most `max_length` code points.

    Refuses control characters (line ends and tabs stay in a `multiline` text, line ends as "\\n"),
    bidirectional overrides, lone surrogates; and "" where `required`.
    """
    if not isinstance(value, str):
        raise FieldProblem("must be text", "必须是文本")
    # Most values need nothing; isprintable knows controls, overrides and surrogates, and runs in C.
    if value.isprintable() and len(value) <= max_length and unicodedata.is_normalized("NFC", value):
        value = value.strip(_WHITE)
        if value or not required:
            return value
    value = value.strip(_WHITE)
    # Composition takes at most four code points into one; sorting marks in NFC is slow on very long runs.
    if len(value) <= 4 * max_length:
        value = unicodedata.normalize("NFC", value)
        if multiline:
            value = value.replace("\r\n", "\n").replace("\r", "\n")
    if len(value) > max_length:
        raise FieldProblem(f"must have at most {max_length} characters", f"不能超过 {max_length} 个字符")
    found = (_REFUSED_IN_LINES if multiline else _REFUSED).search(value)
    if found:
        code = f"U+{ord(found[0]):04X}"
        raise FieldProblem(f"contains the forbidden character {code}", f"含有不允许的字符 {code}")
    if required and not value:
        raise FieldProblem("is required", "必填")
    return value


# --- phone ---

# The mobile numbers of China, as phonenumbers has them, less the two that take more than four digits to tell
# (1610, 174): a number outside of this is not wrong, it only takes the slow way. A test compares both.
_CHINA_MOBILE = re.compile(r"(?:\+86|0086|86)?(1(?:[38]\d|4[57]|[59][0-35-9]|6[25-7]|7[0-35-8])[0-9]{8})", re.ASCII)
_SEPARATORS = str.maketrans("", "", " -")
# Full-width forms to ASCII; marks that a copied number carries unseen go; dashes of all kinds become "-".
_PLAIN: dict[int, str | None] = {
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **dict.fromkeys((0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A))),
    **dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0x30FC), "-"),
    **dict.fromkeys((0xA0, 0x3000, 0x2009, 0x202F, 0x09), " "),
}
_PHONE_SHAPE = re.compile(
    r"(?:tel:)?(\+?[\d().\-/ ]+?)\s*"
    r"(?:(?:转|轉|分机|分機|ext(?:ension|n)?\.?|x|#|,|;\s*ext=)[:\s]*(\d{1,8}))?",
    re.IGNORECASE,
)
_CHINA_OFFICE = re.compile(r"((?:(?:\+|00)?86)?[- ]*\(?0?\d{2,3}\)?[- ]*\d{7,8}) *- *(\d{1,6})", re.ASCII)


def phone(value: str, region: str = "CN") -> str:
    """The number in E.164, "+8613812345678". A number without a country code is one of `region`.

    Takes spaces, dashes, brackets, full-width digits, +86 and 0086, land lines with their area code, 400
    numbers; an extension is read and left out (`phone_and_extension` keeps it).
    """
    return _mobile(value, region) or phone_and_extension(value, region)[0]


def direct_line(value: str, region: str = "CN") -> str:
    """The number in E.164 with the extension that leads to one person, as RFC 3966 writes it: "+862162345678;ext=801".
    Two people behind one switchboard differ by it."""
    mobile = _mobile(value, region)
    if mobile:
        return mobile
    number, extension = phone_and_extension(value, region)
    return f"{number};ext={extension}" if extension else number


def _mobile(value: str, region: str) -> str:
    """A mobile number of China, which most are, the quick way; "" for another."""
    if not isinstance(value, str):
        raise FieldProblem("must be text", "必须是文本")
    if region == "CN" and len(value) <= LONGEST_PHONE:
        mobile = _CHINA_MOBILE.fullmatch(value) or _CHINA_MOBILE.fullmatch(value.translate(_SEPARATORS))
        if mobile:
            return "+86" + mobile[1]
    return ""


def phone_and_extension(value: str, region: str = "CN") -> tuple[str, str]:
    """The number in E.164 and its extension ("" without one): "021-62345678 转 801" has "801"."""
    if not isinstance(value, str) or len(value) > LONGEST_PHONE:
        raise FieldProblem("is no valid phone number", "不是有效的电话号码")
    found = _read_phone(value, region)
    if found is None:
        raise FieldProblem("is no valid phone number", "不是有效的电话号码")
    return found


@lru_cache(maxsize=4096)
def _read_phone(value: str, region: str) -> tuple[str, str] | None:
    shape = _PHONE_SHAPE.fullmatch(value.translate(_PLAIN).strip())
    if shape is None:
        return None
    number, extension = shape[1], shape[2] or ""
    plain = _valid_e164(number, region)
    if plain is None and not extension and region == "CN":
        # 021-62345678-801: the usual way to write an extension here, unknown to the library.
        office = _CHINA_OFFICE.fullmatch(number)
        if office:
            plain, extension = _valid_e164(office[1], region), office[2]
    return None if plain is None else (plain, extension)


def _valid_e164(number: str, region: str) -> str | None:
    # Imported here: the library takes 6 MB, which a process that only sees mobile numbers need not pay.
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


# --- e-mail ---

# Addresses that email-validator is known to take as they are; all others, special-use domains (of one label
# or ending in these) among them, take the slow way. A test compares both.
_PLAIN_EMAIL = re.compile(
    r"(?=[^@]{1,64}@)[a-z0-9_]+(?:[._+-][a-z0-9_]+)*@"
    r"(?:[a-z0-9]{1,20}(?:-[a-z0-9]{1,20}){0,2}\.){1,3}"
    r"(?!(?:arpa|invalid|local|localhost|onion|test)$)[a-z]{2,12}"
)


def email(value: str) -> str:
    """The address in lower case, full-width letters as ASCII. Checked for its form; nothing is looked up."""
    if not isinstance(value, str) or len(value) > LONGEST_EMAIL + 64:
        raise FieldProblem("is no valid e-mail address", "不是有效的邮箱地址")
    plain = value.strip().lower()
    if _PLAIN_EMAIL.fullmatch(plain):
        return plain
    # Imported here: most processes never meet an address that needs it.
    from email_validator import EmailNotValidError, validate_email

    try:
        plain = unicodedata.normalize("NFKC", plain).strip(_WHITE).lower()
        plain = validate_email(plain, check_deliverability=False, strict=True).normalized.lower()
    except (EmailNotValidError, UnicodeError) as problem:
        raise FieldProblem("is no valid e-mail address", "不是有效的邮箱地址") from problem
    return plain


# --- licence ---

_LICENCE_DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_LICENCE = re.compile(f"[{_LICENCE_DIGITS}]{{2}}[0-9]{{6}}[{_LICENCE_DIGITS}]{{10}}")
_LICENCE_SHAPE = re.compile(r"[0-9A-Z]{18}|[0-9]{15}")
_LICENCE_VALUE = {digit: value for value, digit in enumerate(_LICENCE_DIGITS)}
_LICENCE_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


def licence(value: str, strict: bool = True) -> str:
    """A Chinese unified social credit code: 18 characters, upper case (GB 32100-2015, ISO 7064 MOD 31-3).

    Not `strict`, a number of the right shape will do: 18 letters and digits whatever their check digit, or
    the 15 digits of a licence from before 2015. Lists typed by hand need that; matching works alike.
    """
    if not isinstance(value, str) or len(value) > 64:
        raise FieldProblem("is no valid business licence number", "不是有效的营业执照号")
    plain = unicodedata.normalize("NFKC", value).translate(_SEPARATORS).strip(_WHITE).upper()
    if not strict:
        if not _LICENCE_SHAPE.fullmatch(plain):
            raise FieldProblem("must have 18 letters and digits, or 15 digits", "必须是 18 位字母数字或 15 位数字")
        return plain
    if not _LICENCE.fullmatch(plain):
        raise FieldProblem("is no unified social credit code of 18 characters", "不是 18 位统一社会信用代码")
    total = sum(_LICENCE_VALUE[digit] * weight for digit, weight in zip(plain, _LICENCE_WEIGHTS, strict=False))
    if _LICENCE_VALUE[plain[17]] != -total % 31:
        raise FieldProblem("is no unified social credit code: the check digit is wrong", "统一社会信用代码的校验位错误")
    return plain


# --- money ---


def currency(value: Any) -> str:
    """A code of ISO 4217 that people pay with, "CNY"; what is no text is none."""
    if not isinstance(value, str) or value not in CURRENCIES:
        raise FieldProblem("must be the code of a currency (ISO 4217), such as CNY", "须为 ISO 4217 币种代码，如 CNY")
    return value


# --- places and moments ---

_REGION_NOISE = re.compile("[ '’.\\-]")


def region(value: str, max_length: int = 64) -> str:
    """A place name: provinces of China in their short Chinese form (北京市, Beijing: 北京), others as given."""
    plain = text(value, max_length)
    if plain in REGIONS:
        return REGIONS[plain]
    return REGIONS.get(_REGION_NOISE.sub("", unicodedata.normalize("NFKC", plain)).lower(), plain)


def location(latitude: float, longitude: float) -> tuple[float, float]:
    """Degrees, WGS 84: latitude from -90 to 90, longitude from -180 to 180, both finite."""
    for number in (latitude, longitude):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise FieldProblem("must be two numbers of degrees", "必须是两个以度为单位的数字")
    # Compared before float(), which overflows on a huge integer; a NaN compares false.
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise FieldProblem(
            "latitude must lie from -90 to 90, longitude from -180 to 180",
            "纬度须在 -90 至 90、经度须在 -180 至 180 之间",
        )
    return float(latitude), float(longitude)


def moment(value: datetime | str) -> datetime:
    """A moment in UTC in the years 2000 to 2100, from an aware datetime or ISO 8601 text with its offset."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip()) if len(value) <= 64 else None  # type: ignore[assignment]
        except ValueError:
            value = None  # type: ignore[assignment]
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise FieldProblem(
            "must be a moment with its offset, such as 2026-10-01T09:00:00+08:00",
            "必须是带时区的时间，如 2026-10-01T09:00:00+08:00",
        )
    if not EARLIEST <= value < LATEST:
        raise FieldProblem("must lie in the years 2000 to 2100", "必须在 2000 至 2100 年之间")
    return value.astimezone(UTC)
