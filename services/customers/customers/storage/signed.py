"""What customers signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from customers.domain.customer import Signed
from customers.storage.tables import signed_contracts

_COLUMNS = tuple(field.name for field in fields(Signed))
_NEWER = (
    "(contract) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[1:])
    + " WHERE signed_contracts.version < excluded.version"
)
_c = signed_contracts.c
_SELECT = sa.select(*(_c[name] for name in _COLUMNS))


def know(tx: Transaction, told: Sequence[Signed]) -> set[str]:
    """Keeps the newest state of each contract. Returns the customers of those that were news."""
    newest = {one.contract: one for one in sorted(told, key=lambda one: one.version)}
    rows = [astuple(newest[name]) for name in sorted(newest)]
    written = insert_rows(tx.connection, signed_contracts, _COLUMNS, rows, conflict=_NEWER, returning=("customer",))
    return {row[0] for row in written}


def sums(tx: Transaction, customers: Sequence[str], currency: str) -> dict[str, int]:
    """What each of these customers signed in a currency, in ten-thousandths."""
    found = dict.fromkeys(customers, 0)
    query = sa.select(_c.customer, sa.func.sum(_c.amount)).where(_counting(tx, customers), _c.currency == currency)
    if found:
        found.update({row[0]: int(row[1]) for row in tx.execute(query.group_by(_c.customer))})
    return found


def abroad(tx: Transaction, customers: Sequence[str], currency: str) -> list[Signed]:
    """What they signed in others."""
    query = _SELECT.where(_counting(tx, customers), _c.currency != currency, _c.currency != "")
    return [Signed(*row) for row in tx.execute(query.order_by(_c.contract))] if customers else []


def _counting(tx: Transaction, customers: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.and_(in_values(_c.customer, sorted(customers), tx.dialect), _c.counts.is_(True))


def since(tx: Transaction, days: Mapping[str, str]) -> list[str]:
    """The customers who signed something in one of these currencies on its day (ISO text) or later."""
    wanted = [sa.and_(_c.currency == currency, _c.sign_date >= day) for currency, day in sorted(days.items())]
    query = sa.select(_c.customer).where(_c.counts.is_(True), sa.or_(sa.false(), *wanted))
    return list(tx.execute(query.distinct()).scalars()) if wanted else []


def standing(tx: Transaction, customer: str) -> Signed | None:
    """A contract of the customer that counts, if there is one; the first that was signed."""
    query = _SELECT.where(_c.customer == customer, _c.counts.is_(True))
    row = tx.execute(query.order_by(_c.sign_date, _c.contract).limit(1)).first()
    return Signed(*row) if row else None


def give(tx: Transaction, customer: str, to: str) -> None:
    """All contracts of one customer become another's."""
    tx.execute(sa.update(signed_contracts).where(_c.customer == customer).values(customer=to))
