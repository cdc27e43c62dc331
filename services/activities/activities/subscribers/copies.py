"""Events in."""

from __future__ import annotations

from collections.abc import Sequence

from activities.usecases import staff
from activities.wire import told
from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.directory.v1.events_pb2 import PersonChanged


@subscriber(PersonChanged, batch=256)
def people(tx: Transaction, events: Sequence[PersonChanged]) -> None:
    staff.know(tx, [told.person(event) for event in events])
