"""Tasks that others' events make and end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from google.protobuf import json_format
from google.protobuf.message import Message

from activities.domain.task import Status
from activities.usecases import automatic, known
from activities.usecases.automatic import Owned
from activities.usecases.known import LeadSaid, Said
from activities.wire import asked
from activities.wire.happened import moment
from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.leads.v1.events_pb2 import (
    LeadAssigned,
    LeadCaptured,
    LeadClockSet,
    LeadContacted,
    LeadDisqualified,
    LeadQualified,
    LeadReleased,
)
from dealwright.opportunities.v1.events_pb2 import CollaboratorAdded
from dealwright.rules.v1.events_pb2 import ActionRequested


@subscriber(LeadCaptured, batch=256)
def leads(tx: Transaction, events: Sequence[LeadCaptured]) -> None:
    known.leads_said(tx, [LeadSaid(Said.WANTS, e.lead, e.owner_version, title=e.company) for e in events])


@subscriber(LeadAssigned, batch=256)
def lead_tasks(tx: Transaction, events: Sequence[LeadAssigned]) -> None:
    """Whoever gets a lead finds it among his tasks (L12, L20)."""
    said = [LeadSaid(Said.OWNED, event.lead, event.owner_version, event.owner) for event in events]
    now = known.leads_said(tx, said)
    owned = []
    for event, cause in zip(events, tx.causes, strict=True):
        assigned = moment(event.assign_time, cause.time)
        due = event.respond_by.ToDatetime(UTC) if event.HasField("respond_by") else None
        owned.append(Owned(event.lead, event.owner, event.owner_version, assigned, due))
    automatic.leads_owned(tx, owned, now)


@subscriber(LeadClockSet, batch=256)
def lead_clocks(tx: Transaction, events: Sequence[LeadClockSet]) -> None:
    clocks = [(e.lead, e.owner_version, e.respond_by.ToDatetime(UTC)) for e in events if e.HasField("respond_by")]
    automatic.leads_due(tx, clocks)


@subscriber(LeadContacted, LeadQualified, batch=256)
def leads_answered(tx: Transaction, events: Sequence[Message]) -> None:
    """The owner got in touch: what he was asked to do is done."""
    _answered(tx, events, Status.DONE)


@subscriber(LeadDisqualified, batch=256)
def leads_closed(tx: Transaction, events: Sequence[LeadDisqualified]) -> None:
    _answered(tx, events, Status.CANCELLED)


def _answered(tx: Transaction, events: Sequence[Message], status: Status) -> None:
    ended = [(event.lead, event.owner_version) for event in events]  # type: ignore[attr-defined]
    known.leads_said(tx, [LeadSaid(Said.ANSWERED, lead, version) for lead, version in ended])
    automatic.settle_leads(tx, ended, status)


@subscriber(LeadReleased, batch=256)
def leads_released(tx: Transaction, events: Sequence[LeadReleased]) -> None:
    known.leads_said(tx, [LeadSaid(Said.RELEASED, event.lead, event.owner_version) for event in events])
    automatic.settle_leads(tx, [(event.lead, event.owner_version - 1) for event in events], Status.CANCELLED)


@subscriber(CollaboratorAdded)
def collaborators(tx: Transaction, event: CollaboratorAdded) -> None:
    """Each part of a deal is a task of whoever does it (F14)."""
    automatic.requested(tx, asked.collaboration(event), [event.person] if event.person else [])


@subscriber(ActionRequested)
def actions(tx: Transaction, event: ActionRequested) -> None:
    """What the rules want done (CREATE_TASK); their other actions are for others."""
    if event.action == "CREATE_TASK":
        (cause,) = tx.causes
        automatic.requested(tx, asked.action(event, json_format.MessageToDict(event.parameters), cause, tx.now))
