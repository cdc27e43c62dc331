"""Captures that are wrong: every wrong field is named, in both languages, and nothing of it is stored."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tests.security.front import Front, checked_problem, wide

_phones = itertools.count(13700000000)
CAPTURE = "/v1/leads:capture"
BATCH = "/v1/leads:batchCapture"
INVALID = "INVALID"


def a_lead(**values: Any) -> dict[str, Any]:
    return {"phone": str(next(_phones)), **values}


def deep(levels: int) -> Any:
    inner: Any = "x"
    for _ in range(levels):
        inner = {"a": inner}
    return inner


NO_CHANNEL: list[Any] = ["FAX", "web_form", "", 2, 99, True, ["API"], {}, 1e400]
NO_LEAD: list[Any] = ["x", 1, [], True]
WRONG: list[tuple[str, Any, set[str]]] = [
    ("nothing", {}, {"lead.phone"}),
    ("an empty lead", {"lead": {}}, {"lead.phone"}),
    ("null", {"lead": None}, {"lead.phone"}),
    ("no phone", {"lead": {"fullName": "王"}}, {"lead.phone"}),
    ("three wrong fields", {"lead": {"phone": "12", "email": "a", "region": "x" * 65}},
     {"lead.phone", "lead.email", "lead.region"}),
    *((f"{n} too long", {"lead": a_lead(**{n: "长" * (most + 1)})}, {f"lead.{n}"})
      for n, most in {"fullName": 128, "company": 200, "industry": 64, "category": 64, "region": 64,
                      "text": 8000, "licence": 200}.items()),
    ("a phone without end", {"lead": {"phone": "1" * 100_000}}, {"lead.phone"}),
    ("an e-mail without end", {"lead": {"email": "a" * 100_000 + "@example.cn"}}, {"lead.email"}),
    ("a request id without end", {"requestId": "r" * 129, "lead": a_lead()}, {"requestId"}),
    ("a request id with a line end", {"requestId": "a\nb", "lead": a_lead()}, {"requestId"}),
    ("too many tags", {"lead": a_lead(tags=["t"] * 51)}, {"lead.tags"}),
    ("a tag too long", {"lead": a_lead(tags=["t" * 65])}, {"lead.tags"}),
    ("an empty skill", {"lead": a_lead(skills=[" "])}, {"lead.skills"}),
    *((f"{n} with U+{ord(c):04X}", {"lead": a_lead(**{n: f"甲{c}乙"})}, {f"lead.{n}"})
      for n in ("fullName", "company", "region", "text", "industry", "category")
      for c in "\x00\x07\x1b\x7f\x85\u061c\u200e\u200f\u202e\u2066\u2069\u2028\ufdd0\uffff\U000e0041"),
    ("a line end in a name", {"lead": a_lead(fullName="甲\n乙")}, {"lead.fullName"}),
    ("an override in a tag", {"lead": a_lead(tags=["a\u202eb"])}, {"lead.tags"}),
    ("a control character in an e-mail", {"lead": {"email": "a\x00@example.cn"}}, {"lead.email"}),
    ("half a surrogate pair", {"lead": a_lead(fullName="\ud800")}, {"lead.fullName"}),
    *((f"channel {value!r}", {"lead": a_lead(channel=value)}, {"lead.channel"})
      for value in NO_CHANNEL),
    ("intent", {"lead": a_lead(intent="VERY")}, {"lead.intent"}),
    ("status", {"lead": a_lead(status="LOST")}, {"lead.status"}),
    ("an unknown field", {"lead": a_lead(fullNam="x")}, {"lead.fullNam"}),
    ("an unknown field at the top", {"leed": a_lead(), "lead": a_lead()}, {"leed"}),
    ("a field of objects' own", {"lead": {"__proto__": {}, "phone": "1"}}, {"lead.__proto__"}),
    ("both spellings", {"lead": a_lead(fullName="a", full_name="b")}, {"lead.fullName"}),
    *((f"captured {at!r}", {"lead": a_lead(captureTime=at)}, {"lead.captureTime"})
      for at in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2026-13-01T00:00:00Z",
                 "2026-02-30T00:00:00Z", "2026-10-01T00:00:00", "2026-10-01", "yesterday", "", 1700000000, True,
                 "2100-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2026-10-01T25:00:00Z", "-2026-10-01T00:00:00Z")),
    *((f"at {place!r}", {"lead": a_lead(location=place)}, {where})
      for place, where in (
          ({"latitude": float("nan"), "longitude": 1}, "lead.location.latitude"),
          ({"latitude": float("inf"), "longitude": 1}, "lead.location.latitude"),
          ({"latitude": 1, "longitude": float("-inf")}, "lead.location.longitude"),
          ({"latitude": "NaN", "longitude": 1}, "lead.location.latitude"),
          ({"latitude": "31.2", "longitude": 1}, "lead.location.latitude"),
          ({"latitude": 10**400, "longitude": 1}, "lead.location.latitude"),
          ({"latitude": True, "longitude": 1}, "lead.location.latitude"),
          ({"latitude": 90.0001, "longitude": 1}, "lead.location"),
          ({"latitude": 1, "longitude": -180.5}, "lead.location"),
          ({"latitude": 1, "longitude": 1e308}, "lead.location"),
          ({"lat": 1}, "lead.location.lat"),
          ([31, 121], "lead.location"),
      )),
    *((f"lead {value!r}", {"lead": value}, {"lead"}) for value in NO_LEAD),
    ("a phone that is a number", {"lead": {"phone": 13800138000}}, {"lead.phone"}),
    ("tags that are a text", {"lead": a_lead(tags="a")}, {"lead.tags"}),
    ("a tag that is none", {"lead": a_lead(tags=["a", None])}, {"lead.tags[1]"}),
    ("custom data too deep", {"lead": a_lead(custom=deep(7))}, {"lead.custom"}),
    ("custom data too long", {"lead": a_lead(custom={"a": "x" * 20_000})}, {"lead.custom"}),
    ("custom data with too many keys", {"lead": a_lead(custom={str(n): n for n in range(201)})}, {"lead.custom"}),
    ("a hostile key", {"lead": a_lead(custom={"<script>": 1})}, {"lead.custom"}),
    ("a control character below custom", {"lead": a_lead(custom={"a": ["\x00"]})}, {"lead.custom.a[0]"}),
    ("an infinite number below custom", {"lead": a_lead(custom={"a": float("inf")})}, {"lead.custom.a"}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "fields"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_L1_L2_I1_a_wrong_capture_names_its_fields_and_stores_nothing(
    body: Any, fields: set[str], front: Front
) -> None:
    data = wide(body) if "\\ud800" not in repr(body) else json.dumps(body)  # sent as an escape, or it were no UTF-8
    front.refuses("POST", CAPTURE, (400, INVALID, fields), data=data, headers={"Content-Type": "application/json"})


def test_L1_every_wrong_field_above_is_fine_once_it_is_right(front: Front) -> None:
    lead = a_lead(
        fullName="长" * 128, company="长" * 200, industry="业" * 64, category="类" * 64, region="某州",
        text="长" * 8000 + "\n", tags=["t" * 64] * 50, skills=["s"], channel="TRADE_SHOW", intent="HIGH",
        captureTime="2026-10-01T08:00:00+08:00", location={"latitude": -90, "longitude": 180},
        custom={"a": [1, {"b": {"c": "\n"}}]}, licence="91310000MA1FL0000X",
    )  # fmt: skip
    lead["captureTime"] = "2024-10-01T08:00:00+08:00"
    assert front.done("POST", CAPTURE, json={"requestId": "r" * 128, "lead": lead})["outcome"] == "CREATED"


# --- batches ---


def test_L1_a_batch_of_1001_rows_is_refused_whole(front: Front) -> None:
    rows = {"requests": [{"lead": a_lead()} for _ in range(1001)]}
    front.refuses("POST", BATCH, (400, INVALID, {"requests"}), json=rows)


@pytest.mark.parametrize("body", [{}, {"requests": []}, {"requests": None}], ids=str)
def test_L1_an_empty_batch_is_refused(body: Any, front: Front) -> None:
    front.refuses("POST", BATCH, (400, INVALID, {"requests"}), json=body)


# Rows that are no captures at all, with the path that is wrong in each.
UNREADABLE: list[tuple[Any, str]] = [
    ({"lead": a_lead(channel="FAX")}, ".lead.channel"),
    ({"lead": a_lead(captureTime="not a time")}, ".lead.captureTime"),
    ({"lead": {"phone": 13800138000}}, ".lead.phone"),
    ({"lead": a_lead(fullNam="x")}, ".lead.fullNam"),
    ({"lead": a_lead(location={"latitude": float("nan"), "longitude": 1})}, ".lead.location.latitude"),
    ({"lead": a_lead(custom=deep(30))}, ".lead.custom" + 20 * ".a"),
    ({"lead": "x"}, ".lead"),
    (None, ""),
    ("x", ""),
    ([], ""),
]


@pytest.mark.parametrize("tongue", ["zh-CN", "en"])
def test_L1_a_row_that_cannot_be_read_fails_alone_and_names_its_field(tongue: str, front: Front) -> None:
    rows: list[Any] = []
    for row, _ in UNREADABLE:
        rows += [{"lead": a_lead(fullName=f"good {len(rows)}")}, row]
    rows += [{"lead": {"phone": "12"}}, {"lead": a_lead(fullName=f"good {len(rows) + 1}")}]
    front.rest()
    before = front.counts()["leads.leads"]
    headers = {"Accept-Language": tongue, "Content-Type": "application/json"}
    results = front.done("POST", BATCH, data=wide({"requests": rows}), headers=headers)["results"]
    assert len(results) == len(rows)
    for number, (_, path) in enumerate(UNREADABLE):
        assert results[2 * number]["lead"]["fullName"] == f"good {2 * number}"
        at = 2 * number + 1
        problem = results[at]["error"]
        assert set(problem) == {"type", "title", "status", "detail", "reason", "fields", "requestId"}
        assert [one["field"] for one in problem["fields"]] == [f"requests[{at}]{path}"]
        assert (problem["status"], problem["reason"]) == (400, "INVALID")
        assert problem["detail"] == f"requests[{at}]{path}: {problem['fields'][0]['message']}"
        assert any("\u4e00" <= c <= "\u9fff" for c in problem["detail"]) is (tongue == "zh-CN")
    assert results[-2]["error"]["fields"][0]["field"] == f"requests[{len(rows) - 2}].lead.phone"
    assert results[-1]["lead"]["fullName"] == f"good {len(rows) - 1}"
    assert front.counts()["leads.leads"] == before + len(UNREADABLE) + 1


def test_L1_a_batch_of_which_no_row_can_be_read_has_an_error_for_each_for_who_may_capture(front: Front) -> None:
    body = {"requests": [None, {"lead": a_lead(channel="FAX")}]}
    with front.nothing_written():
        results = front.done("POST", BATCH, json=body)["results"]
    assert [one["error"]["fields"][0]["field"] for one in results] == ["requests[0]", "requests[1].lead.channel"]
    front.refuses("POST", BATCH, (401, "UNAUTHENTICATED", set()), json=body, token="")
    front.done("POST", "/v1/people", json={"login": "cai", "role": "finance", "password": "six of eight"})
    front.refuses("POST", BATCH, (403, "DENIED", set()), json=body, token=front.sign_in("cai", "six of eight"))


def test_L1_a_batch_of_too_many_rows_is_refused_whole_though_few_of_them_could_be_read(front: Front) -> None:
    rows = {"requests": [{"lead": a_lead()}, *[None] * 1000]}
    front.refuses("POST", BATCH, (400, INVALID, {"requests"}), json=rows)


@pytest.mark.parametrize("tongue", ["zh-CN", "en"])
def test_L1_a_bad_row_among_good_ones_fails_alone_and_names_its_fields(tongue: str, front: Front) -> None:
    bad: list[tuple[dict[str, Any], set[str]]] = [
        ({"lead": {}}, {"lead.phone"}),
        ({"lead": {"phone": "12"}}, {"lead.phone"}),
        ({"lead": a_lead(fullName="a\u202e")}, {"lead.fullName"}),
        ({"lead": a_lead(captureTime="9999-12-31T00:00:00Z")}, {"lead.captureTime"}),
        ({"lead": a_lead(location={"latitude": 91, "longitude": 0})}, {"lead.location"}),
        ({"requestId": "x" * 200, "lead": {"phone": "1"}}, {"requestId", "lead.phone"}),
    ]
    rows: list[Any] = []
    for row, _ in bad:
        rows += [{"lead": a_lead()}, row]
    rows.append({"lead": a_lead()})
    front.rest()
    before = front.counts()["leads.leads"]
    answer = front("POST", BATCH, json={"requests": rows}, headers={"Accept-Language": tongue})
    results = answer.json()["results"]
    assert [("error" in one, "lead" in one) for one in results] == [(n % 2 == 1, n % 2 == 0) for n in range(len(rows))]
    for number, (_, fields) in enumerate(bad):
        problem = results[2 * number + 1]["error"]
        assert {f["field"] for f in problem["fields"]} == {f"requests[{2 * number + 1}].{field}" for field in fields}
        assert problem["status"] == 400
        assert any("\u4e00" <= c <= "\u9fff" for c in problem["fields"][0]["message"]) is (tongue == "zh-CN")
    assert front.counts()["leads.leads"] == before + len(bad) + 1


# --- once per request id ---


def test_L1_a_request_id_with_another_body_is_refused_and_with_the_same_answered_alike(front: Front) -> None:
    lead = a_lead(company="甲")
    body = {"requestId": "once-capture", "lead": lead}
    first = front.done("POST", CAPTURE, json=body)
    front.rest()
    with front.nothing_written():
        assert front.done("POST", CAPTURE, json=body) == first
    other = {"requestId": "once-capture", "lead": {**lead, "company": "乙"}}
    front.refuses("POST", CAPTURE, (409, "REQUEST_ID_REUSED", set()), json=other)
    rows = front.done("POST", BATCH, json={"requests": [other, {"lead": a_lead()}]})["results"]
    assert rows[0]["error"]["reason"] == "REQUEST_ID_REUSED"
    assert "lead" in rows[1]


REPEATED: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("POST", "/v1/people", {"displayName": "甲", "login": "once", "role": "sales"}, {"displayName": "乙"}),
    ("POST", "/v1/teams", {"displayName": "一次组"}, {"displayName": "两次组"}),
    ("PATCH", "/v1/calendars/company", {"displayName": "公司一"}, {"displayName": "公司二"}),
]


@pytest.mark.parametrize(("verb", "path", "body", "other"), REPEATED, ids=[r[1] for r in REPEATED])
def test_a_request_id_of_any_command_is_good_for_one_body(
    verb: str, path: str, body: dict[str, Any], other: dict[str, Any], front: Front
) -> None:
    once = f"{path}?requestId=once-{path.rpartition('/')[2]}"
    first = front.done(verb, once, json=body)
    with front.nothing_written():
        assert front.done(verb, once, json=body) == first
    front.refuses(verb, once, (409, "REQUEST_ID_REUSED", set()), json={**body, **other})


def test_a_request_id_of_one_person_says_nothing_to_another(front: Front) -> None:
    front.done(
        "POST",
        "/v1/people",
        json={"displayName": "丙", "login": "bing", "role": "manager", "password": "six of twelve"},
    )
    body = {"requestId": "mine-alone", "lead": a_lead()}
    first = front.done("POST", CAPTURE, json=body)
    second = front.done("POST", CAPTURE, json=body, token=front.sign_in("bing", "six of twelve"))
    assert (first["outcome"], second["outcome"]) == ("CREATED", "TOUCHED")


def test_L1_a_duplicate_is_named_where_duplicates_are_refused(front: Front) -> None:
    lead = a_lead()
    front.done("POST", CAPTURE, json={"lead": lead})
    front.done("POST", "/v1/blueprint:apply", json={"leads": {"hardRejectDuplicates": True}})
    try:
        front.refuses("POST", CAPTURE, (409, "DUPLICATE", set()), json={"lead": lead})
    finally:
        front.done("POST", "/v1/blueprint:apply", json={"leads": {"hardRejectDuplicates": False}})


def test_a_form_takes_only_its_fields_and_says_no_more_than_that_it_came(front: Front) -> None:
    form = {"displayName": "展位", "fields": ["phone", "fullName"], "requiredFields": ["fullName"], "open": True}
    made = front("POST", "/v1/forms?formId=bad-input", json=form)
    if made.status_code != 200:  # the fields in the contract's own spelling
        form |= {"fields": ["phone", "full_name"], "requiredFields": ["full_name"]}
        front.done("POST", "/v1/forms?formId=bad-input", json=form)
    path = "/v1/forms/bad-input:submit"
    for lead, fields in (
        (a_lead(fullName="甲", company="乙"), {"lead.company"}),
        (a_lead(fullName="甲", owner="people/1"), {"lead.owner"}),
        (a_lead(fullName="甲", tags=["vip"]), {"lead.tags"}),
        (a_lead(), {"lead.fullName"}),
        ({"fullName": "甲"}, {"lead.phone"}),
        ({"fullName": "甲\u202e", "phone": "1"}, {"lead.fullName", "lead.phone"}),
    ):
        front.refuses("POST", path, (400, INVALID, fields), json={"lead": lead}, token="")
    sent = front.done("POST", path, json={"lead": a_lead(fullName="甲")}, token="")
    assert set(sent) == {"message"}
    front.done("PATCH", "/v1/forms/bad-input", json={"open": False})
    for name in ("bad-input", "never-was"):
        front.refuses("POST", f"/v1/forms/{name}:submit", (404, "NOT_FOUND", set()), json={"lead": a_lead()}, token="")
    assert checked_problem(front("GET", "/v1/forms/never-was"))["reason"] == "NOT_FOUND"
