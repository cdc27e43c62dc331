"""Answers, whole: of series over time, a span in which nothing was counted has a row, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chassis.errors import Invalid
from chassis.transaction import Transaction
from reports.domain import periods
from reports.domain.kpi import Kpi, standing
from reports.domain.periods import EPOCH, GRAINS
from reports.domain.view import Row, Table, View
from reports.settings import company_zone
from reports.usecases import reading

MOST, MOST_ROWS = 4_000, 20_000
"""Spans of an answer, and rows."""
_HOURS = {"hour": 1, "day": 24}
_COARSER = {"hour": "day", "day": "week", "week": "month"}


def filled(tx: Transaction, of: Kpi, view: View, table: Table) -> Table:
    """The table with a row for each span of the period that is over or has begun, in each of the series that it has:
    of nothing counted, a count or a sum is 0 and an average has no value. A series that the caller sees nothing of is
    none of his. Without a beginning or an end, from the first span in which there is something, to the last. Raises
    Invalid on "period" for more than MOST spans, or MOST_ROWS rows; on "filter" for as many rows that are of no
    time."""
    at = _place(view.group)
    if at is None:
        if len(table.rows) > MOST_ROWS:
            english = f"there are {len(table.rows):,} rows, at most {MOST_ROWS:,}: narrow what counts"
            raise Invalid([("filter", english, f"共 {len(table.rows):,} 行，最多 {MOST_ROWS:,} 行：请缩小范围")])
        return table
    there = {row.keys: row for row in table.rows}
    series = {(row.keys[:at], row.keys[at + 1 :]): row.figure.inputs for row in table.rows}
    if len(view.group) == 1:
        series[(), ()] = table.total.inputs
    first, last = _ends(tx, of, view, [row.keys[at] for row in table.rows])
    count = -(-(last - first) // _HOURS.get(view.group[at], 168))  # more of them need not be told apart
    spans = periods.spans(view.group[at], first, last) if count <= MOST else []
    if count > MOST or len(spans) * len(series) > MOST_ROWS:
        raise _too_many(view.group[at], max(count, len(spans)))
    still = [one.id for one in standing(of)]
    none = {one: reading.nothing(of, {id: inputs[id] for id in still}) for one, inputs in series.items()}
    wanted = {(*before, span, *after) for span in spans for before, after in series}
    rows = [there.get(keys) or Row(keys, none[keys[:at], keys[at + 1 :]]) for keys in sorted(wanted | there.keys())]
    return replace(table, rows=rows)


def _place(group: Sequence[str]) -> int | None:
    """Which of the groups is one of time."""
    return next((at for at, name in enumerate(group) if name in GRAINS), None)


def _ends(tx: Transaction, of: Kpi, view: View, keys: Sequence[str]) -> tuple[int, int]:
    """The hours, the last excluded, that the spans have: those that are asked for until now, and all that is there."""
    grain = next(name for name in view.group if name in GRAINS)
    asked = [reading.question(measure, view) for measure in of.measures if measure not in standing(of)]
    begins, ends = [one.begin for one in asked], [one.end for one in asked]
    there = [periods.of_key(grain, key).hours for key in keys]
    known = [begin for begin, _ in there if begin is not None], [end for _, end in there if end is not None]
    begin = min((one for one in begins if one is not None), default=None)
    end = max((one for one in ends if one is not None), default=None)
    firsts = known[0] + ([] if begin is None or None in begins else [begin])
    lasts = known[1] + ([] if end is None or None in ends else [min(end, _now(tx, view))])
    return (min(firsts), max(lasts)) if firsts and lasts else (0, 0)


def _now(tx: Transaction, view: View) -> int:
    """The hour after the one from which the caller looks."""
    then = tx.now if view.as_of is None else datetime.fromtimestamp(0, UTC) + timedelta(microseconds=view.as_of)
    here = min(then, tx.now).astimezone(company_zone())
    return (here.date() - EPOCH).days * 24 + here.hour + 1


def _too_many(grain: str, count: int) -> Invalid:
    coarser = _COARSER.get(grain, "year")
    english = f"by {grain} it has {count:,} spans in each series, at most {MOST:,} and {MOST_ROWS:,} rows in all"
    chinese = f"按 {grain} 分组，每个序列有 {count:,} 段；最多 {MOST:,} 段、共 {MOST_ROWS:,} 行"
    return Invalid(
        [("period", f"{english}: ask for a shorter one, or group by {coarser}",
          f"{chinese}：请缩短期间，或改按 {coarser} 分组")]
    )  # fmt: skip
