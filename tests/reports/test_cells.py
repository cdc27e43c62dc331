"""Whatever cell a table has can be asked how it came about, and of what: by the hour, too."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chassis.errors import Denied, Invalid
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain import periods
from reports.servicer.costs import CostServicer
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, LI, Desk, principal
from tests.reports.leads import Lead
from tests.reports.test_sources import _business, _cost

OCTOBER: dict[str, Any] = {"period": "2026-10"}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "leads by hour": ("leads-captured", {"period": "2026-10-10..2026-10-11", "group_by": ["hour"]}),
    "answers by channel and hour": ("ctre", {"period": "2026-10-10..2026-10-11", "group_by": ["channel", "hour"]}),
    "the return by hour": ("roi", {"period": "2026-10-09..2026-10-10", "group_by": ["hour", "channel"]}),
    "a cost by hour": ("cost-per-lead", {"period": "2026-10-10", "group_by": ["hour"]}),
    "one hour": ("leads-captured", {"period": "2026-10-10T10", "group_by": ["channel"]}),
    "days of what there is": ("leads-open", {**OCTOBER, "group_by": ["day", "detail"]}),
    "weeks, cut by the month": ("opportunities-won", {**OCTOBER, "group_by": ["week"]}),
    "quarters": ("opportunities-opened", {"period": "2026", "group_by": ["quarter", "channel"]}),
    "teams": ("opportunities-opened", {**OCTOBER, "group_by": ["team", "owner"]}),
    "teams among some": ("won-amount", {"period": "2026", "group_by": ["team"], "filter": "owner = people/li"}),
    "a forecast by stage": ("forecast", {**OCTOBER, "group_by": ["stage"]}),
    "a forecast by team and owner": ("forecast", {**OCTOBER, "group_by": ["team", "owner"]}),
    "a return by hour": ("roi", {"period": "2026-10-10", "group_by": ["hour"]}),
    "answers by region": ("ctre", {**OCTOBER, "group_by": ["region"]}),
    "answers by day": ("ctre-literal", {**OCTOBER, "group_by": ["day"]}),
    "channels of an evenness": ("ctre-evenness", {**OCTOBER, "group_by": ["channel"]}),
    "what was known": ("leads-captured", {**OCTOBER, "group_by": ["hour", "region"], "as_of": "2026-10-20T10:00"}),
}


@pytest.fixture
def busy(desk: Desk) -> Desk:
    desk.also(CostServicer())
    odd = Lead("leads/odd", "2026-10-10T10:59", "DOUYIN", region="", heard="2026-10-25T10:00")
    strange = Deal("opportunities/x", "2026-10-11T09:00", 77, "people/unheard-of").move("need", "2026-10-30T12:00")
    mine = Deal("opportunities/y", "2026-10-10T09:00", 70).move("need", "2026-10-12T12:00")
    west = Deal("opportunities/z", "2026-10-12T09:00", 80, "people/wang").win("2026-10-31T23:30")
    nobodys = Deal("opportunities/n", "2026-10-12T09:30", 90, "")
    answered = Lead("leads/x", "2026-10-11T09:30", "TRADE_SHOW").assign("people/zhao", "2026-10-11T09:40")
    told = [odd, strange, mine, west, nobodys, answered.contact("2026-10-11T11:30"), *_business()]
    desk.hear(*(event for one in told for event in one.told))
    _cost(desk, "WEB_FORM", 744)
    return desk


def _request(kind: Any, name: dict[str, str], asked: dict[str, Any], **more: Any) -> Any:
    told = {key: value for key, value in asked.items() if key != "as_of"}
    request = kind(**name, **told, **more)
    if "as_of" in asked:
        request.as_of_time.FromJsonString(f"{asked['as_of']}:00+08:00")
    return request


def _explained(
    desk: Desk, kpi: str, asked: dict[str, Any], measure: str, keys: Any, who: Any = ADMIN
) -> pb.Explanation:
    name = {"name": f"reports/{kpi}"}
    request = _request(pb.ExplainFigureRequest, name, asked, measure=measure, keys=keys, page_size=1000)
    found: pb.Explanation = desk.call("ExplainFigure", request, who)
    assert not found.next_page_token
    return found


@pytest.mark.parametrize("case", CASES)
def test_B33_B41_every_cell_is_explained_by_its_own_postings_and_drilled_to_its_own_records(
    busy: Desk, case: str
) -> None:
    kpi, asked = CASES[case]
    tile = busy.report(kpi, **asked)
    definition = busy.call("GetKpi", pb.GetKpiRequest(name=f"kpis/{kpi}"))
    assert tile.rows
    for row in tile.rows:
        for measure in definition.measures:
            said = _explained(busy, kpi, asked, measure.id, row.keys)
            assert said.figure == row.figure, (row.keys, measure.id)
            values = {
                measure.COUNT: sum(one.count for one in said.postings),
                measure.AMOUNT: sum(one.amount.units + one.amount.nanos / 1e9 for one in said.postings),
                measure.SECONDS: sum(one.seconds for one in said.postings),
            }
            assert values[measure.value] == pytest.approx(row.figure.inputs[measure.id], abs=1e-6), (
                row.keys,
                measure.id,
            )
            listing = _request(
                pb.ListRecordsRequest, {"parent": f"reports/{kpi}"}, asked, measure=measure.id, keys=row.keys
            )
            net: dict[str, int] = {}
            for one in said.postings:
                net[one.record] = net.get(one.record, 0) + one.count
            drilled = {one.name for one in busy.call("ListRecords", listing).records}
            assert drilled == {record for record, count in net.items() if count}
    # By the same groups and no keys, it is all of them together.
    whole = _explained(busy, kpi, asked, definition.measures[0].id, [])
    assert whole.figure == tile.total.figure


def test_B33_an_hour_is_a_period_like_any_other(busy: Desk) -> None:
    assert busy.figure("leads-captured", period="2026-10-10T10") == 5
    assert busy.figure("leads-captured", period="2026-10-10T11") == 0
    listing = pb.ListRecordsRequest(parent="reports/leads-captured", period="2026-10-10T10", filter="channel = DOUYIN")
    assert [one.name for one in busy.call("ListRecords", listing).records] == ["leads/odd"]
    tile = busy.report("leads-captured", period="2026-10-10T10")
    assert (tile.period, tile.begin_date, tile.end_date) == ("2026-10-10T10", "2026-10-10", "2026-10-10")
    for wrong in ("2026-10-10T24", "2026-10-10T1", "2026-10-10 10", "2026-02-30T10", "9999-12-31"):
        with pytest.raises(Invalid, match="2026-11-22T15"):
            busy.figure("leads-captured", period=wrong)


def test_B33_a_cell_that_is_empty_has_nothing_behind_it(busy: Desk) -> None:
    asked = {**OCTOBER, "group_by": ["channel", "hour"]}
    said = _explained(busy, "leads-captured", asked, "", ["DOUYIN", "2026-10-10T11"])
    assert (said.figure.value, len(said.postings)) == (0, 0)
    outside = _explained(busy, "leads-captured", asked, "", ["DOUYIN", "2026-11-10T10"])
    assert (outside.figure.value, len(outside.postings)) == (0, 0)


@pytest.mark.parametrize(
    ("group_by", "keys"),
    [
        (["channel"], ["DOUYIN", "WEB_FORM"]),
        ([], ["DOUYIN"]),
        (["hour"], ["2026-10-10"]),
        (["hour"], ["2026-10-10T24"]),
        (["day"], ["2026-10-10T10"]),
        (["day"], ["9999-12-31"]),
        (["week"], ["2026-10-10"]),
        (["month"], ["2026-10"]),
        (["month"], [""]),
        (["year"], ["today"]),
    ],
)
def test_B33_keys_that_no_row_has_are_refused_by_name(busy: Desk, group_by: list[str], keys: list[str]) -> None:
    with pytest.raises(Invalid, match="keys"):
        _explained(busy, "leads-captured", {**OCTOBER, "group_by": group_by}, "", keys)


def test_B33_P8_a_cell_says_no_more_to_anybody_than_its_table_does(busy: Desk) -> None:
    hidden = principal("people/admin", "admin", ADMIN.scope("leads", "read"), hidden=("channel",))
    with pytest.raises(Denied, match=r"leads\.channel\.read"):
        _explained(busy, "leads-captured", {**OCTOBER, "group_by": ["channel"]}, "", ["DOUYIN"], hidden)
    asked: dict[str, Any] = {"period": "2026-10-09..2026-10-12", "group_by": ["team", "hour"]}
    rows = busy.report("opportunities-opened", LI, **asked).rows
    theirs = {tuple(row.keys) for row in busy.report("opportunities-opened", **asked).rows}
    assert {tuple(row.keys) for row in rows} < theirs
    for keys in theirs:
        said = _explained(busy, "opportunities-opened", asked, "", keys, LI)
        assert {one.record for one in said.postings} <= {
            "opportunities/y",
            "opportunities/w",
            "opportunities/s0",
            "opportunities/s1",
            "opportunities/other",
        }


@pytest.mark.parametrize("grain", periods.GRAINS)
def test_B33_a_key_of_time_means_the_hours_that_the_table_put_into_it(grain: str) -> None:
    first = (date(2023, 12, 25) - periods.EPOCH).days * 24
    unit = 1 if grain == "hour" else 24
    for hour in range(first, first + 24 * 800, 7):
        begin, end = periods.of_key(grain, periods.key_of(grain, hour // unit)).hours
        assert begin is not None
        assert end is not None
        assert begin <= hour < end
        assert {periods.key_of(grain, edge // unit) for edge in (begin, end - 1)} == {
            periods.key_of(grain, hour // unit)
        }
