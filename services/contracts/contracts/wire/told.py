"""What others announce, as plain values."""

from __future__ import annotations

from typing import Any

from chassis.calendar import WEEKDAYS
from chassis.messages import told_money
from chassis.people import Person
from contracts.domain.party import Party
from dealwright.customers.v1 import customers_pb2
from dealwright.customers.v1.events_pb2 import ContactChanged, CustomerChanged
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1.events_pb2 import CalendarChanged, PersonChanged, TeamChanged
from dealwright.opportunities.v1 import opportunities_pb2
from dealwright.opportunities.v1.events_pb2 import OpportunityChanged


def person(event: PersonChanged) -> Person:
    who = event.person
    active = who.state != directory_pb2.Person.LEFT
    return Person(who.name, who.display_name, who.team, who.manager, who.role, active, event.version)


def post(event: PersonChanged) -> tuple[str, str, int]:
    """(person, region, version)."""
    return event.person.name, event.person.region, event.version


def team(event: TeamChanged) -> tuple[str, str, str, bool, int]:
    """(team, manager, parent, whether it was deleted, version)."""
    of = event.team
    return of.name, of.manager, of.parent, event.deleted, event.version


def calendar(event: CalendarChanged, zone: str) -> tuple[str, dict[str, Any] | None, int]:
    """(calendar, hours as plain data or None where it is always open, version)."""
    of = event.calendar
    if event.deleted or not of.spans:
        return of.name, None, event.version
    weekly: dict[str, list[str]] = {}
    for span in of.spans:
        weekly.setdefault(WEEKDAYS[span.weekday - 1], []).append(f"{span.start}-{span.end}")
    days = {"offDays": list(of.off_days), "workDays": list(of.work_days)}
    return of.name, {"timeZone": of.time_zone or zone, "weekly": weekly, **days}, event.version


def customer(event: CustomerChanged) -> Party:
    of = event.customer
    return Party(
        *(of.name, event.version, event.deleted, of.display_name, of.owner, of.team),
        customer=of.merged_into,
        tier=customers_pb2.Customer.Tier.Name(of.tier) if of.tier else "",
        region=of.region,
        address=of.address,
        phone=of.phone,
        email=of.email,
        shared=of.shared_with_team,
    )


def contact(event: ContactChanged) -> Party:
    of = event.contact
    return Party(
        *(of.name, event.version, event.deleted, of.full_name),
        customer=of.customer,
        phone=of.phone,
        email=of.email,
    )


def opportunity(event: OpportunityChanged) -> Party:
    of = event.opportunity
    amount = told_money(of.amount) if of.HasField("amount") else None
    return Party(
        *(of.name, event.version, event.deleted, of.title, of.owner, of.team),
        customer=of.customer,
        contact=of.contact,
        number=of.number,
        amount=amount.units if amount else None,
        currency=amount.currency if amount else "",
        products=tuple(of.products),
        open=of.status in (opportunities_pb2.Opportunity.OPEN, opportunities_pb2.Opportunity.WON),
        lost=of.status == opportunities_pb2.Opportunity.LOST,
    )
