"""Everything that becomes of a lead: whose it is, what its owner is told and is to do, and its timeline, in one
transaction: of every lead, so it is to be cheap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from activities.domain.task import Status
from activities.usecases import automatic, known, leavers, notices, timeline
from activities.wire import happened
from activities.wire import leads as wire
from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.leads.v1.events_pb2 import (
    LeadAssigned,
    LeadCaptured,
    LeadClockSet,
    LeadContacted,
    LeadDeleted,
    LeadDisqualified,
    LeadQualified,
    LeadReleased,
    LeadRemoved,
    LeadTouched,
    LeadUndeleted,
)


@subscriber(
    LeadCaptured,
    LeadTouched,
    LeadAssigned,
    LeadClockSet,
    LeadContacted,
    LeadReleased,
    LeadQualified,
    LeadDisqualified,
    LeadDeleted,
    LeadUndeleted,
    LeadRemoved,
    batch=1024,
    pace=0.25,
)
def leads(tx: Transaction, events: Sequence[Message]) -> None:
    now = known.leads_said(tx, [said for event in events if (said := wire.said(event)) is not None])
    told = list(zip(events, tx.causes, strict=True))
    assigned: list[Any] = [(event, cause) for event, cause in told if wire.begins(event)]
    owned = [wire.owned(event, cause) for event, cause in assigned]
    automatic.leads_owned(tx, owned, now)
    notices.new_leads(tx, owned, [cause.actor for _, cause in assigned])
    leavers.follow(tx, [event.lead for event, _ in assigned if getattr(event, "previous_owner", "")])
    automatic.leads_due(tx, [found for event in events if (found := wire.clock(event)) is not None])
    for status in (Status.DONE, Status.CANCELLED):
        automatic.settle_leads(tx, [one for event in events if (one := wire.ended(event, status))], status)
    timeline.put(tx, [entry for event, cause in told if (entry := happened.entry(event, cause)) is not None], now)
    for event in events:
        if isinstance(event, LeadRemoved):
            automatic.forget(tx, event.lead)
            timeline.forget(tx, event.lead)
