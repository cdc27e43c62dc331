"""Who is told of what: in the application at once, and of what by mail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.message import Message

from activities.wire.notices import READERS
from chassis import clock
from dealwright.activities.v1 import events_pb2 as ours
from dealwright.activities.v1 import notices_pb2
from dealwright.activities.v1.activities_pb2 import Task
from dealwright.contracts.v1 import approvals_pb2, contracts_pb2, quotes_pb2
from dealwright.contracts.v1 import events_pb2 as contracts
from dealwright.leads.v1 import events_pb2 as leads
from dealwright.opportunities.v1 import events_pb2 as opportunities
from dealwright.rules.v1 import events_pb2 as rules
from tests.activities.desk import ADMIN, BOSS, LI, ZHAO, Desk, refused

Kind = notices_pb2.Notification.Kind
LEAD, DEAL = f"leads/{1:032x}", f"opportunities/{2:032x}"


def inbox(desk: Desk, who: Any = LI, **request: Any) -> notices_pb2.ListNotificationsResponse:
    found: notices_pb2.ListNotificationsResponse = desk.call(
        "ListNotifications", notices_pb2.ListNotificationsRequest(**request), who
    )
    return found


def told(desk: Desk, event: Message, who: Any = LI, actor: str = "services/test") -> list[tuple[str, str, str, str]]:
    """(kind, record, title, text) of what somebody finds after an event, in Chinese."""
    desk.hear("leads" if isinstance(event, leads.LeadAssigned) else "notify", event, actor=actor)
    return [(Kind.Name(n.kind), n.record, n.title_zh, n.text_zh) for n in inbox(desk, who).notifications]


def test_L20_who_gets_a_lead_reads_that_he_has_two_hours(desk: Desk) -> None:
    event = leads.LeadAssigned(lead=LEAD, owner="people/li", owner_version=1, how="RULES")
    expected = [("LEAD_ASSIGNED", LEAD, "新线索", "您有一条新线索待处理,请在2小时内联系客户")]
    assert told(desk, event) == expected
    assert told(desk, event) == expected, "the same assignment is told of once"
    assert len(told(desk, leads.LeadAssigned(lead=LEAD, owner="people/li", owner_version=3))) == 2
    own = leads.LeadAssigned(lead=LEAD, owner="people/zhao", owner_version=4, how="CLAIM")
    assert told(desk, own, ZHAO, actor="people/zhao") == [], "he took it himself"


def test_L20_the_inbox_says_until_when_the_rules_want_a_response(desk: Desk) -> None:
    now = clock.now()
    for minutes, chinese, english in ((45, "45分钟", "45 minutes"), (60, "1小时", "1 hour"), (240, "4小时", "4 hours")):
        event = leads.LeadAssigned(lead=f"leads/{minutes:032x}", owner="people/li", owner_version=1)
        event.assign_time.FromDatetime(now)
        event.respond_by.FromDatetime(now + timedelta(minutes=minutes))
        assert told(desk, event)[0][3] == f"您有一条新线索待处理,请在{chinese}内联系客户"
        text = inbox(desk).notifications[0].text_en
        assert text == f"You have a new lead; contact the customer within {english}"


def test_F14_a_new_notice_is_announced_for_its_person_without_its_text_and_a_leads_is_not(desk: Desk) -> None:
    told(desk, leads.LeadAssigned(lead=LEAD, owner="people/li", owner_version=1))
    assert desk.announced(ours.Notified) == []
    event = ours.Mentioned(source=f"tasks/{1:032x}", person="people/li", record=DEAL, actor="people/zhao", text="降价")
    for _ in range(2):
        told(desk, event)
    (notice, again) = inbox(desk, filter="kind = MENTIONED").notifications
    first, second = desk.announced(ours.Notified)
    assert {first.notification, second.notification} == {notice.name, again.name}
    assert (first.person, first.record, first.title_zh) == ("people/li", DEAL, "有人在跟进或任务中提到了您")
    assert "降价" not in str(first)


def test_Q4_whoever_asked_for_an_approval_reads_how_it_ended(desk: Desk) -> None:
    approval = approvals_pb2.Approval(name=f"approvals/{1:032x}", record=f"quotes/{1:032x}", owner="people/li")
    approval.status = approvals_pb2.Approval.APPROVED
    (found,) = told(desk, contracts.ApprovalDecided(approval=approval), actor="people/boss")
    assert found == ("APPROVAL_DECIDED", approval.name, "您提交的审批已通过", approval.record)
    approval.status, approval.etag = approvals_pb2.Approval.REJECTED, "9"
    quote = quotes_pb2.Quote(name=approval.record, number="Q-20260101-0001", owner="people/li")
    desk.hear("quotes", contracts.QuoteChanged(quote=quote, version=1))
    found = told(desk, contracts.ApprovalDecided(approval=approval))[0]
    assert found[2:] == ("您提交的审批已驳回", "Q-20260101-0001"), "what people call it, once that is known"


def test_Q4_those_who_are_asked_and_those_who_are_copied_are_told(desk: Desk) -> None:
    approval = approvals_pb2.Approval(name=f"approvals/{1:032x}", record=f"quotes/{1:032x}", owner="people/li")
    event = contracts.ApprovalRequested(
        approval=approval, approvers=["people/boss"], copied=["people/zhao", "people/boss"], reason="REMINDER"
    )
    assert [one[0] for one in told(desk, event, BOSS)] == ["APPROVAL_REQUESTED"]
    assert inbox(desk, BOSS).notifications[0].title_zh == "审批提醒：请尽快处理"
    assert [one.title_zh for one in inbox(desk, ZHAO).notifications] == ["一项审批抄送给您"]
    assert [one[2] for one in told(desk, event, BOSS)] == ["审批提醒：请尽快处理"] * 2, "each reminder is a new one"


@pytest.mark.parametrize("first", ["asked", "ended"])
def test_Q9_an_approval_that_ends_with_its_deal_leaves_the_inbox_and_says_why(first: str, desk: Desk) -> None:
    approval = approvals_pb2.Approval(name=f"approvals/{1:032x}", record=f"quotes/{1:032x}", owner="people/li")
    other = contracts.ApprovalRequested(approval=approval, approvers=["people/boss"])
    other.approval.name = f"approvals/{2:032x}"
    asked = contracts.ApprovalRequested(approval=approval, approvers=["people/boss"])
    approval.status, approval.end_reason = approvals_pb2.Approval.WITHDRAWN, approvals_pb2.Approval.DEAL_LOST
    ended = contracts.ApprovalDecided(approval=approval)
    told(desk, other)
    for event in (asked, ended) if first == "asked" else (ended, asked):
        told(desk, event)
    (notice,) = inbox(desk).notifications
    assert (notice.title_zh, notice.title_en) == (
        "您提交的审批已撤回：商机已输单",
        "What you asked for was withdrawn by the system: its opportunity was lost",
    )
    assert not notice.HasField("read_time")
    left = [one.record for one in inbox(desk, BOSS).notifications if not one.HasField("read_time")]
    assert left == [other.approval.name]


def test_Q15_the_owner_reads_that_a_quote_was_opened_and_once(desk: Desk) -> None:
    quote = quotes_pb2.Quote(name=f"quotes/{1:032x}", number="Q-20260101-0001", owner="people/li")
    assert told(desk, contracts.QuoteOpened(quote=quote, first=False)) == []
    for _ in range(2):
        found = told(desk, contracts.QuoteOpened(quote=quote, first=True))
    assert [(one[0], one[2]) for one in found] == [("QUOTE_OPENED", "客户刚刚打开了报价单 Q-20260101-0001")]


def test_K4_K6_who_is_concerned_by_a_contract_that_ends_or_money_that_does_not_come_is_told_once(desk: Desk) -> None:
    contract, due = f"contracts/{1:032x}", f"instalments/{1:032x}"
    # `contracts` says so to the rules, and those say who is told.
    said = [
        contracts.ContractExpiring(contract=contracts_pb2.Contract(name=contract, owner="people/li"), days=30),
        contracts.PaymentOverdue(instalment=contracts_pb2.Instalment(name=due, contract=contract, owner="people/li")),
    ]
    for event in said:
        assert type(event) not in READERS, "the rule alone tells of it"
    ends = rules.ActionRequested(subject=contract, action="NOTIFY", person="people/li", text_zh="合同将到期")
    ends.parameters.update({"on": "CONTRACT_EXPIRING", "contract": ""})
    assert told(desk, ends) == [("CONTRACT_EXPIRING", contract, "合同将到期", "合同将到期")]
    late = rules.ActionRequested(subject=due, action="NOTIFY", person="people/li", text_zh="回款逾期")
    late.parameters.update({"on": "INSTALMENT_DUE", "contract": contract})
    assert told(desk, late)[0] == ("PAYMENT_OVERDUE", contract, "回款逾期", "回款逾期")
    assert len(inbox(desk).notifications) == 2


def test_O33_O34_colleagues_are_told_what_they_share_and_what_is_theirs_to_do(desk: Desk) -> None:
    shared = opportunities.OpportunityShared(opportunity=DEAL, person="people/zhao", shared_by="people/li")
    added = opportunities.CollaboratorAdded(opportunity=DEAL, person="people/zhao", part="报价", owner="people/li")
    told(desk, shared, ZHAO)
    assert [one[0] for one in told(desk, added, ZHAO)] == ["COLLABORATOR_ADDED", "OPPORTUNITY_SHARED"]
    task = Task(
        name=f"tasks/{1:032x}", title="报价", owner="people/zhao", creator="people/li", status=Task.OPEN, origin="x"
    )
    task.kind = Task.COLLABORATION
    assert len(told(desk, ours.TaskChanged(task=task, version=1), ZHAO)) == 2, "told already"


def test_F14_a_task_of_another_is_told_of_and_ones_own_is_not(desk: Desk) -> None:
    task = Task(name=f"tasks/{1:032x}", title="寄样品", owner="people/li", creator="people/boss", status=Task.OPEN)
    for version in (1, 2):
        found = told(desk, ours.TaskChanged(task=task, version=version), actor="people/boss")
    assert found == [("TASK_ASSIGNED", task.name, "有一项新任务分配给您", "寄样品")]
    mine = Task(name=f"tasks/{2:032x}", owner="people/li", creator="people/li", status=Task.OPEN)
    done = Task(name=f"tasks/{3:032x}", owner="people/li", creator="people/boss", status=Task.DONE)
    for one in (mine, done):
        assert told(desk, ours.TaskChanged(task=one, version=1)) == found


def test_F18_who_is_mentioned_is_told_what_was_said_and_nobody_of_himself(desk: Desk) -> None:
    said = ours.Mentioned(
        source=f"followUps/{1:032x}", person="people/li", record=DEAL, actor="people/boss", text="@李 请报价"
    )
    assert told(desk, said) == [("MENTIONED", DEAL, "有人在跟进或任务中提到了您", "@李 请报价")]
    said.actor = "people/li"
    assert len(told(desk, said)) == 1


def test_F9_what_a_rule_says_is_told_under_its_subject_once_for_each_request(desk: Desk) -> None:
    asked = rules.ActionRequested(
        subject=DEAL, action="MAIL", person="people/li", origin="f9 1", text_zh="请尽快跟进", text_en="Please follow up"
    )
    asked.parameters.update({"subject_zh": "【高优商机跟进预警】仓储项目已超过7天未跟进"})
    for _ in range(2):
        found = told(desk, asked)
    assert found == [("MAIL", DEAL, "【高优商机跟进预警】仓储项目已超过7天未跟进", "请尽快跟进")]
    asked.origin = "f9 2"
    assert len(told(desk, asked)) == 2
    for action, person in (("RECLAIM", "people/li"), ("NOTIFY", "")):
        assert len(told(desk, rules.ActionRequested(subject=DEAL, action=action, person=person))) == 2
    manager = rules.ActionRequested(subject=LEAD, action="ESCALATE", person="people/boss", text_zh="首次响应超时")
    assert told(desk, manager, BOSS) == [("ESCALATED", LEAD, "首次响应超时", "首次响应超时")]


def test_many_events_at_once_are_told_of_in_one_go_and_who_left_is_told_nothing(desk: Desk) -> None:
    desk.hire(("people/zhao", "teams/east", "sales"), active=False, version=2)
    events = [leads.LeadAssigned(lead=f"leads/{n:032x}", owner="people/li", owner_version=1) for n in range(5)]
    gone = leads.LeadAssigned(lead=LEAD, owner="people/zhao", owner_version=9)
    desk.hear("leads", *events, *events, gone)
    assert inbox(desk).unread == 5
    assert inbox(desk, ZHAO).unread == 0


def test_everybody_reads_his_own_and_marks_them_read(desk: Desk) -> None:
    desk.hear("leads", *(leads.LeadAssigned(lead=f"leads/{n:032x}", owner="people/li") for n in range(3)))
    first, second, third = inbox(desk).notifications
    mark = notices_pb2.MarkReadNotificationRequest(name=first.name)
    read = desk.call("MarkReadNotification", mark)
    assert read.HasField("read_time")
    assert desk.call("MarkReadNotification", mark) == read
    assert [n.name for n in inbox(desk, filter="read = false").notifications] == [second.name, third.name]
    assert inbox(desk).unread == 2
    get = notices_pb2.GetNotificationRequest(name=second.name)
    for who in (ZHAO, BOSS, ADMIN):
        assert inbox(desk, who).notifications == []
        with refused("NOT_FOUND"):
            desk.call("GetNotification", get, who)
        with refused("NOT_FOUND"):
            desk.call("MarkReadNotification", mark, who)
    batch = notices_pb2.BatchMarkReadNotificationsRequest
    with refused("NOT_FOUND"):
        desk.call("BatchMarkReadNotifications", batch(names=[second.name, f"notifications/{9:032x}"]))
    assert inbox(desk).unread == 2
    assert desk.call("BatchMarkReadNotifications", batch(names=[second.name, first.name])).marked == 1
    assert desk.call("BatchMarkReadNotifications", batch()).marked == 1
    assert inbox(desk).unread == 0


@pytest.mark.parametrize("filter", ["person = 'people/li'", "text_zh = 'x'"])
def test_a_list_of_notices_filters_on_what_it_says(desk: Desk, filter: str) -> None:
    with refused("INVALID", "filter"):
        inbox(desk, filter=filter)
