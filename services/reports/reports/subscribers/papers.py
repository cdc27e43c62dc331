"""What contracts, instalments, invoices and payments tell."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from reports.usecases import learning
from reports.wire import papers as wire


@subscriber(*wire.EVENTS, batch=2_048, pace=0.5)
def papers(tx: Transaction, events: Sequence[Message]) -> None:
    learning.learn(tx, [one for event, cause in zip(events, tx.causes, strict=True) for one in wire.told(event, cause)])
