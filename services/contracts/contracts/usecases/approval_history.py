"""What is shown of an approval: its facts, and what the company has done with the customer so far (Q14), from our own
tables: for who has to decide, whosever the contracts are; not for who only asks."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from chassis.access import Scope
from chassis.money import UNITS, of_units
from chassis.transaction import Transaction
from contracts.domain import quote as quoting
from contracts.domain.approval import Approval
from contracts.domain.approval_history import Deal, History
from contracts.domain.contract import HOLDS, Status
from contracts.storage import parties
from contracts.storage.approvals import sits
from contracts.storage.contracts import contracts
from contracts.storage.quotes import quotes

_LAST = 5
_c = contracts.c


def shown(tx: Transaction, of_approval: Approval) -> History | None:
    """To the caller: whoever has a say in it, as long as it lasts, or may read every contract. What contracts are worth
    is not in it for a role that may not know (P8)."""
    caller = tx.principal
    asked = of_approval.owner != caller.person and sits(tx, of_approval.name, caller.person)
    if not asked and caller.scope("contracts", "read") is not Scope.ALL:
        return None
    found = of(tx, of_approval.customer)
    if found is None or "amount" not in caller.grant("contracts").hidden:
        return found
    return replace(found, signed=(), last=tuple(replace(deal, amount=None) for deal in found.last))


def masked(tx: Transaction, of_approval: Approval) -> Approval:
    """Without what is hidden from the caller's role on the record that it is about (P8)."""
    resource, grant = of_approval.record.partition("/")[0], tx.principal.grant
    hidden = grant(resource).hidden | (grant("contracts").hidden if resource == "contractChanges" else frozenset())
    if not hidden:
        return of_approval
    worth = hidden & {"amount", "total", "lines"}
    gone = {*hidden, *(("amount", "home_amount", "before", "listed_products") if worth else ())}
    gone |= {"discount", "unlisted_percent"} if hidden & {"discount_percent", "total_discount_percent"} else set()
    facts = {key: value for key, value in of_approval.facts.items() if key not in gone}
    own = facts.get("fields") or {}
    facts["fields"] = {key: value for key, value in own.items() if key not in gone}
    return replace(of_approval, facts=facts, amount=None if worth else of_approval.amount)


def of(tx: Transaction, customer: str) -> History | None:
    """None without a customer."""
    if not customer:
        return None
    known = parties.find(tx, customer)
    there = sa.and_(_c.customer == customer, _c.delete_time.is_(None))
    # Whole and rest apart: a sum of ten-thousandths would leave 64 bits much sooner.
    unit = sa.literal_column(str(UNITS), sa.BigInteger())
    sums = (
        sa.select(_c.currency, sa.func.count(), sa.func.sum(_c.amount / unit), sa.func.sum(_c.amount % unit))
        .where(there, _c.status.in_(sorted(HOLDS)))
        .group_by(_c.currency)
        .order_by(_c.currency)
    )
    signed = [(row[1], of_units(int(row[2]) * UNITS + int(row[3]), row[0])) for row in tx.execute(sums)]
    return History(
        customer,
        known.title if known else "",
        known.tier if known else "",
        sum(count for count, _ in signed),
        tuple(amount for _, amount in signed if amount is not None),
        _quotes(tx, customer),
        _deals(tx, there),
    )


def _quotes(tx: Transaction, customer: str) -> int:
    """How many offers there were; versions of one count once."""
    q = quotes.c
    query = sa.select(sa.func.count()).where(
        q.customer == customer, q.delete_time.is_(None), q.status != quoting.Status.REPLACED.value
    )
    return int(tx.execute(query).scalar_one())


def _deals(tx: Transaction, there: sa.ColumnElement[bool]) -> tuple[Deal, ...]:
    query = (
        sa.select(_c.name, _c.number, _c.title, _c.status, _c.amount, _c.currency, _c.create_time)
        .where(there)
        .order_by(_c.create_time.desc(), _c.name.desc())
        .limit(_LAST)
    )
    return tuple(
        Deal(row[0], row[1], row[2], Status(row[3]).name, of_units(row[4], row[5]), row[6]) for row in tx.execute(query)
    )
