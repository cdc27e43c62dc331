"""What reports should say of a set of deals, computed from its CSV files by DuckDB: nothing of Dealwright's, and none
of the reading that brings them (deal_sheets) but the layout itself, has a part in it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb

from tests.journeys.deal_sheets import Layout, Stage

Figures = dict[tuple[str, ...], Any]
"""By the keys of a report's rows: counts are whole, money is Decimal, ratios and days are fractions."""

MEASURES = {
    "opportunities-won": "count(*) filter (where kind = 'WON')",
    "opportunities-lost": "count(*) filter (where kind = 'LOST')",
    "won-amount": "sum(value) filter (where kind = 'WON')",
    "win-rate": "count(*) filter (where kind = 'WON') / count(*)::double",
    "average-deal": "[sum(value) filter (where kind = 'WON'), count(*) filter (where kind = 'WON')]",
    "average-cycle": "sum(date_diff('day', opened, closed)) filter (where kind = 'WON') "
    "/ count(*) filter (where kind = 'WON')::double",
}
"""Of deals that were closed, at the time when they were."""
AT_STAGE = {
    "stage-entered": "count(*)",
    "stage-amount": "sum(value)",
    "stage-conversion": "count(*) filter (where advanced) / count(*)::double",
    "stage-drop-off": "count(*) filter (where dropped) / count(*)::double",
    "stage-time": "sum(stayed) / count(stayed)::double",
}
"""Of deals that came into a stage, at the time when they did."""
_NOTHING = "''"
GROUPS = ("owner", "manager", "owner_region", "product")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _exact(found: Any) -> Any:
    """A list of a sum and a count is what one comes to on average, to the cent."""
    if not isinstance(found, list):
        return found
    amount, count = found
    return (amount / count).quantize(Decimal("0.01"), ROUND_HALF_UP) if count else None


def _list(letter: str, numbers: Iterable[int]) -> str:
    return ", ".join(f"{letter}{number}" for number in numbers)


class Expected:
    """The figures of one set in a folder."""

    def __init__(self, of: Layout, folder: Path) -> None:
        self.of, self.folder = of, folder
        self._open = [n for n, stage in enumerate(of.stages) if stage.kind == "OPEN"]
        self.db = duckdb.connect()
        self._table("sheet", of.files["deals"])
        if of.join:
            self._table("more", of.join["file"])
            self.db.execute(
                f"create or replace table sheet as select * from sheet left join more using ({_name(of.join['on'])})"
            )
        self._staff()
        self._deals()
        self._visits()

    def by(self, kpi: str, *group: str) -> Figures:
        """The figures of a KPI, grouped by these: a person's parts, "stage", "quarter"."""
        if kpi == "opportunities-opened":
            return self._grouped("count(*)", "deals", "opened", group)
        if kpi in AT_STAGE:
            return self._grouped(AT_STAGE[kpi], "visits", "day", group)
        return self._grouped(MEASURES[kpi], "(from deals where kind <> 'OPEN')", "closed", group)

    def _grouped(self, measure: str, source: str, time: str, group: tuple[str, ...]) -> Figures:
        keys = [f"strftime(date_trunc('quarter', {time}), '%Y-%m-%d')" if one == "quarter" else one for one in group]
        rows = self.db.execute(f"select {', '.join([*keys, measure])} from {source} group by all").fetchall()
        return {tuple(key or "" for key in row[:-1]): _exact(row[-1]) for row in rows}

    def _table(self, name: str, file: str) -> None:
        path = _text(str(self.folder / file))
        self.db.execute(f"create table {name} as from read_csv({path}, header = true, all_varchar = true)")

    def _meant(self, what: str, column: str) -> str:
        """The column's value as it is meant."""
        cases = "".join(
            f" when {_text(said)} then {_text(meant)}" for said, meant in self.of.values.get(what, {}).items()
        )
        trimmed = f"coalesce(trim({_name(column)}), '')"
        return f"case {trimmed}{cases} else {trimmed} end" if cases else trimmed

    def _staff(self) -> None:
        columns = self.of.columns.get("people", {})
        if not columns:
            self.db.execute("create table staff (owner varchar, manager varchar, region varchar)")
            return
        self._table("people", self.of.files["people"])
        parts = [
            f"{self._meant(what, columns[part]) if part in columns else _NOTHING} as {what}"
            for what, part in (("owner", "name"), ("manager", "manager"), ("region", "region"))
        ]
        self.db.execute(f"create table staff as select {', '.join(parts)} from people")

    def _day(self, stage: Stage) -> str:
        formats = ", ".join(map(_text, self.of.date_formats))
        return f"try_strptime({_name(stage.entered)}, [{formats}])::date" if stage.entered else "null::date"

    def _deals(self) -> None:
        """A row for each: its day in each stage that it passed (`d0`, `d1`, …), where it stands (`place`, `kind`)."""
        columns, stages = self.of.columns["deals"], self.of.stages
        every, open_ = range(len(stages)), self._open
        closing = [n for n in every if n not in open_]
        parts = [
            *(
                f"{self._meant(one, columns[one]) if one in columns else _NOTHING} as {one}"
                for one in ("owner", "product")
            ),
            f"try_cast(replace({_name(columns['value'])}, ',', '') as decimal(18, 4)) as value",
            f"{_name(columns['stage']) if 'stage' in columns else _NOTHING} as said",
            *(f"{self._day(stage)} as day{n}" for n, stage in enumerate(stages)),
        ]
        said = [f"when said = {_text(stages[n].said)} then {n}" for n in every if stages[n].said]
        dated = [f"when day{n} is not null then {n}" for n in reversed(every)]
        place = f"case {' '.join([*said, *dated])} else 0 end"
        self.db.execute(f"create table dated as select {', '.join(parts)} from sheet")
        self.db.execute(f"create table placed as select *, {place} as place from dated")
        last = f"(select max(greatest({_list('day', every)})) from placed)"
        known = [
            f"case when place = {n} then coalesce(day{n}, {last}) "
            f"when {n} < place and {n in open_} then day{n} end as k{n}"
            for n in every
        ]
        # No day lies before one that came before it.
        ordered = [f"case when k{n} is not null then greatest({_list('k', range(n + 1))}) end as d{n}" for n in every]
        begun, ended = f"coalesce({_list('d', open_)})", f"coalesce({_list('d', closing)})"
        kinds = " ".join(f"when {n} then {_text(stage.kind)}" for n, stage in enumerate(stages))
        self.db.execute(f"create table known as select *, {', '.join(known)} from placed")
        self.db.execute(f"create table ordered as select *, {', '.join(ordered)} from known")
        # What was closed and nobody says when it was opened was opened in the first stage on that day.
        self.db.execute(f"update ordered set d0 = {ended} where {begun} is null")
        self.db.execute(
            f"create table deals as select ordered.owner, product, value, {_list('d', every)}, "
            f"{begun} as opened, {ended} as closed, case place {kinds} end as kind, manager, region as owner_region "
            "from ordered left join staff using (owner)"
        )

    def _visits(self) -> None:
        """A row for each open stage of each deal."""
        parts = []
        for n in self._open:
            later = [m for m in self._open if m > n]
            after = f"coalesce({', '.join([*(f'd{m}' for m in later), 'closed'])})"
            went_on = " or ".join(["kind = 'WON'", *(f"d{m} is not null" for m in later)])
            none_later = " and ".join(["kind = 'LOST'", *(f"d{m} is null" for m in later)])
            parts.append(
                f"select {_text(self.of.stages[n].id)} as stage, d{n} as day, deals.*, "
                f"{went_on} as advanced, {none_later} as dropped, date_diff('day', d{n}, {after}) as stayed "
                f"from deals where d{n} is not null"
            )
        self.db.execute(f"create table visits as {' union all '.join(parts)}")
