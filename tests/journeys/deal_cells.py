"""Rows and cells of CSV files as another system writes them. What cannot be read is nothing, and noted; no cell aborts.

The rules are few, so that whoever computes the same from the files (deal_figures) can go by them as well:

- a row with more cells than there are columns is none; of rows with one key the first counts;
- an amount is digits with at most one point, once blanks, commas and signs of money are gone; it is rounded to cents;
- a day is one of the layout's formats, from 2000 on and not yet to come.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from chassis import clock

ZONE = ZoneInfo("Asia/Shanghai")
"""Of the company's clock, by which a day begins."""
EARLIEST = date(2000, 1, 1)
Notes = Counter[str]
Row = dict[str, str]


class Misnamed(ValueError):
    """A file has not the column that the layout names."""


def today() -> date:
    return clock.now().astimezone(ZONE).date()


def rows(path: Path, delimiter: str, notes: Notes, key: str = "") -> list[Row]:
    """The rows of a file, without the blanks around its cells; `key` is a column that no two of them share."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file, delimiter=delimiter)
        _insist(path.name, lines.fieldnames or (), [key] if key else [])
        found: list[Row] = []
        seen: set[str] = set()
        for line in lines:
            if None in line:
                notes[f"rows of {path.name} with more cells than columns: none"] += 1
                continue
            row = {column: (cell or "").strip() for column, cell in line.items()}
            if key and row[key] and row[key] in seen:
                notes[f"rows of {path.name} whose {key} was there before: none"] += 1
                continue
            seen.add(row.get(key, ""))
            found.append(row)
    return found


def named(path: Path, delimiter: str, wanted: Iterable[str], *others: Path) -> None:
    """Raises Misnamed where neither the file nor the others has one of the columns."""
    columns: list[str] = []
    for one in dict.fromkeys((path, *others)):
        with one.open(encoding="utf-8-sig", newline="") as file:
            columns += next(csv.reader(file, delimiter=delimiter), [])
    _insist(path.name, columns, wanted)


def _insist(file: str, columns: Sequence[str], wanted: Iterable[str]) -> None:
    lacking = [one for one in wanted if one not in columns]
    if lacking:
        raise Misnamed(f"{file} has no column {', '.join(lacking)}; it has {', '.join(columns)}")


def amount(text: str, notes: Notes) -> Decimal | None:
    """None where it says none."""
    plain = re.sub(r"[\s,$€£¥]", "", text)
    if not re.fullmatch(r"\d{1,12}(\.\d+)?", plain):
        if text:
            notes[f"amount {text} is none"] += 1
        return None
    if plain != text:
        notes["amounts with commas or signs of money: without"] += 1
    found = Decimal(plain)
    cents = found.quantize(Decimal("0.01"), ROUND_HALF_UP)
    if cents != found:
        notes["amounts finer than a cent: rounded"] += 1
    return cents


def day(text: str, formats: Iterable[str], last: date, notes: Notes) -> date | None:
    """None where it says none. `last`: no day is later."""
    for form in formats if text else ():
        try:
            found = datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if EARLIEST <= found <= last:
            return found
    if text:
        notes[f"day {text} is none"] += 1
    return None
