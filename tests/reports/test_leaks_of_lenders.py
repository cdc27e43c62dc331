"""What a record lends to figures of others, is in them for those alone who may see that record: a deal has its region
from its customer, its channel from its lead."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.access import Grant, Principal, Scope
from dealwright.reports.v1 import reports_pb2 as pb
from reports.domain.known import Label
from reports.domain.posting import APART
from reports.storage import names
from reports.storage.tables import cells, postings
from reports.usecases import exporting
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, WANG, Desk, principal
from tests.reports.houses import MESSAGES, heard
from tests.reports.leads import Lead
from tests.reports.people import contract, customer
from tests.reports.test_leaks_of_fields import NEVER, Houses, differing, posted, questions, told
from tests.reports.test_leaks_of_fields import houses as houses
from tests.reports.test_leaks_of_fields import today as today

NOVEMBER = "2026-11"
BOTH = principal("people/both", "manager", Scope.TEAM, "teams/east", "teams/west")
GIVEN, THEN = "2026-11-15T10:00", "2026-11-14T10:00"


def _of_customer(desk: Desk) -> None:
    """Li's deals: of his own customer, of one that was given to Wang since, and one that names its industry itself."""
    of: dict[str, Any] = {"region": "华东", "industry": "医疗"}
    given = customer("customers/given", GIVEN, 2, owner="people/wang", **of)
    mine = {"customer": "customers/mine"}
    deals = [
        Deal("opportunities/a", "2026-11-02T10:00", 1000, fields=mine),
        Deal("opportunities/b", "2026-11-03T10:00", 2000, fields={"customer": "customers/given"}),
        Deal("opportunities/c", "2026-11-04T10:00", 3000, fields={"customer": "customers/given", "industry": "汽车"}),
    ]
    desk.hear(
        *(customer(name, "2026-11-01T10:00", **of) for name in ("customers/mine", "customers/given")),
        *(event for deal in deals for event in deal.win("2026-11-12T10:00").told),
        contract("contracts/a", "customers/given", "2026-11-12", 9, owner="people/li"),
    )
    desk.hear(given)


def _records(desk: Desk, kpi: str, who: Principal, **asked: Any) -> list[Any]:
    request = pb.ListRecordsRequest(parent=f"reports/{kpi}", **{"period": NOVEMBER, **asked})
    return list(desk.call("ListRecords", request, who).records)


def _explained(desk: Desk, kpi: str, who: Principal, **asked: Any) -> list[Any]:
    request = pb.ExplainFigureRequest(name=f"reports/{kpi}", **{"period": NOVEMBER, **asked})
    return list(desk.call("ExplainFigure", request, who).postings)


def test_P6_a_customer_that_was_given_away_lends_its_region_and_industry_to_those_alone_who_see_it(desk: Desk) -> None:
    _of_customer(desk)
    for who in (ADMIN, BOTH):
        assert desk.figures("won-amount", who, period=NOVEMBER, group_by=["region"]) == {"华东": 6000}
        by = desk.figures("won-amount", who, period=NOVEMBER, group_by=["industry"])
        assert by == {"医疗": 3000, "汽车": 3000}
    for who in (LI, BOSS):
        assert desk.figure("won-amount", who, period=NOVEMBER) == 6000
        # By sums that are kept, and by the postings.
        for more in ({}, {"filter": 'pipeline = pipelines/six-stage AND product = "" AND channel = ""'}):
            by = desk.figures("won-amount", who, period=NOVEMBER, group_by=["region"], **more)
            assert by == {"华东": 1000, "": 5000}
            by = desk.figures("won-amount", who, period=NOVEMBER, group_by=["industry"], **more)
            assert by == {"医疗": 1000, "": 2000, "汽车": 3000}
        assert desk.figures("signed-amount", who, period=NOVEMBER, group_by=["region"]) == {"": 9}
    assert desk.figure("won-amount", WANG, period=NOVEMBER) in (0, None)


def test_P6_B41_and_no_filter_no_drill_and_no_explanation_finds_it_by_them(desk: Desk) -> None:
    _of_customer(desk)
    for who, there in ((ADMIN, {"a", "b", "c"}), (LI, {"a"}), (BOSS, {"a"})):
        where = {"filter": "region = 华东"}
        assert {one.name[-1] for one in _records(desk, "won-amount", who, **where)} == there
        assert {one.record[-1] for one in _explained(desk, "won-amount", who, **where)} == there
        assert desk.figure("opportunities-won", who, period=NOVEMBER, **where) == len(there)
    for who in (LI, BOSS):
        blank = {"filter": 'region = ""'}
        assert {one.name[-1] for one in _records(desk, "won-amount", who, **blank)} == {"b", "c"}
        # Neither that it was given away, nor when.
        assert [one.record[-1] for one in _explained(desk, "won-amount", who)] == ["c", "b", "a"]
        assert {one.learn_time.ToJsonString() for one in _explained(desk, "won-amount", who)} == {
            "2026-11-12T02:00:00Z"
        }


def test_P6_what_was_known_then_is_lent_by_the_rights_of_today(desk: Desk) -> None:
    _of_customer(desk)
    for who in (LI, BOSS):
        by = desk.figures("won-amount", who, period=NOVEMBER, group_by=["region"], as_of=THEN)
        assert by == {"华东": 1000, "": 5000}
    assert desk.figures("won-amount", ADMIN, period=NOVEMBER, group_by=["region"], as_of=THEN) == {"华东": 6000}
    back = customer("customers/given", "2026-11-16T10:00", 3, owner="people/zhao", region="华东", industry="医疗")
    desk.hear(back)
    assert desk.figures("won-amount", LI, period=NOVEMBER, group_by=["region"], as_of=THEN) == {"华东": 1000, "": 5000}
    assert desk.figures("won-amount", BOSS, period=NOVEMBER, group_by=["region"], as_of=THEN) == {"华东": 6000}


def test_P6_a_customer_out_of_reach_is_not_called_by_its_name(desk: Desk) -> None:
    _of_customer(desk)
    with desk.runtime.transaction() as tx:
        names.know(tx, [Label("customers/mine", "我的", 9), Label("customers/given", "别人的", 9)])
    for who, called in ((ADMIN, {"我的", "别人的"}), (BOTH, {"我的", "别人的"}), (LI, {"我的", ""})):
        rows = desk.report("opportunities-won", who, period=NOVEMBER, group_by=["customer"]).rows
        assert {label for row in rows for label in row.labels} == called, who.person


def test_P6_V9_a_lead_that_went_to_another_lends_neither_its_channel_nor_its_times(desk: Desk) -> None:
    lead = Lead("leads/1", "2026-10-20T09:00", "TRADE_SHOW").assign("people/li", "2026-10-20T10:00")
    deal = Deal("opportunities/a", "2026-11-02T10:00", 1000, fields={"lead": "leads/1"}).win("2026-11-12T10:00")
    desk.hear(*lead.contact("2026-10-21T09:00").told, *deal.told)
    period = {"period": "2026-10-01..2026-11-30"}
    for who in (ADMIN, BOSS, LI):
        assert desk.figures("opportunities-won", who, **period, group_by=["channel"]) == {"TRADE_SHOW": 1}
        by_month = desk.figures("source-opportunities", who, **period, group_by=["month"])
        assert by_month == {"2026-10-01": 1, "2026-11-01": 0}
        assert desk.figure("average-cycle", who, **period) == 22 + 1 / 24
    desk.hear(lead.assign("people/wang", GIVEN).told[-1])
    for who in (BOSS, LI):
        assert desk.figures("opportunities-won", who, **period, group_by=["channel"]) == {"": 1}
        by_month = desk.figures("source-opportunities", who, **period, group_by=["month"])
        assert by_month == {"2026-10-01": 0, "2026-11-01": 1}
        assert desk.figure("average-cycle", who, **period) == 10
        (row,) = _records(desk, "source-opportunities", who, **period)
        assert row.happen_time.ToJsonString() == "2026-11-02T02:00:00Z"
        (one,) = _explained(desk, "opportunities-won", who)
        assert one.seconds == 10 * 86_400
    assert desk.figures("opportunities-won", ADMIN, **period, group_by=["channel"]) == {"TRADE_SHOW": 1}
    assert desk.figure("average-cycle", ADMIN, **period) == 22 + 1 / 24


def test_P6_who_takes_figures_along_takes_what_is_lent_as_far_as_he_may_take_that(desk: Desk) -> None:
    _of_customer(desk)
    who = replace(LI, grants={**LI.grants, "customers": Grant(Scope.ALL, export=Scope.OWN)})
    assert desk.figures("won-amount", who, period=NOVEMBER, group_by=["region"]) == {"华东": 6000}
    taken = desk.figures("won-amount", exporting.exporter(who), period=NOVEMBER, group_by=["region"])
    assert taken == {"华东": 1000, "": 5000}


def test_P6_the_sums_of_a_holder_have_one_of_both_where_what_lends_is_his_too(desk: Desk) -> None:
    """Else every figure of one's own would be made of twice as many."""
    desk.hear(customer("customers/mine", "2026-11-01T10:00", region="华东"))
    desk.hear(*Deal("opportunities/a", "2026-11-02T10:00", fields={"customer": "customers/mine"}).told)
    with desk.runtime.reading() as tx:
        lenders = {row[0] for row in tx.execute(sa.select(postings.c.customer_holder))}
        assert lenders == {"*", "people/li", f"{APART}people/li"}
        assert {row[0] for row in tx.execute(sa.select(cells.c.customer_holder))} == {"*"}


_DEEDS = ("lead.assigned", "lead.acknowledged", "lead.released")
_BORROW = ("deal.", "contract.", "instalment.", "invoice.", "payment.", *_DEEDS)
_LENT = {
    "customers": {"display_name", "region", "industry"},
    "leads": {"channel", "capture_time", "region", "industry"},
}
# When somebody was given a lead, and contacted it, and why he gave it back, is what he did.
_HIS = {"assign_time", "first_response_time", "status_reason"}


@pytest.mark.parametrize("resource", sorted(_LENT))
def test_P6_two_houses_that_differ_in_a_record_out_of_reach_alone_look_alike(houses: Houses, resource: str) -> None:
    telling, at_least, as_it_is = set(), _LENT[resource], heard()
    names = {part.name for part in MESSAGES[resource].DESCRIPTOR.fields} - NEVER - {"owner"}
    with houses("", "", resource) as one:
        before = posted(one)
        for field in houses.fields(names, at_least, Random(resource), len(at_least)):
            looked_up = {"customer": ["customers/1"]} if (resource, field) == ("customers", "display_name") else {}
            if not looked_up and heard(resource, field) == as_it_is:
                continue
            with houses(resource, field, resource) as other:
                now = posted(other)
                lent = sorted(fact for fact in before if fact.startswith(_BORROW) and before[fact] != now[fact])
                lent = [fact for fact in lent if not (fact in _DEEDS and field in _HIS)]
                apart = {fact: differing(before[fact], now[fact]) for fact in lent}
                apart |= {"deal.won": looked_up} if looked_up else {}
                every = [pair for fact in sorted(apart) for pair in questions(fact, apart[fact], Random(field))]
                asked = houses.asked(every, Random(field), 6)
                for who in (LI, BOSS):
                    said = told(one, other, who, asked)
                    assert not said, f"{resource}.{field}: {said}"
                telling |= {field} if told(one, other, ADMIN, asked) else set()
    assert telling >= at_least, "houses that nobody can tell apart prove nothing"
