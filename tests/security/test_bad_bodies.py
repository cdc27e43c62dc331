"""What comes over the wire and is no request: sizes, encodings, headers, connections that do not end, odd addresses."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest

from tests.security.front import Front, checked_problem

CAPTURE = "/v1/leads:capture"
JSON = {"Content-Type": "application/json"}
GOOD = json.dumps({"lead": {"phone": "13600000001"}}).encode()
INVALID = (400, "INVALID")

# The records that people keep.
KINDS = (
    *("customers", "contacts", "opportunities", "followUps", "tasks", "changeRequests", "interactions", "checkIns"),
    *("templates", "products", "priceLists", "exchangeRates", "quotes", "approvals", "contracts", "invoices"),
    "payments",
)
# Every address that takes a body.
POSTS = [
    ("POST", "/v1/leads:capture"),
    ("POST", "/v1/leads:batchCapture"),
    ("POST", "/v1/forms/any:submit"),
    ("PATCH", "/v1/leads/any"),
    ("POST", "/v1/leads/any:contact"),
    ("POST", "/v1/leads/any:claim"),
    ("POST", "/v1/leads/any:qualify"),
    ("POST", "/v1/leads/any:disqualify"),
    ("POST", "/v1/leads/any:release"),
    ("POST", "/v1/leads/any:reassign"),
    ("POST", "/v1/forms"),
    ("PATCH", "/v1/forms/any"),
    ("POST", "/v1/people"),
    ("PATCH", "/v1/people/any"),
    ("POST", "/v1/people/any:setPresence"),
    ("POST", "/v1/people/any:changePassword"),
    ("POST", "/v1/passwordResets"),
    ("POST", "/v1/passwordResets:redeem"),
    ("POST", "/v1/teams"),
    ("PATCH", "/v1/teams/any"),
    ("PATCH", "/v1/roles/any"),
    ("POST", "/v1/calendars"),
    ("PATCH", "/v1/calendars/any"),
    ("POST", "/v1/sessions"),
    ("PATCH", "/v1/policies/any"),
    ("POST", "/v1/policies:simulate"),
    ("POST", "/v1/journal:verify"),
    ("POST", "/v1/blueprint:apply"),
    *(("POST", f"/v1/{kind}") for kind in KINDS),
    *(("PATCH", f"/v1/{kind}/any") for kind in KINDS if kind != "approvals"),
]


@pytest.mark.parametrize(("verb", "path"), POSTS)
def test_a_body_of_more_than_4_mb_is_refused_everywhere(verb: str, path: str, front: Front) -> None:
    body = b'{"x": "' + b"x" * (4 * 1024 * 1024) + b'"}'
    front.refuses(verb, path, (413, "TOO_LARGE", set()), data=body, headers=JSON)


@pytest.mark.parametrize(("verb", "path"), POSTS)
def test_an_unknown_field_is_refused_everywhere(verb: str, path: str, front: Front) -> None:
    field = "content.notThere" if path.endswith("blueprint:apply") else "notThere"
    front.refuses(verb, path, (*INVALID, {field}), json={"notThere": 1})


@pytest.mark.parametrize(("verb", "path"), POSTS)
def test_a_key_that_comes_twice_is_refused_everywhere(verb: str, path: str, front: Front) -> None:
    field = "content.requestIdOf" if path.endswith("blueprint:apply") else "requestIdOf"
    answer = front(verb, path, data=b'{"requestIdOf": "a", "requestIdOf": "b"}', headers=JSON)
    problem = checked_problem(answer)
    assert (answer.status_code, problem["fields"][0]["field"]) == (400, field), problem


BODIES: list[tuple[str, bytes]] = [
    ("an array", b"[]"),
    ("a text", b'"lead"'),
    ("a number", b"1"),
    ("null", b"null"),
    ("half of it", GOOD[:-3]),
    ("more than it", GOOD + b"}"),
    ("two", GOOD + GOOD),
    ("a comment", b"{/* a */}"),
    ("single quotes", b"{'lead': {}}"),
    ("a trailing comma", b'{"lead": {},}'),
    ("a byte order mark", b"\xef\xbb\xbf" + GOOD),
    ("UTF-16", GOOD.decode().encode("utf-16")),
    ("GBK", '{"lead": {"fullName": "王"}}'.encode("gbk")),
    ("overlong UTF-8", b'{"lead": {"fullName": "\xc0\xaf"}}'),
    ("encoded surrogates", b'{"lead": {"fullName": "\xed\xa0\x80"}}'),
    ("a bare control character", b'{"lead": {"fullName": "\x01"}}'),
    ("a bare NUL at the end", GOOD + b"\x00"),
    ("ten thousand brackets", b"[" * 10_000),
    ("a hundred thousand braces", b'{"a":' * 100_000),
    ("a million deep in free data", b'{"lead": {"custom": ' + b'{"a":' * 500_000 + b"}" * 500_000 + b"}}"),
    ("compressed", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"),
    ("XML", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    ("a form", b"lead.phone=13600000001"),
]


@pytest.mark.parametrize("body", [b[1] for b in BODIES], ids=[b[0] for b in BODIES])
def test_what_is_no_json_object_is_refused_as_a_whole(body: bytes, front: Front) -> None:
    front.refuses("POST", CAPTURE, (*INVALID, {""}), data=body, headers=JSON)


def test_a_number_of_five_thousand_digits_is_refused_at_its_field(front: Front) -> None:
    body = b'{"lead": {"phone": "13600000001", "custom": {"a": ' + b"9" * 5000 + b"}}}"
    front.refuses("POST", CAPTURE, (*INVALID, {"lead.custom.a"}), data=body, headers=JSON)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"lead": {"phone": "1"}, "lead": {"phone": "2"}}', "lead"),
        (b'{"lead": {"phone": "1", "phone": "2"}}', "lead.phone"),
        (b'{"lead": {"phone": "1", "custom": {"a": 1, "a": 2}}}', "lead.custom.a"),
        (b'{"request_id": "a", "requestId": "b", "lead": {}}', "requestId"),
    ],
)
def test_a_key_that_comes_twice_is_named(body: bytes, field: str, front: Front) -> None:
    front.refuses("POST", CAPTURE, (*INVALID, {field}), data=body, headers=JSON)


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonx",
        "application/yaml",
    ],
)
def test_a_body_of_another_kind_is_refused(kind: str, front: Front) -> None:
    front.refuses("POST", CAPTURE, (415, "MEDIA_TYPE", set()), data=GOOD, headers={"Content-Type": kind})


# --- addresses ---

ODD: list[tuple[str, int]] = [
    ("/v1/leads/../people", 404),
    ("/v1/leads/..%2fpeople", 404),
    ("/v1/leads/%2e%2e/people", 404),
    ("/v1/leads/..%5cpeople", 404),
    ("/v1/leads/....//", 404),
    ("/../../etc/passwd", 404),
    ("/v1/../../etc/passwd", 404),
    ("/docs/../../../etc/passwd", 404),
    ("/static/%2e%2e/%2e%2e/pyproject.toml", 404),
    ("/v1/leads/a%2fb", 404),
    ("/v1/leads/a%252fb", 404),
    ("/v1/leads/%00", 404),
    ("/v1/leads/%0d%0aSet-Cookie:a=b", 404),
    ("/v1/leads/%ff%fe", 404),
    ("/v1/leads/%c0%ae%c0%ae", 404),
    ("/v1/leads/%E2%80%AE", 404),
    ("/v1/leads/%", 404),
    ("/v1/leads/%zz", 404),
    ("/v1/leads/" + "a" * 5000, 404),
    ("/v1/leads/%7Bname%7D", 404),
    ("/v1/leads/*", 404),
    ("/v1/leads/'%20OR%20'1'='1", 404),
    ("/v1/leads/;DROP%20TABLE%20leads", 404),
    ("/v1/people/people%2F1", 404),
    ("/v1/people/%E4%BA%BA", 404),
    ("/v1/teams/%00", 404),
    ("/v1/roles/root", 404),
    ("/v1/roles/..", 404),
    ("/v1/calendars/..%2f..%2fetc", 404),
    ("/v1/forms/..", 404),
    ("/v1/forms/%00", 404),
    ("/v1/policies/other", 404),
    ("/v1/policies/%00", 404),
    ("/v1/ledgers/%00", 404),
    ("/v1/ledgers/../policies/assignment", 404),
    ("/v1/leads/x/decisions", 404),
    ("/v1/leads/%00/decisions", 404),
    ("/v1/leads/x/timers", 404),
    ("/v1/leads/%00/touchpoints", 404),
    ("/V1/leads", 404),
    ("/v1//leads", 404),
    ("/v1/leads/", 404),
    ("/v1/leads:capture/", 404),
    ("/v2/leads", 404),
    ("//v1/leads", 404),
]


def raw(front: Front, data: bytes, seconds: float = 10.0, half: bool = False) -> bytes:
    """Sends bytes as they are; what came until the other side closed or `seconds` passed."""
    with socket.create_connection((front.host, front.port), timeout=seconds) as connection:
        connection.sendall(data)
        if half:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
                head, found, body = received.partition(b"\r\n\r\n")
                if found and b"content-length: " in head.lower():
                    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                    if len(body) >= length:
                        break
        except (TimeoutError, ConnectionResetError):
            pass
    return received


def asked(front: Front, line: str, *headers: str, body: bytes = b"") -> bytes:
    head = [line, f"Host: {front.host}", f"Authorization: Bearer {front.token}", *headers, "Connection: close"]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


@pytest.mark.parametrize(("path", "status"), ODD, ids=[o[0][:40] for o in ODD])
def test_odd_addresses_and_names_lead_nowhere(path: str, status: int, front: Front) -> None:
    with front.nothing_written():
        received = raw(front, asked(front, f"GET {path} HTTP/1.1"))
    head, _, body = received.partition(b"\r\n\r\n")
    code = int(head.split()[1])
    assert code in (status, 400), head
    problem = json.loads(body)
    assert problem["reason"] in ("NOT_FOUND", "NO_SUCH_ADDRESS", "INVALID"), problem
    assert b"set-cookie" not in head.lower()
    assert b"root:" not in body


# --- headers and connections ---


def status(received: bytes) -> int:
    return int(received.split()[1]) if received.startswith(b"HTTP/1.1 ") else 0


LENGTH = f"Content-Length: {len(GOOD)}"
HOSTILE: list[tuple[str, bytes | list[str], set[int]]] = [
    ("no length", [f"Content-Length: {'9' * 20}"], {400, 413}),
    ("a negative length", ["Content-Length: -1"], {400}),
    ("two lengths", [LENGTH, "Content-Length: 1"], {400}),
    ("a length and chunks", [LENGTH, "Transfer-Encoding: chunked"], {400}),
    ("an unknown coding", ["Transfer-Encoding: gzip, chunked"], {400, 501}),
    ("a huge header", [LENGTH, "X-Long: " + "x" * 100_000], {0, 400, 431}),
    ("thousands of headers", [LENGTH, *(f"X-{n}: {n}" for n in range(20_000))], {0, 400, 431}),
    ("a header without a name", [LENGTH, ": empty"], {400}),
    ("a folded header", [LENGTH, "X-Fold: a\r\n b"], {400, 200}),
    ("a header with a NUL", [LENGTH, "X-Nul: a\x00b"], {400}),
    ("a line that is none", b"HELLO\r\n\r\n", {400}),
    ("HTTP/0.9", b"GET /\r\n\r\n", {0, 200, 400}),
    ("HTTP/9.9", b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", {400, 505}),
    ("TLS", bytes.fromhex("1603010200010001fc0303") + b"\x00" * 64, {400, 0}),
    ("no host", b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", {400, 200}),
]


@pytest.mark.parametrize(("what", "codes"), [h[1:] for h in HOSTILE], ids=[h[0] for h in HOSTILE])
def test_headers_that_abuse_the_protocol_are_refused_and_harm_nobody(
    what: bytes | list[str], codes: set[int], front: Front
) -> None:
    headers = what if isinstance(what, list) else []
    request = asked(front, f"POST {CAPTURE} HTTP/1.1", "Content-Type: application/json", *headers, body=GOOD)
    received = raw(front, what if isinstance(what, bytes) else request, half=True)
    assert status(received) in codes, received[:300]
    assert front("GET", "/healthz").status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Request-Id", "a\tb <script>"),
        ("X-Request-Id", "x" * 1000),
        ("Accept-Language", "zh" * 5000),
        ("Accept-Language", ",;q=,zh;q=9999999999999999,*;q=NaN"),
        ("traceparent", "00-" + "f" * 5000),
        ("traceparent", "ff-00000000000000000000000000000000-0000000000000000-zz"),
        ("X-Forwarded-For", "127.0.0.1, 10.0.0.1"),
        ("Cookie", "session=../../etc/passwd"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Host", "evil.example"),
        ("Origin", "https://evil.example"),
        ("If-Match", '"x"'),
        ("Range", "bytes=0-0,1-1"),
        ("Expect", "200-maybe"),
    ],
)
def test_odd_headers_change_nothing_about_an_answer(name: str, value: str, front: Front) -> None:
    answer = front("GET", "/v1/sessions/current", headers={name: value})
    assert answer.status_code == 200, answer.text
    assert answer.json()["person"]["login"] == "admin"
    assert "evil" not in str(answer.headers)
    assert "<script>" not in str(answer.headers)
    assert len(answer.headers["X-Request-Id"]) <= 128
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_bodies_that_stop_half_way_or_come_slowly_store_nothing_and_hold_up_nobody(front: Front) -> None:
    with front.nothing_written():
        slow: list[socket.socket] = []
        for _ in range(50):
            connection = socket.create_connection((front.host, front.port), timeout=5)
            headers = ("Content-Type: application/json", "Content-Length: 10000")
            connection.sendall(asked(front, f"POST {CAPTURE} HTTP/1.1", *headers, body=GOOD[:10]))
            slow.append(connection)
        started = time.monotonic()
        assert front("GET", "/healthz").status_code == 200
        assert front("GET", "/v1/leads").status_code == 200
        assert time.monotonic() - started < 5
        for connection in slow:
            connection.close()
        headless = socket.create_connection((front.host, front.port), timeout=5)
        headless.sendall(b"POST /v1/leads:capture HT")
        headless.close()
        cut = asked(front, f"POST {CAPTURE} HTTP/1.1", "Content-Type: application/json", LENGTH, body=GOOD[:-5])
        assert status(raw(front, cut, 3, half=True)) in (0, 400)
    assert front("GET", "/healthz").status_code == 200


def test_chunks_that_lie_about_their_size_are_refused(front: Front) -> None:
    headers = ("Content-Type: application/json", "Transfer-Encoding: chunked")
    for chunk in (b"zz\r\nabc\r\n0\r\n\r\n", b"-1\r\nabc\r\n", b"ffffffffffffffffff\r\nabc\r\n"):
        with front.nothing_written():
            received = raw(front, asked(front, f"POST {CAPTURE} HTTP/1.1", *headers, body=chunk), 5, half=True)
        assert status(received) in (0, 400), received[:200]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("pageSize=-1", "pageSize"),
        ("pageSize=99999999999999999999", "pageSize"),
        ("pageSize=1.5", "pageSize"),
        ("pageSize=1&pageSize=2", "pageSize"),
        ("pageSize=%EF%BC%91", "pageSize"),
        ("page_size=1&pageSize=2", "pageSize"),
        ("nothing=1", "nothing"),
        ("filter=%00", "filter"),
        ("filter=%FF", ""),
        ("orderBy=phone", "orderBy"),
        ("pageToken=%00", "pageToken"),
        ("pageSize.x=1", "pageSize.x"),
        ("%00=1", "\x00"),
    ],
)
def test_wrong_parameters_are_named(query: str, field: str, front: Front) -> None:
    answer = front("GET", f"/v1/leads?{query}")
    problem: dict[str, Any] = checked_problem(answer)
    assert (answer.status_code, problem["reason"]) == (400, "INVALID")
    assert [one["field"] for one in problem["fields"]] == [field]
