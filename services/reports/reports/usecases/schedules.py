"""Which reports are mailed when, and to whom (B33, B41)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from chassis import paging, records
from chassis.columns import Column
from chassis.errors import Invalid, NotFound
from chassis.records import Kind
from chassis.transaction import Transaction
from reports.domain import schedule as domain
from reports.domain.board import Board
from reports.domain.kpi import Kpi
from reports.domain.schedule import ExportSchedule, Mail
from reports.settings import company_zone
from reports.storage import definitions
from reports.storage import schedules as stored
from reports.storage.schedules import mails as mails_table
from reports.storage.schedules import schedules
from reports.storage.tables import people as people_table
from reports.usecases import addressees, boards, kpis
from reports.wire import asking
from reports.wire.schedule_messages import schedule as shown

_c = schedules.c
SCHEDULES: Kind[ExportSchedule] = Kind(
    resource="exportSchedules",
    word="export_schedule",
    table=schedules,
    type=ExportSchedule,
    people=people_table,
    shown=shown,
    owner="",
    named=True,
    announce=lambda tx, before, after: definitions.count(tx),
    columns={
        "report": Column(_c.report, "name"),
        "enabled": Column(_c.enabled, "bool"),
        "create_time": Column(_c.create_time, "time", order=True),
        "update_time": Column(_c.update_time, "time", order=True),
    },
)
# The weekly report: on Mondays at nine, of the week before, for those who lead a team.
SHIPPED: Mapping[str, Mapping[str, Any]] = {
    "exportSchedules/weekly-report": {
        "display_name": "Weekly report",
        "display_name_zh": "销售周报",
        "report": "reports/team",
        "group_by": [],
        "filter": "",
        "format": 2,
        "span": 2,
        "hour": 9,
        "people": ["roles/manager"],
        "language": "zh",
    },
}


def start(tx: Transaction) -> None:
    """What every house begins with, one of before as well, unless it had it: what somebody deleted stays away. It goes
    out from when mail can."""
    for name in sorted(SHIPPED.keys() - definitions.ever(tx, SHIPPED)):
        put(tx, None, new(tx, name, {**SHIPPED[name], "enabled": False}))


def go_out(tx: Transaction) -> None:
    """Mail can go out: what came with the product waits for that no longer, unless somebody touched it."""
    for one in stored.as_made(tx, list(SHIPPED)):
        _save(tx, one, replace(one, enabled=True), "changed")


def leave_off(tx: Transaction, names: Sequence[str]) -> None:
    """Whoever says of these that they are off touched them, though they were. Raises Denied."""
    for one in stored.as_made(tx, [name for name in names if name in SHIPPED], wait=True):
        tx.principal.require(SCHEDULES.resource, "write")
        _save(tx, one, replace(one, update_time=tx.now), "changed")


def create(tx: Transaction, values: Mapping[str, Any]) -> ExportSchedule:
    """Raises Invalid."""
    check(tx, values)
    made = new(tx, SCHEDULES.new_name(), values)
    put(tx, None, made)
    return made


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> ExportSchedule:
    """Raises Invalid, and as records.hold."""
    before = records.hold(tx, SCHEDULES, name, etag)
    after = replace(before, **values)
    check(tx, written(after))
    if before.version == 1 and values.get("enabled") is False:
        after = replace(after, update_time=tx.now)  # as leave_off
    return _save(tx, before, after, "changed")


def undelete(tx: Transaction, name: str) -> ExportSchedule:
    """Raises NOT_DELETED, and Invalid where its report is gone."""
    check(tx, written(records.find(tx, SCHEDULES, name, deleted=True)))
    return records.undelete(tx, SCHEDULES, name)


def mails_of(tx: Transaction, request: Any) -> tuple[list[Mail], str]:
    """A page of what became of a schedule's mails. Raises NotFound, Invalid."""
    of = records.find(tx, SCHEDULES, request.parent, deleted=True)
    c = mails_table.c
    columns = {
        **{name: Column(c[name], "name") for name in ("person", "state", "begin_date")},
        "create_time": Column(c.create_time, "time", order=True),
    }
    query = sa.select(*(c[name] for name in Mail.__slots__)).where(c.schedule == of.name)
    order = "create_time desc"
    page = paging.listing(tx, query, columns, request, order, sa.type_coerce(c.person + "/" + c.begin_date, sa.Text))
    return [Mail(*row[: len(Mail.__slots__)]) for row in page.rows], page.next_page_token


def purge(tx: Transaction) -> bool:
    return records.purge(tx, SCHEDULES)


def every(tx: Transaction, deleted: bool = False) -> list[ExportSchedule]:
    """All of them, by name."""
    return stored.every(tx, deleted)


def new(tx: Transaction, name: str, values: Mapping[str, Any]) -> ExportSchedule:
    made = {
        "name": name,
        **values,
        "sent_until": _last(tx, values["span"], values["hour"]),
        "version": 1,
        "create_time": tx.now,
        "update_time": tx.now,
        "delete_time": None,
    }
    return ExportSchedule(**made)


def put(tx: Transaction, before: Any, after: Any) -> None:
    """Writes one that was checked; `before` is the one that is there, deleted or not. Raises Stale."""
    if before is None:
        records.create(tx, SCHEDULES, after)
    else:
        _save(tx, before, after, "deleted" if after.delete_time else "changed")


def _save(tx: Transaction, before: ExportSchedule, after: ExportSchedule, action: str) -> ExportSchedule:
    """What is enabled anew, or goes out for another span, begins with the span that is not over yet."""
    if (after.enabled and not before.enabled) or after.span != before.span:
        after = replace(after, sent_until=_last(tx, after.span, after.hour))
    return records.save(tx, SCHEDULES, before, after, action)


def _last(tx: Transaction, span: int, hour: int) -> str:
    return domain.days(domain.due(span, hour, tx.now.astimezone(company_zone())))[0]


def written(of: Any) -> dict[str, Any]:
    """What is checked of it."""
    return {name: getattr(of, name) for name in ("report", "group_by", "filter", "people")}


def check(tx: Transaction, values: Mapping[str, Any], known: Mapping[str, Kpi | Board] | None = None) -> None:
    """Refuses one of what is none, by the KPIs and boards that are `known`; None: that are there. Raises Invalid."""
    wrong = []
    try:
        _ask(tx, values, known)
    except NotFound:
        wrong.append(("export_schedule.report", "there is no such KPI or board", "没有这个指标或看板"))
    except Invalid as problem:
        wrong += [(f"export_schedule.{one.field}", one.english, one.chinese) for one in problem.violations]
    wrong += addressees.unknown(tx, "export_schedule.people", values["people"])
    if wrong:
        raise Invalid(wrong)


def _ask(tx: Transaction, values: Mapping[str, Any], known: Mapping[str, Kpi | Board] | None) -> None:
    """As each who gets it will. Raises NotFound, Invalid."""
    id = asking.id_of(values["report"])
    request = SimpleNamespace(
        period="", group_by=values["group_by"], filter=values["filter"], HasField=lambda name: False
    )
    today = tx.now.astimezone(company_zone()).date()
    there = known
    if there is None:
        there = {**{one.name: one for one in kpis.every(tx)}, **{one.name: one for one in boards.every(tx)}}
    of = there.get(f"boards/{id}") or there.get(f"kpis/{id}")
    if isinstance(of, Board):
        shown = (there.get(tile.kpi) for tile in of.tiles)
        asking.check_board(request, [one for one in shown if isinstance(one, Kpi)], today)
    elif isinstance(of, Kpi):
        asking.view(request, of, today)
    else:
        raise NotFound(values["report"][:80])
