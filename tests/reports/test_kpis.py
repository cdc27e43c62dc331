"""KPIs are data: whoever may makes one without code, and it is checked when it is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied, Invalid, NotFound, Refused, Stale
from chassis.fields import FieldCheck
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain import checking, formula
from reports.domain.shipped import SHIPPED
from reports.storage import cells, ledger
from reports.storage.cells import Rollup
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, Desk

NOVEMBER = "2026-11"
Measure, Condition = pb.Kpi.Measure, pb.Kpi.Condition


def _kpi(**values: Any) -> pb.Kpi:
    start: dict[str, Any] = {
        "display_name": "Hours to win",
        "unit": pb.Kpi.HOURS,
        "measures": [
            Measure(id="seconds", fact="deal.won", value=Measure.SECONDS),
            Measure(id="won", fact="deal.won"),
        ],
        "formula": "seconds / won / 3600",
        "dimensions": ["owner", "region"],
    }
    return pb.Kpi(**{**start, **values})


def _over(
    fact: str, *dimensions: str, where: dict[str, str] | None = None, value: int = 0, unit: int = pb.Kpi.COUNT
) -> dict[str, Any]:
    """A KPI of one measure."""
    narrowed = [Condition(dimension=name, values=[one]) for name, one in (where or {}).items()]
    measure = Measure(id="one", fact=fact, where=narrowed, value=value)  # type: ignore[arg-type]
    return {"measures": [measure], "formula": "one", "dimensions": dimensions, "unit": unit}


def _make(desk: Desk, id: str = "hours-to-win", who: Principal = ADMIN, **values: Any) -> pb.Kpi:
    made: pb.Kpi = desk.call("CreateKpi", pb.CreateKpiRequest(kpi_id=id, kpi=_kpi(**values)), who)
    return made


def _patch(desk: Desk, name: str, who: Principal = ADMIN, etag: str = "", **values: Any) -> pb.Kpi:
    changed = pb.Kpi(name=name, etag=etag, **values)
    request = pb.UpdateKpiRequest(kpi=changed, update_mask=FieldMask(paths=list(values)))
    made: pb.Kpi = desk.call("UpdateKpi", request, who)
    return made


def _limited(who: Principal, write: Scope) -> Principal:
    """With that scope on KPIs instead of all."""
    grants = {**who.grants, "kpis": Grant(Scope.ALL, write, write)}
    return Principal(who.person, who.role, who.team, who.teams, grants)


def _house(desk: Desk) -> None:
    told = [
        *Deal("opportunities/a", "2026-11-02T10:00", 1000).win("2026-11-03T10:00").told,
        *Deal("opportunities/b", "2026-11-02T10:00", 3000, "people/zhao").win("2026-11-02T22:00").told,
    ]
    desk.hear(*told)


def test_B11_a_kpi_made_without_code_answers_at_once_and_is_filled_from_what_was_before(desk: Desk) -> None:
    _house(desk)
    made = _make(desk)
    assert (made.name, made.version, made.owner) == ("kpis/hours-to-win", 1, "people/admin")
    assert desk.figure("hours-to-win", period=NOVEMBER) == 18
    assert desk.figures("hours-to-win", period=NOVEMBER, group_by=["owner"]) == {"people/li": 24, "people/zhao": 12}
    with desk.runtime.reading() as tx:
        kept = set(cells.kept(tx, ledger.live(tx)).values())
    assert Rollup("deal.won", ("region",)) in kept
    desk.hear(*Deal("opportunities/c", "2026-11-05T10:00", 1, "people/zhao").win("2026-11-05T11:00").told)
    assert desk.figures("hours-to-win", period=NOVEMBER, group_by=["owner"])["people/zhao"] == 6.5


def test_B11_the_sums_of_a_kpi_over_a_large_ledger_are_filled_by_the_loop_and_it_answers_before(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _house(desk)
    monkeypatch.setattr(cells, "_FEW", 3)
    _make(desk, dimensions=["pipeline", "customer"])
    with desk.runtime.reading() as tx:
        before = dict(cells.kept(tx, ledger.live(tx)))
    ours = [Condition(dimension="pipeline", values=["pipelines/six-stage"])]
    measures = [
        Measure(id="seconds", fact="deal.won", value=Measure.SECONDS, where=ours),
        Measure(id="won", fact="deal.won", where=ours),
    ]
    _make(desk, "another", measures=measures, dimensions=["channel"])
    narrowed = Rollup("deal.won", ("channel", "pipeline"))
    with desk.runtime.reading() as tx:
        assert narrowed not in cells.kept(tx, ledger.live(tx)).values()
    assert desk.figures("another", period=NOVEMBER, group_by=["channel"]) == {"": 18}
    desk.hear(*Deal("opportunities/c", "2026-11-05T10:00").win("2026-11-05T16:00").told, roll=False)
    desk.roll()
    with desk.runtime.reading() as tx:
        kept = cells.kept(tx, ledger.live(tx))
    assert narrowed in kept.values()
    assert Rollup("deal.won", ("customer",)) not in kept.values(), "there are as many customers as postings"
    assert before.items() <= kept.items()
    assert desk.figures("another", period=NOVEMBER, group_by=["channel"]) == {"": 14}


def test_B11_whole_numbers_in_a_formula_are_fractions() -> None:
    formula.check("seconds / won / 86400 + 2 * won - 1.5", ["seconds", "won"])
    assert formula.value("seconds / 2", {"seconds": 3.0}) == 1.5
    assert formula.value("won > 0 ? 1 : 0", {"won": 3.0}) == 1
    assert formula.in_fractions("a1 / 20 * 2.5 + 1e3 - x_3") == "a1 / 20.0 * 2.5 + 1e3 - x_3"
    with pytest.raises(ValueError, match="line 1, column 13"):
        formula.check("won / 100 / seconds", ["won"])


@pytest.mark.parametrize(
    ("field", "english", "values"),
    [
        ("kpi.display_name", "is required", {"display_name": ""}),
        ("kpi.unit", "COUNT, MONEY", {"unit": 0}),
        ("kpi.measures", "must be 1 to 8", {"measures": []}),
        ("kpi.measures", "twice", {"measures": [Measure(id="won", fact="deal.won")] * 2}),
        ("kpi.measures[0].id", "begin with a-z", {"measures": [Measure(id="in", fact="deal.won")]}),
        ("kpi.measures[0].fact", "deal.won,", {"measures": [Measure(id="won", fact="deal.wom")]}),
        ("kpi.measures[0].span", "no stock", {"measures": [Measure(id="won", fact="deal.won", span=Measure.STOCK)]}),
        ("kpi.measures[0].days", "1 to", {"measures": [Measure(id="won", fact="deal.won", span=Measure.LAST)]}),
        ("kpi.measures[0].days", "OLDER and LAST", {"measures": [Measure(id="won", fact="deal.won", days=3)]}),
        (
            "kpi.measures[0].where[0].dimension",
            "there are owner",
            {"measures": [Measure(id="won", fact="deal.won", where=[Condition(dimension="weather", values=["x"])])]},
        ),
        (
            "kpi.measures[0].where[0].values",
            "1 to 50",
            {"measures": [Measure(id="won", fact="deal.won", where=[Condition(dimension="stage")])]},
        ),
        ("kpi.dimensions[0]", "all its facts have", {"dimensions": ["weather"]}),
        ("kpi.dimensions[0]", "deal.opened has none; all its facts have owner", _over("deal.opened", "stage")),
        ("kpi.dimensions[0]", "deal.opened has none", _over("deal.opened", "reason")),
        ("kpi.dimensions[0]", "deal.opened has none", _over("deal.opened", "detail")),
        ("kpi.dimensions[0]", "deal.won has none", _over("deal.won", "reason")),
        ("kpi.dimensions[0]", "deal.entered has none", _over("deal.entered", "detail")),
        ("kpi.dimensions[0]", "lead.captured has none", _over("lead.captured", "detail")),
        ("kpi.dimensions[0]", "lead.captured has none", _over("lead.captured", "customer")),
        ("kpi.dimensions[0]", "customer.covered has none", _over("customer.covered", "detail")),
        ("kpi.dimensions[0]", "payment.received has none", _over("payment.received", "stage")),
        ("kpi.measures[0].where[0].dimension", "there are owner", _over("deal.opened", where={"stage": "need"})),
        ("kpi.measures[0].where[0].dimension", "there are owner", _over("deal.won", where={"detail": "OPEN"})),
        ("kpi.measures[0].value", "no seconds: take COUNT", _over("deal.opened", value=Measure.SECONDS)),
        ("kpi.measures[0].value", "no amount: take COUNT", _over("deal.left", value=Measure.AMOUNT)),
        ("kpi.unit", "no MONEY: take COUNT or NUMBER", _over("deal.opened", unit=pb.Kpi.MONEY)),
        ("kpi.unit", "no RATIO: take COUNT or NUMBER", _over("deal.opened", unit=pb.Kpi.RATIO)),
        ("kpi.unit", "no DAYS: take COUNT or NUMBER", _over("deal.opened", unit=pb.Kpi.DAYS)),
        ("kpi.unit", "no COUNT: take MONEY or NUMBER", _over("deal.won", value=Measure.AMOUNT)),
        ("kpi.unit", "no MONEY: take SECONDS or", _over("usage.called", value=Measure.AMOUNT, unit=pb.Kpi.MONEY)),
        ("kpi.unit", "no MONEY: take COUNT", _over("lead.incomplete", value=Measure.AMOUNT, unit=pb.Kpi.MONEY)),
        ("kpi.unit", "no COUNT: take SECONDS or HOURS or DAYS or NUMBER", {"unit": pb.Kpi.COUNT}),
        ("kpi.unit", "no MONEY", {"unit": pb.Kpi.MONEY}),
        ("kpi.unit", "no HOURS: take NUMBER", {"formula": "won / seconds"}),
        ("kpi.unit", "no HOURS: take NUMBER", {"formula": "won + seconds"}),
        ("kpi.unit", "no HOURS: take RATIO or NUMBER", {"formula": "(seconds - 60) / (seconds + won * 0)"}),
        ("kpi.unit", "no HOURS: take RATIO or NUMBER", {"total": pb.Kpi.EVENNESS}),
        ("kpi.measures", "two at least", _over("deal.won", "owner") | {"total": pb.Kpi.SHARE}),
        ("kpi.formula", "does not use seconds", {"formula": "won", "total": pb.Kpi.SHARE}),
        ("kpi.formula", "does not use won", {"formula": "seconds", "total": pb.Kpi.COUNTED}),
        ("kpi.formula", "it is made of seconds, won", {"formula": "seconds / wonn"}),
        ("kpi.formula", "does not use won", {"formula": "seconds / 2"}),
        ("kpi.formula", "line 1", {"formula": "seconds / won /"}),
        ("kpi.formula", "must be a number", {"formula": "seconds > won"}),
        ("kpi.total", "FORMULA, SUM, EVENNESS, COUNTED or SHARE", {"total": 9}),
    ],
)
def test_B11_each_wrong_field_is_named_with_the_way_out(
    desk: Desk, field: str, english: str, values: dict[str, Any]
) -> None:
    for validate_only in (True, False):
        request = pb.CreateKpiRequest(kpi_id="mine", kpi=_kpi(**values), validate_only=validate_only)
        with pytest.raises(Invalid) as said:
            desk.call("CreateKpi", request)
        found = {one.field: one for one in said.value.violations}
        assert english in found[field].english
        assert found[field].chinese
    with pytest.raises(NotFound):
        desk.call("GetKpi", pb.GetKpiRequest(name="kpis/mine"))


def test_B11_what_is_only_checked_is_not_kept(desk: Desk) -> None:
    request = pb.CreateKpiRequest(kpi_id="mine", kpi=_kpi(), validate_only=True)
    assert desk.call("CreateKpi", request).name == "kpis/mine"
    with pytest.raises(NotFound):
        desk.call("GetKpi", pb.GetKpiRequest(name="kpis/mine"))


@pytest.mark.parametrize("id", ["", "x", "A", "conversion", "my-sales", "mit_strich", "ä-b"])
def test_B11_an_id_is_a_kpis_or_a_boards_and_is_taken_once(desk: Desk, id: str) -> None:
    with pytest.raises((Invalid, Refused)):
        _make(desk, id)


def test_B11_a_changed_kpi_goes_before_the_one_that_came_with_the_product_and_counts_up(desk: Desk) -> None:
    _house(desk)
    before = desk.call("GetKpi", pb.GetKpiRequest(name="kpis/average-cycle"))
    assert (before.version, before.etag) == (1, "1")
    renamed = _patch(desk, "kpis/average-cycle", etag="1", display_name="Cycle")
    assert (renamed.version, renamed.etag) == (1, "2")
    changed = _patch(desk, "kpis/average-cycle", formula="seconds / won / 3600", unit=pb.Kpi.HOURS)
    assert (changed.version, changed.etag) == (2, "3")
    assert desk.figure("average-cycle", period=NOVEMBER) == 18
    assert desk.report("average-cycle", period=NOVEMBER).kpi_version == 2
    with pytest.raises(Stale):
        _patch(desk, "kpis/average-cycle", etag="2", display_name="Zyklus")


def test_B11_what_was_known_then_goes_by_the_formula_of_then(desk: Desk) -> None:
    _house(desk)
    _patch(desk, "kpis/average-cycle", formula="seconds / won / 3600")
    then = pb.ExplainFigureRequest(name="reports/average-cycle", period=NOVEMBER)
    then.as_of_time.FromJsonString("2026-11-20T00:00:00Z")
    said = desk.call("ExplainFigure", then)
    assert (said.kpi.version, said.kpi.formula) == (1, "seconds / won / 86400.0")
    assert said.figure.value == 0.75
    now = desk.call("ExplainFigure", pb.ExplainFigureRequest(name="reports/average-cycle", period=NOVEMBER))
    assert (now.kpi.version, now.figure.value) == (2, 18)


def test_B11_whoever_may_write_only_his_own_changes_no_other(desk: Desk) -> None:
    boss = _limited(BOSS, Scope.OWN)
    _make(desk)
    mine = _make(desk, "mine", boss)
    assert mine.owner == "people/boss"
    assert _patch(desk, "kpis/mine", boss, display_name="Meins").display_name == "Meins"
    change: Callable[[str], Any]
    for change in (
        lambda name: _patch(desk, name, boss, display_name="x"),
        lambda name: desk.call("DeleteKpi", pb.DeleteKpiRequest(name=name), boss),
    ):
        for name in ("kpis/hours-to-win", "kpis/conversion"):
            with pytest.raises(Denied):
                change(name)
    with pytest.raises(Denied):
        _make(desk, "another", _limited(LI, Scope.NONE))


def test_B11_what_is_deleted_is_not_there_until_it_is_brought_back(desk: Desk) -> None:
    _make(desk)
    gone = desk.call("DeleteKpi", pb.DeleteKpiRequest(name="kpis/hours-to-win"))
    assert gone.HasField("delete_time")
    with pytest.raises(NotFound):
        desk.report("hours-to-win")
    with pytest.raises(Refused, match="deleted"):
        _make(desk)
    listed = {one.name for one in desk.call("ListKpis", pb.ListKpisRequest(page_size=1000)).kpis}
    assert "kpis/hours-to-win" not in listed
    assert "kpis/conversion" in listed
    desk.call("UndeleteKpi", pb.UndeleteKpiRequest(name="kpis/hours-to-win"))
    assert desk.figure("hours-to-win") is None
    with pytest.raises(Refused) as said:
        desk.call("DeleteKpi", pb.DeleteKpiRequest(name="kpis/conversion"))
    assert said.value.reason == "IN_USE"


def test_B11_kpis_and_facts_come_page_by_page(desk: Desk) -> None:
    names: list[str] = []
    token = ""
    while True:
        page = desk.call("ListKpis", pb.ListKpisRequest(page_size=7, page_token=token))
        names += [one.name for one in page.kpis]
        token = page.next_page_token
        if not token:
            break
    assert names == sorted(one.name for one in SHIPPED)
    facts = desk.call("ListFacts", pb.ListFactsRequest(page_size=1000)).facts
    assert {one.fact for kpi in SHIPPED for one in kpi.measures} <= {one.id for one in facts}
    with pytest.raises(Invalid):
        desk.call("ListKpis", pb.ListKpisRequest(page_token="kpis/none"))


@pytest.mark.parametrize("kpi", SHIPPED, ids=lambda one: str(one.name))
def test_B11_what_comes_with_the_product_would_be_taken_from_anybody(kpi: Any) -> None:
    check = FieldCheck()
    checking.check_kpi(kpi, check)
    assert not check.violations
    assert kpi.display_name
    assert kpi.display_name_zh
