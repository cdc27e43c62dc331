"""What becomes of deals and customers, for their timelines, in whatever order we hear of it."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from activities.usecases import automatic, timeline
from activities.wire import happened
from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.contracts.v1.events_pb2 import (
    ApprovalDecided,
    ApprovalRequested,
    ContractSigned,
    InvoiceIssued,
    PaymentOverdue,
    PaymentReceived,
    PaymentRefunded,
    QuoteOpened,
)
from dealwright.customers.v1 import events_pb2 as customer_events_pb2
from dealwright.customers.v1.events_pb2 import CustomersMerged, OwnerTransferred
from dealwright.opportunities.v1 import events_pb2 as opportunity_events_pb2
from dealwright.opportunities.v1.events_pb2 import OpportunityOpened, QuoteTaken, StageChanged

_BACK = (customer_events_pb2.RecordTakenBack, opportunity_events_pb2.RecordTakenBack)


@subscriber(
    OpportunityOpened,
    StageChanged,
    QuoteTaken,
    QuoteOpened,
    ApprovalRequested,
    ApprovalDecided,
    ContractSigned,
    InvoiceIssued,
    PaymentReceived,
    PaymentRefunded,
    PaymentOverdue,
    OwnerTransferred,
    CustomersMerged,
    customer_events_pb2.RecordBroughtAgain,
    opportunity_events_pb2.RecordBroughtAgain,
    *_BACK,
    batch=256,
)
def record_history(tx: Transaction, events: Sequence[Message]) -> None:
    found = [happened.entry(event, cause) for event, cause in zip(events, tx.causes, strict=True)]
    timeline.put(tx, [entry for entry in found if entry is not None])
    for event in events:
        if isinstance(event, _BACK) and event.gone:
            automatic.forget(tx, event.record)
            timeline.forget(tx, event.record)
        elif isinstance(event, _BACK) and event.source:
            timeline.forget(tx, event.record, event.source)
