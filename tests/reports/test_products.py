"""An opportunity of several products is in the group of each, and once in the total (B32)."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.access import Principal
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain import several
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, LI, Desk

NOVEMBER, LATEST = "2026-11", "2026-12-31T10:00"


def _deal(name: str, *products: str, owner: str = "people/li") -> Deal:
    return Deal(f"opportunities/{name}", "2026-11-02T10:00", 1000, owner, fields={"products": products})


@pytest.fixture(autouse=True)
def told(desk: Desk) -> None:
    """Won: one of A, one of B, one of both (and of C, whose name begins as A's), one of nothing; open: one of both;
    lost: one of both."""
    won = [_deal("a", "A"), _deal("b", "B"), _deal("ab", "B", "A", "AC", owner="people/zhao"), _deal("none")]
    open_, lost = _deal("open", "A", "B").move("need", "2026-11-03T10:00"), _deal("lost", "B", "A")
    desk.hear(*(one for deal in won for one in deal.win("2026-11-12T10:00").told))
    desk.hear(*open_.told, *lost.lose("2026-11-13T10:00").told)


def _by(desk: Desk, kpi: str, who: Principal = ADMIN, **asked: Any) -> dict[Any, float]:
    """The same out of the sums that are kept and out of the postings."""
    asked = {"period": NOVEMBER, "group_by": ["product"], **asked}
    found = desk.counted(kpi, who, **asked)
    assert desk.counted(kpi, who, LATEST, **asked) == found
    return found


def _of(desk: Desk, kpi: str, where: str, who: Principal = ADMIN) -> float:
    found = desk.figure(kpi, who, period=NOVEMBER, filter=where) or 0
    assert (desk.figure(kpi, who, LATEST, period=NOVEMBER, filter=where) or 0) == found
    return found


def test_B32_a_filter_by_a_product_has_all_that_are_of_it(desk: Desk) -> None:
    for where, won in (("product = A", 2), ("product = B", 2), ("product = AC", 1), ("product = A OR product = B", 3),
                       ('product = ""', 1), ("product = C", 0), ("product = A AND owner = people/li", 1)):  # fmt: skip
        assert _of(desk, "opportunities-won", where) == won, where
        assert _of(desk, "won-amount", where) == won * 1000, where
    assert _of(desk, "win-rate", "product = A") == 2 / 3
    assert _of(desk, "open-amount", "product = B") == 1000
    assert _of(desk, "opportunities-won", "product = A", LI) == 1
    # Of the amount each has its part.
    assert desk.figure("product-amount", period=NOVEMBER, filter="product = A") == 1333.33


def test_B32_by_product_each_has_all_of_its_own_and_the_total_each_once(desk: Desk) -> None:
    assert _by(desk, "opportunities-won") == {"A": 2, "B": 2, "AC": 1, "": 1}
    assert _by(desk, "won-amount") == {"A": 2000, "B": 2000, "AC": 1000, "": 1000}
    assert _by(desk, "conversion") == {"A": 2 / 4, "B": 2 / 4, "AC": 1, "": 1}
    assert _by(desk, "open-opportunities", period="") == {"A": 1, "B": 1}
    assert _by(desk, "stage-entered", group_by=["product", "stage"])[("A", "need")] == 1
    assert _by(desk, "won-amount", group_by=["product", "month"])[("A", "2026-11-01")] == 2000
    assert _by(desk, "won-amount", filter="product = A") == {"A": 2000}
    for kpi, whole in (("opportunities-won", 4), ("won-amount", 4000), ("conversion", 4 / 6), ("open-amount", 1000)):
        said = desk.report(kpi, period=NOVEMBER, group_by=["product"]).total.figure
        assert said.value == whole == desk.figure(kpi, period=NOVEMBER), kpi


def test_B6_B32_behind_a_products_figure_are_all_that_are_of_it(desk: Desk) -> None:
    asked = pb.ListRecordsRequest(parent="reports/won-amount", period=NOVEMBER, group_by=["product"], keys=["A"])
    assert {one.name for one in desk.call("ListRecords", asked).records} == {"opportunities/a", "opportunities/ab"}
    request = pb.ExplainFigureRequest(name="reports/won-amount", period=NOVEMBER, group_by=["product"], keys=["A"])
    said = desk.call("ExplainFigure", request)
    assert said.figure.value == 2000 == sum(one.amount.units for one in said.postings)


def test_B11_a_measure_narrowed_to_a_product_has_all_that_are_of_it(desk: Desk) -> None:
    mine = pb.Kpi(display_name="Of A", unit=pb.Kpi.COUNT, formula="won")
    mine.measures.add(id="won", fact="deal.won").where.add(dimension="product", values=["A"])
    desk.call("CreateKpi", pb.CreateKpiRequest(kpi_id="of-a", kpi=mine))
    assert desk.figure("of-a", period=NOVEMBER) == 2


def test_as_many_products_as_there_may_be_are_taken_and_what_an_index_has_no_room_for_is_left_out(desk: Desk) -> None:
    many = [f"{'产品' * 30}{place:03}" for place in range(50)]
    desk.hear(*_deal("many", *many).win("2026-11-14T10:00").told)
    assert _of(desk, "opportunities-won", f'product = "{many[0]}"') == 1
    assert desk.figure("opportunities-won", period=NOVEMBER) == 5
    assert several.parted(several.joined(many)) == many[:8]
    assert [several.parted(several.joined(each)) for each in ([], ["A"], ["B", "A"])] == [[""], ["A"], ["A", "B"]]
