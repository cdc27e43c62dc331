"""What customers signed adds up; over the company's line they are VIPs, and a service of its own begins (C12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from chassis import records
from chassis.database import in_values
from chassis.transaction import Transaction
from customers.domain import vip
from customers.domain.customer import Customer, Signed
from customers.domain.vip import Vip
from customers.storage import settings
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
    into = standing(tx, [one.customer for one in told])
    news = stored.know(tx, [replace(one, customer=into.get(one.customer, one.customer)) for one in told])
    company = line(tx)
    held = records.of_names(tx, CUSTOMERS, sorted(news), lock=True)
    sums = stored.sums(tx, list(held), company.threshold.currency)
    for name in sorted(held):
        save(tx, held[name], judged(tx, held[name], company, sums[name]), company, "signed")


def judged(tx: Transaction, of: Customer, company: Vip, amount: int) -> Customer:
    """With what it signed, and whether that makes it a VIP."""
    is_vip = amount > company.threshold.units
    since = of.vip_time or tx.now
    currency = company.threshold.currency if amount or of.signed_currency else ""
    return replace(of, signed_amount=amount, signed_currency=currency, vip=is_vip, vip_time=since if is_vip else None)


def save(tx: Transaction, before: Customer, after: Customer, company: Vip, action: str) -> Customer:
    """Stores it; where it has become a VIP, that is announced and its owner gets what there is to do."""
    saved = records.save(tx, CUSTOMERS, before, after, action)
    if saved.vip and not before.vip:
        tx.emit(messages.became_vip(saved, company.threshold))
        if saved.owner:
            tx.emit_all(asking.vip_tasks(saved, company.tasks, tx.now))
    return saved


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
