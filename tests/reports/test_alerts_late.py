"""Rules look when what they look at has come in, and what they told is corrected by what comes in later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest
import sqlalchemy as sa
import time_machine
from google.protobuf.message import Message

from chassis import ids
from chassis.bus import inbox
from dealwright.bus.v1.envelope_pb2 import Envelope
from dealwright.reports.v1 import alerts_pb2 as pb
from dealwright.reports.v1.events_pb2 import AlertRaised
from dealwright.rules.v1.events_pb2 import ActionRequested
from reports.domain.folding import News
from reports.main import service
from reports.servicer.alerts import AlertServicer
from reports.usecases import alerting, learning
from tests.reports.deals import Deal
from tests.reports.desk import Desk, envelope, moment
from tests.reports.test_alerts import only

# The week from the 16th is over, since ten minutes.
MONDAY = "2026-11-23T00:10"
BEFORE, WEEK = "2026-11-10T10:00", "2026-11-18T10:00"


class Traveller(Protocol):
    def move_to(self, moment: datetime) -> None: ...


@pytest.fixture
def traveller(desk: Desk) -> Iterator[Traveller]:
    with time_machine.travel(moment(BEFORE) + timedelta(minutes=1), tick=False) as traveller:
        desk.also(AlertServicer())
        desk.settle(("people/dong", "teams/east", "manager", "华东"))
        only(desk, "kpis/won-amount")
        yield traveller


def bus(event: Message, when: str) -> Envelope:
    """As the bus brings it: its id tells when it was made."""
    found = envelope(event, when)
    found.id = f"{ids.first_id_at(moment(when.partition(' ')[0]).timestamp())[:13]}{ids.new_id()[13:]}"
    return found


def brought(desk: Desk, amount: int, when: str) -> None:
    """A deal of the region, won then, through the inbox now."""
    deal = Deal(f"opportunities/{desk.number()}", when, amount).win(when)
    for subscription in service.subscribers():
        mine = [bus(event, at) for event, at in deal.told if event.DESCRIPTOR.full_name in subscription.types]
        if mine:
            inbox.handle(desk.runtime, subscription, mine)
    with desk.runtime.transaction() as tx:
        learning.learn(
            tx, [News(deal.name, "customer", {"region": "华东", "industry": "", "holder": "people/li"}, ids.new_id())]
        )
    desk.roll()


def look(desk: Desk, began: str = "2026-11-20T10:00") -> tuple[list[pb.Alert], list[ActionRequested]]:
    with desk.runtime.transaction() as tx:
        alerting.look(tx, moment(began))
    told = desk.announced()
    return (
        [event.alert for event in told if isinstance(event, AlertRaised)],
        [event for event in told if isinstance(event, ActionRequested)],
    )


def test_R11_a_span_is_looked_at_an_hour_after_its_end(desk: Desk, traveller: Traveller) -> None:
    brought(desk, 1000, BEFORE)
    traveller.move_to(moment(MONDAY))
    assert look(desk) == ([], [])
    traveller.move_to(moment("2026-11-23T01:01"))
    assert [one.key for one in look(desk)[0]] == ["华东"]


def test_R11_what_waits_in_the_queues_when_a_process_begins_is_taken_in_first(desk: Desk, traveller: Traveller) -> None:
    """The worker was away from Tuesday on. It comes back on Monday morning, and takes in what waited for it."""
    brought(desk, 1000, BEFORE)
    began = "2026-11-23T09:00"
    traveller.move_to(moment(began))
    assert look(desk, began) == ([], [])
    brought(desk, 10, WEEK)
    traveller.move_to(moment("2026-11-23T09:11"))
    brought(desk, 10, WEEK)
    assert look(desk, began) == ([], [])
    traveller.move_to(moment("2026-11-23T09:18"))
    brought(desk, 5000, WEEK)
    assert look(desk, began) == ([], [])
    traveller.move_to(moment("2026-11-23T09:29"))
    assert look(desk, began) == ([], [])
    rules = desk.call("ListAlertRules", pb.ListAlertRulesRequest(filter="enabled = true")).alert_rules
    assert [one.kpi for one in rules] == ["kpis/won-amount"]
    # It has looked: nothing fell, and what is told of today changes nothing.
    with desk.runtime.reading() as tx:
        rows = tx.execute(sa.text("SELECT looked_at FROM alert_rules WHERE enabled")).scalars().all()
    assert list(rows) == ["2026-11-16"]


def test_R11_what_failed_and_is_tried_again_is_waited_for(desk: Desk, traveller: Traveller) -> None:
    brought(desk, 1000, BEFORE)
    traveller.move_to(moment("2026-11-23T09:00"))
    failures = desk.runtime.service.tables.failures
    event, _ = Deal("opportunities/late", WEEK, 5000).told[0]
    row: dict[str, Any] = {
        "subscriber": "reports.deals",
        "event_id": bus(event, WEEK).id,
        "type": "x",
        "subject": "x",
        "envelope": b"",
        "attempts": 1,
        "reason": "x",
        "first_failed_at": moment(WEEK),
        "next_attempt_at": moment("2026-11-23T09:04"),
    }
    with desk.runtime.transaction() as tx:
        tx.execute(sa.insert(failures).values(row))
    assert look(desk) == ([], [])
    with desk.runtime.transaction() as tx:
        tx.execute(sa.update(failures).values(next_attempt_at=None))
    assert len(look(desk)[0]) == 1


def alert(desk: Desk) -> pb.Alert:
    (found,) = desk.call("ListAlerts", pb.ListAlertsRequest()).alerts
    assert isinstance(found, pb.Alert)
    return found


def test_R11_an_alert_that_turns_out_otherwise_is_withdrawn_and_kept_with_what_was_known_then_and_now(
    desk: Desk, traveller: Traveller
) -> None:
    brought(desk, 1000, BEFORE)
    traveller.move_to(moment("2026-11-23T09:00"))
    (raised,), (notice,) = look(desk)
    assert (raised.value, raised.previous) == (0, 1000)
    # Something else comes in, and changes nothing; nor does what was won since.
    traveller.move_to(moment("2026-11-23T09:30"))
    brought(desk, 700, "2026-11-23T09:10")
    assert look(desk) == ([], [])
    assert not alert(desk).HasField("correct_time")
    # What is won on Wednesday comes in on Monday: first so much that it still fell.
    brought(desk, 500, WEEK)
    assert look(desk) == ([], [])  # there may be more
    traveller.move_to(moment("2026-11-23T09:45"))
    (corrected,) = look(desk)[1]
    assert (corrected.person, corrected.text_en) == (
        notice.person,
        "corrected: 华东 (2026-11-16 – 2026-11-22); something came in late; the figures are in the list of alerts",
    )
    assert (alert(desk).corrected_value, alert(desk).withdrawn) == (500, False)
    (mark,) = desk.report("won-amount", group_by=["region"]).marks
    assert (mark.alert, mark.group_by, mark.key) == (raised.name, "region", "华东")
    brought(desk, 100, WEEK)
    traveller.move_to(moment("2026-11-23T10:00"))
    assert look(desk) == ([], [])
    assert alert(desk).corrected_value == 600
    brought(desk, 5000, WEEK)
    traveller.move_to(moment("2026-11-23T10:15"))
    (withdrawn,) = look(desk)[1]
    assert withdrawn.person == "people/dong"
    assert withdrawn.text_zh.startswith("已撤回：华东（2026-11-16 – 2026-11-22）")
    assert len({notice.origin, corrected.origin, withdrawn.origin}) == 3
    now = alert(desk)
    assert (now.name, now.value, now.previous) == (raised.name, 0, 1000)
    assert (now.corrected_value, now.corrected_previous, now.withdrawn) == (5600, 1000, True)
    assert not desk.report("won-amount", group_by=["region"]).marks
    brought(desk, 1, WEEK)
    traveller.move_to(moment("2026-11-23T10:30"))
    assert look(desk) == ([], [])


def test_R11_a_fall_that_shows_only_by_what_came_late_is_told_then(desk: Desk, traveller: Traveller) -> None:
    traveller.move_to(moment("2026-11-23T09:00"))
    assert look(desk) == ([], [])
    brought(desk, 1000, BEFORE)
    traveller.move_to(moment("2026-11-23T09:15"))
    assert [one.key for one in look(desk)[0]] == ["华东"]
