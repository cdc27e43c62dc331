"""Messages to JSON and back, with protobuf's own JSON code as the judge."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from dealwright.leads.v1 import leads_pb2
from dealwright.rules.v1 import rules_pb2
from gateway.wire import json_reader, json_text, json_writer
from gateway.wire.json_text import NotJson
from gateway.wire.wrong import Wrong

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
NUMBER = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: x == x)
)
FREE = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBER, TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=10,
)
LEAD = st.fixed_dictionaries(
    {},
    optional={
        "fullName": TEXT.filter(bool),
        "channel": st.sampled_from(["WEB_FORM", "API", "PHONE_400"]),
        "intent": st.sampled_from(["HIGH", "LOW"]),
        "location": st.fixed_dictionaries({"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)}),
        "captureTime": st.datetimes().map(lambda t: t.replace(year=max(t.year, 1000)).isoformat() + "Z"),
        "tags": st.lists(TEXT, max_size=3),
        "custom": st.dictionaries(TEXT, FREE, max_size=3),
        "ownerVersion": st.integers(-(2**63), 2**63 - 1).map(str),
    },
)


def read(plain: Any, message: Any) -> Any:
    json_reader.read(plain, message)
    return message


@given(LEAD)
def test_what_is_read_is_what_protobuf_reads(plain: dict[str, Any]) -> None:
    body = json.dumps({"lead": plain}).encode()
    mine = read(json_text.parse(body), leads_pb2.CaptureLeadRequest())
    theirs = json_format.Parse(body, leads_pb2.CaptureLeadRequest())
    assert mine == theirs


@given(LEAD)
def test_what_is_written_reads_back_the_same_in_both(plain: dict[str, Any]) -> None:
    message = json_format.ParseDict({"lead": plain}, leads_pb2.CaptureLeadRequest())
    text = json_writer.encode(json_writer.write(message))
    assert read(json_text.parse(text), leads_pb2.CaptureLeadRequest()) == message
    assert json_format.Parse(text, leads_pb2.CaptureLeadRequest()) == message


@given(st.dictionaries(TEXT, st.floats(allow_nan=False, allow_infinity=False), max_size=4), st.floats(allow_nan=False))
def test_maps_and_doubles_are_written_as_protobuf_writes_them(ledger: dict[str, float], credit: float) -> None:
    decision = rules_pb2.Decision(ledger_before=ledger, entry=2**60)
    decision.candidates.add(person="people/1", credit=credit)
    plain = json.loads(json_writer.encode(json_writer.write(decision)))
    theirs = json_format.MessageToDict(decision)
    assert plain["ledgerBefore"] == theirs.get("ledgerBefore", {})
    assert plain["entry"] == theirs["entry"] == str(2**60)
    assert plain["candidates"][0]["credit"] == theirs["candidates"][0].get("credit", 0.0)


@given(st.binary(max_size=200))
def test_any_bytes_are_either_read_or_refused_with_a_reason(body: bytes) -> None:
    try:
        read(json_text.parse(body), leads_pb2.CaptureLeadRequest())
    except (NotJson, Wrong) as refusal:
        assert refusal.english  # noqa: PT017 - either outcome is right, in its way
        assert refusal.chinese  # noqa: PT017 - either outcome is right, in its way


@given(st.dictionaries(st.sampled_from(["lead", "requestId", "x"]), FREE, max_size=3))
def test_any_data_is_either_taken_by_protobuf_too_or_refused_with_a_path(plain: dict[str, Any]) -> None:
    try:
        mine = read(plain, leads_pb2.CaptureLeadRequest())
    except Wrong as refusal:
        assert refusal.path.startswith(".")  # noqa: PT017 - either outcome is right, in its way
        return
    assert json_format.ParseDict(plain, leads_pb2.CaptureLeadRequest()) == mine


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-01T09:30:00Z", "2026-05-01T09:30:00Z"),
        ("2026-05-01T09:30:00.5+08:00", "2026-05-01T01:30:00.500Z"),
        ("2026-05-01t09:30:00.000001z", "2026-05-01T09:30:00.000001Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
        ("1969-12-31T23:59:59.900Z", "1969-12-31T23:59:59.900Z"),
    ],
)
def test_times_keep_their_moment(text: str, expected: str) -> None:
    message = read({"captureTime": text}, leads_pb2.Lead())
    assert json_writer.write(message)["captureTime"] == expected
    assert json_format.MessageToDict(message)["captureTime"] == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-05-01",
        "2026-13-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "2026-05-01T09:30:60Z",
        "2026-05-01T09:30:00",
        "２０２６-05-01T09:30:00Z",
        "2026-05-01T09:30:00+24:00",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Wrong):
        read({"captureTime": text}, leads_pb2.Lead())


@pytest.mark.parametrize("value", [math.nan, math.inf, "1", True, None, 1e400])
def test_a_double_takes_finite_numbers_only(value: Any) -> None:
    location = leads_pb2.Location()
    if value is None:
        assert read({"latitude": value}, location) == leads_pb2.Location()
        return
    with pytest.raises(Wrong, match=r"number"):
        read({"latitude": value}, location)


@pytest.mark.parametrize("value", [2**63, "9223372036854775808", "1.5", "１", 1.5, True, "9" * 5000, ""])
def test_a_64_bit_number_out_of_range_or_form_is_refused(value: Any) -> None:
    with pytest.raises(Wrong):
        read({"ownerVersion": value}, leads_pb2.Lead())


def test_the_deepest_free_data_that_is_taken_survives_the_wire() -> None:
    plain: Any = {}
    for _ in range(json_text.MOST_DEPTH - 4):
        plain = {"a": [plain]} if _ % 2 else {"a": plain}
    while True:
        try:
            message = read({"requests": [{"lead": {"custom": plain}}]}, leads_pb2.BatchCaptureLeadsRequest())
            break
        except Wrong:
            plain = plain["a"] if isinstance(plain["a"], dict) else plain["a"][0]
    assert leads_pb2.BatchCaptureLeadsRequest.FromString(message.SerializeToString()) == message


def test_what_is_write_only_is_never_written() -> None:
    from dealwright.directory.v1 import directory_pb2

    person = directory_pb2.Person(name="people/1", password="secret")
    assert "password" not in json_writer.write(person)
    answer = directory_pb2.ListPeopleResponse(people=[person])
    assert b"secret" not in json_writer.encode(json_writer.write(answer))
