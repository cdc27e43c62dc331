"""What others announce, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from chassis.fields import FieldProblem
from chassis.messages import told_money
from chassis.money import Money
from chassis.people import Person
from customers.domain.customer import LeftBehind, Rate, Reached, Role, Signed, Stage
from dealwright.activities.v1 import events_pb2 as activity_events_pb2
from dealwright.contracts.v1 import contracts_pb2
from dealwright.contracts.v1 import events_pb2 as contract_events_pb2
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events_pb2
from dealwright.leads.v1 import events_pb2
from dealwright.opportunities.v1 import events_pb2 as opportunity_events_pb2
from dealwright.opportunities.v1 import opportunities_pb2


@dataclass(frozen=True, slots=True)
class Qualified:
    """A lead that became business, with its owner and what is known of the contact."""

    lead: str
    owner: str
    full_name: str
    phone: str
    email: str
    company: str
    licence: str
    region: str
    industry: str
    channel: int
    tags: tuple[str, ...]
    # What was said, and whether whoever qualified it wants an opportunity.
    text: str = ""
    opportunity: bool = False


def qualified(event: events_pb2.LeadQualified) -> Qualified:
    known = event.contact
    return Qualified(
        lead=event.lead,
        owner=event.owner,
        full_name=known.full_name,
        phone=known.phone,
        email=known.email,
        company=known.company,
        licence=known.licence,
        region=known.region,
        industry=known.industry,
        channel=known.channel,
        tags=tuple(known.tags),
        text=known.text,
        opportunity=event.opportunity,
    )


def person(event: directory_events_pb2.PersonChanged) -> Person:
    who = event.person
    active = who.state != directory_pb2.Person.LEFT
    return Person(who.name, who.display_name, who.team, who.manager, who.role, active, event.version)


def left_behind(event: opportunity_events_pb2.OpportunityLeftBehind | events_pb2.LeadLeftBehind) -> LeftBehind:
    deal = event if isinstance(event, opportunity_events_pb2.OpportunityLeftBehind) else None
    return LeftBehind(
        record=getattr(event, "opportunity" if deal else "lead"),
        customer=deal.customer if deal else "",
        person=event.person,
        title=event.title,
        version=event.owner_version,
        settled=event.settled,
        owner=event.owner,
    )


def signed(event: contract_events_pb2.ContractSigned | contract_events_pb2.ContractChanged) -> Signed:
    """A fact has the version of the contract that it carries. An amount that is none counts as nothing."""
    of = event.contract
    changed = event if isinstance(event, contract_events_pb2.ContractChanged) else None
    version = changed.version if changed else int(of.etag) if of.etag.isdigit() else 0
    deleted = changed is not None and changed.deleted
    try:
        amount = told_money(of.amount)
    except FieldProblem:
        amount = Money(Decimal(0), "")
    counts = of.status in _COUNTING and not deleted
    return Signed(of.name, of.customer, amount.units, amount.currency, counts, version, of.sign_date, of.number)


def rate(event: contract_events_pb2.ExchangeRateChanged) -> Rate:
    of = event.exchange_rate
    return Rate(of.name, of.from_currency, of.to_currency, of.date, of.rate, event.deleted, event.version)


def role(event: directory_events_pb2.RoleChanged) -> Role:
    of = event.role
    writes = [grant.resource for grant in of.grants if grant.write > directory_pb2.Grant.NONE]
    return Role(of.name.removeprefix("roles/"), writes, event.version)


_COUNTING = (contracts_pb2.Contract.SIGNED, contracts_pb2.Contract.COMPLETED)


def reached(event: Any) -> Reached | None:
    """What it says of how far its customer has come: one with an opportunity means business, one that has an offer, or
    a quotation as a file, is quoted; one is won by a contract that was signed or a deal that was won."""
    match event:
        case opportunity_events_pb2.OpportunityChanged(opportunity=of, deleted=False):
            won = of.status == opportunities_pb2.Opportunity.WON
            return Reached(of.name, of.customer, int(Stage.WON if won else Stage.INTENT))
        case contract_events_pb2.QuoteChanged(quote=of, deleted=False):
            return Reached(of.name, of.customer, int(Stage.QUOTED))
        case activity_events_pb2.AttachmentAdded(attachment=of) if of.kind == "quote":
            return Reached(of.name, of.customer, int(Stage.QUOTED))
        case contract_events_pb2.ContractSigned(contract=of):
            return Reached(of.name, of.customer, int(Stage.WON))
    return None


def followed_up(events: Sequence[Any]) -> dict[str, datetime]:
    """Customer to the latest of these follow-ups."""
    found: dict[str, datetime] = {}
    for event in events:
        customer, at = event.follow_up.customer, event.follow_up.happen_time.ToDatetime(UTC)
        if customer and (customer not in found or found[customer] < at):
            found[customer] = at
    return found
