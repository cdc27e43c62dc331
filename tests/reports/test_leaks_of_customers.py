"""Which customer a record is of, and what that is called, is told those alone who may read that customer: who has lost
it keeps his figures, and hears nothing of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import time_machine

from chassis.access import Grant, Principal, Scope
from dealwright.contracts.v1 import contracts_pb2
from dealwright.contracts.v1.events_pb2 import InvoiceChanged, PaymentChanged
from dealwright.reports.v1 import alerts_pb2, exports_pb2
from dealwright.reports.v1 import reports_pb2 as pb
from reports.servicer.alerts import AlertServicer
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, WANG, Desk, money
from tests.reports.exported import everything, export
from tests.reports.people import Told, check_in, contract, customer, follow_up, task
from tests.reports.test_alerts import TODAY, look, only

NOVEMBER = "2026-11"
MINE, LOST = "customers/mine", "customers/lost"
CALLED, RENAMED = "绝密客户", "并购目标X"
KPIS = (
    *("follow-ups", "check-ins", "tasks-done", "opportunities-opened", "won-amount", "signed-amount"),
    *("payments-received", "invoiced-amount", "opportunities-untouched-7d"),
)


def _customer(name: str, called: str, version: int = 1, owner: str = "people/li") -> Told:
    event, _ = customer(name, "2026-11-01T10:00", version, owner=owner)
    event.customer.display_name = called  # type: ignore[attr-defined]
    return event, f"2026-11-{version:02}T10:00"


def _business(id: str, of: str) -> list[Told]:
    """What Li did with a customer."""
    deal = Deal(f"opportunities/{id}", "2026-11-02T10:00", 1000, fields={"customer": of}).win("2026-11-03T10:00")
    still = Deal(f"opportunities/{id}2", "2026-11-02T10:00", 1000, fields={"customer": of})
    bill = contracts_pb2.Invoice(name=f"invoices/{id}", amount=money(7), issue_date="2026-11-03")
    paid = contracts_pb2.Payment(name=f"payments/{id}", amount=money(5), pay_date="2026-11-03")
    for one in bill, paid:
        one.owner, one.customer = "people/li", of
    return [
        *deal.told,
        *still.told,
        follow_up(f"followUps/{id}", "2026-11-03T11:00", customer=of, opportunity=deal.name),
        check_in(f"checkIns/{id}", "2026-11-03T12:00", customer=of),
        task(f"tasks/{id}", done="2026-11-03T13:00", customer=of),
        contract(f"contracts/{id}", of, "2026-11-03", 9, owner="people/li"),
        (InvoiceChanged(invoice=bill, version=1), "2026-11-03T10:00"),
        (PaymentChanged(payment=paid, version=1), "2026-11-03T10:00"),
    ]


def _house(desk: Desk) -> None:
    """Li's business with his own customer, and with one that was given to Wang since, who gave it another name."""
    desk.hear(_customer(MINE, "我的"), _customer(LOST, CALLED), *_business("m", MINE), *_business("l", LOST))
    desk.hear(_customer(LOST, CALLED, 15, "people/wang"))
    desk.hear(_customer(LOST, RENAMED, 16, "people/wang"))


def _ask(desk: Desk, kpi: str, who: Principal, **asked: Any) -> list[Any]:
    """A report, the records behind it, what explains it, and files of it."""
    where = {"period": NOVEMBER, **asked}
    said: list[Any] = [
        desk.call("ListRecords", pb.ListRecordsRequest(parent=f"reports/{kpi}", **where), who),
        desk.call("ExplainFigure", pb.ExplainFigureRequest(name=f"reports/{kpi}", **where), who),
    ]
    if "keys" not in asked:
        csv = exports_pb2.ExportReportRequest.CSV
        said += [desk.report(kpi, who, **where), everything(export(desk, kpi, csv, who, **where))]
    return said


def test_P6_B41_who_has_lost_a_customer_is_told_neither_which_nor_its_name_however_he_asks(desk: Desk) -> None:
    _house(desk)
    for kpi in KPIS:
        whole = desk.report(kpi, ADMIN, period=NOVEMBER, group_by=["customer"])
        assert [(*row.keys, *row.labels) for row in whole.rows] == [(LOST, RENAMED), (MINE, "我的")], kpi
        for who in (LI, BOSS):
            mine = desk.report(kpi, who, period=NOVEMBER, group_by=["customer"])
            assert [(*row.keys, *row.labels) for row in mine.rows] == [("", ""), (MINE, "我的")], (kpi, who.person)
            # What he did stays his.
            assert mine.total == whole.total, kpi
            assert {row.figure.value for row in mine.rows} == {row.figure.value for row in whole.rows}, kpi
            for more in (
                {},
                {"group_by": ["customer"]},
                {"group_by": ["customer", "owner"]},
                {"group_by": ["customer"], "keys": [""]},
                {"filter": 'customer = ""'},
            ):
                said = f"{_ask(desk, kpi, who, **more)}"
                assert not [one for one in (LOST, CALLED, RENAMED) if one in said], f"{kpi} {more}: {said}"


def test_P6_B2_behind_what_has_no_name_for_him_is_what_he_did_with_it_and_no_filter_finds_it(desk: Desk) -> None:
    _house(desk)
    for kpi, record in (("follow-ups", "followUps/l"), ("won-amount", "opportunities/l"), ("check-ins", "checkIns/l")):
        for where in ({"group_by": ["customer"], "keys": [""]}, {"filter": 'customer = ""'}):
            asked: dict[str, Any] = {"period": NOVEMBER, **where}
            listed = desk.call("ListRecords", pb.ListRecordsRequest(parent=f"reports/{kpi}", **asked), LI)
            assert [one.name for one in listed.records] == [record]
            explained = desk.call("ExplainFigure", pb.ExplainFigureRequest(name=f"reports/{kpi}", **asked), LI)
            assert [one.record for one in explained.postings] == [record]
            assert explained.figure.value == desk.report(kpi, LI, period=NOVEMBER).total.figure.value / 2
        named = f"customer = {LOST}"
        assert not desk.figure(kpi, LI, period=NOVEMBER, filter=named)
        assert desk.figure(kpi, ADMIN, period=NOVEMBER, filter=named)
        # By sums that are kept, by the postings of today, and by those of a day on which it was his.
        for more in ({}, {"as_of": "2026-11-14T10:00"}):
            assert {*desk.figures(kpi, LI, period=NOVEMBER, group_by=["customer"], **more)} == {"", MINE}


def test_P6_who_may_read_no_customers_at_all_is_told_of_none(desk: Desk) -> None:
    _house(desk)
    for grant in (Grant(), Grant(Scope.OWN)):
        who = replace(ADMIN, person="people/zhao", grants={**ADMIN.grants, "customers": grant})
        for kpi in ("follow-ups", "payments-received"):
            assert {*desk.figures(kpi, who, period=NOVEMBER, group_by=["customer"])} == {""}, kpi
    assert {*desk.figures("follow-ups", WANG, period=NOVEMBER, group_by=["customer"])} == set()


def test_P6_R11_an_alert_tells_which_customer_it_is_of_those_alone_who_may_read_that(desk: Desk) -> None:
    with time_machine.travel(TODAY, tick=True):
        desk.also(AlertServicer())
        desk.hire(("people/li", "teams/east", "sales"), ("people/wang", "teams/west", "sales"))
        only(desk, "none")
        desk.hear(_customer(LOST, CALLED), contract("contracts/l", LOST, "2026-11-18", 9, owner="people/li"))
        desk.hear(_customer(LOST, RENAMED, 19, "people/wang"))
        rule = alerts_pb2.AlertRule(
            display_name="x", kpi="kpis/signed-amount", group_by="customer", condition=alerts_pb2.AlertRule.ABOVE
        )
        rule.limit, rule.span, rule.enabled = "1", alerts_pb2.AlertRule.WEEK, True
        rule.notify[:] = ["people/li", "people/wang"]
        desk.call("CreateAlertRule", alerts_pb2.CreateAlertRuleRequest(alert_rule=rule))
        _, notices = look(desk)
        assert notices
        assert not [one for one in (LOST, CALLED, RENAMED) if one in f"{notices}"]
        told = {
            who.person: desk.call("ListAlerts", alerts_pb2.ListAlertsRequest(), who).alerts for who in (ADMIN, LI, WANG)
        }
        assert [(one.key, one.label) for one in told[ADMIN.person]] == [(LOST, RENAMED)]
        assert [(one.key, one.label) for one in told[WANG.person]] == [(LOST, RENAMED)]
        assert [one.key for one in told[LI.person]] == [""]
        assert not [one for one in (LOST, CALLED, RENAMED) if one in f"{told[LI.person]}"]
