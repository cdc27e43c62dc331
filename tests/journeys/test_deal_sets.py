"""Deals that nobody here made, brought in as history through the public API: what reports say of them is what DuckDB
computes from the CSV files, to the cent and the day."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import deal_sheets
from tests.journeys.api import Api
from tests.journeys.bring_deals import bring
from tests.journeys.deal_figures import AT_STAGE, GROUPS, MEASURES, Expected, Figures
from tests.journeys.deal_sheets import Sheets
from tests.journeys.own_house import own_house

_HERE = Path(__file__).parent
SALES = Path(os.environ.get("CRM_SALES", _HERE.parents[2] / "shared" / "data" / "crm-sales"))
pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Brought:
    """A set that is in a house, and what its reports should say. `people` are names by what the sheets call them."""

    api: Api
    sheets: Sheets
    people: dict[str, str]
    expected: Expected

    def reported(self, kpi: str, *group: str) -> Figures:
        """The rows of a report over all time, by their keys."""
        answer = self.api.get(f"/v1/reports/{kpi}", period="all", groupBy=group)
        return {tuple(row.get("keys", ())): _figure(row) for row in answer["tiles"][0].get("rows", ())}

    def computed(self, kpi: str, *group: str) -> Figures:
        """The same, as it should be."""
        named = [place for place, one in enumerate(group) if one in ("owner", "manager")]
        rows = self.expected.by(kpi, *group)
        return {
            tuple(self.people.get(k, "") if n in named else k for n, k in enumerate(keys)): v
            for keys, v in rows.items()
        }


def _figure(row: dict[str, Any]) -> Any:
    figure = row["figure"]
    if "amount" in figure:
        return Decimal(figure["amount"].get("units", "0")) + Decimal(figure["amount"].get("nanos", 0)) / 10**9
    return figure.get("value")


def _brought(folder: Path, layout: Path, files: Path) -> Iterator[Brought]:
    sheets = deal_sheets.read(deal_sheets.layout(layout), files)
    expected = Expected(sheets.layout, files)
    with own_house(folder, DEALWRIGHT_COMPANY_CURRENCY=sheets.layout.currency) as api:
        made = Brought(api, sheets, bring(api, sheets), expected)
        _wait(made)
        yield made


def _wait(made: Brought) -> None:
    """Until the reports have heard of all that was brought; what they do not come to is for the tests to say."""
    end = time.monotonic() + 120
    while time.monotonic() < end and any(
        _differing(made.reported(kpi, group), made.computed(kpi, group))
        for kpi, group in (("stage-time", "stage"), ("stage-entered", "stage"), ("won-amount", "quarter"))
    ):
        time.sleep(0.5)


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brought]:
    if not SALES.is_dir():
        pytest.skip(f"the deals that nobody here made are not there: {SALES}")
    yield from _brought(tmp_path_factory.mktemp("sales"), _HERE / "data" / "crm-sales.toml", SALES)


def _differing(said: Figures, meant: Figures) -> dict[tuple[str, ...], tuple[Any, Any]]:
    """Where they differ: money at all, days and ratios by more than a computer's rounding. What is nothing
    may be left out."""
    return {
        keys: (said.get(keys), meant.get(keys))
        for keys in said.keys() | meant.keys()
        if not _same(said.get(keys) or 0, meant.get(keys) or 0)
    }


def _same(said: Any, meant: Any) -> bool:
    if isinstance(said, Decimal):
        return said == Decimal(meant)
    return bool(said == pytest.approx(float(meant), rel=1e-9, abs=1e-9))


def _check(of: Brought, kpi: str, *group: str) -> None:
    meant = of.computed(kpi, *group)
    assert meant, "there is something to compare"
    assert _differing(of.reported(kpi, *group), meant) == {}, (kpi, group)


def test_B8_B9_B10_what_was_opened_won_and_lost_quarter_by_quarter_is_what_the_files_have(sales: Brought) -> None:
    assert len(sales.sheets.deals) == 8800
    for kpi in ("opportunities-opened", *MEASURES):
        _check(sales, kpi, "quarter")
    won = sales.computed("won-amount", "quarter")
    assert sum(won.values()) == Decimal(10_005_534), "as the set is known for"


def test_B3_B4_B7_O38_the_funnel_is_what_the_files_have(sales: Brought) -> None:
    for kpi in AT_STAGE:
        _check(sales, kpi, "stage")
        _check(sales, kpi, "stage", "quarter")


@pytest.mark.parametrize("by", GROUPS)
def test_B12_B13_B28_agents_managers_regions_and_products_rank_as_in_the_files(sales: Brought, by: str) -> None:
    for kpi in ("opportunities-opened", *MEASURES):
        _check(sales, kpi, by)
        _check(sales, kpi, by, "quarter")


def test_the_dirt_of_the_files_is_mapped_and_told_and_no_row_is_dropped(sales: Brought) -> None:
    assert sales.sheets.notes == {
        "product GTXPro is GTX Pro": 1480,
        "deals in Prospecting without a day: as of 2017-12-31": 500,
        "industry technolgy is technology": 12,
        "region Philipines is Philippines": 1,
        "deals without customer": 1425,
    }
    listed = sales.api.get("/v1/opportunities", pageSize=1, filter='products : "GTXPro" OR customer = ""')
    assert int(listed.get("totalSize", 1425)) == 1425
    assert sum(sales.reported("opportunities-opened", "product").values()) == 8800


# Leads in one file and what was closed of them in another, as a marketplace keeps them: no column says the stage.
_MARKET = """
pipeline = "market"
name = "Sellers"
currency = "USD"
date_formats = ["%d/%m/%Y"]
[files]
deals = "leads.csv"
[join]
file = "closed.csv"
on = "mql"
[columns.deals]
id = "mql"
owner = "rep"
customer = "shop"
product = "segment"
value = "revenue"
[[stages]]
id = "contact"
said = "First contact"
entered = "contacted"
[[stages]]
id = "talk"
said = "Talk"
entered = "talked"
[[stages]]
id = "signed"
said = "Signed"
kind = "WON"
entered = "won_on"
[values.product]
"home  decor" = "home decor"
"""
_LEADS = """mql,contacted,talked,shop
1,03/01/2018,05/01/2018,North
2,04/01/2018,,South
3,06/01/2018,02/01/2018,North
4,,,East
5,,,West
6,30/03/2018,01/04/2018,
7,not known,09/05/2018,South
"""
_CLOSED = """mql,won_on,rep,segment,revenue
1,01/02/2018,ann,home decor,"1,234.50"
3,02/04/2018,bob,home  decor,99.99
4,20/02/2018,ann,toys,10
6,01/04/2018,bob,toys,"2,000.01"
99,01/04/2018,bob,toys,7
"""


def test_leads_and_deals_of_another_system_with_other_columns_and_stages_are_counted_as_their_files_say(
    tmp_path: Path,
) -> None:
    for name, text in (("layout.toml", _MARKET), ("leads.csv", _LEADS), ("closed.csv", _CLOSED)):
        (tmp_path / name).write_text(text)
    for market in _brought(tmp_path, tmp_path / "layout.toml", tmp_path):
        assert market.sheets.notes == {
            "rows of the second file that complete none": 1,
            "days that are not in order": 1,
            "deals in First contact without a day: as of 2018-05-09": 1,
            "deals that were closed and nobody says when they were opened: on that day": 1,
            "product home  decor is home decor": 1,
            "deals without owner": 3,
            "deals without customer": 1,
            "deals without product": 3,
            "owner of no list": 2,
            "customer of no list": 4,
            "product of no list": 2,
        }
        for kpi in ("opportunities-opened", "opportunities-won", "won-amount", "average-deal", "average-cycle"):
            for group in (("quarter",), ("owner",), ("product",), ("owner", "quarter")):
                _check(market, kpi, *group)
        for kpi in AT_STAGE:
            _check(market, kpi, "stage")
            _check(market, kpi, "stage", "quarter")
