"""Leads and deals as another system exports them: CSV files, and how they say what we ask, which is data.

A set is a folder of CSV files and a TOML file that names its columns, its stages and what it writes otherwise than it
means (`data/crm-sales.toml`, `data/fairs.toml`). Rows of a second file complete those of the deals (`[join]`). A file
of leads makes leads with their channels, which deals name (`columns.deals.lead`). What is missing or cannot be so is
brought as well as it can be, and noted (deal_cells).
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.journeys import deal_cells as cells
from tests.journeys.deal_cells import Notes, Row

CHANNELS = ("WEB_FORM", "TRADE_SHOW", "DOUYIN", "WECHAT", "PHONE_400", "REFERRAL", "IMPORT", "API")
OTHER = "IMPORT"
"""By which a lead came of which nobody says it, or in a way that is none of these."""


@dataclass(frozen=True)
class Stage:
    """`said`: how the deals call it; `entered`: the column with the day when a deal came into it, empty if nobody says.
    `kind` is OPEN, WON or LOST."""

    id: str
    said: str
    kind: str = "OPEN"
    entered: str = ""


@dataclass(frozen=True)
class Layout:
    """`columns` are by file and by what they mean. Without a column `stage` a deal stands in the last stage that it has
    a day for. `join` is {"file", "on"}: rows of that file, found by their column `on`, complete those of the deals."""

    pipeline: str
    name: str
    currency: str
    files: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]
    stages: tuple[Stage, ...]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    join: Mapping[str, str] = field(default_factory=dict)
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    delimiter: str = ","

    def meant(self, what: str, said: str) -> str:
        return self.values.get(what, {}).get(said, said)


@dataclass(frozen=True)
class Lead:
    id: str
    channel: str
    captured: date


@dataclass(frozen=True)
class Deal:
    """`visits` are (stage's id, day) in their order; the last is where it stands. `value` is None where nothing is
    said, `lead` the id of the one that it came from."""

    id: str
    owner: str
    customer: str
    product: str
    value: Decimal | None
    visits: tuple[tuple[str, date], ...]
    lead: str = ""


@dataclass(frozen=True)
class Sheets:
    """All of a set. `people`, `customers` and `products` are by name, with what else is said of each; `notes` count
    what was mapped or missing."""

    layout: Layout
    deals: Sequence[Deal]
    people: Mapping[str, Mapping[str, str]]
    customers: Mapping[str, Mapping[str, str]]
    products: Mapping[str, Mapping[str, str]]
    notes: Notes
    leads: Sequence[Lead] = ()


def layout(path: Path) -> Layout:
    plain: dict[str, Any] = tomllib.loads(path.read_text())
    stages = tuple(Stage(**one) for one in plain.pop("stages"))
    formats = tuple(plain.pop("date_formats", ("%Y-%m-%d",)))
    return Layout(**plain, stages=stages, date_formats=formats)


def read(of: Layout, folder: Path) -> Sheets:
    """What the files say, as it is meant. Raises Misnamed for a column that is not there, and ValueError where no row
    has a day."""
    notes: Notes = Counter()
    rows = _joined(of, folder, notes)
    entered = [_days(of, row, [stage.entered for stage in of.stages], notes) for row in rows]
    said = _rows(of, folder, "leads", notes, "id")
    captured = [_days(of, row, [of.columns["leads"]["captured"]], notes) for row in said]
    there = [day for days in (*entered, *captured) for day in days.values() if day]
    if not there:
        raise ValueError(f"no row has a day: {', '.join(of.date_formats)}")
    last = max(there)
    leads = [_lead(of, row, days, last, notes) for row, days in zip(said, captured, strict=True)]
    deals = [_deal(of, row, days, last, notes) for row, days in zip(rows, entered, strict=True)]
    found = {
        "people": _named(of, folder, "people", "owner", notes),
        "customers": _named(of, folder, "customers", "customer", notes),
        "products": _named(of, folder, "products", "product", notes),
    }
    for kind, attribute in (("people", "owner"), ("customers", "customer"), ("products", "product")):
        for deal in deals:
            name = getattr(deal, attribute)
            if not name:
                notes[f"deals without {attribute}"] += 1
            elif name not in found[kind]:
                notes[f"{attribute} of no list"] += 1
                found[kind][name] = {}
    if leads:
        known = {lead.id for lead in leads} - {""}
        notes["deals without a lead of the list"] += sum(deal.lead not in known for deal in deals)
    return Sheets(of, deals, **found, notes=+notes, leads=leads)


def _rows(of: Layout, folder: Path, kind: str, notes: Notes, key: str) -> list[Row]:
    """The rows of a file, if the set has it; of two with one `key` the first."""
    if kind not in of.files:
        return []
    path, columns = folder / of.files[kind], of.columns[kind]
    cells.named(path, of.delimiter, columns.values())
    return cells.rows(path, of.delimiter, notes, columns[key])


def _joined(of: Layout, folder: Path, notes: Notes) -> list[Row]:
    path, columns = folder / of.files["deals"], of.columns["deals"]
    wanted = {*columns.values(), *(stage.entered for stage in of.stages if stage.entered)}
    other = folder / of.join["file"] if of.join else path
    cells.named(path, of.delimiter, wanted, other)
    rows = cells.rows(path, of.delimiter, notes, columns["id"])
    if not of.join:
        return rows
    key = of.join["on"]
    again: Notes = notes if of.join["file"] != of.files.get("leads") else Counter()  # noted where it makes leads
    more = {row[key]: row for row in cells.rows(other, of.delimiter, again, key) if row[key]}
    notes["rows of the second file that complete none"] += len(more.keys() - {row[key] for row in rows})
    return [{**more.get(row[key], {}), **row} for row in rows]


def _named(of: Layout, folder: Path, kind: str, what: str, notes: Notes) -> dict[str, dict[str, str]]:
    """The rows of a file by the name in them, with what its other columns mean."""
    found: dict[str, dict[str, str]] = {}
    for row in _rows(of, folder, kind, notes, "name"):
        columns = of.columns[kind]
        said = {meaning: _meant(of, meaning, row[column], notes) for meaning, column in columns.items()}
        found.setdefault(_meant(of, what, said.pop("name"), notes), said)
    found.pop("", None)
    return found


def _meant(of: Layout, what: str, said: str, notes: Notes) -> str:
    meant = of.meant(what, said)
    if meant != said:
        notes[f"{what} {said} is {meant}"] += 1
    return meant


def _days(of: Layout, row: Row, columns: Sequence[str], notes: Notes) -> dict[str, date | None]:
    """By column; each is looked at once."""
    return {one: cells.day(row.get(one, ""), of.date_formats, cells.today(), notes) for one in dict.fromkeys(columns)}


def _lead(of: Layout, row: Row, days: Mapping[str, date | None], last: date, notes: Notes) -> Lead:
    columns = of.columns["leads"]
    channel = _meant(of, "channel", row[columns["channel"]], notes)
    if channel not in CHANNELS:
        notes[f"channel {channel or '(none)'} is none: {OTHER}"] += 1
        channel = OTHER
    captured = days[columns["captured"]]
    if captured is None:
        notes[f"leads without a day: as of {last}"] += 1
    return Lead(row[columns["id"]], channel, captured or last)


def _deal(of: Layout, row: Row, days: Mapping[str, date | None], last: date, notes: Notes) -> Deal:
    said = {meaning: row.get(column, "") for meaning, column in of.columns["deals"].items()}
    for what in ("owner", "customer", "product", "stage"):
        said[what] = _meant(of, what, said.get(what, ""), notes)
    return Deal(
        said["id"],
        said["owner"],
        said["customer"],
        said["product"],
        cells.amount(said.get("value", ""), notes),
        tuple(_visits(of, {stage.id: days[stage.entered] for stage in of.stages}, said["stage"], last, notes)),
        said.get("lead", ""),
    )


def _visits(of: Layout, days: Mapping[str, date | None], said: str, last: date, notes: Notes) -> list[tuple[str, date]]:
    there = next((stage for stage in of.stages if said and stage.said == said), None)
    if there is None:
        if said:
            notes[f"stage {said} is none"] += 1
        there = next((stage for stage in reversed(of.stages) if days[stage.id]), of.stages[0])
    found: list[tuple[str, date]] = []
    for stage in of.stages:
        day = days[stage.id]
        if stage is there and day is None:
            notes[f"deals in {stage.said} without a day: as of {last}"] += 1
            day = last
        passed = stage.kind == "OPEN" and of.stages.index(stage) < of.stages.index(there)
        if day is None or not (passed or stage is there):
            continue
        if found and day < found[-1][1]:
            notes["days that are not in order"] += 1
            day = found[-1][1]
        found.append((stage.id, day))
    if there.kind != "OPEN" and len(found) == 1:
        notes["deals that were closed and nobody says when they were opened: on that day"] += 1
        found.insert(0, (of.stages[0].id, found[0][1]))
    return found
