"""What figures are grouped by and turned with: people, exchange rates."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.contracts.v1.events_pb2 import ExchangeRateChanged
from dealwright.directory.v1.events_pb2 import PersonChanged, RoleChanged, TeamChanged
from reports.usecases import copies, learning
from reports.wire import rates, told


@subscriber(PersonChanged, batch=256)
def people(tx: Transaction, events: Sequence[PersonChanged]) -> None:
    copies.know_people(tx, [told.person(event) for event in events], [told.region(event) for event in events])


@subscriber(TeamChanged, batch=256)
def teams(tx: Transaction, events: Sequence[TeamChanged]) -> None:
    copies.know_teams(tx, [told.team(event) for event in events], [told.parent(event) for event in events])


@subscriber(RoleChanged, batch=64)
def roles(tx: Transaction, events: Sequence[RoleChanged]) -> None:
    copies.know_labels(tx, [told.role(event) for event in events])


@subscriber(ExchangeRateChanged, batch=256)
def exchange_rates(tx: Transaction, events: Sequence[ExchangeRateChanged]) -> None:
    heard = [one for event, cause in zip(events, tx.causes, strict=True) for one in rates.told(event, cause)]
    copies.know_rates(tx, heard)
    learning.learn(tx, heard)
