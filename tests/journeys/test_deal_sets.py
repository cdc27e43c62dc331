"""Deals that nobody here made, brought in as history through the public API: what reports say of them is what DuckDB
computes from the CSV files, to the cent and the day. And so for pairs of leads and deals with other columns and stages.

On both deployments: all 8 800 in a house of their own, and every tenth of them in the cluster; with LONG=1 all in both.
Leads are not told apart from others' there: a pair that has some is compared in a house of its own alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.journeys import compare_deals, deal_cells, deal_sheets
from tests.journeys.api import Api
from tests.journeys.compare_deals import Brought, bring_set, compare
from tests.journeys.deal_figures import AT_STAGE, GROUPS, LEADS, MEASURES, Expected
from tests.journeys.own_house import own_house
from tests.journeys.running import PASSWORD, RunningCluster

_HERE = Path(__file__).parent
SALES = Path(os.environ.get("CRM_SALES", _HERE.parents[2] / "shared" / "data" / "crm-sales"))
ALL, TENTH = 8800, 10
pytestmark = pytest.mark.timeout(300)
BOTH = ["embedded", pytest.param("cluster", marks=pytest.mark.cluster)]


@contextmanager
def _brought(request: pytest.FixtureRequest, folder: Path, layout: Path, files: Path) -> Iterator[Brought]:
    of = deal_sheets.layout(layout)
    if request.param == "embedded":
        with own_house(folder, DEALWRIGHT_COMPANY_CURRENCY=of.currency) as api:
            yield bring_set(api, of, files)
    else:
        # In the one that others use, too: what they are worth is said in its currency.
        cluster: RunningCluster = request.getfixturevalue("cluster")
        yield bring_set(Api(cluster.url, "admin", PASSWORD), replace(of, currency="CNY"), files)


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


def _check(of: Brought, kpi: str, *group: str) -> None:
    found = compare(of, kpi, *group)
    assert found.rows, "there is something to compare"
    assert found.differing == {}, (kpi, group)


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
        "amounts with commas or signs of money: without": 2,
        "day not known is none": 1,
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


FAIRS = _HERE / "data" / "fairs"
DIRT = {
    "amount -3 is none": 1,
    "amount 1e6 is none": 1,
    "amount n/a is none": 1,
    "amounts finer than a cent: rounded": 1,
    "amounts with commas or signs of money: without": 2,
    "channel (none) is none: IMPORT": 1,
    "channel billboard is none: IMPORT": 1,
    "day 01.01.1999 is none": 1,
    "day 12.05.2031 is none": 1,
    "days that are not in order": 2,
    "day 31.02.2019 is none": 1,
    "leads without a day: as of 2019-08-02": 3,
    "rows of business.csv whose no was there before: none": 1,
    "rows of business.csv with more cells than columns: none": 1,
    "rows of contacts.csv whose contact was there before: none": 1,
    "rows of contacts.csv with more cells than columns: none": 1,
    "stage asleep is none": 1,
}


@pytest.fixture(scope="module")
def fairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brought]:
    of = deal_sheets.layout(FAIRS.with_suffix(".toml"))
    with own_house(tmp_path_factory.mktemp("fairs"), DEALWRIGHT_COMPANY_CURRENCY=of.currency) as api:
        yield bring_set(api, of, FAIRS)


def test_B17_a_pair_of_leads_and_deals_with_dirt_in_it_is_brought_and_every_figure_is_what_its_files_have(
    fairs: Brought,
) -> None:
    lines: list[str] = []
    assert compare_deals.lay_out(fairs, lines.append) == 0, lines
    assert {kpi for kpi, *_ in compare_deals.questions(fairs)} == {
        *("opportunities-opened", *MEASURES, *AT_STAGE, *LEADS)
    }
    assert fairs.reported("leads-captured", "channel") == {
        ("IMPORT",): 2, ("REFERRAL",): 1, ("TRADE_SHOW",): 4, ("WEB_FORM",): 3,
    }  # fmt: skip
    assert fairs.reported("lead-conversion", "channel") == {
        ("IMPORT",): 0.5, ("REFERRAL",): 1, ("TRADE_SHOW",): 0.75, ("WEB_FORM",): pytest.approx(2 / 3),
    }  # fmt: skip
    assert {note: times for note, times in fairs.sheets.notes.items() if note in DIRT} == DIRT
    assert not any("refused" in note for note in fairs.sheets.notes)


def test_a_figure_that_differs_from_the_files_is_told_with_both_and_the_command_fails(
    fairs: Brought, tmp_path: Path
) -> None:
    files = Path(shutil.copytree(FAIRS, tmp_path / "files"))
    for name, said, other in (("business.csv", "99.99", "100"), ("contacts.csv", "c6;;", "c6;web;")):
        text = (files / name).read_text(encoding="utf-8")
        (files / name).write_text(text.replace(said, other, 1), encoding="utf-8")
    lines: list[str] = []
    others = replace(fairs, expected=Expected(fairs.sheets.layout, files, deal_cells.today()))
    assert compare_deals.lay_out(others, lines.append) == 1
    assert "won-amount, owner = 王芳, quarter = 2019-04-01: the reports say 2100, the files 2100.01" in lines
    assert "leads-captured, channel = WEB_FORM: the reports say 3.0, the files 4" in lines
    assert "lead-conversion, channel = IMPORT: the reports say 0.5, the files 1.0" in lines


def test_a_layout_that_does_not_fit_its_files_is_refused_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = tmp_path / "layout.toml"
    layout.write_text(FAIRS.with_suffix(".toml").read_text().replace('"worth"', '"value"'))
    assert compare_deals.main([str(FAIRS), str(layout)]) == 2
    assert "business.csv has no column value" in capsys.readouterr().out
