"""Events in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from google.protobuf.message import Message

from chassis.bus.subscriptions import subscriber
from chassis.messages import told_money
from chassis.transaction import Transaction
from contracts.usecases import approval_asking, approval_world, merging, owners, parties, staff
from contracts.wire import told
from dealwright.customers.v1.events_pb2 import ContactChanged, CustomerChanged, OwnerTransferred
from dealwright.directory.v1.events_pb2 import CalendarChanged, PersonChanged, TeamChanged
from dealwright.opportunities.v1.events_pb2 import (
    OpportunityChanged,
    OpportunityShared,
    ShareEnded,
    StageApprovalRequested,
)


@subscriber(PersonChanged, batch=256)
def people(tx: Transaction, events: Sequence[PersonChanged]) -> None:
    approval_world.know_posts(tx, [told.post(event) for event in events])
    staff.know(tx, [told.person(event) for event in events])


@subscriber(TeamChanged, batch=64)
def teams(tx: Transaction, events: Sequence[TeamChanged]) -> None:
    approval_world.know_teams(tx, [told.team(event) for event in events])


@subscriber(CalendarChanged, batch=64)
def calendars(tx: Transaction, events: Sequence[CalendarChanged]) -> None:
    zone = approval_world.company_zone()
    approval_world.know_calendars(tx, [told.calendar(event, zone) for event in events])


@subscriber(CustomerChanged, batch=256)
def customers(tx: Transaction, events: Sequence[CustomerChanged]) -> None:
    merging.know(tx, [told.customer(event) for event in events])


@subscriber(OwnerTransferred)
def handed_over(tx: Transaction, event: OwnerTransferred) -> None:
    if event.left:
        names = [event.customer.name, *event.merged]
        owners.go_along(tx, names, event.previous_owner, event.customer.owner)


@subscriber(ContactChanged, batch=256)
def contacts(tx: Transaction, events: Sequence[ContactChanged]) -> None:
    parties.know(tx, [told.contact(event) for event in events])


@subscriber(OpportunityChanged, batch=256)
def opportunities(tx: Transaction, events: Sequence[OpportunityChanged]) -> None:
    newest = sorted(events, key=lambda event: event.version)
    working = {e.opportunity.name: [one.person or one.team for one in e.opportunity.collaborators] for e in newest}
    owners.follow(tx, [told.opportunity(event) for event in events], working)


@subscriber(OpportunityShared, ShareEnded)
def shares(tx: Transaction, event: Message) -> None:
    """A share that was ended is over when that was announced."""
    (cause,) = tx.causes
    if isinstance(event, OpportunityShared):
        parties.share(tx, event.opportunity, event.person, event.end_time.ToDatetime(UTC), cause.time)
    elif isinstance(event, ShareEnded):
        parties.share(tx, event.opportunity, event.person, cause.time, cause.time)


@subscriber(StageApprovalRequested)
def stage_approvals(tx: Transaction, event: StageApprovalRequested) -> None:
    amount = told_money(event.amount) if event.HasField("amount") else None
    asker = event.requested_by or event.owner
    # Who decides sees what was uploaded, and for which stage.
    facts = {"fields": {"attachment": event.attachment, "stage": event.stage, "title": event.title}}
    approval_asking.for_stage(
        tx, event.opportunity, event.flow, event.customer, amount, asker, facts, version=event.version
    )
