"""Filters, orders, page tokens and etags that somebody made up."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.security.front import Front, checked_problem

INVALID = (400, "INVALID")

FILTERS = [
    "phone = '1' OR '1'='1'",
    'phone = "1"; DROP TABLE leads',
    'phone = "1" UNION SELECT * FROM people',
    "1 = 1",
    '"a" = "a"',
    "phone",
    "= phone",
    "phone = ",
    'phone LIKE "%"',
    "phone IN (1)",
    'owner.password = "x"',
    'custom.a = "x"',
    "text : *",
    'password_hash = "x"',
    "((((((((((" * 50,
    "NOT " * 2000 + 'phone = "1"',
    " AND ".join(['company = "a"'] * 2000),
    'company = "a' + "x" * 100_000 + '"',
    'company = "\x00"',
    'company = "unterminated',
    "status = LOST",
    "status = 2",
    "status > POOLED AND",
    'capture_time > "9999-99-99"',
    'capture_time > "yesterday"',
    "capture_time > 5",
    "channel = 'API'--",
    "phone /* a */ = 1",
    "\\",
    "$1 = $1",
    "?",
    "%s",
    "{0}",
]


@pytest.mark.parametrize("path", ["/v1/leads", "/v1/leads:summarize"])
@pytest.mark.parametrize("text", FILTERS, ids=[f[:30] for f in FILTERS])
def test_L1_a_filter_that_is_none_is_refused_and_reaches_no_database(text: str, path: str, front: Front) -> None:
    if len(text) > 20_000:  # past what a request line may hold
        assert front("GET", f"{path}?filter={quote(text)}").status_code in (400, 414, 431)
        return
    group = "&groupBy=channel" if "summarize" in path else ""
    front.refuses("GET", f"{path}?filter={quote(text)}{group}", (*INVALID, {"filter"}))


@pytest.mark.parametrize("text", ["%", "_", "'", '\\"', "a%b_c", "*", "--", ";", "\\\\", "甲%", "$$", "{}", "%%s"])
def test_L1_what_means_something_to_sql_is_a_mere_letter_in_a_filter(text: str, front: Front) -> None:
    """A filter on a company of that very name finds it, and none besides."""
    plain = text.replace('\\"', '"').replace("\\\\", "\\")
    number = 13400000000 + sum(map(ord, text)) * 97
    front.done("POST", "/v1/leads:capture", json={"lead": {"phone": str(number), "company": f"{plain}x"}})
    front.done("POST", "/v1/leads:capture", json={"lead": {"phone": str(number + 1), "company": f"q{plain}xq"}})
    wanted = quote('company = "' + text + 'x"')
    found = front.done("GET", f"/v1/leads?filter={wanted}")["leads"]
    assert [lead["company"] for lead in found] == [f"{plain}x"]


@pytest.mark.parametrize(
    "order",
    ["phone", "capture_time; DROP", "capture_time sideways", ",", "capture_time,capture_time", "a" * 600, "1",
     "random()", "capture_time desc desc", "captureTime\x00"],
)  # fmt: skip
def test_L1_an_order_that_is_none_is_refused(order: str, front: Front) -> None:
    front.refuses("GET", f"/v1/leads?orderBy={quote(order)}", (*INVALID, {"orderBy"}))


@pytest.fixture(scope="module")
def token(front: Front) -> str:
    for number in range(3):
        front.done("POST", "/v1/leads:capture", json={"lead": {"phone": str(13300000000 + number)}})
    return str(front.done("GET", "/v1/leads?pageSize=2")["nextPageToken"])


def _tampered(token: str) -> dict[str, str]:
    raw = base64.urlsafe_b64decode(token + "==")
    swapped = raw[:12] + json.dumps(["x", "leads/x"]).encode()
    return {
        "a letter more": token + "A",
        "a letter less": token[:-1],
        "another letter": ("A" if token[0] != "A" else "B") + token[1:],
        "another row": base64.urlsafe_b64encode(swapped).rstrip(b"=").decode(),
        "no digest": base64.urlsafe_b64encode(raw[12:]).rstrip(b"=").decode(),
        "padding": token + "==",
        "a word": "next",
        "a number": "2",
        "very long": "A" * 20_000,
        "a line end": token + "%0A",
        "SQL": "'%20OR%201=1",
        "not ASCII": "%E4%BA%BA",
    }


def test_L1_a_page_token_that_was_tampered_with_is_refused(front: Front, token: str) -> None:
    assert len(front.done("GET", f"/v1/leads?pageSize=2&pageToken={token}")["leads"]) == 2
    for what, wrong in _tampered(token).items():
        with front.nothing_written():
            answer = front("GET", f"/v1/leads?pageSize=2&pageToken={wrong}")
        problem = checked_problem(answer)
        assert [one["field"] for one in problem["fields"]] == ["pageToken"], what


def test_L1_a_page_token_belongs_to_its_request_alone(front: Front, token: str) -> None:
    others = [
        f"/v1/leads?filter={quote('status = POOLED')}&pageToken={token}",
        f"/v1/leads?orderBy=respond_by&pageToken={token}",
        f"/v1/people?pageToken={token}",
        f"/v1/teams?pageToken={token}",
        f"/v1/forms?pageToken={token}",
    ]
    for path in others:
        front.refuses("GET", path, (*INVALID, {"pageToken"}))
    lead = front.done("GET", "/v1/leads?pageSize=1")["leads"][0]["name"]
    for below in ("touchpoints", "decisions"):
        front.refuses("GET", f"/v1/{lead}/{below}?pageToken={token}", (*INVALID, {"pageToken"}))


STALE: list[tuple[str, str, dict[str, Any]]] = [
    ("PATCH", "{lead}", {"company": "丙", "etag": "999"}),
    ("POST", "{lead}:contact", {"etag": "999"}),
    ("POST", "{lead}:qualify", {"etag": "999"}),
    ("POST", "{lead}:release", {"etag": "999"}),
    ("POST", "{lead}:disqualify", {"etag": "999", "reason": "x"}),
    ("POST", "{lead}:reassign", {"etag": "999"}),
    ("PATCH", "{person}", {"displayName": "新", "etag": "999"}),
    ("PATCH", "roles/sales", {"displayName": "新", "etag": "999"}),
    ("PATCH", "calendars/company", {"displayName": "新", "etag": "999"}),
    ("PATCH", "{team}", {"displayName": "新", "etag": "999"}),
    ("DELETE", "{team}?etag=999", {}),
    ("PATCH", "{form}", {"displayName": "新", "etag": "999"}),
    ("DELETE", "{form}?etag=999", {}),
    ("PATCH", "policies/assignment", {"etag": "999"}),
]


@pytest.fixture(scope="module")
def names(front: Front) -> dict[str, str]:
    lead = front.done("POST", "/v1/leads:capture", json={"lead": {"phone": "13300000009"}})["lead"]["name"]
    team = front.done("POST", "/v1/teams", json={"displayName": "旧组"})["name"]
    form = {"displayName": "旧表", "fields": ["phone"]}
    front.done("POST", "/v1/forms?formId=stale", json=form)
    return {"lead": lead, "team": team, "form": "forms/stale", "person": front.me}


@pytest.mark.parametrize(("verb", "path", "body"), STALE, ids=[f"{s[0]} {s[1]}" for s in STALE])
def test_an_etag_that_is_old_or_made_up_is_stale(
    verb: str, path: str, body: dict[str, Any], front: Front, names: dict[str, str]
) -> None:
    front.rest()
    if "policies" in path:
        body = {**body, "content": front.done("GET", f"/v1/{path}")["content"]}
    for etag in ("999", "0", "-1", "x", "'; --", "1e3"):
        changed = {**body, "etag": etag} if "etag" in body else body
        where = path.format(**names).replace("etag=999", f"etag={quote(etag)}")
        given = {"json": changed} if changed else {}
        # Of a lead it says what was changed since.
        fields = None if "{lead}" in path else set[str]()
        front.refuses(verb, f"/v1/{where}", (409, "STALE", fields), **given)
