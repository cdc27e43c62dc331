"""Customers: who they are, who is looked after, and what they are worth by how often and for how much they bought."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from dealwright.customers.v1.customers_pb2 import Customer
from dealwright.leads.v1.leads_pb2 import Channel
from embedded.recounting.counted import OF_EVERYBODY, OF_HOLDER, Counted, called, incomplete, moment, units
from embedded.recounting.known import Known, Purchase
from embedded.recounting.rates import Rates

_OFTEN = (2, 3, 5, 8)
_MUCH = (10_000, 50_000, 200_000, 1_000_000)


def count(known: Known, rates: Rates) -> Iterator[Counted]:
    for customer in known.customers.values():
        if customer.HasField("delete_time"):
            continue
        of = {
            "owner": customer.owner,
            "channel": called(Channel, customer.channel),
            "region": customer.region,
            "industry": customer.industry,
        }
        made = known.here(moment(customer.create_time))
        yield Counted("customer.created", made, of)
        has = {"PHONE": customer.phone, "CHANNEL": customer.channel}
        has |= {"INDUSTRY": customer.industry, "SIZE": customer.employees}
        yield from incomplete("customer.incomplete", made, of, **has)
        days = known.covered[customer.name]
        last = max([made, *map(known.on, days)])
        stage = {"stage": called(Customer.Stage, customer.stage), "detail": called(Customer.Tier, customer.tier)}
        yield Counted("customer.present", last, {**of, **stage})
        for day in days:
            yield Counted("customer.covered", known.on(day), of, once=customer.name)
        bought = known.bought[customer.name]
        his = {name: one for name, one in bought.items() if one.owner == customer.owner}
        for whose, there in ((OF_EVERYBODY, bought), (OF_HOLDER, his)):
            if there:
                when = max(one.when for one in there.values())
                yield Counted("customer.valued", when, {**of, "detail": _worth(customer, there, rates)}, whose=whose)


def _worth(customer: Any, bought: Mapping[str, Purchase], rates: Rates) -> str:
    """ "F3M5". A contract and the deal that it is of are one purchase; each comes to what it did on its day, and all
    to no less than what was signed."""
    contracts = {name for name in bought if name.startswith("contracts/")}
    of_contracts = {bought[name].opportunity for name in contracts}
    each = [one for name, one in bought.items() if name in contracts or name not in of_contracts]
    much = sum(math.floor(one.amount * rates.of(one.currency, one.when.date()) + Fraction(1, 2)) for one in each)
    if customer.signed_amount.currency_code == rates.home:
        much = max(much, units(customer.signed_amount))
    often = sum(len(each) >= least for least in _OFTEN)
    return f"F{1 + often}M{1 + sum(much >= least * 10_000 for least in _MUCH)}"
