"""What ends or changes a session is heard of by every pod at once, not when its short copy is old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.access import Tokens
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events
from gateway.doors.serving import Gateway
from gateway.doors.sessions import Sessions
from tests.gateway.test_feed import announce, listen  # noqa: F401 - fixtures

ANN, BOB = "sales/nel/east", "sales/tom/east"
DAN, EVE = "sales/rex/east", "sales/uma/east"
# Sooner than the shortest copy would be old by itself.
SOON = 3.0


@pytest.fixture
def pods(world: Any, gateway: Gateway) -> Iterator[list[str]]:
    """The addresses of two."""
    other = world.open(address_rate=0)
    yield [gateway.url, other.url]
    other.stop()


@pytest.fixture
def ask(world: Any, client_at: Any, pods: list[str]) -> Callable[..., list[int]]:
    world.on("GetLead", lambda call: _lead(call))
    return lambda token: [client_at(url, token)("GET", "/v1/leads/1").status_code for url in pods]


def _lead(call: Any) -> Any:
    from dealwright.leads.v1 import leads_pb2

    return leads_pb2.Lead(name="leads/1")


def until(done: Callable[[], bool]) -> None:
    limit = time.monotonic() + SOON
    while not done():
        assert time.monotonic() < limit
        time.sleep(0.05)


def left(name: str) -> directory_events.PersonChanged:
    person = directory_pb2.Person(name=f"people/{name}", state=directory_pb2.Person.LEFT)
    return directory_events.PersonChanged(person=person, version=7)


def test_E1_who_left_is_shown_the_door_by_every_pod_at_once(world: Any, ask: Any, announce: Any, listen: Any) -> None:  # noqa: F811
    assert ask(ANN) == [200, 200]
    assert ask(BOB) == [200, 200]
    feed = listen(ANN)
    world.ended.add(ANN)
    assert ask(ANN) == [200, 200]  # nobody has told the gateway
    announce(left("nel"))
    until(lambda: ask(ANN) == [401, 401])
    assert feed.ended.wait(SOON)
    assert ask(BOB) == [200, 200]


def test_E1_who_signed_out_elsewhere_is_signed_out_here(world: Any, ask: Any, announce: Any) -> None:  # noqa: F811
    assert ask(ANN) == [200, 200]
    world.ended.add(ANN)
    announce(directory_events.SessionsEnded(person="people/nel"))
    until(lambda: ask(ANN) == [401, 401])


def test_P1_another_role_or_team_is_looked_up_anew_and_nobody_elses(
    world: Any,
    ask: Any,
    announce: Any,  # noqa: F811
) -> None:
    def asked(token: str) -> int:
        return sum(request.token == token for request, _ in world.calls("ResolveSession"))

    ask(DAN), ask(EVE)
    assert (asked(DAN), asked(EVE)) == (2, 2)
    announce(directory_events.PersonChanged(person=directory_pb2.Person(name="people/rex", role="finance"), version=8))
    until(lambda: bool(ask(DAN)) and asked(DAN) == 4)
    ask(EVE)
    assert asked(EVE) == 2
    announce(directory_events.RoleChanged(role=directory_pb2.Role(name="roles/sales"), version=9))
    until(lambda: bool(ask(EVE)) and asked(EVE) == 4)


def test_E1_an_answer_that_was_on_its_way_when_somebody_left_is_not_kept() -> None:
    asked = []

    class Slow:
        async def call(self, *given: Any, **more: Any) -> bytes:
            asked.append(given)
            sessions.drop({"people/nel"})  # meanwhile
            principal = directory_pb2.Principal(person="people/nel")
            return directory_pb2.ResolveSessionResponse(principal=principal).SerializeToString()

    sessions = Sessions(Slow(), Tokens("k" * 48), 60.0, 1.0)  # type: ignore[arg-type]

    async def twice() -> None:
        for _ in range(2):
            await sessions.resolve("token")

    asyncio.run(twice())
    assert len(asked) == 2


def test_E1_no_token_is_used_that_ended_by_the_clock_that_it_was_signed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock may be set forward."""
    tokens, asked = Tokens("k" * 48), []

    class Directory:
        async def call(self, service: str, path: str, request: bytes, metadata: Any, *more: Any, **most: Any) -> bytes:
            asked.append(tokens.read(metadata[0][1].removeprefix("Bearer ")).person)
            principal = directory_pb2.Principal(person="people/nel")
            return directory_pb2.ResolveSessionResponse(principal=principal).SerializeToString()

    sessions = Sessions(Directory(), tokens, 60.0, 1.0)  # type: ignore[arg-type]
    for days in (0, 1):
        ahead, real = timedelta(days=days), clock.now
        monkeypatch.setattr(clock, "now", lambda real=real, ahead=ahead: real() + ahead)
        caller = asyncio.run(sessions.resolve("token"))
        assert tokens.read(caller.token).person == "people/nel"
    assert len(asked) == 2
