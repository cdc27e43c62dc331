"""What a role does not show, and whom somebody does not see, is in no figure, in whatever way it is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain.facts import FACTS
from reports.domain.known import Label
from reports.domain.kpi import AMOUNT, SECONDS
from reports.domain.shipped import SHIPPED
from reports.storage import names
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, WANG, ZHAO, Desk, principal
from tests.reports.leads import Lead
from tests.reports.people import customer

NOVEMBER = "2026-11"
Tile = pb.Board.Tile
SECRET = 123_457


def _blind(*fields: str) -> Principal:
    return principal("people/li", "sales", Scope.ALL, "teams/east", hidden=fields)


def _house(desk: Desk) -> None:
    deals = [
        Deal("opportunities/a", "2026-11-02T10:00", SECRET, fields={"source": "WEB", "customer": "customers/1"}),
        Deal("opportunities/b", "2026-11-02T10:00", 3000, "people/zhao", {"customer": "customers/2"}),
        Deal("opportunities/c", "2026-11-05T10:00", 2000, "people/wang", {"customer": "customers/3"}),
    ]
    desk.hear(*(told for deal in deals for told in deal.win("2026-11-12T10:00").told))
    desk.hear(*(customer(d.fields["customer"], "2026-11-01T10:00", owner=d.owner) for d in deals))
    with desk.runtime.transaction() as tx:
        names.know(tx, [Label(f"customers/{n}", f"客户{n}", 9) for n in (1, 2, 3)])


def _explain(desk: Desk, kpi: str, who: Principal, **asked: Any) -> pb.Explanation:
    request = pb.ExplainFigureRequest(name=f"reports/{kpi}", **{"period": NOVEMBER, **asked})
    said: pb.Explanation = desk.call("ExplainFigure", request, who)
    return said


def _records(desk: Desk, kpi: str, who: Principal, **asked: Any) -> list[Any]:
    request = pb.ListRecordsRequest(parent=f"reports/{kpi}", **{"period": NOVEMBER, **asked})
    return list(desk.call("ListRecords", request, who).records)


def test_P3_a_hidden_amount_is_in_no_total_no_group_no_order_no_explanation_and_no_drill(desk: Desk) -> None:
    _house(desk)
    blind = _blind("amount")
    for asked in ({}, {"group_by": ["owner"]}, {"filter": "owner = people/li"}):
        for kpi in ("won-amount", "average-deal", "open-amount", "forecast"):
            with pytest.raises(Denied, match=r"opportunities\.amount"):
                desk.report(kpi, blind, period=NOVEMBER, **asked)
    for kpi in ("won-amount", "average-deal"):
        with pytest.raises(Denied):
            _explain(desk, kpi, blind)
        with pytest.raises(Denied):
            _explain(desk, kpi, blind, measure="won" if kpi == "average-deal" else "")
    with pytest.raises(Denied):
        _records(desk, "won-amount", blind)
    shown = _records(desk, "opportunities-won", blind)
    assert len(shown) == 3
    assert not any(one.HasField("amount") for one in shown)
    said = _explain(desk, "opportunities-won", blind)
    assert len(said.postings) == 3
    assert not any(one.HasField("amount") for one in said.postings)
    assert str(SECRET) not in f"{shown} {said}"
    assert str(SECRET) in f"{_records(desk, 'opportunities-won', ADMIN)}"


def test_P3_a_hidden_time_is_in_no_explanation_no_record_no_grain_no_period_and_no_past(desk: Desk) -> None:
    _house(desk)
    blind = _blind("close_time")
    said = _explain(desk, "opportunities-won", blind, period="all")
    shown = _records(desk, "opportunities-won", blind, period="all")
    assert len(said.postings) == len(shown) == 3
    for one in said.postings:
        assert not one.HasField("happen_time")
        assert not one.HasField("learn_time")
        assert not one.events
        assert one.seconds == 0
    assert not any(one.HasField("happen_time") for one in shown)
    assert [one.name for one in shown] == ["opportunities/a", "opportunities/b", "opportunities/c"]
    assert all(one.seconds and one.happen_time for one in _explain(desk, "opportunities-won", ADMIN).postings)
    right = r"opportunities\.close_time"
    for asked in ({"group_by": ["hour"]}, {"group_by": ["year"]}, {"as_of": "2026-11-20T10:00"}):
        with pytest.raises(Denied, match=right):
            desk.report("opportunities-won", blind, period="all", **asked)
    for ask in (
        lambda: desk.report("opportunities-won", blind, period=NOVEMBER),
        lambda: _explain(desk, "opportunities-won", blind),
        lambda: _records(desk, "opportunities-won", blind),
        lambda: desk.report("average-cycle", blind, period="all"),
        lambda: desk.report("won-amount", blind, period="all"),
    ):
        with pytest.raises(Denied, match=right):
            ask()


def test_P3_that_something_hidden_came_within_the_same_second_is_in_no_explanation(desk: Desk) -> None:
    at = "2026-11-02T10:00:00"
    told = [*Lead("leads/a", f"{at}.1").assign("people/li", f"{at}.4").told, *Lead("leads/b", f"{at}.1").told]
    desk.hear(*told)
    for who, many in ((ADMIN, {"leads/a": 2, "leads/b": 1}), (_blind("owner"), {"leads/a": 1, "leads/b": 1})):
        said = _explain(desk, "leads-captured", who)
        assert {one.record: len(one.events) for one in said.postings} == many


def test_P3_a_hidden_dimension_neither_groups_nor_filters_and_is_not_drilled_to(desk: Desk) -> None:
    _house(desk)
    for field, dimension, value in (
        ("source", "channel", "WEB"),
        ("customer", "customer", "customers/1"),
        ("customer", "region", ""),
        ("owner", "owner", "people/li"),
        ("owner", "team", "teams/east"),
        ("owner", "manager", "people/boss"),
    ):
        blind = _blind(field)
        where = f'{dimension} = "{value}"'
        for asked in ({"group_by": [dimension]}, {"filter": where}):
            with pytest.raises(Denied, match=rf"opportunities\.{field}"):
                desk.report("opportunities-won", blind, period=NOVEMBER, **asked)
        with pytest.raises(Denied):
            _explain(desk, "opportunities-won", blind, filter=where)
        with pytest.raises(Denied):
            _records(desk, "opportunities-won", blind, filter=where)
    assert {one.customer for one in _records(desk, "opportunities-won", _blind("customer"))} == {""}
    assert {one.owner for one in _records(desk, "opportunities-won", _blind("owner"))} == {""}


def test_P3_a_kpi_that_is_narrowed_by_a_hidden_field_is_refused(desk: Desk) -> None:
    _house(desk)
    measure = pb.Kpi.Measure(id="web", fact="deal.won", where=[pb.Kpi.Condition(dimension="channel", values=["WEB"])])
    kpi = pb.Kpi(display_name="Web", unit=pb.Kpi.COUNT, measures=[measure], formula="web")
    desk.call("CreateKpi", pb.CreateKpiRequest(kpi_id="web-wins", kpi=kpi))
    assert desk.figure("web-wins", period=NOVEMBER) == 1
    with pytest.raises(Denied, match=r"opportunities\.source"):
        desk.figure("web-wins", _blind("source"), period=NOVEMBER)


def _without(resource: str, *fields: str) -> Principal:
    """Somebody who sees all but these fields of a resource; none of it where none is named."""
    grant = Grant(Scope.ALL, Scope.ALL, hidden=frozenset(fields)) if fields else Grant()
    return replace(ADMIN, grants={**ADMIN.grants, resource: grant})


def test_P3_a_customers_region_and_industry_are_hidden_in_what_is_made_of_its_deals_and_papers(desk: Desk) -> None:
    _house(desk)
    for kpi in ("opportunities-won", "stage-entered", "source-opportunities", "signed-amount", "overdue-amount"):
        for dimension in ("region", "industry"):
            for who, right in (
                (_without("customers", dimension), rf"customers\.{dimension}\.read"),
                (_without("customers"), r"customers\.read"),
            ):
                where = f'{dimension} = "x"'
                for asked in ({"group_by": [dimension]}, {"filter": where}):
                    with pytest.raises(Denied, match=right):
                        desk.report(kpi, who, **asked)
                with pytest.raises(Denied, match=right):
                    _explain(desk, kpi, who, filter=where)
                with pytest.raises(Denied, match=right):
                    _records(desk, kpi, who, filter=where)


def test_P3_a_leads_channel_and_capture_are_hidden_in_what_is_made_of_its_opportunities(desk: Desk) -> None:
    lead = Lead("leads/1", "2026-11-01T09:17", "TRADE_SHOW").assign("people/li", "2026-11-01T10:00")
    deal = Deal("opportunities/a", "2026-11-02T10:00", fields={"lead": "leads/1"}).win("2026-11-12T10:00")
    desk.hear(*lead.told, *deal.told)
    assert desk.figures("opportunities-won", period=NOVEMBER, group_by=["channel"]) == {"TRADE_SHOW": 1}
    for who, right in (
        (_without("leads"), r"leads\.read"),
        (_without("leads", "channel", "capture_time"), r"leads\.(channel|capture_time)\.read"),
    ):
        for kpi, asked in (
            ("opportunities-won", {"group_by": ["channel"]}),
            ("opportunities-won", {"filter": "channel = TRADE_SHOW"}),
            ("source-opportunities", {}),
            ("source-opportunities", {"group_by": ["hour"]}),
            ("source-won-amount", {}),
            ("average-cycle", {}),
        ):
            with pytest.raises(Denied, match=right):
                desk.report(kpi, who, period=NOVEMBER, **asked)
        assert desk.figure("opportunities-won", who, period=NOVEMBER) == 1
        assert _explain(desk, "opportunities-won", who).postings[0].seconds == 0
        assert not _explain(desk, "source-opportunities", who, period="all").postings[0].HasField("happen_time")
        assert not _records(desk, "source-opportunities", who, period="all")[0].HasField("happen_time")


def test_P3_what_is_known_of_an_owner_is_as_hidden_as_it_is_of_a_person(desk: Desk) -> None:
    _house(desk)
    for dimension, field in (("team", "team"), ("manager", "manager"), ("owner_region", "region")):
        for who in (_without("people", field), _without("people")):
            for asked in ({"group_by": [dimension]}, {"filter": f'{dimension} = "teams/east"'}):
                with pytest.raises(Denied, match=r"people\."):
                    desk.report("opportunities-won", who, period=NOVEMBER, **asked)


def test_P3_who_was_won_or_lost_is_not_told_by_figures_of_the_won_and_the_lost(desk: Desk) -> None:
    _house(desk)
    for field, kpis in (
        ("status", ("opportunities-won", "opportunities-lost", "win-rate", "open-opportunities", "stage-entered")),
        ("stage", ("stage-entered", "stage-conversion", "deviations")),
    ):
        for kpi in kpis:
            for ask in (desk.report, lambda kpi, who: _records(desk, kpi, who), lambda *of: _explain(desk, *of)):
                with pytest.raises(Denied, match=rf"opportunities\.{field}\.read"):
                    ask(kpi, _blind(field))


def test_P3_rates_tell_nothing_of_amounts_that_are_hidden(desk: Desk) -> None:
    _house(desk)
    assert not _explain(desk, "opportunities-won", _blind("amount")).rates


@pytest.mark.parametrize("kpi", SHIPPED, ids=lambda one: str(one.name))
def test_P3_no_kpi_that_comes_with_the_product_shows_what_is_hidden(desk: Desk, kpi: Any) -> None:
    hidden: set[tuple[str, str]] = set()
    for measure in kpi.measures:
        fact = FACTS[measure.fact]
        value = {AMOUNT: "amount", SECONDS: "seconds"}.get(measure.value, "")
        hidden.update(fact.sources(f"{fact.fields.get(value, '')} {fact.defined}"))
    for resource, field in hidden:
        with pytest.raises(Denied):
            desk.report(kpi.name.partition("/")[2], _without(resource, field))


def test_P3_customers_are_not_called_by_their_names_where_these_are_hidden(desk: Desk) -> None:
    _house(desk)

    def labels(who: Principal) -> set[str]:
        rows = desk.report("opportunities-won", who, period=NOVEMBER, group_by=["customer"]).rows
        return {label for row in rows for label in row.labels}

    assert labels(ADMIN) == {"客户1", "客户2", "客户3"}
    unnamed = Grant(Scope.ALL, hidden=frozenset({"display_name"}))
    for grant, there in ((unnamed, {f"customers/{n}" for n in (1, 2, 3)}), (Grant(), {""})):
        assert labels(replace(ADMIN, grants={**ADMIN.grants, "customers": grant})) == there


def test_P6_records_of_others_are_in_no_total_no_group_no_drill_and_no_board(desk: Desk) -> None:
    _house(desk)
    board = pb.Board(
        display_name="x",
        period=NOVEMBER,
        tiles=[
            Tile(kpi="kpis/won-amount"),
            Tile(kpi="kpis/opportunities-won", group_by=["customer"], overlay_kpi="kpis/won-amount"),
            Tile(kpi="kpis/won-amount", group_by=["owner"], chart=pb.Board.RANKING, limit=10),
        ],
    )
    desk.call("CreateBoard", pb.CreateBoardRequest(board_id="all", board=board))
    mine = {
        LI.person: {"customers/1"},
        ZHAO.person: {"customers/2"},
        WANG.person: {"customers/3"},
        BOSS.person: {"customers/1", "customers/2"},
    }
    for who in (LI, ZHAO, WANG, BOSS):
        customers = mine[who.person]
        assert {one.customer for one in _records(desk, "won-amount", who)} == customers
        assert desk.figures("won-amount", who, period=NOVEMBER, group_by=["customer"]).keys() == customers
        assert {one.record for one in _explain(desk, "won-amount", who).postings} == {
            one.name for one in _records(desk, "won-amount", who)
        }
        asked = pb.GetReportRequest(name="reports/all")
        first, second, third = desk.call("GetReport", asked, who).tiles
        assert first.total.figure.value == desk.figure("won-amount", who, period=NOVEMBER)
        assert {row.keys[0] for row in second.rows} == customers
        assert sum(row.figure.value for row in third.rows) == first.total.figure.value
        asked.as_of_time.FromJsonString("2026-12-01T00:00:00Z")
        then = desk.call("GetReport", asked, who).tiles[0]
        assert then.total.figure.value == first.total.figure.value
    for outside in ("customer = customers/3", "owner = people/wang", "team = teams/west"):
        assert desk.figure("won-amount", LI, period=NOVEMBER, filter=outside) in (0, None)
        assert _records(desk, "won-amount", LI, filter=outside) == []
        assert list(_explain(desk, "won-amount", LI, filter=outside).postings) == []


def test_P5_P6_what_nobody_has_is_for_whoever_leads_and_for_no_salesperson(desk: Desk) -> None:
    desk.hear(*Lead("leads/nobody", "2026-11-02T10:00").told)
    for kpi, group in (("leads-captured", "channel"), ("leads-open", "detail"), ("answered-rate", "region")):
        asked: dict[str, Any] = {"period": NOVEMBER, "as_of": "2026-11-30T10:00"}
        for when in ({"period": NOVEMBER}, asked):
            whole = [desk.report(kpi, who, **when).total.figure.inputs for who in (BOSS, LI, ZHAO, WANG)]
            assert [sum(inputs.values()) for inputs in whole] == [1, 0, 0, 0], kpi
            assert not desk.figures(kpi, LI, group_by=[group], **when)
        assert _records(desk, kpi, LI) == []
        assert list(_explain(desk, kpi, LI).postings) == []
        measure = "captured" if kpi == "answered-rate" else ""
        assert [one.name for one in _records(desk, kpi, BOSS, measure=measure)] == ["leads/nobody"]
        assert len(_explain(desk, kpi, BOSS, measure=measure).postings) == 1


def test_P6_whoever_may_not_read_what_is_counted_has_no_figure_of_it(desk: Desk) -> None:
    _house(desk)
    without = replace(LI, grants={**LI.grants, "opportunities": Grant()})
    for ask in (
        lambda: desk.report("opportunities-won", without),
        lambda: _explain(desk, "opportunities-won", without),
        lambda: _records(desk, "opportunities-won", without),
    ):
        with pytest.raises(Denied):
            ask()


def test_P6_what_nobody_has_is_for_whoever_leads_a_team_and_for_nobody_with_his_own_alone(desk: Desk) -> None:
    nobodys = Deal("opportunities/n", "2026-11-02T10:00", SECRET, "", {"customer": "customers/9"})
    desk.hear(*nobodys.win("2026-11-12T10:00").told, *Lead("leads/n", "2026-11-02T10:00").told)
    for kpi, record in (("won-amount", "opportunities/n"), ("leads-captured", "leads/n")):
        for who in (LI, replace(LI, person="")):
            for asked in ({}, {"as_of": "2026-11-30T10:00"}):
                assert desk.figure(kpi, who, period=NOVEMBER, **asked) in (0, None)
            assert desk.figures(kpi, who, period=NOVEMBER, group_by=["owner"]) == {}
            assert _records(desk, kpi, who) == []
            assert list(_explain(desk, kpi, who).postings) == []
        assert desk.figure(kpi, BOSS, period=NOVEMBER)
        assert [one.name for one in _records(desk, kpi, BOSS)] == [record]
        assert [one.record for one in _explain(desk, kpi, BOSS).postings] == [record]
