"""What customers signed adds up; over the company's line they are VIPs, and a service of its own begins (C12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import sqlalchemy as sa

from chassis import records
from chassis.database import in_values
from chassis.money import exchanged, of_units
from chassis.transaction import Transaction
from customers.domain import vip
from customers.domain.customer import Customer, Rate, Signed, Sum
from customers.domain.vip import Vip
from customers.storage import rates, settings
from customers.storage import signed as stored
from customers.storage.tables import customers
from customers.usecases.kinds import CUSTOMERS
from customers.wire import asking, messages


def line(tx: Transaction) -> Vip:
    """The company's line as it stands."""
    content, _ = settings.load(tx)
    return vip.read(content.get("vip", vip.DEFAULT))


def signed(tx: Transaction, told: Sequence[Signed]) -> None:
    """Contracts as they are now: each counts once from its signing until it is voided."""
    company = line(tx)
    if any(one.counts and one.currency != company.threshold.currency for one in told):
        rates.wait(tx)
    into = standing(tx, [one.customer for one in told])
    news = stored.know(tx, [replace(one, customer=into.get(one.customer, one.customer)) for one in told])
    _judge(tx, sorted(news), company, "signed")


def rated(tx: Transaction, told: Sequence[Rate]) -> None:
    """Exchange rates as they are now; a rate learnt late corrects what was summed without it."""
    company = line(tx)
    rates.wait(tx)
    days: dict[str, str] = {}
    for one in rates.know(tx, told):
        pair = {one.from_currency, one.to_currency}
        if company.threshold.currency in pair:
            (other,) = pair - {company.threshold.currency}
            days[other] = min(days.get(other, one.date), one.date)
    _judge(tx, stored.since(tx, days), company, "rated")


def _judge(tx: Transaction, names: Sequence[str], company: Vip, action: str) -> None:
    held = records.of_names(tx, CUSTOMERS, sorted(names), lock=True)
    found = sums(tx, list(held), company)
    for name in sorted(held):
        save(tx, held[name], judged(tx, held[name], company, found[name]), company, action)


def sums(tx: Transaction, names: Sequence[str], company: Vip) -> dict[str, Sum]:
    """What each of these customers signed, in the currency of the company's line: each contract by the rate of the day
    on which it was signed, to the smallest coin."""
    currency = company.threshold.currency
    amounts = stored.sums(tx, names, currency)
    uncounted: dict[str, dict[str, int]] = {name: {} for name in names}
    known: dict[tuple[str, str], Decimal | None] = {}
    for one in stored.abroad(tx, names, currency):
        key = (one.currency, one.sign_date)
        if key not in known:
            known[key] = rates.at(tx, one.currency, currency, one.sign_date)
        rate, amount = known[key], of_units(one.amount, one.currency)
        assert amount is not None
        if rate is not None:
            amounts[one.customer] += exchanged(amount, rate, currency).units
        else:
            mine = uncounted[one.customer]
            mine[one.currency] = mine.get(one.currency, 0) + one.amount
    return {name: Sum(amounts[name], uncounted[name]) for name in names}


def judged(tx: Transaction, of: Customer, company: Vip, found: Sum) -> Customer:
    """With what it signed, and whether that makes it a VIP."""
    is_vip = found.amount > company.threshold.units
    asked = of.vip_tasks if of.vip else len(company.tasks) if of.owner else 0
    return replace(
        of,
        signed_amount=found.amount,
        signed_currency=company.threshold.currency if found.amount or of.signed_currency else "",
        uncounted=found.uncounted,
        vip=is_vip,
        vip_time=(of.vip_time or tx.now) if is_vip else None,
        vip_tasks=asked if is_vip else 0,
    )


def save(tx: Transaction, before: Customer, after: Customer, company: Vip, action: str) -> Customer:
    """Stores it; where it has become a VIP, that is announced and its owner gets what there is to do, once each time.
    What is left of that when it is none any more is taken back."""
    saved = records.save(tx, CUSTOMERS, before, after, action)
    if saved.vip and not before.vip:
        tx.emit(messages.became_vip(saved, company.threshold))
        tx.emit_all(asking.vip_tasks(saved, company.tasks))
    elif before.vip and not saved.vip:
        end(tx, before, company)
    return saved


def end(tx: Transaction, before: Customer, company: Vip) -> None:
    """What was to be done for it as a VIP, if it was one, is not any more."""
    tx.emit_all(asking.vip_over(before, company.tasks))


def followed_up(tx: Transaction, told: Mapping[str, object]) -> None:
    """Customer to when it was followed up. The latest stays; nobody's etag gets old by it."""
    into = standing(tx, list(told))
    for name in sorted(told, key=lambda name: into.get(name, name)):
        at = customers.c.last_follow_up_time
        mine = customers.c.name == into.get(name, name)
        later = sa.or_(at.is_(None), at < told[name])
        tx.execute(sa.update(customers).where(mine, later).values(last_follow_up_time=told[name]))


def standing(tx: Transaction, names: Sequence[str]) -> dict[str, str]:
    """Those of them that were merged, with what they are part of now."""
    wanted = sorted(set(names))
    query = sa.select(customers.c.name, customers.c.merged_into).where(
        in_values(customers.c.name, wanted, tx.dialect), customers.c.merged_into != ""
    )
    return {row[0]: row[1] for row in tx.execute(query)} if wanted else {}
