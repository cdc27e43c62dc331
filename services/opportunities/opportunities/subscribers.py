"""Events in."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.activities.v1.events_pb2 import FollowUpLogged
from dealwright.customers.v1.events_pb2 import ContactChanged, CustomerChanged
from dealwright.directory.v1.events_pb2 import PersonChanged
from dealwright.rules.v1.events_pb2 import ActionRequested
from opportunities.usecases import copies, directed
from opportunities.wire import told


@subscriber(PersonChanged, batch=256)
def people(tx: Transaction, events: Sequence[PersonChanged]) -> None:
    copies.know_people(tx, [told.person(event) for event in events])


@subscriber(CustomerChanged, batch=256)
def customers(tx: Transaction, events: Sequence[CustomerChanged]) -> None:
    copies.know_parties(tx, [told.customer(event) for event in events])


@subscriber(ContactChanged, batch=256)
def contacts(tx: Transaction, events: Sequence[ContactChanged]) -> None:
    copies.know_parties(tx, [told.contact(event) for event in events])


@subscriber(FollowUpLogged, batch=256)
def touched(tx: Transaction, events: Sequence[FollowUpLogged]) -> None:
    directed.followed_up(tx, [told.follow_up(event) for event in events])


@subscriber(ActionRequested)
def directions(tx: Transaction, event: ActionRequested) -> None:
    directed.act(tx, directed.Direction(**told.direction(event)))
