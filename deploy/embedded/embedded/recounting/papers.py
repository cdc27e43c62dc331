"""Contracts and their money, by what `contracts` keeps of them, and what channels cost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, timedelta
from fractions import Fraction
from typing import Any

from chassis import money
from dealwright.contracts.v1.contracts_pb2 import Contract, Instalment
from dealwright.contracts.v1.events_pb2 import ContractSigned
from dealwright.leads.v1.leads_pb2 import Channel
from embedded.owners import Owners
from embedded.recounting.counted import Counted, called, lent, units
from embedded.recounting.known import Known, Purchase

_HOUR = timedelta(hours=1)


def count(owners: Owners, known: Known) -> Iterator[Counted]:
    for one in _papers(owners, known):
        his = known.customer(one.of["customer"]).owner == one.of["holder"]
        alone = one if his else replace(one, of={**one.of, "customer": "", "region": "", "industry": ""})
        yield from lent([one], [alone])
    for cost in owners.all("reports", "ListChannelCosts"):
        yield from _hours(cost, known)


def _papers(owners: Owners, known: Known) -> Iterator[Counted]:
    def of(paper: Any, detail: str = "") -> dict[str, str]:
        customer = known.customer(paper.customer)
        where = {"region": customer.region, "industry": customer.industry}
        return {"holder": paper.owner, "owner": paper.owner, "customer": paper.customer, **where, "detail": detail}

    signers = {event.contract.name: event.contract.owner for event, _ in owners.told("contracts", ContractSigned)}
    in_force = set()
    for contract in owners.all("contracts", "ListContracts"):
        if contract.status not in (Contract.SIGNED, Contract.COMPLETED):
            continue
        in_force.add(contract.name)
        if contract.sign_date:
            signed, amount = known.on(contract.sign_date), units(contract.amount)
            currency = contract.amount.currency_code
            mode = called(Contract.FinanceMode, contract.finance_mode)
            signer = {"owner": signers.get(contract.name, contract.owner)}
            yield Counted("contract.signed", signed, {**of(contract, mode), **signer}, amount, currency)
            bought = Purchase(contract.owner, signed, amount, currency, contract.opportunity)
            known.bought[contract.customer][contract.name] = bought
    for due in owners.all("contracts", "ListInstalments"):
        if due.contract in in_force and due.status != Instalment.CANCELLED and due.due_date:
            on, whole, paid = known.on(due.due_date), units(due.amount), units(due.paid)
            yield Counted("instalment.planned", on, of(due), whole, due.amount.currency_code)
            if whole > paid:
                yield Counted("instalment.due", on, of(due), whole - paid, due.amount.currency_code)
    for bill in owners.all("contracts", "ListInvoices"):
        if not bill.HasField("void_time") and bill.issue_date:
            yield Counted(
                "invoice.issued", known.on(bill.issue_date), of(bill), units(bill.amount), bill.amount.currency_code
            )
    for paid_in in owners.all("contracts", "ListPayments"):
        if paid_in.pay_date:
            amount, on = units(paid_in.amount), known.on(paid_in.pay_date)
            fact = "payment.refunded" if amount < 0 else "payment.received"
            yield Counted(fact, on, of(paid_in, paid_in.method), abs(amount), paid_in.amount.currency_code)


def _hours(cost: Any, known: Known) -> Iterator[Counted]:
    """A month's cost, an equal share of it in each hour: what is due when an hour ends, in whole coins, less what was
    due when it began."""
    currency, channel = cost.amount.currency_code, {"channel": called(Channel, cost.channel)}
    first = date.fromisoformat(f"{cost.month}-01")
    begin, end = (known.on(day).astimezone(UTC) for day in (first, (first + timedelta(days=31)).replace(day=1)))
    hours = math.ceil((end - begin) / _HOUR)
    whole, coin, paid = units(cost.amount), 10 ** (4 - money.coins(currency)), 0
    for hour in range(hours):
        due = math.floor(Fraction(whole // coin * (hour + 1), hours)) * coin if hour + 1 < hours else whole
        yield Counted("cost.spent", known.here(begin + hour * _HOUR), channel, due - paid, currency)
        paid = due
