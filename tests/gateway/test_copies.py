"""The gateway's tables on both databases: the newest state wins, whatever the order it is told in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import fakeredis
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.access import Principal, Tokens
from chassis.database import Database
from chassis.migration import migrate
from chassis.service import Runtime
from chassis.settings import Settings
from dealwright.directory.v1.events_pb2 import PersonChanged
from dealwright.leads.v1.events_pb2 import LeadAssigned
from dealwright.rules.v1.events_pb2 import PolicyPublished
from gateway import subscribers
from gateway.main import service
from gateway.storage import intents
from gateway.storage.tables import metadata, people, terms
from tests.gateway.conftest import KEY


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def runtime(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runtime]:
    url = f"sqlite:///{tmp_path / 'g.db'}" if request.param == "sqlite" else request.getfixturevalue("fresh_database")
    made = Runtime(service, Settings(data=tmp_path), Database(url), Tokens(KEY))
    migrate(made)
    yield made
    made.database.dispose()


def person(name: str, team: str, version: int) -> PersonChanged:
    event = PersonChanged(version=version)
    event.person.name, event.person.team = name, team
    return event


def policy(minutes: float | str, version: int) -> PolicyPublished:
    event = PolicyPublished()
    event.policy.version = version
    event.policy.content.update({"clocks": {"responseMinutes": minutes}})
    return event


def hear(runtime: Runtime, events: Sequence[PersonChanged]) -> None:
    with runtime.transaction() as tx:
        subscribers.keep_people(tx, events)


def rows(runtime: Runtime, table: sa.Table) -> set[tuple[Any, ...]]:
    with runtime.reading() as tx:
        return {tuple(row) for row in tx.execute(sa.select(table))}


def test_the_tables_and_the_migrations_agree_on_both_databases(runtime: Runtime) -> None:
    found = sa.inspect(runtime.database.engine)
    for table in metadata.tables.values():
        assert {c["name"] for c in found.get_columns(table.name)} == {c.name for c in table.columns}, table.name


def test_of_what_is_told_of_a_person_the_newest_stays(runtime: Runtime) -> None:
    hear(runtime, [person("people/li", "teams/b", 2), person("people/li", "teams/a", 1), person("people/wu", "", 1)])
    assert rows(runtime, people) == {("people/li", "teams/b", 2), ("people/wu", "", 1)}
    hear(runtime, [person("people/li", "teams/a", 1)])
    hear(runtime, [person("people/wu", "teams/c", 3)])
    assert rows(runtime, people) == {("people/li", "teams/b", 2), ("people/wu", "teams/c", 3)}


def test_of_two_policies_the_newer_ones_hours_stay_and_what_is_no_number_is_passed(runtime: Runtime) -> None:
    for minutes, version in ((60, 2), (120, 1), ("soon", 3), (0, 4)):
        with runtime.transaction() as tx:
            subscribers.keep_terms(tx, policy(minutes, version))
    assert rows(runtime, terms) == {("responseMinutes", 60, 2)}


def test_L20_an_event_goes_on_the_stream_with_the_teams_of_whom_it_concerns(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = fakeredis.FakeRedis(decode_responses=True)
    monkeypatch.setattr(subscribers, "_store", lambda: store)
    hear(runtime, [person("people/li", "teams/a", 1), person("people/wu", "teams/b", 1)])
    with runtime.transaction() as tx:
        subscribers.keep_terms(tx, policy(30, 1))
    event = LeadAssigned(lead="leads/1", owner="people/li", previous_owner="people/wu", owner_version=1)
    for _ in range(2):
        with runtime.transaction() as tx:
            subscribers.feed(tx, [event])
    entries: Any = store.xrange(subscribers._settings().feed_stream)
    ((_, fields),) = entries
    assert (fields["people"], fields["teams"]) == ("people/li,people/wu", "teams/a,teams/b")
    assert "30 minutes" in fields["notice_en"]


def test_at_most_one_apply_is_open_and_only_who_holds_it_writes(runtime: Runtime) -> None:
    caller = Principal("people/root", "admin")

    def begin() -> intents.Apply:
        with runtime.transaction() as tx:
            apply = intents.Apply(ids.new_id(), caller, (), tx.now + timedelta(seconds=9))
            intents.add(tx, apply)
            return apply

    first = begin()
    with pytest.raises(sa.exc.IntegrityError):
        begin()
    with runtime.transaction() as tx:
        assert intents.take(tx, tx.now) is None, "it is held"
        intents.let_go(tx, first)
    with runtime.transaction() as tx:
        taken = intents.take(tx, tx.now + timedelta(seconds=9))
        assert taken is not None
        assert taken.id == first.id
    with pytest.raises(intents.Lost), runtime.transaction() as tx:
        intents.close(tx, first, "APPLIED")
    with runtime.transaction() as tx:
        intents.close(tx, taken, "UNDONE")
    begin()
