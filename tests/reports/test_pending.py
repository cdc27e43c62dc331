"""What lies is listed, and becomes tasks in one call."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import clock
from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied, Invalid, Refused
from dealwright.reports.v1 import reports_pb2 as pb
from dealwright.reports.v1.events_pb2 import TaskRequested
from reports.domain.deal import AWAITING, ON_HOLD
from reports.usecases import pending
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, BOSS, LI, Desk, principal
from tests.reports.leads import Lead
from tests.reports.people import contract, customer, follow_up
from tests.reports.test_money import instalment


def _ago(days: int) -> str:
    return (clock.now() + timedelta(hours=8) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def _house(desk: Desk) -> None:
    """Of WeChat: one of Li's and one of Wang's that lie, one that lies with nobody, one of Li's just followed up."""
    leads = [
        Lead("leads/li", _ago(9), "WECHAT").assign("people/li", _ago(9)),
        Lead("leads/wang", _ago(9), "WECHAT").assign("people/wang", _ago(9)),
        Lead("leads/nobody", _ago(9), "WECHAT"),
        Lead("leads/touched", _ago(9), "WECHAT").assign("people/li", _ago(9)).touch(_ago(1)),
        Lead("leads/web", _ago(9)).assign("people/li", _ago(9)),
    ]
    deals = [
        Deal("opportunities/li", _ago(20)),
        Deal("opportunities/touched", _ago(20)).touch(_ago(1), "followUps/9"),
        Deal("opportunities/won", _ago(20)).win(_ago(10)),
    ]
    desk.hear(*(told for lead in leads for told in lead.told), *(told for deal in deals for told in deal.told))
    desk.announced()


def _ask(desk: Desk, kpi: str = "leads-untouched-3d", who: Principal = ADMIN, **asked: Any) -> tuple[int, int]:
    request = pb.CreateTasksRequest(name=f"reports/{kpi}", **asked)
    made = desk.call("CreateTasks", request, who)
    return made.tasks, made.passed_over


def _audited(desk: Desk) -> list[tuple[str, str]]:
    log = desk.runtime.service.tables.audit_log
    with desk.runtime.reading() as tx:
        return [(row.action, row.subject) for row in tx.execute(sa.select(log.c.action, log.c.subject))]


def _with(grants: dict[str, Grant]) -> Principal:
    return replace(ADMIN, grants=grants)


def _told(desk: Desk) -> dict[str, TaskRequested]:
    return {event.record: event for event in desk.announced() if isinstance(event, TaskRequested)}


def test_B23_F11_what_nobody_followed_up_for_three_days_by_channel(desk: Desk) -> None:
    _house(desk)
    assert desk.figure("leads-untouched-3d", filter="channel = WECHAT") == 3
    assert desk.figure("leads-untouched-3d", LI) == 2
    assert desk.figure("opportunities-untouched-7d") == 1
    assert not desk.figure("opportunities-untouched-30d")
    desk.hear(follow_up("followUps/7", _ago(0), lead="leads/web"))
    assert desk.figure("leads-untouched-3d") == 3


def test_B44_F11_a_figures_records_become_tasks_of_those_who_have_them_in_one_call(desk: Desk) -> None:
    _house(desk)
    assert _ask(desk, filter="channel = WECHAT") == (2, 1)
    told = _told(desk)
    assert {record: event.owner for record, event in told.items()} == {
        "leads/li": "people/li",
        "leads/wang": "people/wang",
    }
    one = told["leads/li"]
    assert (one.report, one.creator) == ("reports/leads-untouched-3d", "people/admin")
    assert one.title == "跟进：超过 3 天未跟进的线索"
    assert one.title_en == "Follow up: Leads without follow-up for 3 days"
    assert one.origin == f"reports/leads-untouched-3d/leads/li/{(clock.now() + timedelta(hours=8)).date()}"
    assert 23 < (one.due_time.seconds - clock.now().timestamp()) / 3600 <= 24
    assert ("report.tasksRequested", "reports/leads-untouched-3d") in _audited(desk)
    # Once more it is the same task.
    _ask(desk, filter="channel = WECHAT", title="请今天联系")
    again = _told(desk)["leads/li"]
    assert (again.origin, again.title, again.title_en) == (one.origin, "请今天联系", "")


def test_B44_opportunities_become_tasks_too(desk: Desk) -> None:
    _house(desk)
    assert _ask(desk, "opportunities-untouched-7d") == (1, 0)
    assert list(_told(desk)) == ["opportunities/li"]


def test_B23_V1_what_is_on_hold_or_awaits_its_approval_does_not_lie(desk: Desk) -> None:
    held = Deal("opportunities/held", _ago(60)).move("waiting", _ago(50), ON_HOLD)
    awaiting = Deal("opportunities/awaiting", _ago(60)).move("quote", _ago(50), AWAITING)
    desk.hear(*held.told, *awaiting.told)
    desk.announced()
    assert desk.figure("open-opportunities") == 2
    for days in (3, 7, 30):
        assert not desk.figure(f"opportunities-untouched-{days}d")
        assert _ask(desk, f"opportunities-untouched-{days}d") == (0, 0)
    assert _ask(desk, "open-opportunities") == (0, 2)
    assert not _told(desk)
    # Taken up again, its clock goes on from then.
    desk.hear(*held.move("need", _ago(5)).told[-1:])
    assert desk.figures("opportunities-untouched-3d", group_by=["stage"]) == {"need": 1}
    assert not desk.figure("opportunities-untouched-7d")
    assert _ask(desk, "opportunities-untouched-3d") == (1, 0)
    assert set(_told(desk)) == {"opportunities/held"}


def test_B44_the_records_of_one_cell_become_tasks(desk: Desk) -> None:
    _house(desk)
    cell: dict[str, Any] = {"period": "all", "group_by": ["channel", "owner"], "keys": ["WECHAT", "people/wang"]}
    assert _ask(desk, **cell) == (1, 0)
    assert list(_told(desk)) == ["leads/wang"]


def test_B44_what_is_closed_becomes_no_task_whatever_counted_it(desk: Desk) -> None:
    _house(desk)
    desk.hear(
        *Lead("leads/no", _ago(9)).assign("people/li", _ago(9)).contact(_ago(8)).disqualify(_ago(8)).told,
        *Lead("leads/yes", _ago(9)).assign("people/li", _ago(9)).contact(_ago(8)).qualify(_ago(8)).told,
        *Deal("opportunities/lost", _ago(20)).lose(_ago(10)).told,
        *Deal("opportunities/gone", _ago(20)).delete(_ago(10)).told,
        *Deal("opportunities/held", _ago(20)).move("waiting", _ago(10), ON_HOLD).told,
    )
    desk.announced()
    asked: dict[str, Any] = {"period": "all"}
    # What is on hold is not to be touched (V1).
    assert _ask(desk, "opportunities-opened", **asked) == (2, 3)
    assert set(_told(desk)) == {"opportunities/li", "opportunities/touched"}
    assert _ask(desk, "stage-conversion", measure="advanced", **asked) == (0, 1)
    assert _ask(desk, "opportunities-won", **asked) == (0, 1)
    assert _ask(desk, "leads-captured", filter="channel = WEB_FORM", **asked) == (1, 2)
    assert list(_told(desk)) == ["leads/web"]
    desk.hear(
        customer("customers/a", _ago(90)),
        customer("customers/b", _ago(90)),
        contract("contracts/a", "customers/a", _ago(60)[:10], 15_000, owner="people/li"),
        contract("contracts/b", "customers/b", _ago(60)[:10], 15_000, owner="people/li"),
        contract("contracts/b", "customers/b", _ago(60)[:10], 15_000, 2, owner="people/li", status="VOID"),
        customer("customers/b", _ago(90), 2, deleted=True),
    )
    desk.announced()
    assert _ask(desk, "customers-created", **asked) == (1, 0)
    assert _ask(desk, "contracts-signed", **asked) == (1, 0)
    assert set(_told(desk)) == {"customers/a", "contracts/a"}


def test_P3_how_many_become_no_task_tells_nobody_what_is_closed_who_may_not_know(desk: Desk) -> None:
    _house(desk)
    assert _ask(desk, "opportunities-opened", period="all") == (2, 1)
    for resource, kpi in (("opportunities", "opportunities-opened"), ("leads", "leads-captured")):
        blind = replace(ADMIN.grants[resource], hidden=frozenset({"status"}))
        with pytest.raises(Denied, match=rf"{resource}\.status\.read"):
            _ask(desk, kpi, _with({**ADMIN.grants, resource: blind}), period="all")


def test_B44_of_which_measure_records_become_tasks_is_said_where_there_are_several(desk: Desk) -> None:
    _house(desk)
    with pytest.raises(Invalid) as said:
        _ask(desk, "stage-conversion", period="all")
    (wrong,) = said.value.violations
    assert (wrong.field, wrong.english) == ("measure", "say which of them: advanced, entered")
    assert wrong.chinese == "请指定其一：advanced, entered"
    with pytest.raises(Invalid, match="advanced, entered"):
        _ask(desk, "stage-conversion", period="all", measure="none")
    assert not _told(desk)
    assert _ask(desk, "stage-conversion", period="all", measure="entered") == (2, 1)


def test_B44_P12_nobody_gives_tasks_to_whom_he_may_not_give_any(desk: Desk) -> None:
    _house(desk)
    assert _ask(desk, who=BOSS) == (2, 1)  # his team's two; what nobody has he sees as well
    assert set(_told(desk)) == {"leads/li", "leads/web"}
    assert _ask(desk, who=LI) == (2, 0)
    assert set(_told(desk)) == {"leads/li", "leads/web"}
    all_but_tasks = {**ADMIN.grants, "tasks": Grant(Scope.OWN, Scope.OWN, Scope.OWN, Scope.OWN)}
    assert _ask(desk, who=_with(all_but_tasks)) == (0, 4)
    with pytest.raises(Denied, match=r"tasks\.write"):
        _ask(desk, who=_with({**ADMIN.grants, "tasks": Grant(Scope.ALL)}))
    with pytest.raises(Denied, match=r"leads\.owner"):
        _ask(desk, who=principal("people/x", "sales", Scope.ALL, hidden=("owner",)))
    assert not _told(desk)


def _owe(desk: Desk) -> None:
    """Customer A owes Li twice and Wang once; B has paid Li and owes nobody's; Wang's W owes Zhao; one has no name."""
    due = _ago(9)[:10]
    desk.hear(
        customer("customers/a", _ago(90)),
        customer("customers/b", _ago(90)),
        customer("customers/w", _ago(90), owner="people/wang"),
        contract("contracts/a", "customers/a", _ago(60)[:10], 3500),
    )
    for name, of, owner, paid in (
        ("1", "customers/a", "people/li", 0),
        ("2", "customers/a", "people/li", 100),
        ("3", "customers/a", "people/wang", 0),
        ("4", "customers/b", "people/li", 500),
        ("5", "customers/b", "", 0),
        ("6", "", "people/li", 0),
        ("7", "customers/w", "people/zhao", 0),
    ):
        event = instalment(name, due, 500, paid, customer=of)
        event.instalment.owner = owner
        desk.hear((event, f"{due}T10:00"))
    desk.announced()


def test_B44_F11_what_is_overdue_becomes_a_task_of_each_customers_of_whoever_has_the_contract(desk: Desk) -> None:
    _owe(desk)
    assert desk.figure("overdue-amount") == 500 * 6 - 100
    asked = pb.CreateTasksRequest(name="reports/overdue-amount")
    made = desk.call("CreateTasks", asked)
    # What has no customer is nobody's task, and what has no owner is said.
    assert (made.tasks, made.passed_over, made.without_owner) == (3, 2, 1)
    told = [event for event in desk.announced() if isinstance(event, TaskRequested)]
    assert sorted((event.record, event.owner) for event in told) == [
        ("customers/a", "people/li"),
        ("customers/a", "people/wang"),
        ("customers/w", "people/zhao"),
    ]
    assert {event.title for event in told} == {"跟进：逾期金额"}
    assert len({event.origin for event in told}) == 3
    # What is paid is not overdue any more, nor counted; of what was planned it is passed over.
    made = desk.call(
        "CreateTasks", pb.CreateTasksRequest(name="reports/collection-rate", measure="planned", period="all")
    )
    assert (made.tasks, made.passed_over, made.without_owner) == (3, 3, 1)


def test_B44_F11_what_is_overdue_of_a_customer_that_was_merged_becomes_a_task_of_the_one_that_stays(desk: Desk) -> None:
    due = _ago(9)[:10]
    signed = contract("contracts/a", "customers/a", _ago(60)[:10], 500)
    desk.hear(customer("customers/a", _ago(90)), customer("customers/z", _ago(90)), signed)
    for version, of in enumerate(("customers/z", "customers/a"), 1):
        event = instalment("1", due, 500, 0, version, customer=of)
        desk.hear((event, f"{due}T10:0{version}"))
    desk.announced()
    assert _ask(desk, "overdue-amount") == (1, 0)
    assert [event.record for event in _told(desk).values()] == ["customers/a"]


def test_P3_what_is_overdue_becomes_no_task_of_a_customer_whom_the_caller_may_not_read(desk: Desk) -> None:
    _owe(desk)
    assert _ask(desk, "overdue-amount", BOSS) == (1, 3)  # W is Wang's, of the other team
    assert {event.owner for event in _told(desk).values()} == {"people/li"}
    for hidden in ("paid", "customer"):
        blind = replace(ADMIN.grants["instalments"], hidden=frozenset({hidden}))
        with pytest.raises(Denied, match=rf"instalments\.{hidden}"):
            _ask(
                desk, "collection-rate", _with({**ADMIN.grants, "instalments": blind}), measure="planned", period="all"
            )
    assert not _told(desk)


def test_B44_F11_what_lies_and_nobody_has_is_told(desk: Desk) -> None:
    _house(desk)
    made = desk.call("CreateTasks", pb.CreateTasksRequest(name="reports/leads-untouched-3d"))
    assert (made.tasks, made.passed_over, made.without_owner) == (3, 1, 1)


def test_B44_what_has_no_tasks_and_too_much_at_once_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _house(desk)
    desk.hear(follow_up("followUps/7", _ago(0)))
    with pytest.raises(Refused, match="Tasks are of leads"):
        _ask(desk, "follow-ups", period="all")
    with pytest.raises(Invalid):
        _ask(desk, title="x" * 201)
    monkeypatch.setattr(pending, "MOST", 2)
    with pytest.raises(Refused, match="filter them"):
        _ask(desk)
