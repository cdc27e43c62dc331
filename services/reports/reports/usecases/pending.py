"""A figure's records, made into tasks: a report that nothing follows from is an illusion (B44)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from chassis.access import visible
from chassis.database import in_values
from chassis.errors import Invalid, Refused
from chassis.transaction import Transaction
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi
from reports.domain.view import View
from reports.storage import ledger
from reports.storage.tables import people, postings, subjects
from reports.usecases import explaining, reaching, rights
from reports.wire import pending as wire

MOST = 1_000
OF = frozenset({"leads", "customers", "opportunities", "quotes", "contracts", "instalments"})
"""What becomes tasks: the first part of a record's name. An instalment's is about its customer, who is to pay."""
AT_WORK = {
    "leads": "lead.open",
    "opportunities": "deal.open",
    "customers": "customer.present",
    "contracts": "contract.signed",
    "instalments": "instalment.due",
}
"""The fact in which a record is for as long as there is something to be done about it."""


class Made(NamedTuple):
    """How many tasks were asked for, and how many records were passed over: they are closed or on hold, the caller may
    not write their owner's tasks, or see the customer, or, so many of them, nobody has them."""

    tasks: int
    passed_over: int
    without_owner: int


def make_tasks(tx: Transaction, of: Kpi, view: View, measure: str, title: str, due_time: datetime) -> Made:
    """Asks for a task of each record that the measure counted and the caller sees, of whoever has it; of instalments
    one for each customer. Raises Denied, NO_TASKS_OF_THESE, TOO_MANY_RECORDS, Invalid where one of several measures is
    to be named."""
    if not measure and len(of.measures) > 1:
        known = ", ".join(one.id for one in of.measures)
        raise Invalid([("measure", f"say which of them: {known}", f"请指定其一：{known}")])
    counted = explaining.measure_of(of, measure)
    fact = FACTS[counted.fact]
    scope = tx.principal.require("tasks", "write")
    rights.refuse(tx, fact, fact.fields.get("owner", ""))
    if fact.resource == "instalments":
        rights.refuse(tx, fact, fact.fields["customer"])
    if fact.resource in AT_WORK:  # how many are passed over tells how many are closed
        working = FACTS[AT_WORK[fact.resource]]
        rights.refuse(tx, working, working.defined)
    c = postings.c
    there = (
        sa.select(c.record, subjects.c.holder, c.customer)
        .join(subjects, sa.and_(subjects.c.copy == c.copy, subjects.c.name == c.record))
        .where(*explaining.counted(tx, of, counted, view))
        .group_by(c.record, subjects.c.holder, c.customer)  # whose customer's it was is posted back
        .having(sa.func.sum(c.count) != 0)
        .order_by(c.record)
        .limit(MOST + 1)
    )
    rows = tx.execute(there).all()
    found = {row.record: row.holder for row in rows}
    if any(record.partition("/")[0] not in OF for record in found):
        raise Refused(
            "NO_TASKS_OF_THESE",
            f"Tasks are of leads, customers, opportunities, quotes, contracts and instalments, not of {fact.resource}.",
            "只能为线索、客户、商机、报价、合同和分期收款生成待办。",
        )
    if len(found) > MOST:
        raise Refused("TOO_MANY_RECORDS", f"More than {MOST} records: filter them.", f"超过 {MOST} 条记录，请先筛选。")
    at_work = _at_work(tx, sorted(found))
    owners = sorted({holder for record, holder in found.items() if holder and record in at_work})
    reach = sa.select(people.c.name).where(
        in_values(people.c.name, owners, tx.dialect), visible(tx.principal, scope, people.c.name, people)
    )
    within = {row[0] for row in tx.execute(reach)} if owners else set()
    asked = tx.principal.person
    about = _about(tx, {row.record: row.customer for row in rows})
    wanted = {
        record: (about[record], holder)
        for record, holder in found.items()
        if holder in within and record in at_work and record in about
    }
    tasks = {each: record for record, each in wanted.items()}
    tx.emit_all(
        # A customer may owe two people.
        wire.requested(
            name, holder, name if name == record else f"{name}/{holder}", of, title, due_time, view.today, asked
        )
        for (name, holder), record in tasks.items()
    )
    if tasks:
        tx.audit("report.tasksRequested", wire.report_of(of), {"tasks": len(tasks)})
    without = sum(1 for record, holder in found.items() if record in at_work and not holder)
    return Made(len(tasks), len(found) - len(wanted), without)


def _about(tx: Transaction, customers: Mapping[str, str]) -> dict[str, str]:
    """Of each record what its task is about: itself, or an instalment's customer, where the caller may read that."""
    due = {record: name for record, name in customers.items() if record.startswith("instalments/")}
    scope, names = tx.principal.scope("customers", "read"), sorted(set(due.values()))
    within = reaching.within(tx, scope)
    seen = names if within is None else ledger.seen(tx, ledger.live(tx), names, within)
    known = {*customers, *seen} - {*due, ""}
    return {record: name for record in customers if (name := due.get(record, record)) in known}


def _at_work(tx: Transaction, records: Sequence[str]) -> set[str]:
    """Those that are not closed, whatever a figure counted them for, nor on hold or awaiting an approval (V1)."""
    c = postings.c
    there = (
        sa.select(c.record)
        .where(c.copy == ledger.live(tx), in_values(c.record, records, tx.dialect), c.fact.in_(AT_WORK.values()))
        .where(sa.or_(c.fact != AT_WORK["opportunities"], c.detail == "OPEN"))
        .group_by(c.record)
        .having(sa.func.sum(c.count) != 0)
    )
    return {row.record for row in tx.execute(there)} if records else set()
