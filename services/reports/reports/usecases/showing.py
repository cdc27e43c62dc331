"""Which boards, rules, schedules and targets are of what."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.errors import Refused
from chassis.transaction import Transaction
from reports.domain.board import Board
from reports.domain.shipped.boards import BOARDS
from reports.storage import alerts, definitions, schedules, targets

SHIPPED = {one.name: one for one in BOARDS}
_NAMED = 5


def every(tx: Transaction, deleted: bool = False) -> list[Board]:
    """All boards, whosever they are, by name."""
    found = {**SHIPPED, **definitions.every_board(tx)}
    return [found[name] for name in sorted(found) if deleted or found[name].delete_time is None]


def report_of(kpi: str) -> str:
    return f"reports/{kpi.partition('/')[2]}"


def used(tx: Transaction, kpi: str, boards: Iterable[Board], others: Iterable[str]) -> tuple[str, str]:
    """What of a KPI there would be no more without it, in English and Chinese: of these boards and `others` (rules
    of alerts, schedules), and of targets; of people's own boards that are not the caller's, that there are some. Empty
    where there is nothing."""
    shown = [one for one in boards if kpi in one.kpis]
    theirs = [one for one in shown if one.owner and one.owner != tx.principal.person]
    found = [
        *((one.name, one.name) for one in shown if one not in theirs),
        *([("boards of others", "他人的看板")] if theirs else []),
        *((name, name) for name in others),
        *((name, name) for name in targets.of_kpi(tx, kpi)),
    ]
    more = len(found) - _NAMED
    english = ", ".join(name for name, _ in found[:_NAMED])
    chinese = "、".join(name for _, name in found[:_NAMED])
    return (f"{english} and {more} more", f"{chinese} 等 {len(found)} 项") if more > 0 else (english, chinese)


def refuse_used(tx: Transaction, kpi: str) -> None:
    """Raises IN_USE, naming what a KPI is used by."""
    english, chinese = used(tx, kpi, every(tx), [*alerts.rules_of(tx, kpi), *schedules.of_report(tx, report_of(kpi))])
    if english:
        raise Refused("IN_USE", f"{kpi} is used by {english}.", f"{kpi} 正被 {chinese} 使用。")
