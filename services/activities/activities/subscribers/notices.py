"""Events in, of which somebody is told; of a lead he is told with all that becomes of it."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from activities.usecases import notices
from activities.wire.notices import READERS, told
from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.contracts.v1.events_pb2 import ApprovalDecided, ApprovalRequested
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1.events_pb2 import PersonChanged


@subscriber(*READERS, batch=256)
def notify(tx: Transaction, events: Sequence[Message]) -> None:
    notices.tell(tx, [one for event, cause in zip(events, tx.causes, strict=True) for one in told(event, cause)])
    approvals = [event.approval.name for event in events if isinstance(event, ApprovalRequested | ApprovalDecided)]
    notices.settle(tx, approvals)


@subscriber(PersonChanged, batch=256)
def addresses(tx: Transaction, events: Sequence[PersonChanged]) -> None:
    left = directory_pb2.Person.LEFT
    notices.know_addresses(
        tx, [(e.person.name, "" if e.person.state == left else e.person.email, e.version) for e in events]
    )
