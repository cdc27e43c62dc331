"""Presence that expires with silence, and Redis that may be lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import fakeredis
import pytest
import time_machine

from chassis import cache, clock
from dealwright.directory.v1 import directory_pb2 as pb
from directory.usecases import presence
from directory.usecases.settings import settings


class Days:
    """A clock that the test moves; the loop looks every few seconds, as in a `work` process."""

    def __init__(self, house: Any, travel: Any) -> None:
        self._house, self._travel = house, travel

    def pass_by(self, seconds: float, beating: tuple[tuple[Any, str], ...] = ()) -> None:
        for step in range(int(seconds // 5)):
            self._travel.shift(timedelta(seconds=5))
            for caller, name in beating if step % 6 == 0 else ():
                caller.Heartbeat(name=name)
            self._house.run_loop("presence")


@pytest.fixture
def days(any_house: Any) -> Any:
    with time_machine.travel(clock.now(), tick=True) as travel:
        yield Days(any_house, travel)


def _presence(house: Any, person: Any) -> str:
    return pb.Person.Presence.Name(house.gateway().GetPerson(name=person.name).presence)


def test_L16_who_falls_silent_goes_offline_and_the_next_heartbeat_brings_him_back(any_house: Any, days: Any) -> None:
    li, never = any_house.add("li"), any_house.add("never")
    mine = any_house.as_login("li")
    days.pass_by(95, ((mine, li.name),))
    assert _presence(any_house, li) == "ONLINE"
    days.pass_by(100)
    assert _presence(any_house, li) == "OFFLINE"
    assert _presence(any_house, never) == "ONLINE"
    gone = any_house.events("PresenceChanged")[-1]
    state = any_house.events("PersonChanged")[-1]
    assert (gone.person, gone.presence) == (li.name, pb.Person.OFFLINE)
    assert (state.person.name, state.version) == (li.name, gone.version)
    assert any_house.as_login("li").Heartbeat(name=li.name).presence == pb.Person.ONLINE
    assert any_house.events("PresenceChanged")[-1].presence == pb.Person.ONLINE


def test_who_said_he_is_away_stays_away_while_his_browser_beats(any_house: Any, days: Any) -> None:
    li = any_house.add("li")
    mine = any_house.as_login("li")
    mine.Heartbeat(name=li.name)
    mine.SetPresence(name=li.name, presence="AWAY")
    assert mine.Heartbeat(name=li.name).presence == pb.Person.AWAY
    days.pass_by(200)
    assert _presence(any_house, li) == "AWAY"


def test_a_heartbeat_that_changes_nothing_writes_nothing(house: Any) -> None:
    li = house.add("li")
    mine = house.as_login("li")
    mine.Heartbeat(name=li.name)
    before = house.texts()
    mine.Heartbeat(name=li.name)
    assert house.texts() == before


def test_a_redis_that_comes_back_empty_takes_nobody_offline_who_is_heard_again(
    any_house: Any, days: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    li, wang = any_house.add("li"), any_house.add("wang")
    mine, other = any_house.as_login("li"), any_house.as_login("wang")
    days.pass_by(95, ((mine, li.name), (other, wang.name)))
    empty = fakeredis.FakeServer()
    monkeypatch.setattr(cache, "_in_process", lambda: empty)
    days.pass_by(10)
    assert _presence(any_house, li) == "ONLINE"
    days.pass_by(70, ((mine, li.name),))
    assert (_presence(any_house, li), _presence(any_house, wang)) == ("ONLINE", "ONLINE")
    days.pass_by(20, ((mine, li.name),))
    assert (_presence(any_house, li), _presence(any_house, wang)) == ("ONLINE", "OFFLINE")


def test_while_redis_is_away_heartbeats_count_and_nobody_is_called_silent(
    any_house: Any, days: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    li, wang = any_house.add("li"), any_house.add("wang")
    mine, other = any_house.as_login("li"), any_house.as_login("wang")
    days.pass_by(95, ((mine, li.name), (other, wang.name)))
    server = cache._in_process()
    server.connected = False
    days.pass_by(300, ((mine, li.name),))
    assert (_presence(any_house, li), _presence(any_house, wang)) == ("ONLINE", "ONLINE")
    server.connected = True
    days.pass_by(60)
    assert (_presence(any_house, li), _presence(any_house, wang)) == ("ONLINE", "ONLINE")
    days.pass_by(60, ((mine, li.name),))
    assert (_presence(any_house, li), _presence(any_house, wang)) == ("ONLINE", "OFFLINE")


def test_where_only_serve_cannot_reach_redis_its_heartbeats_still_count(
    any_house: Any, days: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    li, wang = any_house.add("li"), any_house.add("wang")
    mine, other = any_house.as_login("li"), any_house.as_login("wang")
    other.Heartbeat(name=wang.name)
    monkeypatch.setattr(presence, "_keep", lambda name: False)
    days.pass_by(200, ((mine, li.name),))
    assert (_presence(any_house, li), _presence(any_house, wang)) == ("ONLINE", "OFFLINE")
    assert [e.presence for e in any_house.events("PresenceChanged") if e.person == li.name] == [pb.Person.ONLINE]


def test_the_loop_looks_often_enough_that_a_look_is_never_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    for timeout in ("90", "6", "1"):
        monkeypatch.setenv("DEALWRIGHT_PRESENCE_TIMEOUT", timeout)
        settings.cache_clear()
        assert presence.look_every() < float(timeout) / 2
