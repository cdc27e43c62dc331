"""Our part of the blueprint: {"kpis": {id: KPI}, "boards": {id: board}, "alertRules": {id: rule},
"exportSchedules": {id: schedule}}, of the company's; people's own boards are theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, Protocol, TypeVar

from chassis.errors import Invalid, Stale
from chassis.fields import FieldCheck
from chassis.parts import differences
from chassis.transaction import Transaction
from reports.domain import checking
from reports.domain.board import Board
from reports.domain.kpi import Kpi
from reports.domain.shipped import BY_NAME
from reports.storage import definitions
from reports.usecases import alert_rules, boards, kpis, schedules, showing
from reports.wire import documents


class _Named(Protocol):
    @property
    def name(self) -> str: ...


D = TypeVar("D", bound=_Named)
_RECORDS: Mapping[str, Any] = {"alertRules": alert_rules, "exportSchedules": schedules}
_KEYS = ("kpis", "boards", *_RECORDS)


def read(tx: Transaction) -> tuple[dict[str, Any], int]:
    """The part as it stands, and its version."""
    return documents.plain(
        kpis.every(tx), _boards(tx), alert_rules.every(tx), schedules.every(tx)
    ), definitions.part_version(tx)


def plan(tx: Transaction, content: Mapping[str, Any], today: date) -> tuple[list[tuple[str, str, str]], int]:
    """What applying would change, as (path, before, after) in JSON, and the present version. Raises Invalid."""
    before, version = read(tx)
    shown_kpis, shown_boards, others = _wanted(tx, content, today)
    after = documents.plain(shown_kpis, shown_boards, *others.values())
    return sorted(differences("", before, after)), version


def apply(
    tx: Transaction, content: Mapping[str, Any], expected_version: int, today: date
) -> tuple[dict[str, Any], int]:
    """Writes the part. "kpis" is all KPIs that people made, "boards" all boards of the company, others all:
    what they leave out is deleted, what they name and was deleted comes back. What came with the product and is left
    out stays as it is. Raises Stale, Invalid, Denied."""
    if definitions.part_version(tx, lock=True) != expected_version:
        raise Stale("blueprint")
    wanted_kpis, wanted_boards, wanted_others = _wanted(tx, content, today)
    # A KPI keeps what its rules group it by, as these are then.
    for key, wanted in wanted_others.items():
        kept = _RECORDS[key]
        _keep(tx, key, {one.name: one for one in kept.every(tx, deleted=True)}, wanted, kept.put)
    _keep(tx, "kpis", {one.name: one for one in kpis.every(tx, deleted=True)}, wanted_kpis, kpis.put)
    there = {one.name: one for one in showing.every(tx, deleted=True) if not one.owner}
    _keep(tx, "boards", there, wanted_boards, boards.put)
    said = content.get("exportSchedules", {})
    schedules.leave_off(tx, [f"exportSchedules/{id}" for id, one in said.items() if one.get("enabled") is False])
    return read(tx)


def _keep(
    tx: Transaction,
    resource: str,
    there: Mapping[str, Any],
    wanted: list[Any],
    put: Callable[[Transaction, Any, Any], None],
) -> None:
    kept = {one.name: one for one in wanted}
    changes: list[tuple[Any, Any]] = []
    for name, one in kept.items():
        before = there.get(name)
        after = documents.over(before, one) if before is not None else one
        if after != before:
            changes.append((before, after))
    gone = [one for one in there.values() if one.name not in kept and one.delete_time is None]
    changes += [(one, replace(one, delete_time=tx.now)) for one in gone]
    if changes:
        tx.principal.require(resource, "write")
    for before, after in changes:
        put(tx, before, after)


def _wanted(
    tx: Transaction, content: Mapping[str, Any], today: date
) -> tuple[list[Kpi], list[Board], dict[str, list[Any]]]:
    """KPIs and boards, and by key the other records, as they would be. Raises Invalid naming each wrong path."""
    check = FieldCheck()
    for key in content.keys() - set(_KEYS):
        check.refuse(key, "there is no such part", "没有这个部分")
    wanted = kpis.every(tx)
    if "kpis" in content:
        wanted = _with_shipped(documents.kpis(content["kpis"], check), kpis.every(tx), BY_NAME)
        for one in wanted:
            _under(check, "kpis", one, partial(checking.check_kpi, one))
    shown = _boards(tx)
    if "boards" in content:
        shown = _with_shipped(documents.boards(content["boards"], check), _boards(tx), showing.SHIPPED)
    others = {key: kept.every(tx) for key, kept in _RECORDS.items()}
    for key in others.keys() & content.keys():
        others[key] = _with_shipped(_named(tx, key, content[key], check), others[key], _RECORDS[key].SHIPPED)
    if not check.violations:
        known = {one.name: one for one in wanted}
        for board in shown:
            _under(check, "boards", board, partial(boards.note, board, today=today, known=known))
        every: dict[str, Kpi | Board] = {**known, **{one.name: one for one in shown}}
        for key, named in others.items():
            there = _RECORDS[key].every(tx)
            for other in (one for one in named if one not in there):
                _under(check, key, other, partial(_note, tx, key, other, every))
        own = [one for one in showing.every(tx) if one.owner]
        for name in (one.name for one in kpis.every(tx) if one.name not in known):
            english, chinese = showing.used(
                tx,
                name,
                own,
                [
                    *(one.name for one in others["alertRules"] if one.kpi == name),
                    *(one.name for one in others["exportSchedules"] if one.report == showing.report_of(name)),
                ],
            )
            if english:
                check.refuse("kpis", f"{name} is used by {english}", f"{name} 正被 {chinese} 使用")
        _refuse_twice(tx, wanted, shown, check)
    if check.violations:
        raise Invalid(check.violations)
    return wanted, shown, others


def _named(tx: Transaction, key: str, given: Any, check: FieldCheck) -> list[Any]:
    """Those that a document names, over what is there of the same name, deleted or not."""
    kept = _RECORDS[key]
    there = {one.name: one for one in kept.every(tx, deleted=True)}
    found = []
    for id, values in documents.records(key, given, check):
        before = there.get(f"{key}/{id}")
        found.append(replace(before, **values, delete_time=None) if before else kept.new(tx, f"{key}/{id}", values))
    return found


def _note(tx: Transaction, key: str, of: Any, known: Mapping[str, Kpi | Board], check: FieldCheck) -> None:
    try:
        _RECORDS[key].check(tx, _RECORDS[key].written(of), known)
    except Invalid as problem:
        for one in problem.violations:
            check.refuse(one.field, one.english, one.chinese)


def _with_shipped(named: list[D], there: list[D], shipped: Mapping[str, Any]) -> list[D]:
    """Those that a document names, and what it leaves out of what came with the product."""
    names = {one.name for one in named}
    left = [one for one in there if one.name in shipped and one.name not in names]
    return named + left


def _refuse_twice(tx: Transaction, wanted: list[Kpi], shown: list[Board], check: FieldCheck) -> None:
    """An id is a KPI's or a board's: reports are asked for by it."""
    taken = {one.name.partition("/")[2] for one in wanted}
    own = {one.name for one in showing.every(tx, deleted=True) if one.owner}
    for board in shown:
        id = board.name.partition("/")[2]
        if id in taken or board.name in own:
            check.refuse(f"boards.{id}", "is the id of another", "该 id 已被占用")


def _under(check: FieldCheck, key: str, of: Any, note: Callable[[FieldCheck], None]) -> None:
    """Notes what is wrong with one of many where it stands in the document."""
    inner = FieldCheck()
    note(inner)
    path = f"{key}.{of.name.partition('/')[2]}"
    for field, english, chinese in inner.violations:
        check.refuse(f"{path}.{field.partition('.')[2]}", english, chinese)


def _boards(tx: Transaction) -> list[Board]:
    return [one for one in showing.every(tx) if not one.owner]
