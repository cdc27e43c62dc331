"""What others announce, as plain values."""

from __future__ import annotations

from typing import Any

from activities.domain.known import CONTACTS, CONTRACTS, CUSTOMERS, OPPORTUNITIES, QUOTES, Known
from chassis.deciders import Decision
from chassis.people import Person
from dealwright.contracts.v1 import events_pb2 as contracts_events_pb2
from dealwright.customers.v1 import events_pb2 as customers_events_pb2
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1.events_pb2 import PersonChanged
from dealwright.opportunities.v1 import events_pb2 as opportunities_events_pb2


def person(event: PersonChanged) -> Person:
    who = event.person
    active = who.state != directory_pb2.Person.LEFT
    return Person(who.name, who.display_name, who.team, who.manager, who.role, active, event.version)


def customer(event: customers_events_pb2.CustomerChanged) -> Known:
    of = event.customer
    return Known(
        of.name,
        CUSTOMERS,
        of.owner,
        of.team,
        customer=of.merged_into or of.name,
        title=of.display_name,
        shared_with_team=of.shared_with_team,
        merged_into=of.merged_into,
        deleted=event.deleted,
        version=event.version,
    )


def contact(event: customers_events_pb2.ContactChanged) -> Known:
    of = event.contact
    return Known(
        of.name, CONTACTS, customer=of.customer, title=of.full_name, deleted=event.deleted, version=event.version
    )


def opportunity(event: opportunities_events_pb2.OpportunityChanged) -> Known:
    of = event.opportunity
    return Known(
        of.name,
        OPPORTUNITIES,
        of.owner,
        of.team,
        of.customer,
        of.name,
        of.lead,
        of.title,
        of.number,
        deleted=event.deleted,
        version=event.version,
    )


def quote(event: contracts_events_pb2.QuoteChanged) -> Known:
    return _of_deal(event.quote, QUOTES, "", event)


def contract(event: contracts_events_pb2.ContractChanged) -> Known:
    return _of_deal(event.contract, CONTRACTS, event.contract.title, event)


def _of_deal(of: Any, kind: str, title: str, event: Any) -> Known:
    return Known(
        of.name,
        kind,
        of.owner,
        of.team,
        of.customer,
        of.opportunity,
        title=title,
        number=of.number,
        deleted=event.deleted,
        version=event.version,
    )


def decision(event: contracts_events_pb2.ApprovalChanged) -> Decision:
    return Decision(event.approval.name, event.approval.record, event.reads, event.version)
