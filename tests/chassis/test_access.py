"""Who may call what: internal tokens, the access option of each method, masks."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
import sqlalchemy as sa
import time_machine

from chassis import clock
from chassis.access import Grant, Principal, Scope, Tokens, mask, peer, refuse_read_only, visible
from chassis.errors import Denied, Invalid, Refused
from tests.chassis.test_server import Served
from tests.conformance.client import EVERYTHING, WRITER, code, details, put
from tests.conformance.deployments import KEY
from tests.conformance.probe_servicer import Note, Notes, PutResponse


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("access")).running() as deployment:
        yield deployment


def answer(served: Served, method: str, principal: Principal | None) -> str:
    token = served.runtime.tokens.sign(principal) if principal else ""
    try:
        served.client.call(method, put(f"notes/{method}{clock.monotonic()}"), token=token)
    except grpc.RpcError as error:
        return code(error)
    return "OK"


READER = Principal(person="people/r", role="r", grants={"notes": Grant(read=Scope.OWN)})
NOBODY = Principal(person="people/n", role="n", grants={"other": EVERYTHING})
ROBOT = peer("leads")


@pytest.mark.parametrize(
    ("method", "anonymous", "nobody", "reader", "writer", "robot"),
    [
        ("Put", "UNAUTHENTICATED", "PERMISSION_DENIED", "PERMISSION_DENIED", "OK", "OK"),
        ("Keep", "UNAUTHENTICATED", "PERMISSION_DENIED", "PERMISSION_DENIED", "OK", "OK"),
        ("List", "UNAUTHENTICATED", "PERMISSION_DENIED", "OK", "OK", "OK"),
        ("ForAnybody", "OK", "OK", "OK", "OK", "OK"),
        ("ForPeers", "PERMISSION_DENIED", "PERMISSION_DENIED", "PERMISSION_DENIED", "PERMISSION_DENIED", "OK"),
        ("ForMyself", "UNAUTHENTICATED", "OK", "OK", "OK", "OK"),
        ("Closed", "UNAUTHENTICATED", "PERMISSION_DENIED", "PERMISSION_DENIED", "PERMISSION_DENIED", "OK"),
    ],
)
def test_the_access_option_admits_whom_it_names(
    served: Served, method: str, anonymous: str, nobody: str, reader: str, writer: str, robot: str
) -> None:
    callers = {None: anonymous, NOBODY.person: nobody, READER.person: reader, WRITER.person: writer, "": robot}
    principals = {None: None, NOBODY.person: NOBODY, READER.person: READER, WRITER.person: WRITER, "": ROBOT}
    assert {who: answer(served, method, principals[who]) for who in callers} == callers


def test_a_refusal_names_the_right_and_writes_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    monkeypatch.setattr(served.runtime.database, "write", lambda: written.append(1))
    with pytest.raises(grpc.RpcError) as denied:
        served.client.call("Put", put("notes/1"), token=served.runtime.tokens.sign(READER))
    assert "notes.write" in str(denied.value.details())
    assert details(denied.value)["ErrorInfo"].reason == "DENIED"
    assert not written


def _forged(token: str) -> dict[str, str]:
    head, claims, mark = token.split(".")
    changed: dict[str, Any] = json.loads(base64.urlsafe_b64decode(claims + "=="))
    changed["role"] = "admin"
    other = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    full = jwt.decode(token, options={"verify_signature": False})
    return {
        "changed claims": f"{head}.{other}.{mark}",
        "no signature": f"{none}.{claims}.",
        "another key": Tokens("another key, also of more than thirty-two characters").sign(WRITER),
        "another audience": jwt.encode({**full, "aud": "somebody"}, KEY, "HS256"),
        "no end": jwt.encode({k: v for k, v in full.items() if k != "exp"}, KEY, "HS256"),
        "no grants": jwt.encode({k: v for k, v in full.items() if k != "grants"}, KEY, "HS256"),
        "a scope that is none": jwt.encode({**full, "grants": {"notes": [9, 9, 9, 9, [], []]}}, KEY, "HS256"),
        "short": token[:-2],
        "rubbish": "rubbish",
    }


@pytest.mark.parametrize("how", sorted(_forged(Tokens(KEY).sign(WRITER))))
def test_a_forged_token_is_no_token(served: Served, how: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        served.client.call("List", put("x"), token=_forged(Tokens(KEY).sign(WRITER))[how])
    assert code(refused.value) == "UNAUTHENTICATED"


def test_a_token_expires_although_it_was_read_before() -> None:
    tokens = Tokens(KEY, lifetime=60)
    with time_machine.travel("2026-03-01T00:00:00Z", tick=False) as traveller:
        token = tokens.sign(WRITER)
        assert tokens.read(token) == WRITER
        traveller.shift(59)
        assert tokens.read(token) == WRITER
        traveller.shift(2)
        with pytest.raises(Refused) as expired:
            tokens.read(token)
        assert expired.value.code == "UNAUTHENTICATED"


@pytest.mark.parametrize("days", [-400, 400])
def test_a_token_ends_by_the_clock_that_it_was_signed_by(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    moment = [datetime.now(UTC) + timedelta(days=days)]
    monkeypatch.setattr(clock, "now", lambda: moment[0])
    token = Tokens(KEY, lifetime=60).sign(WRITER)
    assert Tokens(KEY).read(token) == WRITER
    moment[0] += timedelta(seconds=60)
    with pytest.raises(Refused):
        Tokens(KEY).read(token)


def test_a_token_carries_the_whole_principal() -> None:
    whole = Principal(
        person="people/1",
        role="sales",
        team="teams/1",
        teams=("teams/1", "teams/2"),
        grants={"notes": Grant(Scope.OWN, Scope.TEAM, Scope.NONE, Scope.ALL, frozenset({"a"}), frozenset({"b"}))},
        session="s",
    )
    assert Tokens(KEY).read(Tokens(KEY).sign(whole)) == whole


def test_a_process_that_reads_tokens_holds_no_cryptography_for_it() -> None:
    code = "import sys, chassis.access; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 characters"):
        Tokens("short")


def test_hidden_fields_are_cleared_wherever_the_resource_appears(served: Served) -> None:
    name = f"notes/{clock.monotonic()}"
    blind = Principal(
        person="people/b", role="b", grants={"notes": Grant(Scope.ALL, Scope.ALL, hidden=frozenset({"phone"}))}
    )
    token = served.runtime.tokens.sign(blind)
    put_answer = served.client.call("Put", put(name, "text", phone="123"), token=token)
    assert (put_answer.note.text, put_answer.note.phone) == ("text", "")
    assert [n.phone for n in served.client.call("List", put(name), token=token).notes] == [""]
    assert [n.phone for n in served.client.call("List", put(name)).notes] == ["123"]


def test_masks_reach_into_nested_and_repeated_messages() -> None:
    blind = Principal(grants={"notes": Grant(hidden=frozenset({"phone", "text"}))})
    message = Notes(notes=[Note(name="1", phone="2")], results=[PutResponse(note=Note(name="3", text="4", phone="5"))])
    mask(blind, message)
    assert message == Notes(notes=[Note(name="1")], results=[PutResponse(note=Note(name="3"))])


def test_read_only_and_hidden_fields_cannot_be_written() -> None:
    grant = Grant(Scope.ALL, Scope.ALL, hidden=frozenset({"phone"}), read_only=frozenset({"owner"}))
    principal = Principal(grants={"notes": grant})
    refuse_read_only(principal, "notes", ["text"])
    with pytest.raises(Denied, match=r"notes\.owner\.write"):
        refuse_read_only(principal, "notes", ["text", "owner.name"])
    with pytest.raises(Invalid):
        refuse_read_only(principal, "notes", ["phone"])


def test_a_scope_compiles_to_rows_own_team_all(tmp_path: Path) -> None:
    metadata = sa.MetaData()
    people = sa.Table("people", metadata, sa.Column("name", sa.Text), sa.Column("team", sa.Text))
    things = sa.Table("things", metadata, sa.Column("id", sa.Integer), sa.Column("owner", sa.Text))
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    me = Principal(person="people/me", team="teams/1", teams=("teams/1", "teams/1a"))
    with engine.begin() as connection:
        connection.execute(
            sa.insert(people),
            [
                {"name": n, "team": t}
                for n, t in (("people/me", "teams/1"), ("people/b", "teams/1a"), ("people/c", "x"))
            ],
        )
        connection.execute(
            sa.insert(things),
            [{"id": i, "owner": o} for i, o in enumerate(("people/me", "people/b", "people/c", ""))],
        )

        def seen(scope: Scope, who: Principal = me) -> set[int]:
            chosen = sa.select(things.c.id).where(visible(who, scope, things.c.owner, people))
            return set(connection.execute(chosen).scalars())

        assert seen(Scope.NONE) == set()
        assert seen(Scope.OWN) == {0}
        assert seen(Scope.TEAM) == {0, 1}
        assert seen(Scope.ALL) == {0, 1, 2, 3}
        # Without a team there is none, although some rows have no owner and some people no team.
        assert seen(Scope.TEAM, Principal(person="people/c")) == {2}
        # A caller who is nobody owns nothing, not even what has no owner.
        assert seen(Scope.OWN, Principal()) == set()
