"""Events in."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.customers.v1.events_pb2 import HandOverConfirmed
from dealwright.directory.v1.events_pb2 import PersonChanged, PresenceChanged
from dealwright.rules.v1.events_pb2 import ActionRequested, LeadAssignmentDecided, TimerSet
from leads.usecases import directed
from leads.usecases.record import record as record_decisions
from leads.wire import decisions


@subscriber(LeadAssignmentDecided, batch=256)
def record(tx: Transaction, events: Sequence[LeadAssignmentDecided]) -> None:
    record_decisions(tx, [decisions.decided(event) for event in events])


@subscriber(TimerSet, batch=256)
def clocks(tx: Transaction, events: Sequence[TimerSet]) -> None:
    directed.set_clocks(tx, [directed.Clock(*found) for event in events if (found := decisions.clock(event))])


@subscriber(ActionRequested)
def actions(tx: Transaction, event: ActionRequested) -> None:
    directed.act(tx, event.action, event.subject, event.owner_version, event.person, decisions.timer(event))


@subscriber(PersonChanged, batch=256)
def people(tx: Transaction, events: Sequence[PersonChanged]) -> None:
    directed.know_people(tx, [directed.Person(*decisions.person(event)) for event in events])
    directed.know_presences(tx, [said for event in events if (said := decisions.presence(event))])


@subscriber(PresenceChanged, batch=256)
def presences(tx: Transaction, events: Sequence[PresenceChanged]) -> None:
    directed.know_presences(tx, [said for event in events if (said := decisions.presence(event))])


@subscriber(HandOverConfirmed)
def hand_overs(tx: Transaction, event: HandOverConfirmed) -> None:
    if event.record.startswith("leads/"):
        directed.hand_over(tx, event.record, event.person, event.owner)
