"""What we must know of people and of others' records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from google.protobuf.message import Message

from activities.usecases import following, known, leavers, returning, staff
from activities.wire import told
from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.contracts.v1.events_pb2 import ApprovalChanged, ContractChanged, QuoteChanged
from dealwright.customers.v1.events_pb2 import ContactChanged, CustomerChanged, LeadWelcomed
from dealwright.directory.v1.events_pb2 import PersonChanged
from dealwright.opportunities.v1.events_pb2 import OpportunityChanged, OpportunityShared, ShareEnded


@subscriber(PersonChanged, batch=256)
def people(tx: Transaction, events: Sequence[PersonChanged]) -> None:
    leavers.left(tx, staff.know(tx, [told.person(event) for event in events]))


@subscriber(CustomerChanged, batch=256)
def customers(tx: Transaction, events: Sequence[CustomerChanged]) -> None:
    following.know(tx, [told.customer(event) for event in events])
    leavers.follow(tx, [event.customer.name for event in events])


@subscriber(ContactChanged, batch=256)
def contacts(tx: Transaction, events: Sequence[ContactChanged]) -> None:
    following.know(tx, [told.contact(event) for event in events])


@subscriber(LeadWelcomed)
def welcome(tx: Transaction, event: LeadWelcomed) -> None:
    following.lead_welcomed(tx, event.lead, event.customer)


@subscriber(OpportunityChanged, batch=256)
def opportunities(tx: Transaction, events: Sequence[OpportunityChanged]) -> None:
    newest = sorted(events, key=lambda event: event.version)
    working = {e.opportunity.name: [one.person or one.team for one in e.opportunity.collaborators] for e in newest}
    for opportunity, gone in sorted(following.know(tx, [told.opportunity(event) for event in events], working).items()):
        returning.ended(tx, opportunity, gone)
    leavers.follow(tx, list(working))


@subscriber(OpportunityShared, ShareEnded)
def shares(tx: Transaction, event: Message) -> None:
    """A share that was ended is over when that was announced."""
    (cause,) = tx.causes
    if isinstance(event, OpportunityShared):
        known.share(tx, event.opportunity, event.person, event.end_time.ToDatetime(UTC), cause.time)
    elif isinstance(event, ShareEnded):
        known.share(tx, event.opportunity, event.person, cause.time, cause.time)
        returning.ended(tx, event.opportunity, [event.person])


@subscriber(ApprovalChanged, batch=256)
def approvals(tx: Transaction, events: Sequence[ApprovalChanged]) -> None:
    known.know_deciders(tx, [told.decision(event) for event in events])


@subscriber(QuoteChanged, batch=256)
def quotes(tx: Transaction, events: Sequence[QuoteChanged]) -> None:
    following.know(tx, [told.quote(event) for event in events])
    leavers.follow(tx, [event.quote.name for event in events])


@subscriber(ContractChanged, batch=256)
def contracts(tx: Transaction, events: Sequence[ContractChanged]) -> None:
    following.know(tx, [told.contract(event) for event in events])
    leavers.follow(tx, [event.contract.name for event in events])
