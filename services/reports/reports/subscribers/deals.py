"""What opportunities tell, and follow-ups on them."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from reports.usecases import copies, learning
from reports.wire import deals as wire


@subscriber(*wire.EVENTS, batch=2_048, pace=0.5)
def deals(tx: Transaction, events: Sequence[Message]) -> None:
    heard = list(zip(events, tx.causes, strict=True))
    copies.know_labels(tx, [label for event, cause in heard for label in wire.labels(event, cause)])
    learning.learn(tx, [one for event, cause in heard for one in wire.told(event, cause)])
