"""What a record is worth by what others have with it (a customer by what it bought, a lead by the opportunities that it
became) is told whoever sees the record by what he may see of those: nothing changes for him by another's."""

from __future__ import annotations

from typing import Any

from chassis.access import Principal, Scope
from dealwright.reports.v1 import exports_pb2
from dealwright.reports.v1 import reports_pb2 as pb
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, Desk, money, principal
from tests.reports.exported import everything, export
from tests.reports.leads import Lead
from tests.reports.people import Told, contract, customer, follow_up

BOTH = principal("people/both", "manager", Scope.TEAM, "teams/east", "teams/west")
ALL = "2026-10-01..2026-11-30"
KPIS: dict[str, tuple[dict[str, Any], ...]] = {
    "rfm": ({}, {"group_by": ["detail"]}, {"filter": "detail = F1M2"}, {"group_by": ["owner"], "keys": ["people/li"]}),
    "rfm-r5": ({}, {"group_by": ["detail"]}),
    "rfm-r4": ({}, {"group_by": ["detail"]}),
    "lead-conversion": ({}, {"group_by": ["owner"]}, {"group_by": ["hour"]}),
    "lead-win-rate": ({}, {"group_by": ["channel"]}, {"group_by": ["month"]}),
}
HIS = {"customer": "customers/mine", "lead": "leads/1"}
THEN = "2026-11-21T10:00"


def _house() -> list[Told]:
    """Li's customers and leads; of one of each a deal of his own was won."""
    lead = [Lead(f"leads/{n}", "2026-10-20T09:00").assign("people/li", "2026-10-20T10:00") for n in (1, 2)]
    deal = Deal("opportunities/m", "2026-11-02T10:00", 30_000, fields=HIS).win("2026-11-05T10:00")
    of = [customer(f"customers/{id}", "2026-11-01T10:00") for id in ("mine", "bare")]
    return [*lead[0].told, *lead[1].told, *of, *deal.told]


def _hidden(id: str, owner: str, of: str = "mine", lead: str = "leads/1", day: int = 12) -> list[Told]:
    """What somebody else sold Li's customer."""
    fields = {"customer": f"customers/{of}", "lead": lead}
    deal = Deal(f"opportunities/{id}", "2026-11-03T10:00", 2_000_000, owner, fields).win(f"2026-11-{day}T10:00")
    signed = contract(f"contracts/{id}", f"customers/{of}", f"2026-11-{day + 1}", 3_000_000, owner=owner)
    return [*deal.told, signed]


def _asked(desk: Desk, kpi: str, who: Principal, **asked: Any) -> str:
    """A figure, its file, the records behind each of its measures and what explains it."""
    where, name, csv = {"period": ALL, **asked}, f"reports/{kpi}", exports_pb2.ExportReportRequest.CSV
    measures = [one.id for one in desk.call("GetKpi", pb.GetKpiRequest(name=f"kpis/{kpi}"), who).measures]
    said: list[Any] = []
    for one in measures:
        said.append(desk.call("ListRecords", pb.ListRecordsRequest(parent=name, measure=one, **where), who))
        said.append(desk.call("ExplainFigure", pb.ExplainFigureRequest(name=name, measure=one, **where), who))
    if "keys" not in asked:
        said.append(desk.report(kpi, who, **where))
        said.append(desk.report(kpi, who, THEN, **where))
        # But for when it was made.
        said.append(
            [line for line in everything(export(desk, kpi, csv, who, **where)).splitlines() if "制于" not in line]
        )
    return f"{said}"


def _everything(desk: Desk, who: Principal) -> dict[str, str]:
    return {f"{kpi} {more}": _asked(desk, kpi, who, **more) for kpi, each in KPIS.items() for more in each}


def _unlike(before: dict[str, str], now: dict[str, str]) -> list[str]:
    return [f"{asked}\n{before[asked]}\n---\n{now[asked]}" for asked in before if before[asked] != now[asked]]


def test_P6_C14_B29_L25_nothing_of_anothers_deal_shows_in_what_ones_own_records_are_worth(desk: Desk) -> None:
    desk.hear(*_house())
    who = (LI, BOSS)
    before = {one.person: _everything(desk, one) for one in (*who, ADMIN)}
    assert desk.counted("rfm", LI, group_by=["detail"]) == {"F1M2": 1}
    hidden = _hidden("x", "people/wang"), _hidden("y", "people/wang", "bare", "leads/2")
    given = Deal("opportunities/x", "2026-11-03T10:00", 2_000_000, "people/wang", HIS).win("2026-11-12T10:00")
    given.give("people/nan", "2026-11-18T10:00")
    for news in (hidden[0], hidden[1], given.told[-1:], _hidden("z", "people/admin", day=14)):
        desk.hear(*news)
        for one in who:
            assert not _unlike(before[one.person], _everything(desk, one)), one.person
    assert len(_unlike(before[ADMIN.person], _everything(desk, ADMIN))) > len(KPIS)
    assert desk.counted("rfm", group_by=["detail"]) == {"F4M5": 1, "F2M5": 1}
    assert desk.figure("lead-win-rate", period=ALL) == 1
    assert desk.figure("lead-win-rate", LI, period=ALL) == 0.5


def test_P6_C14_whoever_sees_the_other_too_sees_the_whole_and_of_several_peoples_who_sees_everything(
    desk: Desk,
) -> None:
    desk.hear(*_house(), *_hidden("x", "people/wang"))
    for who in (ADMIN, BOTH):
        assert desk.counted("rfm", who, group_by=["detail"]) == {"F3M5": 1}
        # By the postings, too.
        assert desk.counted("rfm", who, group_by=["detail"], filter='channel = "" AND industry = ""') == {"F3M5": 1}
    desk.hear(*_hidden("z", "people/admin"))
    assert desk.counted("rfm", group_by=["detail"]) == {"F4M5": 1}
    assert desk.counted("rfm", BOTH, group_by=["detail"]) == {"F1M2": 1}


def test_P6_C14_what_the_customers_own_record_says_was_signed_is_his_to_know(desk: Desk) -> None:
    desk.hear(*_house(), *_hidden("x", "people/wang"))
    desk.hear(customer("customers/mine", "2026-11-01T10:00", 2, signed_amount=money(3_000_000)))
    assert desk.counted("rfm", LI, group_by=["detail"]) == {"F1M5": 1}
    said = f"{[_asked(desk, 'rfm', LI, **more) for more in KPIS['rfm']]}"
    for hidden in ("opportunities/x", "contracts/x", "2026-11-12", "2026-11-13"):
        assert hidden not in said


def test_P6_B21_that_a_customer_was_followed_up_is_on_its_record_and_by_which_event_is_not(desk: Desk) -> None:
    desk.hear(
        *_house(),
        follow_up("followUps/x", "2026-11-08T10:17", customer="customers/mine", owner="people/wang"),
        follow_up("followUps/y", "2026-11-09T10:17", customer="customers/mine"),
    )
    asked = pb.ExplainFigureRequest(name="reports/customer-coverage", measure="covered", period=ALL)
    for who in (LI, BOSS, ADMIN):
        assert desk.figure("customer-coverage", who, period=ALL) == 1 / 2
        said = desk.call("ExplainFigure", asked, who).postings
        assert [one.record for one in said] == ["customers/mine"] * 2
        assert {one.happen_time.ToJsonString() for one in said} == {"2026-11-07T16:00:00Z", "2026-11-08T16:00:00Z"}
        for one in said:
            assert bool(one.events) == one.HasField("learn_time") == (who is ADMIN)
