"""A figure has one total, however it is grouped, narrowed or drilled into."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
import time_machine

from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain import kpi
from reports.domain.checking import can_group, grains
from reports.domain.facts import FACTS
from reports.domain.shipped import SHIPPED
from reports.servicer.costs import CostServicer
from tests.reports import houses
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, WANG, Desk
from tests.reports.test_sources import _cost

ONE = ("owner", "team", "manager", "stage", "pipeline", "channel")
GROUPS = [*([name] for name in ONE), ["owner", "stage"], ["team", "channel"]]


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel("2026-11-22T04:00:00+00:00", tick=True):
        yield


@pytest.fixture
def sold(desk: Desk) -> Desk:
    """Li won eight of ten, Zhao two of ten, Wang has nothing decided; open are 100 000, 10 000 and 50 000."""
    deals = []
    for owner, won, still in (("li", 8, 100_000), ("zhao", 2, 10_000)):
        for n in range(10):
            deal = Deal(f"opportunities/{owner}{n}", "2026-09-01T10:00", 10, f"people/{owner}")
            deals.append((deal.win if n < won else deal.lose)("2026-09-20T10:00"))
        deals.append(Deal(f"opportunities/{owner}-open", "2026-11-01T10:00", still, f"people/{owner}"))
    deals.append(Deal("opportunities/wang-open", "2026-11-01T10:00", 50_000, "people/wang"))
    desk.hear(*(told for deal in deals for told in deal.told))
    return desk


def _total(desk: Desk, **asked: Any) -> tuple[float, float, dict[str, float]]:
    said = desk.report("forecast", **asked).total.figure
    return said.value, said.left_out, dict(said.inputs)


def test_B25_a_forecast_is_the_same_however_it_is_grouped(sold: Desk) -> None:
    """Of all that was decided half was won."""
    whole = (80_000, 0, {"amount": 160_000, "won": 10, "lost": 10})
    assert _total(sold) == whole
    for group in GROUPS:
        assert _total(sold, group_by=group) == whole, group
        assert sum(value or 0 for value in sold.figures("forecast", group_by=group).values()) == 80_000, group
    assert sold.figures("forecast", group_by=["owner"]) == {
        "people/li": 50_000,
        "people/zhao": 5_000,
        "people/wang": 25_000,
    }
    assert sold.figures("forecast", group_by=["team"]) == {"teams/east": 55_000, "teams/west": 25_000}


def test_B25_what_is_narrowed_is_its_part_of_the_forecast(sold: Desk) -> None:
    for name, value in (("owner", "people/li"), ("team", "teams/west"), ("pipeline", "pipelines/six-stage")):
        (row,) = (row for row in sold.report("forecast", group_by=[name]).rows if row.keys[0] == value)
        said = _total(sold, filter=f'{name} = "{value}"')
        assert said == (row.figure.value, row.figure.left_out, dict(row.figure.inputs))


def test_B25_each_has_the_conversion_of_what_he_sees(sold: Desk) -> None:
    assert (sold.figure("forecast", LI), sold.figure("forecast", BOSS)) == (80_000, 55_000)
    assert sold.figure("forecast", WANG) is None
    assert sold.report("forecast", WANG).total.figure.left_out == 50_000


def test_B25_B33_behind_a_part_of_a_forecast_is_all_that_it_was_weighed_by(sold: Desk) -> None:
    cell: dict[str, Any] = {"group_by": ["owner"], "keys": ["people/zhao"]}
    said = sold.call("ExplainFigure", pb.ExplainFigureRequest(name="reports/forecast", measure="won", **cell))
    assert (said.figure.value, dict(said.figure.inputs)) == (5_000, {"amount": 10_000, "won": 10, "lost": 10})
    assert len(said.postings) == 10
    for measure, count in (("amount", 1), ("won", 10), ("lost", 10)):
        for asked in (cell, {"filter": 'owner = "people/zhao"'}):
            request = pb.ListRecordsRequest(parent="reports/forecast", measure=measure, page_size=100, **asked)
            assert len(sold.call("ListRecords", request).records) == count, measure


def test_B25_what_is_open_where_nothing_was_decided_is_said(sold: Desk) -> None:
    new = Deal("opportunities/new", "2026-11-01T10:00", 9_000_000, pipeline="pipelines/new")
    other = Deal("opportunities/other", "2026-11-01T10:00", 6, "people/wang", pipeline="pipelines/new")
    sold.hear(*new.told, *other.told)
    for group in ([], *GROUPS):
        assert _total(sold, group_by=group)[:2] == (80_000, 9_000_006), group
    of = {row.keys[0]: row.figure for row in sold.report("forecast", group_by=["owner"]).rows}
    assert [(of[f"people/{who}"].value, of[f"people/{who}"].left_out) for who in ("li", "zhao", "wang")] == [
        (50_000, 9_000_000),
        (5_000, 0),
        (25_000, 6),
    ]
    (row,) = (one for one in sold.report("forecast", group_by=["pipeline"]).rows if one.keys[0] == "pipelines/new")
    assert (row.figure.HasField("value"), row.figure.left_out) == (False, 9_000_006)


@pytest.mark.parametrize("who", ["all", "team"])
def test_B33_every_kpi_has_one_total_by_whatever_it_is_grouped(desk: Desk, who: str) -> None:
    """Of a house with some of everything, a forecast weighed by several people's stages among them."""
    desk.also(CostServicer())
    houses.build(desk)
    for n, (owner, amount) in enumerate([("li", 70), ("zhao", 900), ("zhao", 5)]):
        deal = Deal(f"opportunities/more{n}", "2026-11-03T10:00", amount, f"people/{owner}")
        still = Deal(f"opportunities/still{n}", "2026-11-04T10:00", amount, f"people/{owner}")
        ended = (deal.win if n % 2 else deal.lose)("2026-11-09T10:00")
        desk.hear(*ended.told, *still.move("need", "2026-11-09T10:00").told)
    _cost(desk, "WEB_FORM", 700, "2026-11")
    caller = {"all": ADMIN, "team": BOSS}[who]
    for of in SHIPPED:
        if any(FACTS[one.fact].resource == "people" for one in of.measures):
            continue  # how Dealwright is used is told to administrators alone
        whole = _said(desk.report(of.name[5:], caller, period="2026-11"))
        names = can_group(of)
        pairs = combinations(names, 2) if of.total != kpi.BY_FORMULA else ()
        spans = {"week", "month"} & {*grains(of)}
        for group in [*((one,) for one in (*names, *sorted(spans))), *pairs]:
            assert _said(desk.report(of.name[5:], caller, period="2026-11", group_by=group)) == whole, (of.name, group)


def _said(of: pb.Report.Tile) -> tuple[Any, ...]:
    """The total, to the last digits of a fraction."""
    figure = of.total.figure
    value = pytest.approx(figure.value, rel=1e-9) if figure.HasField("value") else None
    return value, pytest.approx(figure.left_out), dict(figure.inputs)
