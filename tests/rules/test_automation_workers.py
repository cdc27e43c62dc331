"""Automations under way: several workers, restarts, events in any order, working time, and the hot path left alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.message import Message

from chassis.transaction import Transaction
from dealwright.activities.v1 import activities_pb2
from dealwright.activities.v1 import events_pb2 as activity_events
from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.rules.v1 import events_pb2
from rules import storage
from rules.domain.automation_defaults import DEFAULTS
from rules.main import service
from rules.usecases import firing
from tests.rules.deals import IMPORTANT, ON_HOLD, OPEN, WON, Deals, brief, customer
from tests.rules.house import House, furnish, open_runtime

DAY = timedelta(days=1)
SHIPPED = {one["id"]: one for one in DEFAULTS}


@pytest.fixture
def deals(house: House) -> Deals:
    made = Deals(house)
    made.staff()
    return made


@pytest.fixture
def other(house: House, tmp_path: Path) -> Iterator[Deals]:
    """Another worker on the same database."""
    url = house.runtime.database.url.render_as_string(hide_password=False)
    made = House(open_runtime(url, tmp_path))
    furnish(made.runtime)
    made.now = house.now
    yield Deals(made)
    made.runtime.database.dispose()


def test_many_clocks_fire_in_pieces_and_each_once_though_two_workers_look(deals: Deals, other: Deals) -> None:
    deals.apply([SHIPPED["stalled-warning"]])
    for number in range(450):
        deals.open(number)
    deals.house.now += 7 * DAY
    other.house.now = deals.house.now
    if deals.house.runtime.database.is_sqlite:
        for one in (deals, other):
            with one.house.transaction() as tx:
                assert firing.automations_due(tx)
    else:
        # The second looks while the first holds what it claimed.
        with deals.house.transaction() as tx:
            assert firing.automations_due(tx)
            with other.house.transaction() as theirs:
                assert firing.automations_due(theirs)
    other.fire()
    deals.house._seen = 0
    asked = Counter(e.subject for e in deals.asked() if e.action == "WARN")
    assert len(asked) == 450
    assert set(asked.values()) == {1}


def test_a_daily_look_goes_on_after_its_last_page_whoever_looks_and_mails_nobody_twice(
    deals: Deals, other: Deals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firing, "_AT_ONCE", 7)
    deals.apply([SHIPPED["important-daily"]])
    for number in range(30):
        deals.open(number, importance=IMPORTANT)
    deals.fire()
    deals.house.now += 9 * DAY
    for turn in range(12):
        one = (deals, other)[turn % 2]
        one.house.now = deals.house.now
        with one.house.transaction() as tx:
            firing.automations_due(tx)
    deals.house._seen = 0
    mails = Counter((e.subject, e.person) for e in deals.asked())
    assert len(mails) == 60
    assert set(mails.values()) == {1}


def test_what_fell_due_while_nobody_ran_fires_at_the_start_once(deals: Deals, other: Deals) -> None:
    deals.apply([SHIPPED["stalled-warning"], SHIPPED["important-daily"]])
    deals.open(1, importance=IMPORTANT)
    deals.fire()
    other.house.now = deals.house.now + 40 * DAY
    assert sorted(brief(other.fire())) == [
        *("important-daily:MAIL:boss", "important-daily:MAIL:li", "stalled-warning:WARN")
    ]
    assert other.fire() == []


def test_a_transaction_that_is_lost_asks_for_nothing_and_the_next_one_asks(deals: Deals) -> None:
    deals.apply([SHIPPED["stalled-warning"]])
    deals.open(1)
    deals.fire()
    deals.house.now += 7 * DAY

    def fails(tx: Transaction) -> None:
        assert not firing.automations_due(tx)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), deals.house.transaction() as tx:
        fails(tx)
    assert deals.asked() == []
    assert brief(deals.fire()) == ["stalled-warning:WARN"]


def test_events_in_any_order_and_twice_come_to_the_same_clocks(deals: Deals) -> None:
    deal = deals.open(1)
    story: list[Message] = []
    hours = iter(range(1, 100))

    def later() -> None:
        deals.house.now += timedelta(hours=7 * next(hours))

    for stage, status in (("need-clear", OPEN), ("need-clear", ON_HOLD), ("need-clear", OPEN), ("quote", OPEN)):
        later()
        story += deal.moved(stage, status)
        later()
        story.append(deal.changed(title=f"{stage} {status}"))
    told: list[Message] = []
    for _ in range(3):
        later()
        told.append(deals.logged(deal.name, deals.house.now))
    outcomes = set()
    dice = random.Random(7)
    for _ in range(12):
        with deals.house.transaction() as tx:
            tx.execute(sa.delete(storage.watched))
        order = [*story, *story]
        dice.shuffle(order)
        Deals(deals.house).tell(*order[:5])
        for event in (*told, *order[5:]):
            deals.tell(event)
        with deals.house.reading() as tx:
            (row,) = tx.execute(sa.select(storage.watched))
        outcomes.add((row.version, row.touched, row.next_due, row.silent_since, str(row.turns), row.runs))
    assert len(outcomes) == 1


def test_working_time_counts_the_companys_days_and_follows_its_calendar(deals: Deals) -> None:
    office = [(day, "09:00", "17:00") for day in range(1, 6)]
    deals.house.calendar("company", office)
    working = {**SHIPPED["stalled-warning"], "after": {"days": 3, "working": True}}
    deals.apply([working])
    deals.house.now = datetime(2026, 11, 26, 2, tzinfo=UTC)  # Thursday, 10 in the morning
    deals.open(1)
    deals.house.now = datetime(2026, 12, 1, 2, tzinfo=UTC) - timedelta(seconds=1)
    assert deals.fire() == []
    deals.house.now += timedelta(seconds=1)  # Tuesday, 10 in the morning: Thursday, Friday and Monday have passed
    assert brief(deals.fire()) == ["stalled-warning:WARN"]
    # Days off that are set later count, too.
    deals.open(2)
    deals.house.calendar("company", office, off_days=["2026-12-02", "2026-12-03"])
    deals.house.now = datetime(2026, 12, 4, 2, tzinfo=UTC)
    assert deals.fire() == [], "it would have been due now"
    deals.house.now = datetime(2026, 12, 8, 2, tzinfo=UTC)
    assert [e.subject[-1] for e in deals.fire()].count("2") == 1
    # And where it begins to work at weekends, what waits is due sooner.
    deals.house.now = datetime(2026, 12, 11, 2, tzinfo=UTC)  # Friday
    deals.open(3)
    deals.house.calendar("company", [(day, "09:00", "17:00") for day in range(1, 8)])
    deals.fire()
    deals.house.now = datetime(2026, 12, 14, 2, tzinfo=UTC)
    assert [e.subject[-1] for e in deals.fire()].count("3") == 1


def test_a_follow_up_that_is_changed_or_deleted_changes_its_reminder(deals: Deals) -> None:
    deals.apply([SHIPPED["revisit-reminder"]])
    deals.customer(1)
    start = deals.house.now

    def changed(of: activities_pb2.FollowUp, version: int, deleted: bool = False) -> None:
        deals.tell(activity_events.FollowUpChanged(follow_up=of, version=version, deleted=deleted))

    first = deals.follow_up(customer(1), next_time=start + 2 * DAY).follow_up
    changed(first, 1)
    first.next_time.FromDatetime(start + 5 * DAY)
    changed(first, 2)
    assert deals.pass_days(4) == []
    assert deals.pass_days(1) == ["revisit-reminder:NOTIFY:li"]
    second = deals.follow_up(customer(1), next_time=start + 9 * DAY).follow_up
    changed(second, 2, deleted=True)
    assert deals.pass_days(9) == []


def test_R2_R6_an_opportunity_that_is_opened_may_ask_for_any_of_the_actions_at_once(deals: Deals) -> None:
    to = {"to": ["owner"], "titleZh": "欢迎 {title}", "titleEn": "Welcome {title}"}
    actions: list[dict[str, Any]] = [{"kind": kind, **to} for kind in ("CREATE_TASK", "NOTIFY", "MAIL")]
    deals.apply([{"id": "welcome", "on": "OPPORTUNITY_OPENED", "when": "amount == 0", "actions": actions}])
    deals.asked()
    deal = deals.open(1)
    assert brief(deals.asked()) == [f"welcome:{kind}:li" for kind in ("CREATE_TASK", "NOTIFY", "MAIL")]
    deal.change(title="新名")
    assert deals.asked() == [], "it is opened once"


def test_R3_a_follow_up_may_ask_at_once_and_after_days_unless_another_comes(deals: Deals) -> None:
    base = {"on": "FOLLOW_UP_LOGGED", "when": 'outcome == "REFUSED" && channel == "CALL"'}
    notice = {"kind": "NOTIFY", "to": ["manager"], "titleZh": "拒绝", "titleEn": "Refused"}
    deals.apply(
        [{**base, "id": "now", "actions": [notice]}, {**base, "id": "then", "after": {"days": 2}, "actions": [notice]}]
    )
    deal = deals.open(1)
    deals.asked()
    refused: dict[str, Any] = {"outcome": activities_pb2.FollowUp.REFUSED, "method": activities_pb2.FollowUp.CALL}
    deals.follow_up(deal.name, **refused)
    assert brief(deals.asked()) == ["now:NOTIFY:boss"]
    assert deals.pass_days(2) == ["then:NOTIFY:boss"]
    deals.follow_up(deal.name, **refused)
    deals.house.now += DAY
    deals.follow_up(deal.name)
    assert deals.pass_days(9) == []


def test_what_is_asked_carries_an_origin_of_its_own_and_the_same_one_when_it_is_told_again(deals: Deals) -> None:
    deal = deals.open(1)
    deals.asked()
    moves = [*deal.moved("quote"), *deal.moved("negotiation"), *deal.moved("quote")]
    deals.tell(*moves)
    first = [e.origin for e in deals.asked()]
    assert len(set(first)) == 4, "a task and a notice for each time it came to its quote"
    deals.tell(moves[1])
    assert [e.origin for e in deals.asked()] == first[:2]
    deals.expiring(30)
    deals.expiring(30)
    deals.expiring(7)
    origins = Counter(e.origin for e in deals.asked())
    assert sorted(origins.values()) == [1, 1, 1, 2, 2, 2]
    won = deal.moved("won", WON)
    deals.tell(*won)
    assert deals.asked() == []


def test_U2_nothing_that_leads_announces_reaches_what_automations_listen_to() -> None:
    of_leads = {m.full_name for m in lead_events.DESCRIPTOR.message_types_by_name.values()}
    ours = {s.name: set(s.types) for s in service.subscribers() if s.name.startswith("watch_")}
    assert set(ours) == {
        f"watch_{what}" for what in ("opportunities", "customers", "follow_ups", "tasks", "contracts", "money")
    }
    for name, types in ours.items():
        assert not types & of_leads, name


def test_a_new_lead_costs_no_statement_more_than_before(house: House) -> None:
    house.hire("a")
    house.capture(1)
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    sa.event.listen(house.runtime.database.engine, "before_cursor_execute", note)
    house.capture(2)
    sa.event.remove(house.runtime.database.engine, "before_cursor_execute", note)
    ours = ("watched", "fired_automations", "scans", "settings")
    assert not [s for s in statements if any(f'"{table}"' in s or f" {table} " in s for table in ours)]
    assert house.announced(events_pb2.ActionRequested) == []


def test_O28_a_loss_is_asked_for_before_a_warning_that_would_change_what_it_is_compared_with(deals: Deals) -> None:
    deals.apply([SHIPPED["stalled-warning"], SHIPPED["lost-after-silence"]])
    deals.open(1)
    assert deals.pass_days(100) == ["lost-after-silence:MARK_LOST", "stalled-warning:WARN"]
