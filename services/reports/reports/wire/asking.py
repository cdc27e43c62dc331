"""What callers ask of figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from chassis.errors import Invalid
from chassis.fields import FieldCheck
from reports.domain import periods
from reports.domain.board import SINGLE, Board, Tile
from reports.domain.checking import can_group, check_values, grains
from reports.domain.kpi import Kpi
from reports.domain.periods import ALL, GRAINS, Period
from reports.domain.view import View
from reports.settings import company_zone
from reports.wire.news import micros

MOST_GROUPS = 2
MOST_MONTHS = 24
_LONGEST = 2000
_FAR = (periods.FAR - periods.EPOCH).days * 86_400_000_000
_TERM = re.compile(r"""\s*(?P<name>[A-Za-z_]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s()"]+))\s*""")
_WORD = re.compile(r"(?P<word>AND|OR)\b")


def id_of(name: str) -> str:
    """The id of a KPI or a board, of "reports/{id}"."""
    return name.partition("/")[2]


def as_of(request: Any) -> int | None:
    """Until when what was learnt is asked for, in microseconds; None: now. Raises Invalid after the year 9998."""
    if not request.HasField("as_of_time"):
        return None
    found = micros(request.as_of_time)
    if found >= _FAR:
        raise Invalid([("as_of_time", "must be before the year 9999", "须早于 9999 年")])
    return found


def view(request: Any, of: Kpi, today: date, last: date | None = None) -> View:
    """What a request asks of a KPI, as it counted at the moment that is asked for. `last` is the day on which its
    period is said, where that is not today. Raises Invalid on "period",
    "groupBy", "keys", "filter" or "asOfTime"."""
    check = FieldCheck()
    group, keys = (tuple(getattr(request, name, ())) for name in ("group_by", "keys"))
    found = View(
        period(request.period, _looked_at(request, last or today), check),
        _looked_at(request, today),
        group,
        where(request.filter, check),
        as_of(request),
        keys,
        _hours(group, keys, check),
        period_text=request.period or "this_month",
        filter_text=request.filter,
    )
    fit("group_by", group, of, check)
    fit_filter("filter", found.where, of, check)
    refuse_groups("group_by", group, check)
    if check.violations:
        raise Invalid(check.violations)
    return found


def _hours(group: Sequence[str], keys: Sequence[str], check: FieldCheck) -> tuple[int | None, int | None]:
    """What the time of a cell means."""
    if keys and len(keys) != len(group):
        check.refuse("keys", "are those of a row: one for each groupBy", "须与 groupBy 一一对应")
    for name, key in zip(group, keys, strict=False):
        if name in GRAINS:
            try:
                return periods.of_key(name, key).hours
            except (ValueError, OverflowError):
                example = periods.key_of(name, 493_000 if name == "hour" else 20_544)
                check.refuse("keys", f"{key[:40]!r} is no {name}: {example}", f"{key[:40]} 无效，例如 {example}")
    return None, None


def tile_view(request: Any, of: Board, tile: Tile, kpi: Kpi, today: date, last: date | None = None) -> View:
    """What a request asks of a tile's KPI: what the tile says goes before what the request does, and of that, what the
    KPI does not have is left out, and noted of a filter. Raises Invalid on "period" or "filter"."""
    check = FieldCheck()
    text = tile.period or request.period or of.period
    can = can_group(kpi)
    wanted = where(request.filter, check)
    asked = {name: values for name, values in wanted.items() if name in can}
    narrowed = {**asked, **where(tile.filter, FieldCheck())}
    group = tile.group_by
    if not group and tile.chart not in SINGLE:
        group = tuple(name for name in request.group_by if name in can or name in grains(kpi))[:MOST_GROUPS]
    found = View(
        period(text, _looked_at(request, last or today), check),
        _looked_at(request, today),
        group,
        narrowed,
        as_of(request),
        period_text=text,
        filter_text=_written(narrowed),
        not_filtered_by=tuple(name for name in wanted if name not in can),
    )
    if check.violations:
        raise Invalid(check.violations)
    return found


def check_board(request: Any, kpis: Sequence[Kpi], today: date) -> None:
    """Raises Invalid for what no tile of a board has."""
    check = FieldCheck()
    today = _looked_at(request, today)
    can = {name for one in kpis for name in can_group(one)}
    known = ", ".join(sorted(can))
    period(request.period, today, check)
    asked = where(request.filter, check)
    for name in asked:
        if name not in can:
            check.refuse("filter", f"{name[:40]}: there are {known}", f"{name[:40]}：可用 {known}")
    check_values("filter", asked, kpis, check)
    for name in request.group_by:
        if name not in can and name not in GRAINS:
            check.refuse("group_by", f"{name[:40]}: there are {known}", f"{name[:40]}：可用 {known}")
    refuse_groups("group_by", request.group_by, check)
    if check.violations:
        raise Invalid(check.violations)


def _looked_at(request: Any, today: date) -> date:
    """The day from which a request looks: whoever asks what was known on a day means what was old, overdue or this
    month's on that day."""
    if as_of(request) is None:
        return today
    then: datetime = request.as_of_time.ToDatetime(UTC)
    return min(today, then.astimezone(company_zone()).date())


def _written(where: Mapping[str, Sequence[str]]) -> str:
    quoted = {name: [value.replace("\\", "\\\\").replace('"', '\\"') for value in where[name]] for name in where}
    return " AND ".join(" OR ".join(f'{name} = "{one}"' for one in quoted[name]) for name in where)


def refuse_groups(field: str, group: Sequence[str], check: FieldCheck) -> None:
    """Refuses more than there is room for."""
    if len(group) > MOST_GROUPS or len(set(group)) < len(group) or len([g for g in group if g in GRAINS]) > 1:
        check.refuse(field, "at most two, of them one of time", "最多两项，其中时间至多一项")


def period(text: str, today: date, check: FieldCheck, field: str = "period") -> Period:
    try:
        return periods.read(text, today)
    except (ValueError, OverflowError):
        example = "this_month, last_7_days, 2026-Q4, 2026-11-01..2026-11-15, 2026-11-22T15, all"
        check.refuse(field, f"is none; write for example {example}", f"不是有效的期间，例如 {example}")
        return ALL


def fit(field: str, names: Sequence[str], of: Kpi, check: FieldCheck) -> None:
    """Refuses what the facts of a KPI cannot be grouped or filtered by."""
    can = can_group(of)
    grouping = field.endswith("group_by")
    for name in names:
        if grouping and name in GRAINS and not grains(of):
            check.refuse(
                field,
                f"{name}: its measures go by several times; ask for each period by itself, of a stock asOfTime",
                f"{name}：其度量的时间口径不一，请逐个期间查询，存量请用 asOfTime",
            )
        elif name not in can and not (grouping and name in GRAINS):
            known = ", ".join((*can, *(grains(of) if grouping else ())))
            check.refuse(field, f"{name[:40]}: there are {known}", f"{name[:40]}：可用 {known}")


def fit_filter(field: str, where: Mapping[str, Sequence[str]], of: Kpi, check: FieldCheck) -> None:
    """Refuses what a KPI cannot be filtered by, and values that nothing of it has."""
    fit(field, list(where), of, check)
    check_values(field, where, [of], check)


def where(text: str, check: FieldCheck, field: str = "filter") -> dict[str, tuple[str, ...]]:
    """`region = "华东" AND stage = proposal OR stage = quote`: values by dimension; OR binds closer, between values of
    one dimension."""
    found: dict[str, tuple[str, ...]] = {}
    at, joined, last = 0, "AND", ""
    while text.strip() and at <= len(text):
        term = _TERM.match(text, at) if len(text) <= _LONGEST else None
        if term is None or (joined == "OR" and term["name"] != last) or (joined == "AND" and term["name"] in found):
            check.refuse(
                field,
                f"at character {at + 1}: write dimension = value, AND between dimensions, OR between values of one",
                f"第 {at + 1} 个字符：写作 维度 = 值，不同维度间用 AND，同一维度的值之间用 OR",
            )
            return {}
        last = term["name"]
        value = re.sub(r"\\(.)", r"\1", term["quoted"]) if term["quoted"] is not None else term["bare"]
        found[last] = (*found.get(last, ()), value)
        at = term.end()
        if at == len(text):
            break
        word = _WORD.match(text, at)
        joined, at = (word["word"], word.end()) if word else ("", at)
    return found


def months(asked: int) -> int:
    """How many months back. Raises Invalid."""
    if not 0 <= asked <= MOST_MONTHS:
        raise Invalid([("months", f"must be 1 to {MOST_MONTHS}", f"须为 1 到 {MOST_MONTHS}")])
    return asked or 6
