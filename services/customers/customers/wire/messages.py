"""Customers, contacts and hand-overs as answers and as events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.struct_pb2 import Struct

from chassis.messages import money, stamp
from chassis.money import Money, of_units
from customers.domain.customer import Contact, Customer, HandOver
from customers.wire.events import Qualified
from dealwright.customers.v1 import customers_pb2, events_pb2
from dealwright.leads.v1 import leads_pb2


def struct(plain: Mapping[str, Any]) -> Struct:
    made = Struct()
    made.update(plain)
    return made


def customer(of: Customer) -> customers_pb2.Customer:
    return customers_pb2.Customer(
        name=of.name,
        display_name=of.display_name,
        private_person=of.private_person,
        industry=of.industry,
        employees=of.employees,
        region=of.region,
        channel=of.channel,  # type: ignore[arg-type]
        address=of.address,
        tier=of.tier,  # type: ignore[arg-type]
        tier_by_hand=of.tier_by_hand,
        stage=of.stage,  # type: ignore[arg-type]
        tags=of.tags,
        owner=of.owner,
        owner_version=of.owner_version,
        team=of.team,
        shared_with_team=of.shared_with_team,
        phone=of.phone,
        email=of.email,
        licence=of.licence,
        external_ids=of.external_ids,
        custom=struct(of.custom) if of.custom else None,
        lead=of.lead,
        merged_into=of.merged_into,
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
        etag=str(of.version),
        vip=of.vip,
        vip_time=stamp(of.vip_time),
        signed_amount=money(of.signed),
        last_follow_up_time=stamp(of.last_follow_up_time),
        uncounted_amounts=[one for each in sorted(of.uncounted.items()) if (one := money(of_units(each[1], each[0])))],
    )


def contact(of: Contact) -> customers_pb2.Contact:
    return customers_pb2.Contact(
        name=of.name,
        customer=of.customer,
        full_name=of.full_name,
        title=of.title,
        phone=of.phone,
        email=of.email,
        decision_role=of.decision_role,  # type: ignore[arg-type]
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
        etag=str(of.version),
    )


def hand_over(of: HandOver) -> customers_pb2.HandOver:
    return customers_pb2.HandOver(
        name=of.name,
        customer=of.customer,
        person=of.person,
        state=of.state,  # type: ignore[arg-type]
        owner=of.owner,
        confirmed_by=of.confirmed_by,
        create_time=stamp(of.create_time),
        confirm_time=stamp(of.confirm_time),
        record=of.record,
        title=of.title,
    )


# --- events ---


def customer_changed(of: Customer, gone: bool = False) -> events_pb2.CustomerChanged:
    """`gone`: for good."""
    version = of.version + gone
    return events_pb2.CustomerChanged(customer=customer(of), version=version, deleted=gone or not of.stands)


def contact_changed(of: Contact, gone: bool = False) -> events_pb2.ContactChanged:
    deleted = gone or of.delete_time is not None
    return events_pb2.ContactChanged(contact=contact(of), version=of.version + gone, deleted=deleted)


def created(of: Customer) -> events_pb2.CustomerCreated:
    return events_pb2.CustomerCreated(customer=customer(of), version=of.version)


def tier_changed(of: Customer, previous: int) -> events_pb2.CustomerTierChanged:
    return events_pb2.CustomerTierChanged(
        customer=customer(of),
        previous_tier=previous,  # type: ignore[arg-type]
        version=of.version,
    )


def transferred(
    of: Customer, previous: str, how: str, reason: str, left: bool, merged: Sequence[str]
) -> events_pb2.OwnerTransferred:
    """`left`: the previous owner has. `merged` are other names of the customer."""
    return events_pb2.OwnerTransferred(
        customer=customer(of),
        previous_owner=previous,
        version=of.version,
        how=how,
        reason=reason,
        left=left,
        merged=merged,
    )


def merged(of: Customer, other: str) -> events_pb2.CustomersMerged:
    return events_pb2.CustomersMerged(customer=customer(of), merged=other, version=of.version)


def became_vip(of: Customer, threshold: Money) -> events_pb2.CustomerBecameVip:
    return events_pb2.CustomerBecameVip(
        customer=customer(of), signed_amount=money(of.signed), threshold=money(threshold), version=of.version
    )


def welcomed(of: Customer, contact: str, lead: Qualified, team: str) -> events_pb2.LeadWelcomed:
    return events_pb2.LeadWelcomed(
        customer=of.name,
        contact=contact,
        lead=lead.lead,
        owner=lead.owner,
        team=team,
        opportunity=lead.opportunity,
        customer_display_name=of.display_name,
        contact_full_name=lead.full_name,
        phone=lead.phone,
        email=lead.email,
        industry=lead.industry or of.industry,
        source=leads_pb2.Channel.Name(lead.channel) if lead.channel else "",  # type: ignore[arg-type]
        need=lead.text,
    )


def hand_over_confirmed(of: HandOver, owner: str, by: str) -> events_pb2.HandOverConfirmed:
    return events_pb2.HandOverConfirmed(
        record=of.record,
        person=of.person,
        owner=owner,
        owner_version=of.version,
        confirmed_by=by,
        hand_over=of.name,
    )
