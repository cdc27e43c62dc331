"""Contracts, what became of them, and changes that wait for agreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import Any

import sqlalchemy as sa

from chassis.database import Json, Moment, in_values, insert_rows
from chassis.transaction import Transaction
from contracts.domain.contract import HOLDS, ChangeStatus, Contract, ContractChange, Status, StatusChange
from contracts.storage.tables import metadata


def texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def wholes(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def kept() -> list[sa.Column[object]]:
    """What every record has."""
    return [
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    ]


def of_one() -> sa.Column[str]:
    return sa.Column("contract", sa.Text, sa.ForeignKey("contracts.name", ondelete="CASCADE"), nullable=False)


def deleted(table: str) -> sa.Index:
    there = sa.text("delete_time IS NOT NULL")
    return sa.Index(f"{table}_deleted", "delete_time", postgresql_where=there, sqlite_where=there)


# In the order of domain.contract.Contract; money in ten-thousandths.
contracts = sa.Table(
    "contracts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *texts("number", "title", "customer", "contact", "opportunity", "quote"),
    sa.Column("status", sa.Integer, nullable=False),
    *wholes("amount"),
    *texts("currency"),
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("finance_mode", "interval", "instalment_count")),
    sa.Column("planned_by_hand", sa.Boolean, nullable=False),
    *texts("sign_date", "start_date", "expiry_date", "delivery_date", "owner", "team"),
    sa.Column("author", sa.Text, nullable=False, server_default=""),
    *texts("approval", "renews", "terms"),
    *wholes("invoiced", "paid"),
    sa.Column("custom", Json),
    *texts("status_reason", "expiry_told"),
    *kept(),
    sa.Index("contracts_number", "number", unique=True),
    sa.Index("contracts_created", "create_time", "name"),
    sa.Index("contracts_owned", "owner", "create_time", "name"),
    sa.Index("contracts_of_customer", "customer", "create_time"),
    sa.Index("contracts_of_opportunity", "opportunity"),
    sa.Index("contracts_of_quote", "quote"),
    sa.Index("contracts_renewing", "renews"),
    sa.Index("contracts_expiring", "status", "expiry_date"),
    deleted("contracts"),
)

status_changes = sa.Table(
    "status_changes",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # UUIDv7: in the order in which they happened
    of_one(),
    sa.Column("from_status", sa.Integer, nullable=False),
    sa.Column("to_status", sa.Integer, nullable=False),
    sa.Column("happen_time", Moment, nullable=False),
    *texts("actor", "reason"),
    sa.Index("status_changes_of", "contract", "id"),
)

# In the order of domain.contract.ContractChange.
contract_changes = sa.Table(
    "contract_changes",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    of_one(),
    *texts("customer"),
    sa.Column("status", sa.Integer, nullable=False),
    *texts("reason"),
    sa.Column("content", Json, nullable=False),
    sa.Column("differences", Json, nullable=False),
    *texts("approval", "owner", "outcome"),
    sa.Column("end_time", Moment),
    *kept(),
    sa.Index("contract_changes_of", "contract", "create_time"),
    sa.Index("contract_changes_created", "create_time", "name"),
)

STATUS_COLUMNS = tuple(field.name for field in fields(StatusChange))
STATUSES = sa.select(*(status_changes.c[name] for name in STATUS_COLUMNS))


def add_status(tx: Transaction, change: StatusChange) -> None:
    insert_rows(tx.connection, status_changes, STATUS_COLUMNS, [astuple(change)])


def waiting_changes(tx: Transaction, kind: Any, contract: str) -> list[ContractChange]:
    query = kind.select.where(
        contract_changes.c.contract == contract, contract_changes.c.status == ChangeStatus.PENDING.value
    )
    return [ContractChange(*row) for row in tx.execute(query.order_by(contract_changes.c.name))]


def standing(tx: Transaction, column: str, value: str) -> list[str]:
    """The numbers of the contracts that are made of a quote ("quote"), renew a contract ("renews"), or are made of a
    quote of an opportunity ("opportunity"), and are neither void nor deleted."""
    of = contracts.c
    query = sa.select(of.number).where(of[column] == value, of.status != Status.VOID.value, of.delete_time.is_(None))
    if column == "opportunity":
        query = query.where(of.quote != "")
    return list(tx.execute(query.order_by(of.number)).scalars())


def names_of_opportunities(tx: Transaction, opportunities: Sequence[str]) -> list[str]:
    """The contracts of these opportunities, deleted ones too."""
    wanted = sorted(set(opportunities))
    query = sa.select(contracts.c.name).where(in_values(contracts.c.opportunity, wanted, tx.dialect))
    return list(tx.execute(query).scalars()) if wanted else []


def names_of_owner(tx: Transaction, customers: Sequence[str], owner: str) -> list[str]:
    """The contracts that somebody has with these customers, deleted ones too."""
    query = sa.select(contracts.c.name).where(
        in_values(contracts.c.customer, sorted(customers), tx.dialect), contracts.c.owner == owner
    )
    return list(tx.execute(query).scalars())


def expiring(tx: Transaction, kind: Any, first: str, last: str, most: int) -> list[Contract]:
    """Contracts that hold, expire from one day to another and were not announced for that, held."""
    of = contracts.c
    query = kind.select.where(
        of.status.in_([status.value for status in HOLDS]),
        *(of.expiry_date >= first, of.expiry_date <= last, of.expiry_date != of.expiry_told),
        of.delete_time.is_(None),
    )
    query = query.order_by(of.expiry_date, of.name).limit(most)
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return [Contract(*row) for row in tx.execute(query)]
