"""Events in."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.activities.v1.events_pb2 import (
    AttachmentAdded,
    AttachmentChanged,
    AttachmentRemoved,
    FollowUpChanged,
    FollowUpLogged,
    TaskChanged,
    TaskDone,
)
from dealwright.contracts.v1.events_pb2 import ApprovalChanged, ApprovalDecided, ContractChanged, QuoteChanged
from dealwright.customers.v1.events_pb2 import (
    ContactChanged,
    CustomerChanged,
    HandOverConfirmed,
    LeadWelcomed,
    OwnerTransferred,
)
from dealwright.directory.v1.events_pb2 import PersonChanged
from dealwright.rules.v1.events_pb2 import ActionRequested
from opportunities.usecases import copies, directed, news, ownership, qualified, quoted
from opportunities.wire import kept, told


@subscriber(PersonChanged, batch=256)
def people(tx: Transaction, events: Sequence[PersonChanged]) -> None:
    copies.know_people(tx, [told.person(event) for event in events])


@subscriber(CustomerChanged, batch=256)
def customers(tx: Transaction, events: Sequence[CustomerChanged]) -> None:
    copies.know_parties(tx, [told.customer(event) for event in events])


@subscriber(ContactChanged, batch=256)
def contacts(tx: Transaction, events: Sequence[ContactChanged]) -> None:
    copies.know_parties(tx, [told.contact(event) for event in events])


@subscriber(FollowUpLogged, batch=256)
def touched(tx: Transaction, events: Sequence[FollowUpLogged]) -> None:
    directed.followed_up(tx, [told.follow_up(event) for event in events])


@subscriber(ActionRequested)
def directions(tx: Transaction, event: ActionRequested) -> None:
    directed.act(tx, directed.Direction(**told.direction(event)))


@subscriber(AttachmentChanged, AttachmentAdded, AttachmentRemoved, batch=256)
def attachments(tx: Transaction, events: Sequence[Message]) -> None:
    news.know(tx, [kept.attachment(event) for event in events])


@subscriber(FollowUpChanged, batch=256)
def follow_ups(tx: Transaction, events: Sequence[FollowUpChanged]) -> None:
    news.know(tx, [kept.follow_up(event) for event in events])


@subscriber(FollowUpLogged)
def moves(tx: Transaction, event: FollowUpLogged) -> None:
    """The follow-up itself counts for the stage that it moves to, and so do those that were logged before it: whoever
    hears of them hears of all of them in turn."""
    known = kept.follow_up(event)
    news.know(tx, [known])
    if event.to_stage:
        news.move(tx, news.Logged(known.name, known.opportunity, event.follow_up.owner, event.to_stage))


@subscriber(QuoteChanged, ApprovalChanged, ApprovalDecided, ContractChanged, batch=256)
def papers(tx: Transaction, events: Sequence[Message]) -> None:
    news.know(tx, [kept.paper(event) for event in events])
    news.know_deciders(tx, [kept.decision(event) for event in events if isinstance(event, ApprovalChanged)])


@subscriber(ApprovalDecided)
def approved_quotes(tx: Transaction, event: ApprovalDecided) -> None:
    agreed = kept.agreed(event)
    if agreed is not None:
        quoted.take(tx, agreed)


@subscriber(TaskChanged, TaskDone, batch=256)
def tasks(tx: Transaction, events: Sequence[Message]) -> None:
    news.know(tx, [kept.task(event) for event in events])


@subscriber(LeadWelcomed)
def welcomed(tx: Transaction, event: LeadWelcomed) -> None:
    qualified.welcome(tx, told.welcomed(event))


@subscriber(HandOverConfirmed, OwnerTransferred)
def hand_overs(tx: Transaction, event: HandOverConfirmed | OwnerTransferred) -> None:
    if isinstance(event, OwnerTransferred):
        if event.left:
            names = [event.customer.name, *event.merged]
            ownership.go_along(tx, names, event.previous_owner, event.customer.owner)
    elif event.record.startswith("opportunities/"):
        ownership.hand_over(tx, event.record, event.person, event.owner)
