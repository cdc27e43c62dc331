"""The read model, made anew from history: as it was, at each moment, whatever comes in between."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.message import Message

from activities.main import service as activities
from chassis import ids
from chassis.history import Page, Told
from contracts.main import service as contracts
from customers.main import service as customers
from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch
from dealwright.contracts.v1 import events_pb2 as contract_events
from leads.main import service as leads
from opportunities.main import service as opportunities
from reports.main import service
from reports.servicer.rebuilder import Rebuilder
from reports.storage import cells as stored
from reports.storage import ledger
from reports.storage.tables import cells, copies, postings, rollups, subjects
from reports.usecases import learning, ready, rebuilding
from reports.wire import telling
from tests.reports import desk as desks
from tests.reports.deals import Deal
from tests.reports.desk import Desk, moment

KPIS = (("stage-entered", "stage"), ("won-amount", "owner"), ("open-amount", "stage"), ("stage-time", "stage"))
DAYS = tuple(f"2026-11-{day:02}T23:59" for day in range(1, 26, 4))


@dataclass
class History:
    """What the services keep: messages of one event each. `calls` are what was asked for."""

    told: dict[str, list[tuple[str, Envelope]]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    rows: int = 3

    def add(self, envelope: Envelope) -> None:
        at = ids.first_id_at(envelope.receive_time.ToMicroseconds() / 1e6)[:12] + ids.new_id()[12:]
        kept = self.told.setdefault(envelope.type.split(".")[1], [])
        kept.append((at, envelope))
        kept.sort(key=lambda one: one[0])

    def page(self, service: str, types: Sequence[str], after: str) -> Page:
        self.calls.append((service, after))
        mine = [(at, one) for at, one in self.told.get(service, []) if at > after and one.type in types]
        found = [Told(at, EventBatch(events=[one]).SerializeToString()) for at, one in mine[: self.rows]]
        return Page(found, len(mine) > self.rows)


Heard = tuple[Message, str] | tuple[Message, str, str]


def _story(count: int) -> list[Heard]:
    """Deals that are opened, moved, touched, given away, won, lost and deleted on days of November."""
    chance = random.Random(11)
    told: list[Heard] = []
    for number in range(count):
        days = sorted(chance.sample(range(1, 26), 5))
        when = [f"2026-11-{day:02}T{chance.randrange(8, 20):02}:{chance.randrange(60):02}" for day in days]
        owner = chance.choice(("people/li", "people/zhao", "people/wang"))
        deal = Deal(f"opportunities/{number:03}", when[0], chance.randrange(1, 9000), owner)
        deal.move("need", when[1]).touch(when[2], f"followUps/{number}")
        if number % 4 == 0:
            deal.give("people/zhao", when[2])
        ending = number % 3
        if ending == 0:
            deal.win(when[3])
        elif ending == 1:
            deal.lose(when[3])
        if number % 7 == 0:
            deal.delete(when[4])
        told += deal.told
    return told


def _envelopes(told: Sequence[Heard], history: History) -> list[tuple[Message, Envelope]]:
    found = [(one[0], desks.envelope(*one)) for one in told]
    for _, envelope in sorted(found, key=lambda one: one[1].receive_time.ToMicroseconds()):
        history.add(envelope)
    return found


def _live(desk: Desk, found: Sequence[tuple[Message, Envelope]]) -> None:
    """As the bus brings them: a day's in any order, some of them twice."""
    chance = random.Random(5)
    by_day: dict[str, list[tuple[Message, Envelope]]] = {}
    for event, envelope in found:
        by_day.setdefault(str(envelope.receive_time.ToDatetime() + timedelta(hours=8))[:10], []).append(
            (event, envelope)
        )
    for day in sorted(by_day):
        shuffled = [*by_day[day], *chance.sample(by_day[day], len(by_day[day]) // 2)]
        chance.shuffle(shuffled)
        for at in range(0, len(shuffled), 4):
            desk.bring(*shuffled[at : at + 4], roll=False)
    desk.roll()


def _cells(desk: Desk, copy: int = 0) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Of a copy, or the one that answers: what is in the cells, by what they are of; and what the ledger sums to."""
    with desk.runtime.reading() as tx:
        copy = copy or ledger.live(tx)
        c, r = cells.c, rollups.c
        joined = cells.join(rollups, sa.and_(c.copy == r.copy, c.rollup == r.rollup))
        whose = (c.holder, c.customer_holder, c.lead_holder)
        key = (r.fact, r.dimensions, r.grain, *whose, c.bucket, c.d1, c.d2, c.d3, c.currency)
        query = sa.select(*key, c["count"], c.amount, c.seconds).select_from(joined).where(c.copy == copy)
        summed = {tuple(row[:-3]): tuple(row[-3:]) for row in tx.execute(query) if any(row[-3:])}
        p = postings.c
        by = [
            column
            for column in p
            if column.name not in ("copy", "batch", "place", "event", "learn_time", "count", "amount", "seconds")
        ]
        sums = [sa.cast(sa.func.sum(p[name]), sa.BigInteger) for name in ("count", "amount", "seconds")]
        query = sa.select(*by, *sums).where(p.copy == copy).group_by(*by)
        entered = {tuple(row[:-3]): tuple(row[-3:]) for row in tx.execute(query) if any(row[-3:])}
    return summed, entered


def _then(desk: Desk) -> dict[Any, Any]:
    """What was known at the end of each day."""
    return {
        (kpi, day): {
            key: value for key, value in desk.figures(kpi, as_of=day, period="2026", group_by=[group]).items() if value
        }
        for kpi, group in KPIS
        for day in DAYS
    }


def _to_the_end(desk: Desk, rebuilder: Rebuilder, most: int = 500) -> None:
    for _ in range(most):
        rebuilder.step()
        with desk.runtime.reading() as tx:
            if rebuilding.progress(tx) is None:
                return
    raise AssertionError("it does not end")


def _begin(desk: Desk) -> int:
    with desk.runtime.transaction() as tx:
        return rebuilding.begin(tx)


def test_what_is_made_anew_is_cell_by_cell_what_was_there_and_what_was_known_on_each_day(desk: Desk) -> None:
    history = History()
    _live(desk, _envelopes(_story(24), history))
    before, then = _cells(desk), _then(desk)
    assert all(before)
    assert any(then.values())
    copy = _begin(desk)
    _to_the_end(desk, Rebuilder(desk.runtime, history.page))
    with desk.runtime.reading() as tx:
        assert ledger.live(tx) == copy == 2
    assert _cells(desk) == before
    assert _then(desk) == then


def test_a_wrong_cell_and_a_lost_record_are_right_after_it(desk: Desk) -> None:
    history = History()
    _live(desk, _envelopes(_story(9), history))
    before = _cells(desk)
    with desk.runtime.transaction() as tx:
        tx.execute(sa.update(cells).where(cells.c.holder == "*").values(count=cells.c["count"] + 1))
        tx.execute(sa.delete(subjects).where(subjects.c.name == "opportunities/003"))
        tx.execute(sa.delete(postings).where(postings.c.record == "opportunities/003"))
    assert _cells(desk) != before
    _begin(desk)
    _to_the_end(desk, Rebuilder(desk.runtime, history.page))
    assert _cells(desk) == before


def test_few_postings_are_added_up_as_many_are(desk: Desk, monkeypatch: Any) -> None:
    history = History()
    found = _envelopes(_story(9), history)
    _live(desk, found)
    few = _cells(desk)
    monkeypatch.setattr("reports.storage.cells._BY_HAND", 0)
    _begin(desk)
    _to_the_end(desk, Rebuilder(desk.runtime, history.page))
    assert _cells(desk) == few


def test_new_sums_have_what_is_in_the_others_and_no_more(desk: Desk) -> None:
    found = _envelopes(_story(9), History())
    _live(desk, found[:-6])
    before, _ = _cells(desk)
    desk.bring(*found[-6:], roll=False)
    with desk.runtime.transaction() as tx:
        tx.execute(sa.delete(cells))
        tx.execute(sa.delete(rollups))
        ready.make(tx)
        assert len(stored.kept(tx, ledger.live(tx))) > 300, "made at once"
    assert _cells(desk)[0] == before
    desk.roll()
    assert _cells(desk)[0] != before


@pytest.mark.parametrize("steps", [1, 4, 9])
def test_one_that_falls_over_in_the_middle_is_gone_on_with(desk: Desk, steps: int, monkeypatch: Any) -> None:
    history = History()
    _live(desk, _envelopes(_story(12), history))
    before, then = _cells(desk), _then(desk)
    monkeypatch.setattr("reports.servicer.rebuilder._EVENTS", 8)
    _begin(desk)
    first = Rebuilder(desk.runtime, history.page)
    for _ in range(steps):
        first.step()
    second = Rebuilder(desk.runtime, history.page)
    with desk.runtime.reading() as tx:
        done = rebuilding.progress(tx)
    asked = len(history.calls)
    second.step()
    assert len(history.calls) == asked, "the first holds it still"
    with desk.runtime.transaction() as tx:
        tx.execute(sa.update(copies).values(held_until=tx.now - timedelta(seconds=1)))
    second.step()
    assert done is not None
    if done.events:
        assert all(after for name, after in history.calls[asked:] if name == "opportunities"), "from where it was"
    first.step()  # it wakes up, and finds that another goes on
    _to_the_end(desk, second)
    assert _cells(desk) == before
    assert _then(desk) == then


def test_what_comes_meanwhile_is_in_both(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr("reports.servicer.rebuilder._EVENTS", 8)
    history = History()
    story = _story(8)
    _live(desk, _envelopes(story, history))
    copy, then = _begin(desk), _then(desk)
    touched = Deal("opportunities/002", "2026-11-26T09:00").touch("2026-11-26T09:00", "followUps/late").told[-1]
    desk.bring(*_envelopes([touched], history))
    rebuilder = Rebuilder(desk.runtime, history.page)
    state, number = "", 100
    while state != ledger.LIVE:
        day = f"2026-11-{26 + (number // 40):02}T10:{number % 60:02}"
        deal = (
            Deal(f"opportunities/{number}", day, number).win(day)
            if number % 2
            else Deal(f"opportunities/{number}", day)
        )
        number += 1
        if number < 112:
            for event, envelope in _envelopes(deal.told, history):
                desk.bring((event, envelope))
        rebuilder.step()
        with desk.runtime.reading() as tx:
            state = tx.execute(sa.select(copies.c.state).where(copies.c.copy == copy)).scalar_one()
    assert number > 105
    assert _cells(desk, copy) == _cells(desk, 1)
    assert _then(desk) == then, "what is new does not make it look as if all of it were just learnt"


def test_what_came_into_the_order_late_is_read_once_more(desk: Desk, monkeypatch: Any) -> None:
    """A transaction that ran long has ids from its begin: by then history was read beyond them."""
    history = History()
    _envelopes(_story(4), history)
    now = desks.now_text()
    early = desks.envelope(Deal("opportunities/late", now, 77).told[1][0], now)
    copy = _begin(desk)
    rebuilder = Rebuilder(desk.runtime, history.page)
    _envelopes(Deal("opportunities/newest", now, 5).told, history)
    while True:
        rebuilder.step()
        with desk.runtime.reading() as tx:
            row = tx.execute(sa.select(copies.c.state).where(copies.c.copy == copy)).scalar_one()
        if row == ledger.JOINING:
            break
    at = ids.first_id_at(early.receive_time.ToMicroseconds() / 1e6 - 30)
    history.told["opportunities"].append((at, early))
    history.told["opportunities"].sort(key=lambda one: one[0])
    _to_the_end(desk, rebuilder)
    with desk.runtime.reading() as tx:
        names = tx.execute(sa.select(subjects.c.name).where(subjects.c.copy == copy)).scalars().all()
    assert {"opportunities/late", "opportunities/newest"} <= set(names)


def test_an_event_that_cannot_be_taken_in_is_passed_over_and_counted(desk: Desk, monkeypatch: Any) -> None:
    history = History()
    _live(desk, _envelopes(_story(6), history))
    before = _cells(desk)
    history.add(desks.envelope(Deal("opportunities/broken", "2026-11-09T10:00", 1).told[1][0], "2026-11-09T10:00"))
    whole = learning.learn_into

    def picky(tx: Any, copy: int, told: Any) -> None:
        if any(one.record == "opportunities/broken" for one in told):
            raise RuntimeError("planted")
        whole(tx, copy, told)

    monkeypatch.setattr(learning, "learn_into", picky)
    copy = _begin(desk)
    rebuilder = Rebuilder(desk.runtime, history.page)
    for _ in range(60):
        rebuilder.step()
        with desk.runtime.reading() as tx:
            done = rebuilding.progress(tx)
        if done is None:
            break
        passed = done.passed_over
    assert (copy, passed) == (2, 1)
    assert _cells(desk) == before


def test_the_old_copy_goes_in_small_steps_once_nobody_asks_it_any_more(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setattr(rebuilding, "_DROPPED", 7)
    history = History()
    _live(desk, _envelopes(_story(6), history))
    before = _cells(desk)
    _begin(desk)
    rebuilder = Rebuilder(desk.runtime, history.page)
    _to_the_end(desk, rebuilder)
    assert not rebuilder.step(), "it may be asked yet"
    with desk.runtime.transaction() as tx:
        tx.execute(sa.update(copies).where(copies.c.copy == 1).values(end_time=tx.now - timedelta(minutes=2)))
    steps = 0
    while rebuilder.step():
        steps += 1
    assert steps > 10
    with desk.runtime.reading() as tx:
        left = {
            table.name: set(tx.execute(sa.select(table.c.copy).distinct()).scalars())
            for table in (copies, subjects, postings, cells, rollups)
        }
    assert left == {name: {2} for name in left}
    assert _cells(desk) == before


def test_all_that_is_learnt_from_is_kept_for_good_and_is_heard_as_it_is_read_again() -> None:
    kept = {one.name: set(one.kept_events) for one in (leads, customers, opportunities, activities, contracts)}
    for name, types in telling.by_service().items():
        assert set(types) <= kept[name]
    copied = {"people", "teams", "roles", "usage"}  # which a new copy takes along
    heard = {kind for one in service.subscribers() if one.name not in copied for kind in one.types}
    assert heard == set(telling.TOLD)
    assert contract_events.PaymentChanged.DESCRIPTOR.full_name in heard
    assert moment("2026-11-01T08:00").hour == 0
