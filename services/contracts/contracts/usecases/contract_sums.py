"""Contracts and payments in sums (K3, K6, K7, K12), and the history of a contract. Everything goes through the same
access filter as lists do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import sqlalchemy as sa

from chassis import paging, records
from chassis.money import UNITS, Money, of_units
from chassis.paging import Column
from chassis.records import Kind
from chassis.transaction import Transaction
from contracts.domain.bill import Due
from contracts.domain.contract import Status, StatusChange
from contracts.storage import contracts as stored
from contracts.storage.bills import instalments, payments
from contracts.storage.contracts import contracts, status_changes
from contracts.usecases.contract_kinds import CONTRACT, INSTALMENT, PAYMENT
from dealwright.contracts.v1 import contracts_pb2 as pb


class Expected(NamedTuple):
    """What is to come in a month, "" for milestones that have not come."""

    month: str
    found: int
    amount: Money | None
    overdue: Money | None


class Received(NamedTuple):
    owner: str
    team: str
    month: str
    found: int
    amount: Money | None


def _sum(column: sa.ColumnElement[Any], label: str) -> list[sa.ColumnElement[Any]]:
    """Whole and rest apart: a sum of ten-thousandths would leave 64 bits much sooner."""
    unit = sa.literal_column(str(UNITS), sa.BigInteger())
    return [sa.func.sum(column / unit).label(f"{label}_whole"), sa.func.sum(column % unit).label(f"{label}_rest")]


def _units(row: Any, label: str) -> int:
    whole, rest = getattr(row, f"{label}_whole"), getattr(row, f"{label}_rest")
    return int(whole or 0) * UNITS + int(rest or 0)


# What somebody only decides about is in none of his sums.
_OWN = replace(CONTRACT, also=lambda principal: None)


def _wanted(tx: Transaction, kind: Kind[Any], filter_text: str, resource: str = "") -> list[sa.ColumnElement[bool]]:
    """What the caller may see of a kind, and wants. Raises Invalid for the filter."""
    resource = resource or kind.resource
    own = replace(kind, parent=("contract", _OWN)) if kind.parent else _OWN
    found = [records.criteria(own, tx.principal, "read", resource), kind.table.c.delete_time.is_(None)]
    wanted = paging.criteria(filter_text, kind.columns, _hidden(tx, resource, kind.resource))
    return found if wanted is None else [*found, wanted]


def _hidden(tx: Transaction, *resources: str) -> frozenset[str]:
    """What is hidden on any of these: a sum of instalments that is asked for as payments tells of both."""
    return frozenset().union(*(tx.principal.grant(one).hidden for one in resources))


def summarize(tx: Transaction, filter_text: str) -> list[tuple[int, str, int, list[int]]]:
    """(status, currency, how many, [amount, invoiced, paid]) of contracts."""
    of = contracts.c
    names = ("amount", "invoiced", "paid")
    query = (
        sa.select(of.status, of.currency, sa.func.count().label("found"), *(c for n in names for c in _sum(of[n], n)))
        .where(*_wanted(tx, CONTRACT, filter_text))
        .group_by(of.status, of.currency)
        .order_by(of.status, of.currency)
    )
    return [(r.status, r.currency, r.found, [_units(r, name) for name in names]) for r in tx.execute(query)]


def forecast(tx: Transaction, filter_text: str) -> list[Expected]:
    """What is open of the instalments of contracts that are signed, by month and currency, less what came already and
    no instalment took."""
    of = instalments.c
    month = sa.func.substr(of.due_date, 1, 7).label("month")
    covered = _covered()
    left = of.amount - of.paid - sa.func.coalesce(covered.c.amount, 0)
    late = sa.case((of.status == Due.OVERDUE.value, left), else_=sa.literal(0, sa.BigInteger()))
    signed = sa.select(contracts.c.name).where(contracts.c.status == Status.SIGNED.value)
    query = (
        sa.select(month, of.currency, sa.func.count().label("found"), *_sum(left, "left"), *_sum(late, "late"))
        .select_from(instalments.outerjoin(covered, covered.c.name == of.name))
        .where(*_wanted(tx, INSTALMENT, filter_text, "payments"), _OPEN, of.contract.in_(signed), left > 0)
        .group_by(month, of.currency)
    )
    rows = sorted(tx.execute(query), key=lambda row: (row.month or "9999-99", row.currency))
    if "amount" in _hidden(tx, "payments", INSTALMENT.resource):
        return [Expected(row.month, row.found, None, None) for row in rows]
    return [
        Expected(
            *(row.month, row.found),
            *(of_units(_units(row, label), row.currency) for label in ("left", "late")),
        )
        for row in rows
    ]


_OPEN = instalments.c.status.in_((Due.OPEN.value, Due.PARTLY_PAID.value, Due.OVERDUE.value))


def _covered() -> sa.Subquery:
    """(name, amount) of open instalments for which the money is here: what no instalment took of a contract's payments
    is for what comes next, milestones last, so that what is still to come is the contract's balance."""
    of, came = instalments.c, payments.c
    held = sa.func.sum(came.unmatched)
    credit = (
        sa.select(came.contract, sa.cast(held, sa.BigInteger()).label("credit"))
        .where(came.delete_time.is_(None), came.unmatched != 0)
        .group_by(came.contract)
        .having(held > 0)
        .subquery()
    )
    left = of.amount - of.paid
    order = (of.due_date == "", of.due_date, of.position)
    up_to = sa.cast(sa.func.sum(left).over(partition_by=of.contract, order_by=order), sa.BigInteger())
    rest = credit.c.credit - (up_to - left)
    taken = sa.case((rest <= 0, sa.literal(0, sa.BigInteger())), (rest >= left, left), else_=rest)
    return (
        sa.select(of.name, taken.label("amount"))
        .select_from(instalments.join(credit, credit.c.contract == of.contract))
        .where(_OPEN)
        .subquery()
    )


def received(tx: Transaction, filter_text: str) -> list[Received]:
    """What came, refunds taken off, by month, owner, team and currency."""
    of = payments.c
    month = sa.func.substr(of.pay_date, 1, 7).label("month")
    keys = (month, of.owner, of.team, of.currency)
    query = (
        sa.select(*keys, sa.func.count().label("found"), *_sum(of.amount, "amount"))
        .where(*_wanted(tx, PAYMENT, filter_text))
        .group_by(*keys)
    )
    rows = sorted(tx.execute(query), key=lambda row: tuple(row[:4]))
    return [
        Received(row.owner, row.team, row.month, row.found, of_units(_units(row, "amount"), row.currency))
        for row in rows
    ]


def history(tx: Transaction, request: pb.ListStatusChangesRequest) -> tuple[list[StatusChange], str]:
    """One page of what became of a contract, oldest first. Raises NotFound for one out of reach."""
    of = records.find(tx, CONTRACT, request.parent, deleted=True)
    query = stored.STATUSES.where(status_changes.c.contract == of.name)
    order = {"id": Column(status_changes.c.id, "name", order=True)}
    found = paging.listing(tx, query, order, request, "id", status_changes.c.id)
    width = len(stored.STATUS_COLUMNS)
    return [StatusChange(*row[:width]) for row in found.rows], found.next_page_token
