"""What the tiles of the shipped boards show of a small company, reckoned by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from dealwright.contracts.v1 import contracts_pb2
from dealwright.contracts.v1.events_pb2 import ContractChanged
from dealwright.reports.v1 import reports_pb2 as pb
from tests.reports.deals import Deal
from tests.reports.desk import Desk
from tests.reports.people import customer
from tests.reports.test_money import instalment, payment

# Of no day: it counts for nothing but that its instalments are owed.
_SIGNED = ContractChanged(
    contract=contracts_pb2.Contract(name="contracts/a", owner="people/li", status=contracts_pb2.Contract.SIGNED),
    version=1,
)

Chart = pb.Board
Figures = dict[tuple[str, ...], list[float | None]]


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    """The 22nd of November, noon in Shanghai."""
    with time_machine.travel("2026-11-22T04:00:00+00:00", tick=True):
        yield


@pytest.fixture
def company(desk: Desk) -> Desk:
    """Four customers. The first, Li's, bought twice this month, for 1 000 and 3 000, ten days after he was met; the
    second, Zhao's, once, for 2 000 after four; the third nothing; the fourth in June, for 60 000 after thirty. Li lost
    one more. There were 500 paid to Li and 900 to Zhao; 2 000 are due in December and 4 000 in January, and 100 of
    October's are late."""
    bought = (
        ("a", "1", 1000, "people/li", "2026-11-02", "2026-11-12"),
        ("b", "1", 3000, "people/li", "2026-11-02", "2026-11-12"),
        ("d", "2", 2000, "people/zhao", "2026-11-03", "2026-11-07"),
        ("e", "4", 60_000, "people/zhao", "2026-05-02", "2026-06-01"),
    )
    deals = [
        Deal(f"opportunities/{id}", f"{opened}T10:00", amount, owner, {"customer": f"customers/{of}"}).win(
            f"{won}T10:00"
        )
        for id, of, amount, owner, opened, won in bought
    ]
    deals.append(Deal("opportunities/c", "2026-11-02T10:00", 500).lose("2026-11-05T10:00"))
    desk.hear(
        customer("customers/1", "2026-10-20T10:00", region="华东", industry="教育", channel="WECHAT", stage="WON"),
        customer("customers/2", "2026-11-02T10:00", owner="people/zhao", region="华南", industry="金融",
                 channel="DOUYIN", stage="WON"),
        customer("customers/3", "2026-11-05T10:00", owner="people/zhao", region="华东", industry="教育",
                 channel="DOUYIN"),
        customer("customers/4", "2026-05-01T10:00", owner="people/zhao", region="华北", industry="物流",
                 channel="WECHAT", stage="WON"),
        *(told for deal in deals for told in deal.told),
        (payment("a", "2026-11-05", 500), "2026-11-05T10:00"),
        (payment("b", "2026-11-06", 900, owner="people/zhao"), "2026-11-06T10:00"),
        (_SIGNED, "2026-10-01T10:00"),
        (instalment("a", "2026-12-05", 2000), "2026-11-01T10:00"),
        (instalment("b", "2027-01-05", 4000), "2026-11-01T10:00"),
        (instalment("c", "2026-10-05", 100), "2026-10-01T10:00"),
    )  # fmt: skip
    return desk


def _tile(desk: Desk, board: str, chart: int, kpi: str, *group: str) -> pb.Report.Tile:
    """The one that is drawn so on a shipped board."""
    report: pb.Report = desk.call("GetReport", pb.GetReportRequest(name=f"reports/{board}"))
    tiles = report.tiles
    (found,) = (
        tile
        for tile in tiles
        if (tile.chart, tile.kpi, tuple(tile.group_by)) == (chart, f"kpis/{kpi}", group)
    )  # fmt: skip
    return found


def _shown(tile: pb.Report.Tile) -> Figures:
    """By keys: the figure, the overlay where there is one, and the further ones; rows with nothing at all left out."""

    def figures(row: pb.Report.Row) -> list[float | None]:
        each = [row.figure, *([row.overlay] if tile.overlay_title else []), *row.more]
        return [one.value if one.HasField("value") else None for one in each]

    return {tuple(row.keys): found for row in tile.rows if any(found := figures(row))}


def test_B12_B13_B14_what_each_did_and_who_leads_by_sales_payments_and_new_customers(company: Desk) -> None:
    assert _shown(_tile(company, "team", Chart.TABLE, "opportunities-opened", "owner")) == {
        ("people/li",): [3, 4000, 10],
        ("people/zhao",): [1, 2000, 4],
    }
    ranked = {
        kpi: [
            (keys[0], value[0]) for keys, value in _shown(_tile(company, "team", Chart.RANKING, kpi, "owner")).items()
        ]
        for kpi in ("won-amount", "payments-received", "customers-created")
    }
    assert ranked == {
        "won-amount": [("people/li", 4000), ("people/zhao", 2000)],
        "payments-received": [("people/zhao", 900), ("people/li", 500)],
        "customers-created": [("people/zhao", 2)],
    }


def test_B28_people_are_compared_by_conversion_and_average_deal(company: Desk) -> None:
    assert _shown(_tile(company, "team", Chart.HEAT_MAP, "conversion", "owner")) == {
        ("people/li",): [pytest.approx(2 / 3), 2000],
        ("people/zhao",): [1, 2000],
    }


def test_B24_customers_by_industry_region_and_source_and_who_of_them_bought(company: Desk) -> None:
    assert {
        by: _shown(_tile(company, "customer-base", Chart.BAR, "customers", by))
        for by in ("industry", "region", "channel")
    } == {
        "industry": {("教育",): [2, 1], ("物流",): [1, 1], ("金融",): [1, 1]},
        "region": {("华东",): [2, 1], ("华北",): [1, 1], ("华南",): [1, 1]},
        "channel": {("DOUYIN",): [2, 1], ("WECHAT",): [2, 2]},
    }


def test_B27_new_customers_by_month_with_the_length_of_the_cycle_over_them(company: Desk) -> None:
    assert _shown(_tile(company, "customer-base", Chart.LINE, "customers-created", "month")) == {
        ("2026-05-01",): [1, None],
        ("2026-06-01",): [0, 30],
        ("2026-10-01",): [1, None],
        ("2026-11-01",): [2, 8],  # ten days twice, and four
    }


def test_B29_C14_the_matrix_has_recency_across_and_how_often_and_how_much_down(company: Desk) -> None:
    tile = _tile(company, "customer-base", Chart.HEAT_MAP, "rfm-r5", "detail")
    assert [one.kpi for one in tile.more] == [f"kpis/rfm-r{step}" for step in (4, 3, 2, 1)]
    assert _shown(tile) == {
        ("F1M1",): [1, 0, 0, 0, 0],
        ("F1M3",): [0, 0, 1, 0, 0],  # 174 days ago: over 90, not over 180
        ("F2M1",): [1, 0, 0, 0, 0],
    }


def test_B30_where_customers_are_and_where_new_ones_come_from_month_by_month(company: Desk) -> None:
    assert _shown(_tile(company, "customer-base", Chart.HEAT_MAP, "customers", "region", "industry")) == {
        ("华东", "教育"): [2], ("华北", "物流"): [1], ("华南", "金融"): [1]
    }  # fmt: skip
    assert _shown(_tile(company, "customer-base", Chart.HEAT_MAP, "customers-created", "region", "month")) == {
        ("华东", "2026-10-01"): [1],
        ("华东", "2026-11-01"): [1],
        ("华北", "2026-05-01"): [1],
        ("华南", "2026-11-01"): [1],
    }


def test_B26_K12_payments_to_come_by_month_and_received_by_person(company: Desk) -> None:
    to_come = _tile(company, "finance", Chart.BAR, "payments-expected", "month")
    assert {keys[0]: value[0] for keys, value in _shown(to_come).items()} == {"2026-12-01": 2000, "2027-01-01": 4000}
    assert _shown(_tile(company, "finance", Chart.RANKING, "payments-received", "owner")) == {
        ("people/zhao",): [900, None],
        ("people/li",): [500, None],
    }
