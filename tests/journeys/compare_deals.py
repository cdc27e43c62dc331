"""Whether reports say of a set of leads and deals what its CSV files have.

    python -m tests.journeys.compare_deals FOLDER LAYOUT.toml

Starts a house of its own, brings the set in through the public API (bring_deals), computes the same from the files with
DuckDB (deal_figures), prints what was noted and a table, and lists what differs: to the cent and the day. Ends with 1
where something does, and with 2 where the layout does not fit the files. `tests/journeys/data/fairs.toml` is a layout
that says why it says what.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.journeys import deal_cells, deal_sheets
from tests.journeys.api import Api
from tests.journeys.bring_deals import bring, noted_of
from tests.journeys.deal_figures import AT_STAGE, GROUPS, LEADS, MEASURES, Expected, Figures
from tests.journeys.deal_sheets import Layout, Sheets
from tests.journeys.own_house import own_house

PATIENCE = 10.0
"""Seconds without news after which nothing more is awaited."""


@dataclass(frozen=True)
class Brought:
    """A set that is in a deployment, among others in other pipelines, and what its reports should say. `people` are
    names by what the sheets call them."""

    api: Api
    sheets: Sheets
    people: dict[str, str]
    expected: Expected

    def reported(self, kpi: str, *group: str) -> Figures:
        """The rows of a report over all time, by their keys."""
        ours = "" if kpi in LEADS else f'pipeline = "pipelines/{self.sheets.layout.pipeline}"'
        answer = self.api.get(f"/v1/reports/{kpi}", period="all", groupBy=group, filter=ours)
        return {tuple(row.get("keys", ())): _figure(row) for row in answer["tiles"][0].get("rows", ())}

    def computed(self, kpi: str, *group: str) -> Figures:
        """The same, as it should be."""
        rows = self.expected.by(kpi, *group)
        return {tuple(map(self._key, group, keys)): figure for keys, figure in rows.items()}

    def _key(self, of: str, said: str) -> str:
        """The key of a row. What is nobody's is whoever's brought it."""
        if of == "owner" or (of == "manager" and said):
            return self.people.get(said, "")
        return said


@dataclass(frozen=True)
class Compared:
    """A KPI by these groups: how many `rows` should be, and by their keys what is said and meant where it differs."""

    kpi: str
    group: tuple[str, ...]
    rows: int
    differing: dict[tuple[str, ...], tuple[Any, Any]]


def _figure(row: dict[str, Any]) -> Any:
    figure = row["figure"]
    if "amount" in figure:
        return Decimal(figure["amount"].get("units", "0")) + Decimal(figure["amount"].get("nanos", 0)) / 10**9
    return figure.get("value")


def bring_set(api: Api, of: Layout, files: Path) -> Brought:
    """What the files say, brought, when the reports have heard of it."""
    sheets = deal_sheets.read(of, files)
    made = Brought(api, sheets, bring(api, sheets), Expected(of, files, deal_cells.today()))
    _await(made)
    return made


def questions(of: Brought) -> Iterator[tuple[str, ...]]:
    """All that is compared: a KPI and what it is grouped by."""
    for kpi in ("opportunities-opened", *MEASURES):
        yield kpi, "quarter"
        for by in GROUPS:
            yield kpi, by
            yield kpi, by, "quarter"
    for kpi in AT_STAGE:
        yield kpi, "stage"
        yield kpi, "stage", "quarter"
    for kpi in LEADS if of.sheets.leads else ():
        yield kpi, "channel"
        yield kpi, "quarter"
        yield kpi, "channel", "quarter"


def compare(of: Brought, kpi: str, *group: str) -> Compared:
    """Money differs at all, days and ratios by more than a computer's rounding. What is nothing may be left out."""
    said, meant = of.reported(kpi, *group), of.computed(kpi, *group)
    differing = {
        keys: (said.get(keys), meant.get(keys))
        for keys in sorted(said.keys() | meant.keys())
        if not _same(said.get(keys) or 0, meant.get(keys) or 0)
    }
    return Compared(kpi, group, len(meant), differing)


def _same(said: Any, meant: Any) -> bool:
    if isinstance(said, Decimal):
        return said == Decimal(meant)
    return math.isclose(float(said), float(meant), rel_tol=1e-9, abs_tol=1e-9)


def _await(made: Brought) -> None:
    """Until the reports have heard of all that was brought, or hear nothing more; what they do not come to is then for
    the comparison to say."""
    asked = [("stage-time", "stage"), ("stage-entered", "stage"), ("won-amount", "quarter")]
    asked += [("opportunities-opened", "quarter"), *(("lead-win-rate", "quarter") for _ in made.sheets.leads[:1])]
    before: object = None
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        now = [compare(made, *one) for one in asked]
        if not any(one.differing for one in now):
            return
        if now != before:
            before, end = now, time.monotonic() + PATIENCE
        time.sleep(0.5)


def lay_out(of: Brought, say: Callable[[str], None] = print) -> int:
    """Says what was brought, what was compared and what differs; 1 where something does."""
    for line in noted_of(of.sheets):
        say(line)
    found = [compare(of, *one) for one in questions(of)]
    say(f"{'KPI':<22} {'by':<24} {'rows':>6} {'differ':>6}")
    for one in found:
        say(f"{one.kpi:<22} {', '.join(one.group):<24} {one.rows:>6} {len(one.differing):>6}")
    called = {name: said for said, name in of.people.items()}
    for one in found:
        for keys, (said, meant) in one.differing.items():
            where = ", ".join(f"{by} = {called.get(key, key) or '-'}" for by, key in zip(one.group, keys, strict=True))
            say(f"{one.kpi}, {where}: the reports say {said}, the files {meant}")
    wrong = sum(len(one.differing) for one in found)
    say(f"{sum(one.rows for one in found)} figures compared, {wrong} differ")
    return 1 if wrong else 0


def main(words: Sequence[str]) -> int:
    if len(words) != 2:
        print(__doc__)
        return 2
    files, path = map(Path, words)
    try:
        of = deal_sheets.layout(path)
        deal_sheets.read(of, files)  # before anything is started
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        print(f"the layout does not fit: {wrong}")
        return 2
    with (
        tempfile.TemporaryDirectory(prefix="dealwright-") as folder,
        own_house(Path(folder), DEALWRIGHT_COMPANY_CURRENCY=of.currency) as api,
    ):
        return lay_out(bring_set(api, of, files))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
