"""What reports should say of a set of leads and deals, computed from its CSV files by DuckDB: nothing of Dealwright's,
and none of the reading that brings them (deal_sheets) but the layout itself, has a part in it. What is no amount, no
day or no row is none by the same rules (deal_cells), written anew."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb

from tests.journeys.deal_sheets import CHANNELS, OTHER, Layout

Figures = dict[tuple[str, ...], Any]
"""By the keys of a report's rows: counts are whole, money is Decimal, ratios and days are fractions."""

MEASURES = {
    "opportunities-won": "count(*) filter (where kind = 'WON')",
    "opportunities-lost": "count(*) filter (where kind = 'LOST')",
    "won-amount": "sum(value) filter (where kind = 'WON')",
    "win-rate": "count(*) filter (where kind = 'WON') / count(*)::double",
    "average-deal": "[sum(value) filter (where kind = 'WON'), count(*) filter (where kind = 'WON')]",
    "average-cycle": "sum(greatest(0, date_diff('day', begun, closed))) filter (where kind = 'WON') "
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
LEADS = {
    "leads-captured": "count(*)",
    "lead-conversion": "count(*) filter (where deals > 0) / count(*)::double",
    "lead-win-rate": "count(*) filter (where won > 0) / count(*)::double",
    "source-opportunities": "sum(deals)",
    "source-won-amount": "sum(amount)",
}
"""Of leads, at the time when they were captured."""
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
    return ((amount or Decimal(0)) / count).quantize(Decimal("0.01"), ROUND_HALF_UP) if count else None


def _list(letter: str, numbers: Iterable[int]) -> str:
    return ", ".join(f"{letter}{number}" for number in numbers)


class Expected:
    """The figures of one set in a folder."""

    def __init__(self, of: Layout, folder: Path, today: date) -> None:
        """`today`: later days are to come, and none."""
        self.of, self.folder, self.today = of, folder, today
        self._open = [n for n, stage in enumerate(of.stages) if stage.kind == "OPEN"]
        self.db = duckdb.connect()
        self._table("sheet", of.files["deals"], of.columns["deals"]["id"])
        if of.join:
            key = _name(of.join["on"])
            self._table("more", of.join["file"], of.join["on"])
            self.db.execute(f"create or replace table sheet as from sheet left join more using ({key})")
        self._staff()
        self._leads()
        self._deals()
        self._visits()

    def by(self, kpi: str, *group: str) -> Figures:
        """The figures of a KPI, grouped by these: a person's parts, "stage", "channel", "quarter"."""
        if kpi == "opportunities-opened":
            return self._grouped("count(*)", "deals", "opened", group)
        if kpi in AT_STAGE:
            return self._grouped(AT_STAGE[kpi], "visits", "day", group)
        if kpi in LEADS:
            return self._grouped(LEADS[kpi], "sourced", "captured", group)
        return self._grouped(MEASURES[kpi], "(from deals where kind <> 'OPEN')", "closed", group)

    def _grouped(self, measure: str, source: str, time: str, group: tuple[str, ...]) -> Figures:
        keys = [f"strftime(date_trunc('quarter', {time}), '%Y-%m-%d')" if one == "quarter" else one for one in group]
        rows = self.db.execute(f"select {', '.join([*keys, measure])} from {source} group by all").fetchall()
        return {tuple(key or "" for key in row[:-1]): _exact(row[-1]) for row in rows}

    def _table(self, name: str, file: str, key: str) -> None:
        """The rows of a file as they are, but blanks around cells; of two with one key the first."""
        path = self.folder / file
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header = next(csv.reader(lines, delimiter=self.of.delimiter))
        columns = ", ".join(f"{_text(one)}: 'VARCHAR'" for one in header)
        options = "header = true, auto_detect = false, null_padding = true, ignore_errors = true, parallel = false"
        self.db.execute(
            f"create table {name} as select coalesce(trim(columns(*), e' \\t\\r\\n'), '') from "
            f"read_csv({_text(str(path))}, delim = {_text(self.of.delimiter)}, quote = '\"', escape = '\"', "
            f"columns = {{{columns}}}, {options})"
        )
        first = f"select min(rowid) from {name} group by {_name(key)}"
        self.db.execute(f"delete from {name} where {_name(key)} <> '' and rowid not in ({first})")

    def _meant(self, what: str, column: str) -> str:
        """The column's value as it is meant."""
        cases = "".join(
            f" when {_text(said)} then {_text(meant)}" for said, meant in self.of.values.get(what, {}).items()
        )
        trimmed = f"coalesce({_name(column)}, '')"
        return f"case {trimmed}{cases} else {trimmed} end" if cases else trimmed

    def _staff(self) -> None:
        columns = self.of.columns.get("people", {})
        if not columns:
            self.db.execute("create table staff (owner varchar, manager varchar, region varchar)")
            return
        self._table("people", self.of.files["people"], columns["name"])
        parts = [
            f"{self._meant(what, columns[part]) if part in columns else _NOTHING} as {what}"
            for what, part in (("owner", "name"), ("manager", "manager"), ("region", "region"))
        ]
        self.db.execute(f"create table staff as select {', '.join(parts)} from people")
        self.db.execute("delete from staff where rowid not in (select min(rowid) from staff group by owner)")

    def _day(self, column: str) -> str:
        if not column:
            return "null::date"
        day = f"try_strptime({_name(column)}, [{', '.join(map(_text, self.of.date_formats))}])::date"
        return f"case when {day} between date '2000-01-01' and date '{self.today}' then {day} end"

    def _amount(self, column: str) -> str:
        plain = f"regexp_replace({_name(column)}, '[\\s,$€£¥]', '', 'g')"
        cents = f"round({plain}::decimal(38, 20), 2)::decimal(18, 2)"
        return f"case when regexp_full_match({plain}, '\\d{{1,12}}(\\.\\d+)?') then {cents} end"

    def _leads(self) -> None:
        """A row for each: by which channel it came, and when, if somebody says that."""
        columns = self.of.columns.get("leads", {})
        if not columns:
            self.db.execute("create table leads (id varchar, channel varchar, day date)")
            return
        self._table("lead_rows", self.of.files["leads"], columns["id"])
        said, known = self._meant("channel", columns["channel"]), ", ".join(map(_text, CHANNELS))
        channel = f"case when {said} in ({known}) then {said} else {_text(OTHER)} end"
        self.db.execute(
            f"create table leads as select {_name(columns['id'])} as id, {channel} as channel, "
            f"{self._day(columns['captured'])} as day from lead_rows"
        )

    def _deals(self) -> None:
        """A row for each: its day in each stage that it passed (`d0`, `d1`, …), where it stands (`place`, `kind`)."""
        columns, stages = self.of.columns["deals"], self.of.stages
        every, open_ = range(len(stages)), self._open
        closing = [n for n in every if n not in open_]
        parts = [
            *(
                f"{self._meant(one, columns[one]) if one in columns else _NOTHING} as {one}"
                for one in ("owner", "product", "stage", "lead")
            ),
            f"{self._amount(columns['value']) if 'value' in columns else 'null::decimal(18, 2)'} as value",
            *(f"{self._day(stage.entered)} as day{n}" for n, stage in enumerate(stages)),
        ]
        said = [f"when stage = {_text(stages[n].said)} then {n}" for n in every if stages[n].said]
        dated = [f"when day{n} is not null then {n}" for n in reversed(every)]
        place = f"case {' '.join([*said, *dated])} else 0 end"
        self.db.execute(f"create table dated as select {', '.join(parts)} from sheet")
        self.db.execute(f"create table placed as select *, {place} as place from dated")
        last = (
            f"(select max(day) from (select greatest({_list('day', every)}) as day from placed "
            "union all select day from leads))"
        )
        known = [
            f"case when place = {n} then coalesce(day{n}, {last}) "
            f"when {n} < place and {n in open_} then day{n} end as k{n}"
            for n in every
        ]
        # No day lies before one that came before it.
        ordered = [f"case when k{n} is not null then greatest({_list('k', range(n + 1))}) end as d{n}" for n in every]
        began, ended = f"coalesce({_list('d', open_)})", f"coalesce({_list('d', closing)})"
        kinds = " ".join(f"when {n} then {_text(stage.kind)}" for n, stage in enumerate(stages))
        self.db.execute(f"create table known as select *, {', '.join(known)} from placed")
        self.db.execute(f"create table ordered as select *, {', '.join(ordered)} from known")
        # What was closed and nobody says when it was opened was opened in the first stage on that day.
        self.db.execute(f"update ordered set d0 = {ended} where {began} is null")
        self.db.execute(
            f"create table captured as select rowid as nth, id, channel, coalesce(day, {last}) as captured from leads"
        )
        # Business begins with the lead, where that came first.
        self.db.execute(
            f"create table deals as select ordered.owner, product, lead, value, {_list('d', every)}, "
            f"{began} as opened, {ended} as closed, least({began}, captured) as begun, "
            f"case place {kinds} end as kind, manager, region as owner_region from ordered "
            "left join staff using (owner) left join captured on lead <> '' and captured.id = lead"
        )
        self.db.execute(
            "create table sourced as select channel, captured, count(deals.lead) as deals, "
            "count(*) filter (where kind = 'WON') as won, sum(value) filter (where kind = 'WON') as amount "
            "from captured left join deals on lead <> '' and captured.id = lead group by nth, channel, captured"
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
