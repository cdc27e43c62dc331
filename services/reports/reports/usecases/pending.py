"""A figure's records, made into tasks: a report that nothing follows from is an illusion (B44)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

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
from reports.usecases import explaining, reading
from reports.wire import pending as wire

MOST = 1_000
OF = frozenset({"leads", "customers", "opportunities", "quotes", "contracts"})
"""What tasks are about: the first part of a record's name."""
AT_WORK = {
    "leads": "lead.open",
    "opportunities": "deal.open",
    "customers": "customer.present",
    "contracts": "contract.signed",
}
"""The fact in which a record is for as long as there is something to be done about it."""


def make_tasks(tx: Transaction, of: Kpi, view: View, measure: str, title: str, due_time: datetime) -> tuple[int, int]:
    """Asks for a task of each record that the measure counted and the caller sees, of whoever has it. Returns how many
    were asked for, and how many records were passed over: they are closed or on hold, nobody has them, or the caller
    may not write their owner's tasks. Raises Denied, NO_TASKS_OF_THESE, TOO_MANY_RECORDS, Invalid where one of several
    measures is to be named."""
    if not measure and len(of.measures) > 1:
        known = ", ".join(one.id for one in of.measures)
        raise Invalid([("measure", f"say which of them: {known}", f"请指定其一：{known}")])
    counted = explaining.measure_of(of, measure)
    fact = FACTS[counted.fact]
    scope = tx.principal.require("tasks", "write")
    reading.refuse(tx, fact, fact.fields.get("owner", ""))
    if fact.resource in AT_WORK:  # how many are passed over tells how many are closed
        working = FACTS[AT_WORK[fact.resource]]
        reading.refuse(tx, working, working.defined)
    c = postings.c
    there = (
        sa.select(c.record, subjects.c.holder)
        .join(subjects, sa.and_(subjects.c.copy == c.copy, subjects.c.name == c.record))
        .where(*explaining.counted(tx, of, counted, view))
        .group_by(c.record, subjects.c.holder)
        .having(sa.func.sum(c.count) != 0)
        .order_by(c.record)
        .limit(MOST + 1)
    )
    found = {row.record: row.holder for row in tx.execute(there)}
    if any(record.partition("/")[0] not in OF for record in found):
        raise Refused(
            "NO_TASKS_OF_THESE",
            f"Tasks are of leads, customers, opportunities, quotes and contracts, not of {fact.resource}.",
            "只能为线索、客户、商机、报价和合同生成待办。",
        )
    if len(found) > MOST:
        raise Refused("TOO_MANY_RECORDS", f"More than {MOST} records: filter them.", f"超过 {MOST} 条记录，请先筛选。")
    at_work = _at_work(tx, sorted(found))
    owners = sorted({holder for record, holder in found.items() if holder and record in at_work})
    reach = sa.select(people.c.name).where(
        in_values(people.c.name, owners, tx.dialect), visible(tx.principal, scope, people.c.name, people)
    )
    within = {row[0] for row in tx.execute(reach)} if owners else set()
    wanted = {record: holder for record, holder in found.items() if holder in within and record in at_work}
    tx.emit_all(
        wire.requested(record, holder, of, title, due_time, view.today, tx.principal.person)
        for record, holder in wanted.items()
    )
    if wanted:
        tx.audit("report.tasksRequested", wire.report_of(of), {"tasks": len(wanted)})
    return len(wanted), len(found) - len(wanted)


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
