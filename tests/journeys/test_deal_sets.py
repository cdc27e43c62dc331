"""Deals that nobody here made, brought in as history through the public API: what reports say of them is what DuckDB
computes from the CSV files, to the cent and the day.

On both deployments: all 8 800 in a house of their own, and every tenth of them in the cluster; with LONG=1 all in both.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import deal_sheets
from tests.journeys.api import Api
from tests.journeys.bring_deals import bring
from tests.journeys.deal_figures import AT_STAGE, GROUPS, MEASURES, Expected, Figures
from tests.journeys.deal_sheets import Layout, Sheets
from tests.journeys.own_house import own_house
from tests.journeys.running import PASSWORD, RunningCluster

_HERE = Path(__file__).parent
SALES = Path(os.environ.get("CRM_SALES", _HERE.parents[2] / "shared" / "data" / "crm-sales"))
ALL, TENTH = 8800, 10
pytestmark = pytest.mark.timeout(300)
BOTH = ["embedded", pytest.param("cluster", marks=pytest.mark.cluster)]


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
        ours = f'pipeline = "pipelines/{self.sheets.layout.pipeline}"'
        answer = self.api.get(f"/v1/reports/{kpi}", period="all", groupBy=group, filter=ours)
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


@contextmanager
def _brought(request: pytest.FixtureRequest, folder: Path, layout: Path, files: Path) -> Iterator[Brought]:
    of = deal_sheets.layout(layout)
    if request.param == "embedded":
        with own_house(folder, DEALWRIGHT_COMPANY_CURRENCY=of.currency) as api:
            yield _bring(api, of, files)
    else:
        # In the one that others use, too: what they are worth is said in its currency.
        cluster: RunningCluster = request.getfixturevalue("cluster")
        yield _bring(Api(cluster.url, "admin", PASSWORD), replace(of, currency="CNY"), files)


def _bring(api: Api, of: Layout, files: Path) -> Brought:
    sheets = deal_sheets.read(of, files)
    made = Brought(api, sheets, bring(api, sheets), Expected(of, files))
    _wait(made)
    return made


def _every(nth: int, files: Path, folder: Path) -> Path:
    """The same set with every nth of its deals alone."""
    if nth == 1:
        return files
    folder.mkdir()
    for file in files.glob("*.csv"):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        some = lines[:1] + lines[1::nth] if file.name == "sales_pipeline.csv" else lines
        (folder / file.name).write_text("".join(some), encoding="utf-8")
    return folder


def _wait(made: Brought) -> None:
    """Until the reports have heard of all that was brought; what they do not come to is for the tests to say."""
    end = time.monotonic() + 120
    while time.monotonic() < end and any(
        _differing(made.reported(kpi, group), made.computed(kpi, group))
        for kpi, group in (
            ("stage-time", "stage"),
            ("stage-entered", "stage"),
            ("won-amount", "quarter"),
            ("opportunities-opened", "quarter"),
        )
    ):
        time.sleep(0.5)


@pytest.fixture(scope="module", params=BOTH)
def sales(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brought]:
    if not SALES.is_dir():
        pytest.skip(f"the deals that nobody here made are not there: {SALES}")
    folder = tmp_path_factory.mktemp("sales")
    nth = TENTH if request.param == "cluster" and os.environ.get("LONG") != "1" else 1
    files = _every(nth, SALES, folder / "some")
    with _brought(request, folder, _HERE / "data" / "crm-sales.toml", files) as brought:
        assert len(brought.sheets.deals) == ALL / nth
        yield brought


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
    for kpi in ("opportunities-opened", *MEASURES):
        _check(sales, kpi, "quarter")
    won = sales.computed("won-amount", "quarter")
    if len(sales.sheets.deals) == ALL:
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
    deals, nobodys = len(sales.sheets.deals), sales.sheets.notes["deals without customer"]
    if deals == ALL:
        assert sales.sheets.notes == {
            "product GTXPro is GTX Pro": 1480,
            "deals in Prospecting without a day: as of 2017-12-31": 500,
            "industry technolgy is technology": 12,
            "region Philipines is Philippines": 1,
            "deals without customer": 1425,
        }
    mine = f'pipeline = "pipelines/{sales.sheets.layout.pipeline}"'
    listed, token = 0, ""
    while True:
        asked = {"pageSize": 1000, "filter": f'{mine} AND (products : "GTXPro" OR customer = "")', "pageToken": token}
        page = sales.api.get("/v1/opportunities", **asked)
        listed, token = listed + len(page["opportunities"]), page.get("nextPageToken", "")
        if not token:
            break
    assert listed == nobodys
    assert sum(sales.reported("opportunities-opened", "product").values()) == deals


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


@pytest.fixture(params=BOTH)
def market(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Brought]:
    for name, text in (("layout.toml", _MARKET), ("leads.csv", _LEADS), ("closed.csv", _CLOSED)):
        (tmp_path / name).write_text(text)
    with _brought(request, tmp_path, tmp_path / "layout.toml", tmp_path) as brought:
        yield brought


def test_leads_and_deals_of_another_system_with_other_columns_and_stages_are_counted_as_their_files_say(
    market: Brought,
) -> None:
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
