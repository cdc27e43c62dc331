"""Instalments, invoices and payments."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis.database import Json, Moment, in_values
from chassis.transaction import Transaction
from contracts.domain.bill import Instalment, Payment
from contracts.domain.contract import HOLDS
from contracts.storage.contracts import contracts, deleted, kept, of_one, texts, wholes
from contracts.storage.tables import metadata

# In the order of domain.bill.Instalment; money in ten-thousandths.
instalments = sa.Table(
    "instalments",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    of_one(),
    *texts("customer", "title"),
    sa.Column("position", sa.Integer, nullable=False),
    *wholes("amount", "paid"),
    *texts("currency", "due_date"),
    sa.Column("status", sa.Integer, nullable=False),
    *texts("owner", "overdue_told"),
    *kept(),
    sa.Index("instalments_of", "contract", "position"),
    sa.Index("instalments_due", "status", "due_date"),
    sa.Index("instalments_created", "create_time", "name"),
)

# In the order of domain.bill.Invoice.
invoices = sa.Table(
    "invoices",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *texts("number"),
    of_one(),
    *texts("customer", "instalment"),
    *wholes("amount", "tax"),
    *texts("currency", "issue_date", "title", "tax_number", "owner"),
    sa.Column("void_time", Moment),
    *texts("void_reason"),
    *kept(),
    sa.Index("invoices_number", "number", unique=True),
    sa.Index("invoices_of", "contract", "create_time"),
    sa.Index("invoices_created", "create_time", "name"),
    deleted("invoices"),
)

# In the order of domain.bill.Payment.
payments = sa.Table(
    "payments",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    of_one(),
    *texts("customer"),
    *wholes("amount"),
    *texts("currency", "pay_date", "method", "reference"),
    sa.Column("shares", Json, nullable=False),
    sa.Column("given", Json, nullable=False),
    *wholes("unmatched"),
    sa.Column("received", sa.BigInteger),
    *texts("received_currency", "exchange_rate", "owner", "team", "note"),
    *kept(),
    sa.Index(
        "payments_reference",
        "reference",
        unique=True,
        postgresql_where=sa.text("reference <> ''"),
        sqlite_where=sa.text("reference <> ''"),
    ),
    sa.Index("payments_of", "contract", "create_time"),
    sa.Index("payments_of_customer", "customer", "create_time"),
    sa.Index("payments_created", "create_time", "name"),
    sa.Index("payments_paid", "pay_date"),
    deleted("payments"),
)


def plan_of(tx: Transaction, kind: Any, contract: str) -> list[Instalment]:
    """The instalments of a contract by their position. Whoever changes them holds the contract."""
    query = kind.select.where(instalments.c.contract == contract).order_by(instalments.c.position)
    return [Instalment(*row) for row in tx.execute(query)]


def payments_of(tx: Transaction, kind: Any, contract: str) -> list[Payment]:
    """Those that were not reversed, in the order in which they were recorded."""
    query = kind.select.where(payments.c.contract == contract, payments.c.delete_time.is_(None))
    return [Payment(*row) for row in tx.execute(query.order_by(payments.c.create_time, payments.c.name))]


def by_reference(tx: Transaction, kind: Any, reference: str) -> Payment | None:
    """The payment with the bank's reference, a reversed one too."""
    row = tx.execute(kind.select.where(payments.c.reference == reference)).first()
    return Payment(*row) if row else None


def invoiced(tx: Transaction, contract: str, instalment: str = "") -> int:
    """The sum of the invoices that count, of a contract or of one of its instalments."""
    of = invoices.c
    query = sa.select(sa.func.coalesce(sa.func.sum(of.amount), 0)).where(
        of.contract == contract, of.void_time.is_(None), of.delete_time.is_(None)
    )
    return int(tx.execute(query.where(of.instalment == instalment) if instalment else query).scalar_one())


def drop_plan(tx: Transaction, names: list[str]) -> None:
    if names:
        tx.execute(sa.delete(instalments).where(in_values(instalments.c.name, names, tx.dialect)))


def with_missed(tx: Transaction, statuses: list[int], before: str, most: int) -> list[str]:
    """Contracts that hold and have instalments in one of these statuses which were due before a day, the longest
    overdue first."""
    of = instalments.c
    query = (
        sa.select(of.contract, sa.func.min(of.due_date).label("first"))
        .join(contracts, contracts.c.name == of.contract)
        .where(of.status.in_(statuses), of.due_date != "", of.due_date < before, of.overdue_told != of.due_date)
        .where(contracts.c.status.in_([status.value for status in HOLDS]))
        .group_by(of.contract)
    )
    return [row[0] for row in tx.execute(query.order_by("first", of.contract).limit(most))]
