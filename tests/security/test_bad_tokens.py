"""Tokens that are none, over REST and at the gRPC doors: no session, no answer, nothing written."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import grpc
import jwt
import pytest
import sqlalchemy as sa

from chassis import clock
from chassis.access import AUDIENCE, Grant, Principal, Scope, Tokens, peer
from dealwright.directory.v1 import directory_pb2, directory_pb2_grpc
from dealwright.leads.v1 import leads_pb2, leads_pb2_grpc
from directory.storage.tables import sessions
from tests.security.front import Front, checked_problem

READ = ("GET", "/v1/leads")
WRITE = ("POST", "/v1/leads:capture")
GRANTS = dict.fromkeys(("leads", "people"), Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL))


def internal(front: Front, **changes: Any) -> str:
    """An internal token, as services give it to each other."""
    tokens = front.house.embedding.runtimes["leads"].tokens
    claims = jwt.decode(tokens.sign(Principal(front.me, "admin", grants=GRANTS)), options={"verify_signature": False})
    return jwt.encode({**claims, **changes}, tokens._key, algorithm="HS256")


def of_no_session(front: Front) -> dict[str, str]:
    good = front.token
    payload = base64.urlsafe_b64encode(json.dumps({"sub": front.me}).encode()).decode()
    return {
        "nothing": "",
        "a word": "abc",
        "one letter changed": good[:-1] + ("a" if good[-1] != "a" else "b"),
        "cut short": good[:-1],
        "twice": good + good,
        "in capitals": good.upper(),
        "an internal token": internal(front),
        "a peer's internal token": front.house.embedding.runtimes["leads"].tokens.sign(peer("gateway")),
        "an unsigned JWT": f"eyJhbGciOiJub25lIn0.{payload}.",
        "a path": "../../etc/passwd",
        "SQL": "'%20OR%20'1'='1",
        "very long": "a" * 20_000,
        "the hash of the token": "0" * 64,
        "a person": front.me,
    }


@pytest.mark.parametrize("verb_path", [READ, WRITE], ids=["read", "write"])
def test_P5_a_bearer_that_is_no_session_is_refused_in_both_languages(verb_path: tuple[str, str], front: Front) -> None:
    verb, path = verb_path
    body = {"lead": {"phone": "13500000001"}}
    with front.nothing_written():
        for tongue in ("zh-CN", "en"):
            for what, token in of_no_session(front).items():
                answer = front(verb, path, token=token, json=body, headers={"Accept-Language": tongue})
                assert checked_problem(answer, tongue)["status"] == 401, what
                assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    ["Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer ", "bearer\t{}", "Token {}", "{}", "Bearer {} x", "Bearer {},{}"],
)
def test_P5_only_a_whole_bearer_header_counts(header: str, front: Front) -> None:
    value = header.replace("{}", front.token)
    answer = front("GET", "/v1/leads", token="", headers={"Authorization": value})
    assert checked_problem(answer)["status"] == 401


def _long_ago(front: Front, column: str) -> None:
    with front.house.embedding.runtimes["directory"].transaction() as tx:
        past = tx.now - timedelta(days=400)
        tx.execute(sa.update(sessions).where(sessions.c.person != front.me).values({column: past}))


@pytest.mark.parametrize("column", ["ends_at", "used_at"], ids=["too old", "idle too long"])
def test_P5_a_session_that_has_ended_is_none(column: str, front: Front) -> None:
    login = f"expiring{column}"
    front.done(
        "POST",
        "/v1/people",
        json={"displayName": "丁", "login": login, "role": "backoffice", "password": "six of twelve"},
    )
    token = front.sign_in(login, "six of twelve")
    _long_ago(front, column)
    assert checked_problem(front("GET", "/v1/leads", token=token))["status"] == 401


def test_P5_a_session_signed_out_or_of_one_who_left_is_none_within_seconds(front: Front) -> None:
    person = front.done(
        "POST",
        "/v1/people",
        json={"displayName": "戊", "login": "wu", "role": "backoffice", "password": "six of twelve"},
    )
    token, other = front.sign_in("wu", "six of twelve"), front.sign_in("wu", "six of twelve")
    assert front("GET", "/v1/leads", token=token).status_code == 200
    assert front("DELETE", "/v1/sessions/current", token=token).status_code == 200
    assert front("GET", "/v1/leads", token=token).status_code == 401
    assert front("GET", "/v1/leads", token=other).status_code == 200
    front.done("PATCH", f"/v1/{person['name']}", json={"state": "LEFT"})
    until = time.monotonic() + 10
    while front("GET", "/v1/leads", token=other).status_code != 401:
        assert time.monotonic() < until
        time.sleep(0.2)
    wrong = front("POST", "/v1/sessions", token="", json={"login": "wu", "password": "six of twelve"})
    nobody = front("POST", "/v1/sessions", token="", json={"login": "never", "password": "six of twelve"})
    texts = [{k: v for k, v in checked_problem(answer).items() if k != "requestId"} for answer in (wrong, nobody)]
    assert texts[0] == texts[1]
    assert texts[0]["status"] == 401


# --- gRPC: the services' own ports, and the front door ---


@pytest.fixture(scope="module")
def service(front: Front) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(front.house.embedding.addresses["leads"]) as channel:
        yield channel


@pytest.fixture(scope="module")
def door(front: Front) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"{front.host}:{front.house.gateway.grpc_port}") as channel:
        yield channel


def code(channel: grpc.Channel, token: str | None) -> str:
    metadata = () if token is None else (("authorization", f"Bearer {token}"),)
    try:
        leads_pb2_grpc.LeadServiceStub(channel).ListLeads(leads_pb2.ListLeadsRequest(), metadata=metadata, timeout=10)
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"


def test_P5_a_services_port_takes_an_internal_token_alone(front: Front, service: grpc.Channel) -> None:
    now = int(clock.now().timestamp())
    assert code(service, internal(front)) == "OK"
    wrong = {
        "none": None,
        "a session": front.token,
        "expired": internal(front, exp=now - 1),
        "for another": internal(front, aud="elsewhere"),
        "expired long ago": internal(front, exp=-1),
        "another key": Tokens("k" * 48).sign(Principal(front.me, "admin", grants=GRANTS)),
        "no scopes": internal(front, grants={"leads": [9, 9, 9, 9, [], []]}),
        "broken grants": internal(front, grants={"leads": "ALL"}),
        "no grants": internal(front, grants=None),
    }
    assert {what: code(service, token) for what, token in wrong.items()} == dict.fromkeys(wrong, "UNAUTHENTICATED")
    assert jwt.decode(internal(front), options={"verify_signature": False})["aud"] == AUDIENCE


def test_P5_a_token_is_good_until_its_end_and_no_second_longer(front: Front, service: grpc.Channel) -> None:
    token = internal(front, exp=int(clock.now().timestamp()) + 2)
    assert code(service, token) == "OK"
    time.sleep(2.1)
    assert code(service, token) == "UNAUTHENTICATED"


def test_P5_the_front_door_takes_a_session_alone_and_offers_no_peers_methods(front: Front, door: grpc.Channel) -> None:
    assert code(door, front.token) == "OK"
    for what, token in of_no_session(front).items():
        if len(token) < 10_000:
            assert code(door, token) == "UNAUTHENTICATED", what
    assert code(door, None) == "UNAUTHENTICATED"
    with pytest.raises(grpc.RpcError) as error:
        directory_pb2_grpc.DirectoryServiceStub(door).ResolveSession(
            directory_pb2.ResolveSessionRequest(token=front.token),
            metadata=(("authorization", f"Bearer {front.token}"),),
        )
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    "body", [b"\xff" * 50, b"\x0a\xff\xff\xff\xff\x7f", b"\x0a\x02\xc3\x28"], ids=["noise", "a lie", "no UTF-8"]
)
def test_bytes_that_are_no_message_are_refused_at_the_front_door(body: bytes, front: Front, door: grpc.Channel) -> None:
    call: Any = door.unary_unary("/dealwright.leads.v1.LeadService/GetLead")
    with pytest.raises(grpc.RpcError) as error:
        call(body, metadata=(("authorization", f"Bearer {front.token}"),), timeout=10)
    assert error.value.code().name in ("INVALID_ARGUMENT", "INTERNAL"), error.value
    assert "Traceback" not in str(error.value.details())


def test_a_message_that_skips_the_json_reader_is_checked_as_well(front: Front, door: grpc.Channel) -> None:
    """What REST refuses while it reads JSON, a device could still send as protobuf."""
    nan, stub = float("nan"), leads_pb2_grpc.LeadServiceStub(door)
    wrong = [
        leads_pb2.Lead(phone="13500000002", location=leads_pb2.Location(latitude=nan, longitude=1)),
        leads_pb2.Lead(phone="13500000002", location=leads_pb2.Location(latitude=float("inf"), longitude=1)),
        leads_pb2.Lead(phone="13500000002", channel=99),  # type: ignore[arg-type]
        leads_pb2.Lead(phone="13500000002", intent=-1),  # type: ignore[arg-type]
        leads_pb2.Lead(phone="13500000002", full_name="a\x00"),
        leads_pb2.Lead(phone="13500000002", capture_time={"seconds": 253402300799}),  # type: ignore[arg-type]
        leads_pb2.Lead(phone="13500000002", capture_time={"seconds": 2**62}),  # type: ignore[arg-type]
        leads_pb2.Lead(phone="13500000002", capture_time={"seconds": 1, "nanos": 2_000_000_000}),  # type: ignore[arg-type]
    ]
    odd = leads_pb2.Lead(phone="13500000002")
    odd.custom["a"] = nan
    with front.nothing_written():
        for lead in [*wrong, odd]:
            with pytest.raises(grpc.RpcError) as error:
                stub.CaptureLead(
                    leads_pb2.CaptureLeadRequest(lead=lead), metadata=(("authorization", f"Bearer {front.token}"),)
                )
            assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT, lead
