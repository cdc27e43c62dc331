"""Events in."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from customers.usecases import hand_overs, ownership, qualified, stages, vip
from customers.wire import events as wire
from dealwright.activities.v1.events_pb2 import AttachmentAdded, FollowUpLogged
from dealwright.contracts.v1.events_pb2 import ContractChanged, ContractSigned, ExchangeRateChanged, QuoteChanged
from dealwright.directory.v1.events_pb2 import PersonChanged, PersonLeft, RoleChanged
from dealwright.leads.v1.events_pb2 import LeadLeftBehind, LeadQualified
from dealwright.opportunities.v1.events_pb2 import OpportunityChanged, OpportunityLeftBehind


@subscriber(LeadQualified)
def welcome(tx: Transaction, event: LeadQualified) -> None:
    qualified.welcome(tx, wire.qualified(event))


@subscriber(PersonChanged, batch=256)
def people(tx: Transaction, events: Sequence[PersonChanged]) -> None:
    hand_overs.know_people(tx, [wire.person(event) for event in events])


@subscriber(PersonLeft)
def leavers(tx: Transaction, event: PersonLeft) -> None:
    hand_overs.leave(tx, event.person)


@subscriber(OpportunityLeftBehind, LeadLeftBehind)
def left_behind(tx: Transaction, event: OpportunityLeftBehind | LeadLeftBehind) -> None:
    hand_overs.told(tx, wire.left_behind(event))


@subscriber(ContractSigned, ContractChanged, batch=256)
def contracts(tx: Transaction, events: Sequence[ContractSigned | ContractChanged]) -> None:
    vip.signed(tx, [wire.signed(event) for event in events])


@subscriber(ExchangeRateChanged, batch=256)
def rates(tx: Transaction, events: Sequence[ExchangeRateChanged]) -> None:
    vip.rated(tx, [wire.rate(event) for event in events])


@subscriber(RoleChanged, batch=64)
def roles(tx: Transaction, events: Sequence[RoleChanged]) -> None:
    ownership.know_roles(tx, [wire.role(event) for event in events])


@subscriber(FollowUpLogged, batch=256)
def followed_up(tx: Transaction, events: Sequence[FollowUpLogged]) -> None:
    vip.followed_up(tx, wire.followed_up(events))


@subscriber(OpportunityChanged, QuoteChanged, AttachmentAdded, ContractSigned, batch=256)
def deals(
    tx: Transaction, events: Sequence[OpportunityChanged | QuoteChanged | AttachmentAdded | ContractSigned]
) -> None:
    stages.forward(tx, [told for event in events if (told := wire.reached(event)) is not None])
