"""Events in."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from customers.usecases import hand_overs, qualified
from customers.wire import events as wire
from dealwright.directory.v1.events_pb2 import PersonChanged, PersonLeft
from dealwright.leads.v1.events_pb2 import LeadQualified


@subscriber(LeadQualified)
def welcome(tx: Transaction, event: LeadQualified) -> None:
    qualified.welcome(tx, wire.qualified(event))


@subscriber(PersonChanged, batch=256)
def people(tx: Transaction, events: Sequence[PersonChanged]) -> None:
    hand_overs.know_people(tx, [wire.person(event) for event in events])


@subscriber(PersonLeft)
def leavers(tx: Transaction, event: PersonLeft) -> None:
    hand_overs.leave(tx, event.person)
