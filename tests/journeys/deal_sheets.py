"""Deals as another system exports them: CSV files, and how they say what we ask, which is data.

A set is a folder of CSV files and a TOML file beside it that names its columns, its stages and what it writes otherwise
than it means (`data/crm-sales.toml`). Leads and deals in two files are one row each deal once they are joined
(`[join]`). Nothing is dropped: what is missing or cannot be so is brought as well as it can be, and noted.
"""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any


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

    def meant(self, what: str, said: str) -> str:
        return self.values.get(what, {}).get(said, said)


@dataclass(frozen=True)
class Deal:
    """`visits` are (stage's id, day) in their order; the last is where it stands. `value` is None where nothing is
    said."""

    id: str
    owner: str
    customer: str
    product: str
    value: Decimal | None
    visits: tuple[tuple[str, date], ...]


@dataclass(frozen=True)
class Sheets:
    """All of a set. `people`, `customers` and `products` are by name, with what else is said of each; `notes` count
    what was mapped or missing."""

    layout: Layout
    deals: Sequence[Deal]
    people: Mapping[str, Mapping[str, str]]
    customers: Mapping[str, Mapping[str, str]]
    products: Mapping[str, Mapping[str, str]]
    notes: Mapping[str, int]


def layout(path: Path) -> Layout:
    plain: dict[str, Any] = tomllib.loads(path.read_text())
    stages = tuple(Stage(**one) for one in plain.pop("stages"))
    formats = tuple(plain.pop("date_formats", ("%Y-%m-%d",)))
    return Layout(**plain, stages=stages, date_formats=formats)


def read(of: Layout, folder: Path) -> Sheets:
    """What the files say, as it is meant."""
    notes: Counter[str] = Counter()
    rows = _joined(of, folder, notes)
    columns = of.columns["deals"]
    last = max(day for row in rows for stage in of.stages if (day := _day(of, row.get(stage.entered, ""))))
    deals = [_deal(of, row, columns, last, notes) for row in rows]
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
    return Sheets(of, deals, **found, notes=notes)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{key: (value or "").strip() for key, value in row.items()} for row in csv.DictReader(file)]


def _joined(of: Layout, folder: Path, notes: Counter[str]) -> list[dict[str, str]]:
    rows = _rows(folder / of.files["deals"])
    if not of.join:
        return rows
    key = of.join["on"]
    more = {row[key]: row for row in _rows(folder / of.join["file"])}
    notes["rows of the second file that complete none"] += len(more.keys() - {row[key] for row in rows})
    return [{**row, **more.get(row[key], {})} for row in rows]


def _named(of: Layout, folder: Path, kind: str, what: str, notes: Counter[str]) -> dict[str, dict[str, str]]:
    """The rows of a file by the name in them, with what its other columns mean."""
    if kind not in of.files:
        return {}
    columns = of.columns[kind]
    found = {}
    for row in _rows(folder / of.files[kind]):
        said = {meaning: _meant(of, meaning, row[column], notes) for meaning, column in columns.items()}
        found[_meant(of, what, said.pop("name"), notes)] = said
    return found


def _meant(of: Layout, what: str, said: str, notes: Counter[str]) -> str:
    meant = of.meant(what, said)
    if meant != said:
        notes[f"{what} {said} is {meant}"] += 1
    return meant


def _day(of: Layout, text: str) -> date | None:
    for form in of.date_formats if text else ():
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def _deal(of: Layout, row: Mapping[str, str], columns: Mapping[str, str], last: date, notes: Counter[str]) -> Deal:
    said = {meaning: row.get(column, "") for meaning, column in columns.items()}
    for what in ("owner", "customer", "product"):
        said[what] = _meant(of, what, said.get(what, ""), notes)
    value = said.get("value", "").replace(",", "")
    return Deal(
        said["id"],
        said["owner"],
        said["customer"],
        said["product"],
        Decimal(value) if value else None,
        tuple(_visits(of, row, said.get("stage", ""), last, notes)),
    )


def _visits(of: Layout, row: Mapping[str, str], said: str, last: date, notes: Counter[str]) -> list[tuple[str, date]]:
    days = {stage.id: _day(of, row.get(stage.entered, "")) for stage in of.stages}
    there = next((stage for stage in of.stages if stage.said == said), None)
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
