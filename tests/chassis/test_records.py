"""Records that people keep: rights, etags, deletion that can be undone, one announcement and one audit row a change."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import clock, people, records
from chassis.access import Grant, Principal, Scope, Tokens
from chassis.columns import Column
from chassis.database import Database, Moment
from chassis.errors import Denied, Invalid, NotFound, Problem, Refused, Stale
from chassis.people import Person
from chassis.records import Kind
from chassis.service import Runtime, Service
from chassis.settings import Settings
from chassis.testing.parts import Postgres
from chassis.transaction import Transaction
from dealwright.customers.v1 import customers_pb2
from dealwright.leads.v1 import leads_pb2

metadata = sa.MetaData()
_numbers = itertools.count(1)


def _table(name: str, *columns: sa.Column[Any]) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        *columns,
        sa.Column("delete_time", Moment),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


boats = _table("boats", sa.Column("title", sa.Text, nullable=False), sa.Column("owner", sa.Text, nullable=False))
oars = _table("oars", sa.Column("boat", sa.Text, nullable=False))
staff = people.table(metadata)
service = Service("records", metadata, "", lambda runtime: [])


@dataclass(frozen=True)
class Boat:
    name: str
    create_time: datetime
    update_time: datetime
    title: str
    owner: str = ""
    delete_time: datetime | None = None
    version: int = 1


@dataclass(frozen=True)
class Oar:
    name: str
    create_time: datetime
    update_time: datetime
    boat: str
    delete_time: datetime | None = None
    version: int = 1


told: list[tuple[Any, Any]] = []


def _tell(tx: Transaction, before: Any, after: Any) -> None:
    told.append((before, after))


BOATS: Kind[Boat] = Kind(
    "boats",
    "boat",
    boats,
    Boat,
    {
        "title": Column(boats.c.title, "text", order=True),
        "owner": Column(boats.c.owner, "name"),
        "create_time": Column(boats.c.create_time, "time", order=True),
    },
    staff,
    lambda boat: customers_pb2.Contact(name=boat.name, title=boat.title, etag=str(boat.version)),
    also=lambda principal: boats.c.title == "shared",
    announce=_tell,
)
OARS: Kind[Oar] = Kind(
    "oars",
    "oar",
    oars,
    Oar,
    {"create_time": Column(oars.c.create_time, "time", order=True)},
    staff,
    lambda oar: customers_pb2.Contact(name=oar.name, etag=str(oar.version)),
    owner="",
    parent=("boat", BOATS),
)


def principal(person: str, scope: Scope, *teams: str, **grant: Any) -> Principal:
    one = Grant(scope, scope, scope, scope, **grant)
    return Principal(person, "r", "", teams, {"boats": one, "oars": one})


ADMIN = principal("people/admin", Scope.ALL)
BOSS = principal("people/boss", Scope.TEAM, "teams/east")
LI = principal("people/li", Scope.OWN, "teams/east")
NOBODY = principal("people/no", Scope.NONE)


class Harbour:
    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    @contextmanager
    def tx(self, who: Principal = ADMIN) -> Iterator[Transaction]:
        with self.runtime.transaction(who) as tx:
            yield tx

    def do(self, act: Callable[..., Any], *arguments: Any, who: Principal = ADMIN, **more: Any) -> Any:
        with self.tx(who) as tx:
            return act(tx, *arguments, **more)

    def launch(self, title: str = "boat", owner: str = "people/li") -> Boat:
        with self.tx() as tx:
            return records.create(tx, BOATS, Boat(BOATS.new_name(), tx.now, tx.now, title, owner))

    def titles(self, who: Principal = ADMIN, **request: Any) -> list[str]:
        asked = SimpleNamespace(**{"page_size": 0, "page_token": "", "filter": "", "order_by": "title", **request})
        with self.tx(who) as tx:
            return [boat.title for boat in records.page(tx, BOATS, asked)[0]]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def harbour(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Harbour]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'records.db'}"
    else:
        server: Postgres = request.getfixturevalue("postgres_server")
        name = f"records_{next(_numbers)}"
        url = server.create_database(name)
    runtime = Runtime(service, Settings(data=tmp_path), Database(url), Tokens("k" * 40))
    service.tables  # noqa: B018 - puts the chassis's own into the metadata
    metadata.create_all(runtime.database.engine)
    made = Harbour(runtime)
    east, west = ("people/li", "teams/east"), ("people/wang", "teams/west")
    made.do(people.know, staff, [Person(name, name, team, "", "sales", True, 1) for name, team in (east, west)])
    told.clear()
    yield made
    runtime.database.dispose()
    if request.param == "postgres":
        server.drop_database(name)


def outcome(act: Callable[[], object]) -> type[Problem] | None:
    try:
        act()
    except Problem as problem:
        return type(problem)
    return None


def test_P6_each_scope_covers_its_rows_and_what_is_shared_is_read_alone(harbour: Harbour) -> None:
    for title, owner in (("mine", "people/li"), ("others", "people/wang"), ("nobodys", ""), ("shared", "people/wang")):
        harbour.launch(title, owner)
    assert harbour.titles() == ["mine", "nobodys", "others", "shared"]
    assert harbour.titles(BOSS) == ["mine", "nobodys", "shared"]
    assert harbour.titles(LI) == ["mine", "shared"]
    with harbour.tx() as tx:
        rows = {row.title: row.name for row in tx.execute(sa.select(boats))}
    for who, changes in ((ADMIN, set(rows)), (BOSS, {"mine", "nobodys"}), (LI, {"mine"})):
        for title, name in rows.items():
            found = outcome(lambda who=who, name=name: harbour.do(records.hold, BOATS, name, who=who))  # type: ignore[misc]
            seen = title in harbour.titles(who)
            assert found is (None if title in changes else Denied if seen else NotFound), (who.person, title)
    assert outcome(lambda: harbour.titles(NOBODY)) is Denied


def test_what_hangs_on_a_record_is_whose_that_is_and_away_while_it_is_deleted(harbour: Harbour) -> None:
    boat = harbour.launch("mine", "people/li")
    with harbour.tx() as tx:
        oar = records.create(tx, OARS, Oar(OARS.new_name(), tx.now, tx.now, boat.name))
    wang = principal("people/wang", Scope.OWN)

    def seen(who: Principal) -> type[Problem] | None:
        return outcome(lambda: harbour.do(records.find, OARS, oar.name, who=who))

    assert [seen(who) for who in (ADMIN, BOSS, LI, wang)] == [None, None, None, NotFound]
    harbour.do(records.delete, BOATS, boat.name)
    assert seen(ADMIN) is NotFound
    harbour.do(records.undelete, BOATS, boat.name)
    assert seen(LI) is None


def test_a_change_under_an_old_etag_is_stale_and_every_change_is_told_once(harbour: Harbour) -> None:
    boat = harbour.launch()
    now = harbour.do(records.patch, BOATS, boat.name, "1", {"title": "new"}, who=LI)
    assert (now.title, now.version) == ("new", 2)
    assert outcome(lambda: harbour.do(records.patch, BOATS, boat.name, "1", {"title": "x"}, who=LI)) is Stale
    assert harbour.do(records.patch, BOATS, boat.name, "", {"title": "new"}) == now
    assert told == [(None, boat), (boat, now)]
    with harbour.tx() as tx:
        log = service.tables.audit_log
        rows = [tuple(r) for r in tx.execute(sa.select(log.c.actor, log.c.action, log.c.detail).order_by(log.c.id))]
    assert rows == [
        ("people/admin", "boat.created", None),
        ("people/li", "boat.changed", {"version": 2, "fields": ["title"]}),
    ]


def test_a_record_that_changed_behind_ones_back_is_stale(harbour: Harbour) -> None:
    boat = harbour.launch()
    harbour.do(records.patch, BOATS, boat.name, "", {"title": "a"})
    with harbour.tx() as tx, pytest.raises(Stale) as stale:
        records.save(tx, BOATS, boat, replace(boat, title="b"))
    assert [(one.field, one.value, one.actor) for one in stale.value.changes] == [("title", "a", "people/admin")]


def test_P7_fields_that_a_role_may_not_see_or_change_stay_as_they_are(harbour: Harbour) -> None:
    boat = harbour.launch()
    blind = principal("people/li", Scope.OWN, hidden=frozenset({"title"}))
    bound = principal("people/li", Scope.OWN, read_only=frozenset({"title"}))
    for who, problem in ((blind, Invalid), (bound, Denied)):
        patch = lambda who=who: harbour.do(records.patch, BOATS, boat.name, "", {"title": "x"}, who=who)  # noqa: E731
        assert outcome(patch) is problem
    assert outcome(lambda: harbour.titles(blind, filter="title = boat")) is Invalid


def test_a_deleted_record_is_seen_when_asked_for_and_comes_back(harbour: Harbour) -> None:
    boat = harbour.launch()
    assert outcome(lambda: harbour.do(records.undelete, BOATS, boat.name)) is Refused
    gone = harbour.do(records.delete, BOATS, boat.name, "1")
    assert gone.delete_time is not None
    assert (harbour.titles(), harbour.titles(show_deleted=True)) == ([], ["boat"])
    for act in (records.find, records.hold, records.delete):
        assert outcome(lambda act=act: harbour.do(act, BOATS, boat.name)) is NotFound  # type: ignore[misc]
    back = harbour.do(records.undelete, BOATS, boat.name)
    assert (back.delete_time, back.version) == (None, 3)
    assert harbour.titles() == ["boat"]


def test_what_was_deleted_30_days_ago_ends_for_good_and_nothing_else(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed = [harbour.launch(f"boat {n}") for n in range(3)]
    harbour.launch("kept")
    for boat in doomed:
        harbour.do(records.delete, BOATS, boat.name)
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=29))
    assert not harbour.do(records.purge, BOATS)
    assert len(harbour.titles(show_deleted=True)) == 4
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=31))
    assert harbour.do(records.purge, BOATS, 2), "there is one more"
    assert not harbour.do(records.purge, BOATS, 2)
    assert harbour.titles(show_deleted=True) == ["kept"]
    assert [after for _, after in told[-3:]] == [None, None, None]


@pytest.mark.parametrize("name", ["", "boats/x", "oars/" + "0" * 32, "boats/" + "0" * 32, "boats/" + "0" * 31 + "\0"])
def test_a_name_that_is_none_is_not_found(harbour: Harbour, name: str) -> None:
    assert outcome(lambda: harbour.do(records.find, BOATS, name)) is NotFound


def test_paths_are_the_masks_or_what_is_set() -> None:
    lead = leads_pb2.Lead(phone="1", company="c", name="leads/1")
    known = ("phone", "company", "custom")
    assert records.paths([], lead, known) == ["phone", "company"]
    assert records.paths(["*"], lead, known) == list(known)
    assert records.paths(["custom.x", "phone", "phone"], lead, known) == ["custom.x", "phone"]
    with pytest.raises(Invalid) as refused:
        records.paths(["owner", "name"], lead, known)
    assert [v.field for v in refused.value.violations] == ["update_mask.owner", "update_mask.name"]
    with pytest.raises(Invalid) as refused:
        records.paths(["phone.number", "custom.x"], lead, known)
    assert [v.field for v in refused.value.violations] == ["update_mask.phone.number"]
    assert records.paths(["phone.number"], lead, known, ("phone",)) == ["phone.number"]


def test_the_copy_of_people_keeps_the_newest_and_tells_who_left_once(harbour: Harbour) -> None:
    def hear(active: bool, version: int, team: str = "teams/north") -> list[str]:
        person = Person("people/li", "Li", team, "", "sales", active, version)
        return [one.name for one in harbour.do(people.know, staff, [person])]

    assert hear(True, 3) == []
    assert hear(False, 2) == [], "older than what is known"
    assert hear(False, 4) == ["people/li"]
    assert hear(False, 5) == []
    assert harbour.do(people.teams, staff, ["people/li", "people/none"]) == {"people/li": "teams/north"}
    assert harbour.do(people.find, staff, "people/none") is None
