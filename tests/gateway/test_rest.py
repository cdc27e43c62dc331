"""Requests through the HTTP door, against services that speak the real protos."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import empty_pb2

from chassis.errors import Stale
from dealwright.directory.v1 import directory_pb2
from dealwright.leads.v1 import leads_pb2

PROBLEM = "application/problem+json"


def test_L1_a_capture_answers_the_lead_and_what_became_of_it(admin: Any) -> None:
    answer = admin(
        "POST", "/v1/leads:capture", json={"requestId": "r1", "lead": {"fullName": "王芳", "phone": "13800138000"}}
    )
    assert answer.status_code == 200
    assert answer.json()["outcome"] == "CREATED"
    assert answer.json()["lead"]["fullName"] == "王芳"


def test_E11_the_service_gets_the_callers_principal_and_not_his_session_token(admin: Any, world: Any) -> None:
    admin("POST", "/v1/leads:capture", json={"lead": {"phone": "13800138000"}})
    ((_, principal),) = world.calls("CaptureLead")
    assert principal.person == "people/root"
    assert principal.role == "admin"
    assert principal.teams == ("teams/head",)


def test_a_session_is_exchanged_once_in_five_seconds_and_a_sign_out_bites_at_once(
    world: Any, client: Callable[..., Any]
) -> None:
    someone = client("admin/leaver/head")
    for _ in range(3):
        assert someone("POST", "/v1/leads:capture", json={"lead": {"phone": "1"}}).status_code == 200
    assert len(world.calls("ResolveSession")) == 1
    assert someone("DELETE", "/v1/sessions/current").status_code == 200
    assert someone("POST", "/v1/leads:capture", json={"lead": {"phone": "1"}}).status_code == 401


@pytest.mark.parametrize(
    ("tongue", "expected"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "请填写电话或邮箱"),
        ("en-GB,en;q=0.9", "give a phone or an e-mail"),
        ("fr", "give a phone or an e-mail"),
        ("en;q=0.1, zh-TW", "请填写电话或邮箱"),
    ],
)
def test_a_wrong_field_is_named_in_camel_case_and_in_the_callers_language(
    admin: Any, tongue: str, expected: str
) -> None:
    answer = admin("POST", "/v1/leads:capture", json={"lead": {}}, headers={"Accept-Language": tongue})
    problem = answer.json()
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == PROBLEM
    assert problem["fields"] == [{"field": "lead.fullName", "message": expected}]
    assert problem["detail"] == f"lead.fullName: {expected}"
    assert problem["reason"] == "INVALID"
    assert problem["requestId"] == answer.headers["X-Request-Id"]


def test_a_field_of_a_body_that_is_the_resource_is_named_as_the_client_sent_it(admin: Any, world: Any) -> None:
    def refuse(call: Any) -> Any:
        from chassis.errors import Invalid

        raise Invalid([("person.display_name", "too long", "过长"), ("person.capacity.per_day", "x", "x")])

    world.on("CreatePerson", refuse)
    problem = admin("POST", "/v1/people", json={"displayName": "x"}).json()
    assert [f["field"] for f in problem["fields"]] == ["displayName", "capacity.perDay"]


def test_a_state_that_forbids_it_is_a_conflict_with_its_reason(admin: Any) -> None:
    body = {"lead": {"phone": "1", "fullName": "duplicate"}}
    answer = admin("POST", "/v1/leads:capture", json=body, headers={"Accept-Language": "zh"})
    assert (answer.status_code, answer.json()["reason"], answer.json()["detail"]) == (
        409,
        "DUPLICATE",
        "该线索已存在。",
    )


def test_a_patch_without_a_mask_changes_exactly_the_keys_that_were_sent(admin: Any, world: Any) -> None:
    world.on("UpdatePerson", lambda call: call.request.person)
    body = {"etag": "e1", "displayName": "李雷", "team": None, "capacity": {"perDay": 3}}
    assert admin("PATCH", "/v1/people/7", json=body).status_code == 200
    ((request, _),) = world.calls("UpdatePerson")
    assert list(request.update_mask.paths) == ["display_name", "team", "capacity"]
    assert request.person.name == "people/7"
    assert request.person.etag == "e1"


def test_a_patch_with_a_mask_keeps_it(admin: Any, world: Any) -> None:
    world.on("UpdatePerson", lambda call: call.request.person)
    assert admin("PATCH", "/v1/people/7?updateMask=capacity.perDay&requestId=r", json={"weight": 2}).status_code == 200
    ((request, _),) = world.calls("UpdatePerson")
    assert list(request.update_mask.paths) == ["capacity.per_day"]
    assert request.request_id == "r"


def test_a_stale_etag_is_a_conflict(admin: Any, world: Any) -> None:
    def stale(call: Any) -> Any:
        raise Stale("people/7")

    world.on("UpdatePerson", stale)
    answer = admin("PATCH", "/v1/people/7", json={"etag": "old"})
    assert (answer.status_code, answer.json()["reason"]) == (409, "STALE")


def test_verbs_of_an_address_reach_their_methods(admin: Any, world: Any) -> None:
    world.on("SetPresence", lambda call: directory_pb2.Person(name=call.request.name, presence=call.request.presence))
    answer = admin("POST", "/v1/people/7:setPresence", json={"presence": "AWAY"})
    assert answer.json()["name"] == "people/7"
    assert answer.json()["presence"] == "AWAY"


def test_an_encoded_name_is_decoded_once_and_never_crosses_a_slash(admin: Any, world: Any) -> None:
    world.on("GetLead", lambda call: leads_pb2.Lead(name=call.request.name))
    assert admin("GET", "/v1/leads/%E5%8D%8E%2F1").json()["name"] == "leads/华/1"
    assert admin("GET", "/v1/leads/a/b").status_code == 404


def test_query_parameters_fill_the_request(admin: Any, world: Any) -> None:
    world.on("ListLeads", lambda call: leads_pb2.ListLeadsResponse())
    world.on("SummarizeLeads", lambda call: leads_pb2.SummarizeLeadsResponse())
    answer = admin("GET", "/v1/leads?pageSize=5&order_by=capture_time&filter=region+%3D+%22华东%22")
    assert answer.json() == {"leads": [], "totalSize": 0}
    ((request, _),) = world.calls("ListLeads")
    assert (request.page_size, request.order_by, request.filter) == (5, "capture_time", 'region = "华东"')
    assert admin("GET", "/v1/leads:summarize?groupBy=region&groupBy=status").status_code == 200
    assert list(world.calls("SummarizeLeads")[0][0].group_by) == ["region", "status"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("pageSize=x", "pageSize"),
        ("pageSize=99999999999", "pageSize"),
        ("pageSize=1&pageSize=2", "pageSize"),
        ("nothing=1", "nothing"),
        ("filter=%ff", ""),
        ("filter=%00", "filter"),
        ("pageSize.x=1", "pageSize.x"),
    ],
)
def test_a_wrong_parameter_is_named(admin: Any, query: str, field: str) -> None:
    answer = admin("GET", f"/v1/leads?{query}")
    assert answer.status_code == 400
    assert answer.json()["fields"][0]["field"] == field


HOSTILE: list[tuple[str, bytes, str]] = [
    ("not JSON", b'{"lead":', ""),
    ("not UTF-8", b'{"lead":{"fullName":"\xff"}}', ""),
    ("NaN", b'{"lead":{"location":{"latitude":NaN}}}', "lead.location.latitude"),
    ("infinity", b'{"lead":{"location":{"latitude":-Infinity}}}', "lead.location.latitude"),
    ("beyond a double", b'{"lead":{"location":{"latitude":1e999}}}', "lead.location.latitude"),
    ("an endless number", b'{"lead":{"location":{"latitude":' + b"9" * 10_000 + b"}}}", "lead.location.latitude"),
    ("a key twice", b'{"lead":{"phone":"1","phone":"2"}}', "lead.phone"),
    ("a key in both spellings", b'{"lead":{"fullName":"1","full_name":"2"}}', "lead.fullName"),
    ("an unknown field", b'{"lead":{"fone":"1"}}', "lead.fone"),
    ("an unknown enum value", b'{"lead":{"channel":"PIGEON"}}', "lead.channel"),
    ("an enum by number", b'{"lead":{"channel":1}}', "lead.channel"),
    ("text for an object", b'{"lead":"x"}', "lead"),
    ("an object for text", b'{"lead":{"phone":{}}}', "lead.phone"),
    ("a number for text", b'{"lead":{"phone":138}}', "lead.phone"),
    ("null in a list", b'{"lead":{"tags":["a",null]}}', "lead.tags[1]"),
    ("text for a list", b'{"lead":{"tags":"a"}}', "lead.tags"),
    ("half a surrogate pair", b'{"lead":{"text":"\\ud800"}}', "lead.text"),
    ("a null character", b'{"lead":{"text":"a\\u0000"}}', "lead.text"),
    ("a wrong time", b'{"lead":{"captureTime":"2026-02-30T00:00:00Z"}}', "lead.captureTime"),
    ("the year 0", b'{"lead":{"captureTime":"0000-01-01T00:00:00Z"}}', "lead.captureTime"),
    ("nested deeply", b'{"lead":{"custom":' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}}", "lead.custom" + ".a" * 22),
    ("nested beyond all", b'{"lead":{"custom":' + b"[" * 100_000 + b"]" * 100_000 + b"}}", ""),
    ("a number that text would keep", b'{"lead":{"custom":{"id":12345678901234567890}}}', "lead.custom.id"),
    ("NaN in free data", b'{"lead":{"custom":{"x":[NaN]}}}', "lead.custom.x[0]"),
    ("a list at the top", b"[]", ""),
    ("null at the top", b"null ", ""),
    ("a byte order mark", b'\xef\xbb\xbf{"lead":{}}', ""),
]


@pytest.mark.parametrize(("body", "field"), [(b, f) for _, b, f in HOSTILE], ids=[name for name, _, _ in HOSTILE])
def test_hostile_bodies_are_refused_with_the_path_and_reach_no_service(
    admin: Any, world: Any, body: bytes, field: str
) -> None:
    answer = admin("POST", "/v1/leads:capture", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.json()["fields"][0]["field"] == field
    assert answer.json()["fields"][0]["message"]
    assert not world.calls("CaptureLead")


def test_a_body_past_four_megabytes_is_refused_whether_or_not_its_length_is_told(admin: Any, world: Any) -> None:
    big = b'{"lead":{"text":"' + b"x" * (4 * 1024 * 1024) + b'"}}'
    kind = {"Content-Type": "application/json"}
    assert admin("POST", "/v1/leads:capture", data=big, headers=kind).status_code == 413
    chunks = (big[i : i + 65536] for i in range(0, len(big), 65536))
    assert admin("POST", "/v1/leads:capture", data=chunks, headers=kind).status_code == 413
    assert not world.calls("CaptureLead")


def test_a_body_of_nearly_four_megabytes_is_taken(admin: Any, world: Any) -> None:
    text = "x" * (4 * 1024 * 1024 - 200)
    assert admin("POST", "/v1/leads:capture", json={"lead": {"phone": "1", "text": text}}).status_code == 200


def test_a_body_that_grows_past_the_limit_on_its_way_in_is_too_large_as_well(admin: Any) -> None:
    body = b'{"lead":{"phone":"1","custom":{"n":[' + b",".join([b"1"] * 900_000) + b"]}}}"
    answer = admin("POST", "/v1/leads:capture", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/yaml"]
)
def test_only_json_is_taken(admin: Any, kind: str) -> None:
    answer = admin("POST", "/v1/leads:capture", data=b"{}", headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["reason"]) == (415, "MEDIA_TYPE")


def test_a_post_without_a_body_is_an_empty_request(admin: Any, world: Any) -> None:
    world.on("ClaimLead", lambda call: leads_pb2.Lead(name=call.request.name))
    assert admin("POST", "/v1/leads/5:claim").json()["name"] == "leads/5"
    answer = admin("POST", "/v1/people")
    assert answer.status_code == 400


def test_a_name_in_the_body_that_differs_from_the_address_is_refused(admin: Any, world: Any) -> None:
    world.on("ClaimLead", lambda call: leads_pb2.Lead(name=call.request.name))
    assert admin("POST", "/v1/leads/5:claim", json={"name": "leads/5"}).status_code == 200
    answer = admin("POST", "/v1/leads/5:claim", json={"name": "leads/6"})
    assert answer.json()["fields"][0]["field"] == "name"


def test_an_unknown_address_is_404_and_a_wrong_verb_405_with_those_allowed(admin: Any) -> None:
    assert admin("GET", "/v1/nothing").status_code == 404
    assert admin("GET", "/v1/leads/%ff").status_code == 404
    answer = admin("DELETE", "/v1/people")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
    assert admin("GET", "/v1/leads/5:contact").headers["Allow"] == "POST"


def test_peers_methods_have_no_address(admin: Any) -> None:
    assert admin("POST", "/v1/sessions:resolve", json={"token": "x"}).status_code in (404, 405)
    document = admin("GET", "/openapi.json").text
    assert "ResolveSession" not in document
    assert "ApplyPart" not in document


def test_without_a_session_only_open_methods_answer(client: Callable[..., Any], world: Any) -> None:
    world.on("CreateSession", lambda call: directory_pb2.Session(token="t"))
    nobody = client()
    assert nobody("POST", "/v1/sessions", json={"login": "a", "password": "b"}).json() == {"token": "t"}
    answer = nobody("POST", "/v1/leads:capture", json={"lead": {}})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    for token in ("forged", "x" * 5000, "é", "a b"):
        headers = {"Authorization": f"Bearer {token}".encode()}
        assert nobody("GET", "/v1/leads", headers=headers).status_code == 401


def test_E11_a_role_without_the_right_is_refused_and_reaches_no_handler(client: Callable[..., Any], world: Any) -> None:
    answer = client("finance/fin/head")("POST", "/v1/leads:capture", json={"lead": {"phone": "1"}})
    assert (answer.status_code, answer.json()["reason"]) == (403, "DENIED")
    assert not world.calls("CaptureLead")


def test_a_wrong_row_of_a_batch_is_a_whole_problem_in_one_language(admin: Any, world: Any) -> None:
    def batch(call: Any) -> leads_pb2.BatchCaptureLeadsResponse:
        answer = leads_pb2.BatchCaptureLeadsResponse()
        answer.results.add(outcome=1).lead.name = "leads/1"
        error = answer.results.add().error
        error.reason, error.detail, error.detail_zh = "INVALID", "lead.phone: wrong", "lead.phone: 不对"
        error.fields.add(field="lead.phone", message="wrong", message_zh="不对")
        return answer

    world.on("BatchCaptureLeads", batch)
    body = {"requests": [{"lead": {"phone": "1"}}, {"lead": {"phone": "x"}}]}
    rows = admin("POST", "/v1/leads:batchCapture", json=body, headers={"Accept-Language": "zh"}).json()["results"]
    assert rows[0]["lead"]["name"] == "leads/1"
    assert rows[1]["error"]["fields"] == [{"field": "requests[1].lead.phone", "message": "不对"}]
    assert rows[1]["error"]["title"] == "请求有误"
    assert "detailZh" not in rows[1]["error"]
    assert rows[1]["error"]["status"] == 400


def test_a_service_that_is_away_is_503_and_a_failing_one_500_without_its_inside(admin: Any, world: Any) -> None:
    def fail(call: Any) -> Any:
        raise RuntimeError("secret inside")

    world.on("GetLead", fail)
    answer = admin("GET", "/v1/leads/1")
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_every_answer_carries_the_request_id_and_the_security_headers(client: Callable[..., Any]) -> None:
    nobody = client()
    for path in (
        "/",
        "/docs",
        "/docs.js",
        "/openapi.json",
        "/healthz",
        "/readyz",
        "/metrics",
        "/v1/leads",
        "/v1/feed",
        "/x",
    ):
        answer = nobody("GET", path, headers={"X-Request-Id": "abc-1"})
        assert answer.headers["X-Request-Id"] == "abc-1", path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["X-Frame-Options"] == "DENY", path
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'"), path
        assert answer.headers["Cache-Control"], path
    assert nobody("GET", "/healthz", headers={"X-Request-Id": "a b<script>"}).headers["X-Request-Id"] != "a b<script>"
    assert nobody("GET", "/v1/leads").headers["Cache-Control"] == "no-store"


def test_health_readiness_and_metrics_answer_without_a_session(client: Callable[..., Any], world: Any) -> None:
    nobody = client()
    assert nobody("GET", "/healthz").json() == {"status": "ok"}
    ready = nobody("GET", "/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "away": []})
    assert "dealwright_http_seconds" in nobody("GET", "/metrics").text


def test_readiness_names_the_service_that_is_away_and_the_gateway_stays_for_the_others(
    world: Any, client_at: Callable[..., Any]
) -> None:
    address = world.addresses["rules"]
    world.addresses["rules"] = "127.0.0.1:1"
    try:
        opened = world.open()
        try:
            answer = client_at(opened.url)("GET", "/readyz")
            assert (answer.status_code, answer.json()) == (200, {"status": "ready", "away": ["rules"]})
            assert opened.away() == []
            world.on("ListLeads", lambda call: leads_pb2.ListLeadsResponse())
            admin = client_at(opened.url, "admin/root/head")
            assert admin("GET", "/v1/leads").status_code == 200
            gone = admin("GET", "/v1/policies")
            assert (gone.status_code, gone.json()["reason"]) == (503, "UNAVAILABLE")
            assert gone.headers["Retry-After"] == "1"
        finally:
            opened.stop()
    finally:
        world.addresses["rules"] = address


def test_empty_texts_are_left_out_and_numbers_and_lists_are_always_there(admin: Any, world: Any) -> None:
    world.on("DeleteSession", lambda call: empty_pb2.Empty())
    world.on("GetPerson", lambda call: directory_pb2.Person(name="people/1"))
    assert admin("DELETE", "/v1/sessions/current").json() == {}
    assert json.loads(admin("GET", "/v1/people/1").text) == {
        "name": "people/1",
        "skills": [],
        "industries": [],
        "weight": 0,
    }


def test_addresses_that_routers_stumble_over_get_problems_too(admin: Any) -> None:
    for verb, path, status in (
        ("GET", "/v1/people/%0A", 404),
        ("GET", "/%0A", 404),
        ("GET", "//v1/leads", 404),
        ("POST", "/healthz", 405),
        ("DELETE", "/v1/feed", 405),
        ("HEAD", "/v1/feed", 405),
        ("OPTIONS", "/v1/leads", 405),
        ("TRACE", "/v1/leads", 405),
        ("HEAD", "/healthz", 200),
    ):
        answer = admin(verb, path)
        assert answer.status_code == status, (verb, path)
        assert status == 200 or answer.headers["Content-Type"] == PROBLEM
