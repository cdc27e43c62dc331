"""What customers tell."""

from __future__ import annotations

from google.protobuf.message import Message

from chassis.transaction import Cause
from dealwright.customers.v1.customers_pb2 import Customer
from dealwright.customers.v1.events_pb2 import CustomerChanged
from dealwright.leads.v1.leads_pb2 import Channel
from reports.domain.folding import News
from reports.domain.known import Label
from reports.settings import company_currency
from reports.wire.news import blank, micros, news, units

EVENTS: tuple[type[Message], ...] = (CustomerChanged,)


def told(event: Message, cause: Cause) -> list[News]:
    """News of a customer."""
    if not isinstance(event, CustomerChanged):
        raise TypeError(type(event).__name__)
    of = event.customer
    # By a line in another currency it says nothing of what purchases came to in ours.
    ours = of.signed_amount.currency_code == company_currency()
    values = {
        "version": event.version,
        "deleted": event.deleted,
        "owner": of.owner,
        "channel": Channel.Name(of.channel) if of.channel else "",
        "region": of.region,
        "industry": of.industry,
        "tier": Customer.Tier.Name(of.tier) if of.tier else "",
        "stage": Customer.Stage.Name(of.stage) if of.stage else "",
        "create_time": micros(of.create_time),
        "signed": units(of.signed_amount) if ours else 0,
        "blank": blank(PHONE=of.phone, CHANNEL=of.channel, INDUSTRY=of.industry, SIZE=of.employees),
    }
    return [news(cause, of.name, "state", values)]


def label(event: CustomerChanged) -> Label:
    """What it is called."""
    return Label(event.customer.name, event.customer.display_name, event.version)
