"""Public forms in a visitor's browser: pages of other web sites, pages without scripts, and what a page may know."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from chassis.errors import Invalid, NotFound
from dealwright.leads.v1 import leads_pb2

SITE = "https://www.example.com"
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ASKS = {"Origin": SITE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


@pytest.fixture
def site(world: Any, gateway: Any) -> Any:
    """What `leads` says of its forms: `site(name, **fields)` makes one. Fresh names, for the gateway remembers."""
    forms: dict[str, leads_pb2.Form] = {}

    def get(call: Any) -> leads_pb2.Form:
        if call.request.name not in forms:
            raise NotFound(call.request.name)
        return forms[call.request.name]

    def submit(call: Any) -> leads_pb2.SubmitFormResponse:
        if not call.request.lead.phone:
            raise Invalid([("lead.phone", "a <phone> is required", "须填写<电话>")])
        return leads_pb2.SubmitFormResponse(message="谢谢 <Thanks>")

    def describe(call: Any) -> leads_pb2.FormDescription:
        field = leads_pb2.FormDescription.Field(name="fullName", label="Name", label_zh="姓名", required=True)
        return leads_pb2.FormDescription(name=call.request.name, fields=[field])

    world.on("GetForm", get)
    world.on("SubmitForm", submit)
    world.on("DescribeForm", describe)

    def made(name: str, **fields: Any) -> str:
        forms[f"forms/{name}"] = leads_pb2.Form(**{"name": f"forms/{name}", "open": True, **fields})
        return f"/v1/forms/{name}:submit"

    return made


def cors(answer: requests.Response) -> dict[str, str]:
    return {k.lower(): v for k, v in answer.headers.items() if k.lower().startswith("access-control-allow")}


def test_L3_a_page_of_a_site_that_the_form_names_may_send_it_and_read_the_answer(client: Any, site: Any) -> None:
    path, visitor = site("named", allowed_origins=[SITE]), client()
    asked = visitor("OPTIONS", path, headers=ASKS)
    assert asked.status_code == 204
    assert cors(asked) == {
        "access-control-allow-origin": SITE,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "Content-Type, X-Request-Id",
    }
    assert asked.headers["Vary"] == "Origin"
    sent = visitor("POST", path, json={"lead": {"phone": "1"}}, headers={"Origin": SITE})
    assert (sent.status_code, cors(sent)) == (200, {"access-control-allow-origin": SITE})
    # The page must be able to read what is wrong, too.
    bodies: list[dict[str, Any]] = [{"lead": {}}, {"lead": {"phone": 1}}]
    for body in bodies:
        wrong = visitor("POST", path, json=body, headers={"Origin": SITE})
        assert (wrong.status_code, cors(wrong)) == (400, {"access-control-allow-origin": SITE})


def test_L3_a_page_of_any_other_site_is_refused_before_anything_is_stored(client: Any, site: Any, world: Any) -> None:
    visitor = client()
    for name, allowed in (("none", []), ("another", ["https://other.example.com", "http://www.example.com"])):
        path = site(name, allowed_origins=allowed)
        for verb, headers in (("OPTIONS", ASKS), ("POST", {"Origin": SITE}), ("POST", {"Origin": "null"})):
            answer = visitor(verb, path, json={"lead": {"phone": "1"}}, headers=headers)
            assert (answer.status_code, answer.json()["reason"]) == (403, "ORIGIN_NOT_ALLOWED")
            assert cors(answer) == {}
            page = visitor(verb, path, data={"phone": "1"}, headers={**headers, **PAGE})
            assert page.status_code == 403
    assert world.calls("SubmitForm") == []


def test_a_form_for_every_site_says_so_and_a_script_or_our_own_page_needs_no_leave(
    client: Any, site: Any, gateway: Any
) -> None:
    visitor, open_to_all, closed = client(), site("for-all", allowed_origins=["*"]), site("for-none")
    body = {"lead": {"phone": "1"}}
    assert cors(visitor("POST", open_to_all, json=body, headers={"Origin": "null"})) == {
        "access-control-allow-origin": "*"
    }
    for headers in ({}, {"Origin": gateway.url}):
        answer = visitor("POST", closed, json=body, headers=headers)
        assert (answer.status_code, cors(answer)) == (200, {})


def test_a_page_of_another_site_learns_nothing_of_forms_that_are_closed_and_may_ask_for_nothing_else(
    client: Any, site: Any, admin: Any
) -> None:
    closed = site("shut", open=False, allowed_origins=["*"])
    for path in (closed, "/v1/forms/never-was:submit"):
        answer = client()("OPTIONS", path, headers=ASKS)
        assert (answer.status_code, cors(answer)) == (404, {})
    for path in ("/v1/leads:capture", "/v1/forms", "/v1/sessions"):
        assert client()("OPTIONS", path, headers=ASKS).status_code == 405
        assert cors(admin("POST", path, json={}, headers={"Origin": SITE})) == {}


def test_L3_a_page_without_scripts_sends_its_fields_and_is_thanked(client: Any, site: Any, world: Any) -> None:
    path, visitor = site("plain"), client()
    fields = {"fullName": "王 芳", "phone": "138 0013 8000", "email": "", "custom.colour": "红", "requestId": "r1"}
    for sent in ({"data": fields}, {"files": {k: (None, v) for k, v in fields.items()}}):
        answer = visitor("POST", path, headers={**PAGE, "Accept-Language": "zh-CN"}, **sent)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "谢谢 &lt;Thanks&gt;" in answer.text
        assert 'lang="zh-CN"' in answer.text
        request, _ = world.calls("SubmitForm")[-1]
        assert (request.form, request.request_id) == ("forms/plain", "r1")
        assert (request.lead.full_name, request.lead.phone) == ("王 芳", "138 0013 8000")
        assert request.lead.custom["colour"] == "红"
    script = visitor("POST", path, data=fields, headers={"Accept": "*/*"})
    assert script.json() == {"message": "谢谢 <Thanks>"}


def test_a_page_goes_on_to_where_the_form_says(client: Any, site: Any) -> None:
    path = site("onward", thanks_url=f"{SITE}/thanks?from=form")
    answer = client()("POST", path, data={"phone": "1"}, headers=PAGE, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{SITE}/thanks?from=form")


@pytest.mark.parametrize(
    ("given", "status", "named"),
    [
        ({"data": {"fullName": "王"}}, 400, "lead.phone: a &lt;phone&gt; is required"),
        ({"data": {"phone": "1", "fullNam": "x"}}, 400, "lead.fullNam: there is no such field"),
        ({"data": "phone=1&phone=2"}, 400, "phone: is there twice"),
        ({"data": "phone=%ff"}, 400, "the body is not application/x-www-form-urlencoded in UTF-8"),
        ({"data": "a=1&" * 200 + "phone=1"}, 400, "the body is not application/x-www-form-urlencoded"),
        ({"data": "text=" + "x" * 300_000}, 413, "256 kB"),
        ({"files": {"text": ("a.txt", b"x")}}, 400, "text: is a file"),
    ],
)
def test_what_is_wrong_with_a_page_s_fields_is_shown_to_the_visitor(
    given: Any, status: int, named: str, client: Any, site: Any, world: Any
) -> None:
    headers = {**PAGE, **({"Content-Type": "application/x-www-form-urlencoded"} if "data" in given else {})}
    answer = client()("POST", site("shown"), headers=headers, **given)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert named in answer.text
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"--b\r\n\r\nx\r\n--b--",
        b'--b\r\nContent-Disposition: form-data; name="phone"\r\n\r\n\xff\r\n--b--',
        b"--b--",
    ],
)
def test_multipart_that_is_none_is_refused(body: bytes, client: Any, site: Any) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = client()("POST", site("shown"), headers=headers, data=body)
    assert (answer.status_code, answer.json()["reason"]) == (400, "INVALID")


def test_only_forms_take_what_pages_send(admin: Any) -> None:
    assert admin("POST", "/v1/leads:capture", data={"phone": "1"}).status_code == 415


def test_L3_everybody_may_know_what_an_open_form_asks_for_in_his_language(client: Any, site: Any) -> None:
    site("asked", allowed_origins=[SITE])
    for tongue, label in (("zh-CN", "姓名"), ("en", "Name")):
        headers = {"Origin": SITE, "Accept-Language": tongue}
        answer = client()("GET", "/v1/forms/asked:describe", headers=headers)
        assert answer.json()["fields"] == [{"name": "fullName", "label": label, "required": True, "maxLength": 0}]
        assert cors(answer) == {"access-control-allow-origin": SITE}
    asked = client()("OPTIONS", "/v1/forms/asked:describe", headers={**ASKS, "Access-Control-Request-Method": "GET"})
    assert (asked.status_code, cors(asked)["access-control-allow-methods"]) == (204, "GET")


def test_the_document_says_what_a_page_may_send(client: Any) -> None:
    operation = client()("GET", "/openapi.json").json()["paths"]["/v1/forms/{form}:submit"]["post"]
    kinds = {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
    assert set(operation["requestBody"]["content"]) == kinds
    assert set(operation["responses"]["200"]["content"]) == {"application/json", "text/html"}
    assert "303" in operation["responses"]
