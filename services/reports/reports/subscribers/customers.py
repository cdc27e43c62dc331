"""What customers tell."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.customers.v1.events_pb2 import CustomerChanged
from reports.usecases import copies, learning
from reports.wire import customers as wire


@subscriber(CustomerChanged, batch=2_048, pace=0.5)
def customers(tx: Transaction, events: Sequence[CustomerChanged]) -> None:
    copies.know_labels(tx, [wire.label(event) for event in events])
    learning.learn(tx, [one for event, cause in zip(events, tx.causes, strict=True) for one in wire.told(event, cause)])
