"""Fifty people in five regions, made through the public API, and the back office that captures."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

import grpc

from chassis.access import Grant, Principal, Scope, Tokens, peer
from dealwright.directory.v1 import directory_pb2, directory_pb2_grpc
from loadtests import contacts
from loadtests.driving import LoadFailed

PEOPLE = 50
# Of this run's own system, which is gone afterwards.
PASSWORD = "bench-not-secret-1"
_CAPACITY = {"open": 1_000_000, "perDay": 1_000_000}


def call(url: str, path: str, body: Any = None, token: str = "", method: str = "") -> Any:
    """One REST call, its JSON. Raises LoadFailed with the problem that came back."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    request = urllib.request.Request(f"{url}{path}", data, headers, method=method or ("POST" if data else "GET"))
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as problem:
        raise LoadFailed(f"{path}: {problem.code} {problem.read(500).decode(errors='replace')}") from None


def sign_in(url: str, login: str, password: str = PASSWORD) -> str:
    """A session's token."""
    return str(call(url, "/v1/sessions", {"login": login, "password": password})["token"])


@dataclass(frozen=True)
class Population:
    """Tokens of sessions: the administrator's, the back office's that captures, that of one of the salespeople and of
    who manages his team; and the names of the salespeople."""

    admin: str
    office: str
    seller: str
    manager: str
    people: int
    sellers: tuple[str, ...]


def settle_in(url: str, password: str) -> Population:
    """Makes teams, fifty salespeople with capacities, and somebody in the back office. The sample salesperson
    leaves, so that the fifty are all there are."""
    admin = sign_in(url, "admin", password)
    for person in call(url, "/v1/people?pageSize=100", token=admin)["people"]:
        if person["role"] == "sales":
            call(url, f"/v1/{person['name']}?updateMask=state", {"state": "LEFT"}, admin, "PATCH")
    teams = [call(url, "/v1/teams", {"displayName": f"{region}组"}, admin)["name"] for region in contacts.REGIONS]
    sellers = []
    for number in range(PEOPLE):
        place = number % len(contacts.REGIONS)
        person = {
            "displayName": f"销售{number:02d}",
            "login": f"sales{number:02d}",
            "role": "sales",
            "team": teams[place],
            "region": contacts.REGIONS[place],
            "capacity": _CAPACITY,
        }
        # Hashing a password takes a while: only one of them signs in.
        secret = {} if number else {"password": PASSWORD}
        sellers.append(call(url, "/v1/people", person | secret, admin)["name"])
    for login, role, team in (("office", "backoffice", ""), ("boss", "manager", teams[0])):
        who = {"displayName": login, "login": login, "password": PASSWORD, "role": role, "team": team}
        call(url, "/v1/people", who, admin)
    office, seller, boss = (sign_in(url, login) for login in ("office", "sales00", "boss"))
    return Population(admin, office, seller, boss, PEOPLE, tuple(sellers))


def internal_token(directory: str, key: str, session: str, lifetime: float = 3600) -> str:
    """What the gateway would sign for this session, with its seeded grants, good for the whole run."""
    tokens = Tokens(key, lifetime)
    metadata = (("authorization", f"Bearer {tokens.sign(peer('gateway'))}"),)
    with grpc.insecure_channel(directory) as channel:
        answer = directory_pb2_grpc.DirectoryServiceStub(channel).ResolveSession(
            directory_pb2.ResolveSessionRequest(token=session), metadata=metadata, timeout=30
        )
    who = answer.principal
    grants = {
        g.resource: Grant(
            Scope(g.read),
            Scope(g.write),
            Scope(g.delete),
            Scope(g.export),
            frozenset(g.hidden_fields),
            frozenset(g.read_only_fields),
        )
        for g in who.grants
    }
    return tokens.sign(Principal(who.person, who.role, who.team, tuple(who.teams), grants, who.session))
