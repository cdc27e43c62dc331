"""What a figure is about: a period, a day, and what is not in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from chassis.access import Principal
from chassis.errors import Denied
from dealwright.contracts.v1 import quotes_pb2
from dealwright.contracts.v1.events_pb2 import ExchangeRateChanged
from dealwright.reports.v1 import reports_pb2 as pb
from tests.reports import exported
from tests.reports.deals import Deal
from tests.reports.desk import LI, Desk, principal
from tests.reports.exported import FORMATS, Format, export

TODAY = "2026-11-22T04:00:00+00:00"
ON = "2026-11-10T10:00"
Tile = pb.Board.Tile


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(TODAY, tick=True):
        yield


@pytest.mark.parametrize(
    "kpi", ["open-amount", "overdue-amount", "leads-untouched-7d", "open-opportunities", "forecast"]
)
def test_B39_what_there_is_on_a_day_is_said_of_that_day_and_not_of_the_period(desk: Desk, kpi: str) -> None:
    said = desk.report(kpi, period="this_month")
    assert (said.as_of_date, said.begin_date, said.end_date) == ("2026-11-22", "", "")
    said = desk.report(kpi, period="this_month", as_of="2026-11-05T10:00")
    assert said.as_of_date == "2026-11-05"


def test_B39_what_happened_is_said_of_its_period(desk: Desk) -> None:
    said = desk.report("won-amount", period="this_month")
    assert (said.as_of_date, said.begin_date, said.end_date) == ("", "2026-11-01", "2026-11-30")


def test_B11_what_is_made_of_both_says_both(desk: Desk) -> None:
    mine = pb.Kpi(display_name="Share", unit=pb.Kpi.RATIO, formula="won / open")
    mine.measures.add(id="won", fact="deal.won")
    mine.measures.add(id="open", fact="deal.open", span=pb.Kpi.Measure.STOCK)
    desk.call("CreateKpi", pb.CreateKpiRequest(kpi_id="share", kpi=mine))
    said = desk.report("share", period="this_month")
    assert (said.as_of_date, said.begin_date, said.end_date) == ("2026-11-22", "2026-11-01", "2026-11-30")


@pytest.mark.parametrize(("tongue", "words"), [("zh", "截至 2026-11-22"), ("en", "As of 2026-11-22")])
@pytest.mark.parametrize("format", [one for one in FORMATS if one != Format.CSV])
def test_B33_a_file_says_of_which_day_a_stock_is(desk: Desk, format: int, tongue: str, words: str) -> None:
    file = export(desk, "open-amount", format, language=tongue, period="this_month")
    text = exported.everything(file)
    assert words.replace(" ", "") in text.replace(" ", "")
    assert "2026-11-30" not in text
    assert file.file_name.endswith(f"2026-11-22.{file.file_name.rpartition('.')[2]}")


@pytest.fixture
def abroad(desk: Desk) -> Desk:
    """Li won 100 yuan, and 200 dollars and 30 pounds of which nobody knows a rate; Wang 7 dollars."""
    for amount, currency, owner in ((100, "CNY", "li"), (150, "USD", "li"), (50, "USD", "li"), (30, "GBP", "li"),
                                    (7, "USD", "wang")):  # fmt: skip
        deal = Deal(f"opportunities/{desk.number()}", ON, amount, f"people/{owner}", currency=currency)
        desk.hear(*deal.win(ON).told)
    return desk


def _lacking(found: pb.Report.Tile | pb.Explanation) -> list[tuple[str, str, int, int]]:
    return [(one.measure, one.amount.currency_code, one.amount.units, one.count) for one in found.unrated]


def test_B14_an_amount_without_a_rate_is_said_to_be_in_no_figure(abroad: Desk) -> None:
    said = abroad.report("won-amount", LI, period="this_month")
    assert said.total.figure.value == 100
    assert _lacking(said) == [("amount", "GBP", 30, 1), ("amount", "USD", 200, 2)]
    assert _lacking(abroad.report("won-amount", period="this_month")) == [
        ("amount", "GBP", 30, 1), ("amount", "USD", 207, 3)
    ]  # fmt: skip
    assert _lacking(abroad.report("won-amount", period="this_month", group_by=["owner", "day"])) == _lacking(
        abroad.report("won-amount", period="this_month")
    )
    assert _lacking(abroad.report("opportunities-won", period="this_month")) == []
    assert _lacking(abroad.report("won-amount", period="last_month")) == []
    rate = quotes_pb2.ExchangeRate(
        name="exchangeRates/u", from_currency="USD", to_currency="CNY", date="2026-01-01", rate="7"
    )
    abroad.hear((ExchangeRateChanged(exchange_rate=rate, version=1), "2026-11-20T10:00"))
    said = abroad.report("won-amount", LI, period="this_month")
    assert (said.total.figure.value, _lacking(said)) == (1500, [("amount", "GBP", 30, 1)])


def test_B9_B14_an_average_is_of_those_whose_amounts_are_in_it(abroad: Desk) -> None:
    assert abroad.figure("average-deal", LI, period="this_month") == 100
    assert abroad.figure("average-deal", period="this_month") == 100
    by_owner = abroad.figures("average-deal", period="this_month", group_by=["owner"])
    assert by_owner == {"people/li": 100, "people/wang": None}
    assert abroad.figures("average-deal", period="this_month", group_by=["month"])["2026-11-01"] == 100
    # How many there are, and how long they took, says nothing of amounts.
    assert abroad.figure("opportunities-won", period="this_month") == 5
    assert abroad.report("average-cycle", period="this_month").total.figure.inputs["won"] == 5


def test_B14_an_explanation_and_a_tile_say_it_and_whoever_may_see_no_amounts_is_told_nothing(abroad: Desk) -> None:
    asked = pb.ExplainFigureRequest(name="reports/won-amount", period="this_month", group_by=["owner"])
    asked.keys.append("people/wang")
    assert _lacking(abroad.call("ExplainFigure", asked)) == [("amount", "USD", 7, 1)]
    board = pb.Board(display_name="All", period="this_month")
    board.tiles.add(kpi="kpis/won-amount", group_by=["owner"], chart=pb.Board.RANKING)
    abroad.call("CreateBoard", pb.CreateBoardRequest(board_id="all", board=board))
    blind: Principal = principal("people/li", "sales", LI.grant("opportunities").read, hidden=("amount",))
    (tile,) = abroad.call("GetReport", pb.GetReportRequest(name="reports/all")).tiles
    assert [one[1] for one in _lacking(tile)] == ["GBP", "USD"]
    (tile,) = abroad.call("GetReport", pb.GetReportRequest(name="reports/all"), blind).tiles
    assert (tile.denied, _lacking(tile)) == (True, [])
    with pytest.raises(Denied):
        abroad.report("won-amount", blind, period="this_month")


def test_B14_a_tile_says_it_of_what_is_laid_over_it_and_of_further_columns(abroad: Desk) -> None:
    board = pb.Board(display_name="All", period="this_month")
    board.tiles.add(kpi="kpis/opportunities-won", group_by=["owner"], chart=pb.Board.BAR, overlay_kpi="kpis/won-amount")
    board.tiles.add(
        kpi="kpis/opportunities-won", group_by=["owner"], chart=pb.Board.TABLE, more_kpis=["kpis/won-amount"]
    )
    abroad.call("CreateBoard", pb.CreateBoardRequest(board_id="all", board=board))
    for tile in abroad.call("GetReport", pb.GetReportRequest(name="reports/all")).tiles:
        assert [one[1:] for one in _lacking(tile)] == [("GBP", 30, 1), ("USD", 207, 3)]


def test_B14_B33_an_explanation_tells_each_rate_once(abroad: Desk) -> None:
    rate = quotes_pb2.ExchangeRate(
        name="exchangeRates/u", from_currency="USD", to_currency="CNY", date="2026-01-01", rate="7"
    )
    abroad.hear((ExchangeRateChanged(exchange_rate=rate, version=1), "2026-11-02T10:00"))
    abroad.hear(*Deal("opportunities/late", ON, 9, "people/li", currency="USD").win("2026-11-12T10:00").told)
    asked = pb.ExplainFigureRequest(name="reports/won-amount", period="this_month")
    assert [(one.currency, one.rate) for one in abroad.call("ExplainFigure", asked).rates] == [("USD", "7")]


@pytest.mark.parametrize(
    ("tongue", "words"),
    [
        ("zh", "未计入（无汇率）：GBP 30.00（1 条），USD 207.00（3 条）"),
        ("en", "Not in it, for want of an exchange rate: GBP 30.00 (records: 1), USD 207.00 (records: 3)"),
    ],
)
@pytest.mark.parametrize("format", FORMATS)
def test_B33_a_file_says_what_is_not_in_its_figures(abroad: Desk, format: int, tongue: str, words: str) -> None:
    file = export(abroad, "won-amount", format, language=tongue, period="this_month")
    assert words.replace(" ", "") in exported.everything(file).replace(" ", "")


_WIDE = pb.Board(
    display_name="混合 Mixed",
    tiles=[Tile(kpi=f"kpis/{kpi}", chart=pb.Board.NUMBER) for kpi in ("won-amount", "payments-received")],
)


def test_B32_a_tile_that_has_not_what_a_board_is_filtered_by_says_so_and_is_whole(desk: Desk) -> None:
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="mixed", board=_WIDE))
    asked = pb.GetReportRequest(name="reports/mixed", filter='product = A AND pipeline = p AND region = "华东"')
    won, paid = desk.call("GetReport", asked).tiles
    assert (won.not_filtered_by, paid.not_filtered_by) == ([], ["product", "pipeline"])
    assert (won.filter, paid.filter) == ('product = "A" AND pipeline = "p" AND region = "华东"', 'region = "华东"')


@pytest.mark.parametrize(
    ("tongue", "words"), [("zh", "未按 产品，销售流程 筛选"), ("en", "not filtered by Product, Pipeline")]
)
@pytest.mark.parametrize("format", FORMATS)
def test_B32_B33_a_file_says_so_too(desk: Desk, format: int, tongue: str, words: str) -> None:
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="mixed", board=_WIDE))
    file = export(desk, "mixed", format, language=tongue, filter="product = A AND pipeline = p")
    text = exported.everything(file).replace(" ", "").replace("\n", "")
    assert text.count(words.replace(" ", "")) >= 1
    assert words.replace(" ", "") not in exported.everything(export(desk, "mixed", format, language=tongue)).replace(
        " ", ""
    )
