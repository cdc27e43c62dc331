"""A report as it goes into a file: tables of plain values, and what is drawn of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reports.domain import board


class Kind(StrEnum):
    """What a column holds. Of days: the first of its span."""

    TEXT = "text"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    TIME = "time"
    COUNT = "count"
    MONEY = "money"
    RATIO = "ratio"
    SECONDS = "seconds"
    LONG = "long"  # hours, days
    NUMBER = "number"


Cell = str | float | date | datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """`unit` as people read it: a currency, "days"; empty for what is only counted. Titles have it, where one has to
    be told; `bare` has not."""

    title: str
    kind: Kind
    unit: str = ""

    @property
    def bare(self) -> str:
        return self.title.removesuffix(f" ({self.unit})")


@dataclass(frozen=True, slots=True)
class Section:
    """A tile. The first `keys` columns say of which group a row is, the next is its figure, where `overlaid` the one
    after that is the overlay's, then come `further` KPIs', and where there is a target that and how much of it was
    reached. `total` has no key. `lacking` says what is in no figure; `about` has it, too."""

    title: str
    about: str
    chart: int
    columns: Sequence[Column]
    keys: int
    rows: Sequence[tuple[Cell, ...]]
    total: tuple[Cell, ...]
    overlaid: bool = False
    instead: str = ""
    further: int = 0
    lacking: str = ""

    @property
    def unit(self) -> Kind:
        return self.columns[self.keys].kind

    @property
    def single(self) -> bool:
        """One number, and nothing drawn of it."""
        return self.chart in board.SINGLE and not self.keys

    @property
    def said(self) -> tuple[str, str]:
        """A single number as people read it, and what it is of: a currency, days."""
        if self.instead:
            return "", ""
        column = self.columns[self.keys]
        return written(self.total[self.keys], column.kind) or "–", "" if column.kind == Kind.RATIO else column.unit

    @property
    def aims(self) -> int:
        """Where the columns of the target begin."""
        return self.keys + 1 + self.overlaid + self.further

    @property
    def reached(self) -> float | None:
        """Of a gauge, how much of the target was reached; None where there is none."""
        share = self.total[-1] if self.chart == board.GAUGE and self.aims < len(self.total) else None
        return share if isinstance(share, float) else None

    @property
    def aim(self) -> str:
        """What is to be reached, and how much of it was; empty where nothing is."""
        behind = list(zip(self.columns, self.total, strict=True))[self.aims :]
        there = [(column, cell) for column, cell in behind if cell is not None]
        return " · ".join(f"{column.bare} {written(cell, column.kind)}" for column, cell in there)


@dataclass(frozen=True, slots=True)
class Paper:
    """`made` says who made it and when, `words` are those that files need besides, in its language."""

    title: str
    made: str
    language: str
    currency: str
    sections: Sequence[Section]
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: Sequence[float | None]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn: `series` over `categories`; `line` is drawn over them by a scale of its own. `left_out`: how many
    categories were too many: of `timely` ones the first, else the least; `series_left_out`: so many series, the least.
    `apart`: series of different units, each with a scale of its own.
    `goals`: of a gauge, what is to be reached of each category."""

    chart: int
    categories: Sequence[str]
    series: Sequence[Series]
    line: Series | None = None
    left_out: int = 0
    timely: bool = False
    apart: bool = False
    goals: Series | None = None
    series_left_out: int = 0

    def lacks(self, words: Mapping[str, str]) -> str:
        """What is not drawn, in these words; empty where all is."""
        counted = (("left_out", self.left_out), ("series_left_out", self.series_left_out))
        return " · ".join(words[word].format(count) for word, count in counted if count)


MOST_TOGETHER = 12


def sheaves(of: Sequence[Section]) -> list[list[Section]]:
    """The sections page by page: numbers that follow each other share one."""
    found: list[list[Section]] = []
    for one in of:
        together = one.single and found and found[-1][0].single and len(found[-1]) < MOST_TOGETHER
        if together:
            found[-1].append(one)
        else:
            found.append([one])
    return found


_TIMES = (Kind.DAY, Kind.MONTH, Kind.YEAR, Kind.TIME)


def picture(of: Section, most: int = 1000, most_series: int = 12) -> Picture | None:
    """What is drawn of a section: of too many the latest, and the largest, in the order of its rows; None where nothing
    is: it is a number or a table, or has no rows."""
    if of.instead or not of.rows or not of.keys or of.chart in (board.NUMBER, board.TABLE):
        return None
    if of.keys == 1:
        return _of_one(of, most)
    return _of_two(of, most, most_series)


def _of_two(of: Section, most: int, most_series: int) -> Picture:
    """Time runs across; else the first of the two."""
    across = 1 if of.columns[1].kind in _TIMES and of.columns[0].kind not in _TIMES else 0
    timely = of.columns[across].kind in _TIMES
    cells: dict[str, dict[str, float | None]] = {}
    for row in of.rows:
        value = row[of.keys]
        cells.setdefault(_key(of, row, 1 - across), {})[_key(of, row, across)] = (
            value if isinstance(value, float) else None
        )
    names = list(dict.fromkeys(_key(of, row, across) for row in of.rows))
    across_all = [sum(abs(each.get(name) or 0) for each in cells.values()) for name in names]
    shown = sorted(names)[-most:] if timely else [names[at] for at in _largest(across_all, most)]
    lines = list(cells.items())
    kept = _largest([sum(abs(value or 0) for value in each.values()) for _, each in lines], most_series)
    series = [Series(lines[at][0], [lines[at][1].get(name) for name in shown], of.unit) for at in kept]
    left_out, series_left_out = len(names) - len(shown), len(lines) - len(series)
    chart = board.BAR if of.chart == board.PIE else of.chart
    return Picture(chart, shown, series, None, left_out, timely, series_left_out=series_left_out)


def _largest(values: Sequence[float], most: int) -> list[int]:
    """The places of these."""
    return sorted(sorted(range(len(values)), key=lambda at: -values[at])[:most])


def _of_one(of: Section, most: int) -> Picture:
    rows = list(of.rows)
    late = of.columns[0].kind in _TIMES
    sizes = [abs(value) if isinstance(value := row[1], float) else 0.0 for row in rows]
    shown = rows[-most:] if late else [rows[at] for at in _largest(sizes, most)]
    if of.chart == board.RANKING:  # which has the best first
        shown = rows[:most]
    names = [_key(of, row, 0) for row in shown]

    def series(at: int) -> Series:
        values = [value if isinstance(value := row[at], float) else None for row in shown]
        return Series(of.columns[at].title, values, of.columns[at].kind)

    left_out = len(rows) - len(shown)
    if of.chart == board.HEAT_MAP:
        each = [series(at) for at in range(1, of.aims)]
        return Picture(of.chart, names, each, None, left_out, late, apart=len({one.kind for one in each}) > 1)
    first, *more = (series(at) for at in range(1, 2 + of.overlaid))
    goals = series(of.aims) if of.chart == board.GAUGE and of.aims < len(of.columns) else None
    chart = of.chart
    if chart == board.PIE and any((value or 0) < 0 for value in first.values):
        chart = board.BAR  # no pie has a slice below nothing
    return Picture(chart, names, [first], more[0] if more else None, left_out, late, goals=goals)


def _key(of: Section, row: tuple[Cell, ...], at: int) -> str:
    return written(row[at], of.columns[at].kind)


def written(value: Cell, kind: Kind) -> str:
    """As people read it; empty for what there is not."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return {Kind.MONTH: f"{value:%Y-%m}", Kind.YEAR: f"{value:%Y}"}.get(kind, value.isoformat())
    if isinstance(value, str):
        return value
    if kind == Kind.RATIO:
        return f"{value:.1%}"
    if kind == Kind.MONEY:
        return f"{value:,.2f}"
    if kind == Kind.LONG:
        return f"{value:,.1f}"
    if kind == Kind.NUMBER:
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,.0f}"


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis: from `low` to `high`, with a tick each `step`."""

    low: float
    high: float
    step: float

    @property
    def ticks(self) -> list[float]:
        count = round((self.high - self.low) / self.step)
        return [self.low + self.step * place for place in range(count + 1)]


def scales(of: Picture) -> list[Scale]:
    """Of each series, from nothing on."""
    if of.apart:
        return [scale(one.values) for one in of.series]
    return [scale([value for one in of.series for value in one.values])] * len(of.series)


def scale(values: Sequence[float | None], whole: bool = False) -> Scale:
    """One that has all of these and nothing, with four to eight ticks at round figures; `whole`: at whole ones."""
    there = [value for value in values if value is not None]
    low, high = min([0.0, *there]), max([0.0, *there])
    span = (high - low) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 5))
    step = next(power * one for one in (1, 2, 2.5, 5, 10) if power * one * 6 >= span)
    step = max(step, 1.0) if whole else step
    return Scale(math.floor(low / step + 1e-9) * step, max(math.ceil(high / step - 1e-9), 1) * step, step)
