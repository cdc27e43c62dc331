"""Timelines: everything in its place, whenever we hear of it, for whoever may see the record."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf import json_format
from google.type.money_pb2 import Money

from chassis.access import Grant, Scope
from dealwright.activities.v1 import activities_pb2 as pb
from dealwright.activities.v1.events_pb2 import RequirementChanged
from dealwright.contracts.v1 import events_pb2 as deals
from dealwright.contracts.v1.approvals_pb2 import Approval
from dealwright.contracts.v1.contracts_pb2 import Contract, Instalment, Invoice, Payment
from dealwright.contracts.v1.quotes_pb2 import Quote
from dealwright.customers.v1.customers_pb2 import Customer
from dealwright.customers.v1.events_pb2 import CustomersMerged, LeadWelcomed, OwnerTransferred
from dealwright.leads.v1.events_pb2 import LeadContacted, LeadQualified, LeadTouched
from dealwright.leads.v1.leads_pb2 import DOUYIN, PHONE_400
from dealwright.opportunities.v1.events_pb2 import OpportunityOpened, StageChanged
from dealwright.opportunities.v1.opportunities_pb2 import Opportunity
from tests.activities.desk import ADMIN, BOSS, LI, WANG, ZHAO, principal, refused
from tests.activities.office import Office, ago, at, name, utc
from tests.activities.test_interactions import interaction

YUAN = Money(currency_code="CNY", units=500_000)


def test_F4_C17_all_that_became_of_a_customer_is_one_list_in_the_order_in_which_it_happened(desk: Office) -> None:
    lead, customer = desk.lead("people/li", text="想看扫码枪"), desk.customer()
    contact = desk.contact(customer)
    deal = desk.opportunity(customer=customer, lead=lead)
    quote = Quote(name=name("quotes"), opportunity=deal, customer=customer, owner="people/li", number="Q-1")
    contract = Contract(
        name=name("contracts"), opportunity=deal, customer=customer, owner="people/li", number="C-1", amount=YUAN
    )
    approval = Approval(name=name("approvals"), record=quote.name, opportunity=deal, flow="quote", amount=YUAN)
    desk.tell(deals.QuoteChanged(quote=quote, version=1), deals.ContractChanged(contract=contract, version=1))
    desk.tell(LeadWelcomed(customer=customer, contact=contact, lead=lead))
    told = [
        LeadContacted(lead=lead, owner_version=1, first=True),
        LeadQualified(lead=lead, owner_version=1),
        OpportunityOpened(opportunity=deal, number="CRM-1", stage="new", amount=YUAN),
        StageChanged(
            opportunity=deal,
            from_stage="new",
            to_stage="quote",
            from_status=Opportunity.OPEN,
            to_status=Opportunity.OPEN,
        ),
        deals.ApprovalRequested(approval=approval, approvers=["people/boss"]),
        deals.ApprovalDecided(approval=Approval(name=approval.name, record=quote.name, status=Approval.APPROVED)),
        deals.QuoteOpened(quote=quote, first=True),
        StageChanged(
            opportunity=deal,
            from_stage="quote",
            to_stage="won",
            from_status=Opportunity.OPEN,
            to_status=Opportunity.WON,
        ),
        deals.ContractSigned(contract=contract),
        deals.InvoiceIssued(invoice=Invoice(name=name("invoices"), contract=contract.name, amount=YUAN)),
        deals.PaymentReceived(payment=Payment(name=name("payments"), contract=contract.name, amount=YUAN)),
        deals.PaymentOverdue(instalment=Instalment(name=name("instalments"), contract=contract.name, amount=YUAN)),
        OwnerTransferred(customer=Customer(name=customer, owner="people/li"), previous_owner="people/wang"),
    ]
    # Told backwards, each with its own time: order is not promised.
    for hours, event in reversed(list(zip(itertools.count(2), reversed(told), strict=False))):
        desk.tell(event, time=ago(hours=hours))
    desk.log(contact, happen_time=ago(minutes=90), method=pb.FollowUp.CALL)
    task = desk.task(record=deal)
    desk.act("Complete", task.name)
    expected = [
        *("首次联系", "线索转为商机", "商机创建", "阶段变更", "提交审批", "审批通过", "客户首次打开报价", "赢单"),
        *("合同签署", "开具发票", "收到回款", "回款逾期", "客户转移", "电话：有进展", "官网表单：线索录入", "线索分配"),
        "待办已完成",
    ]
    assert desk.titles(customer, LI, order_by="happen_time") == expected
    assert desk.titles(customer, LI) == expected[::-1], "newest first"
    assert {entry.customer for entry in desk.timeline(customer)} == {customer}
    of_deal = desk.titles(deal, order_by="happen_time")
    assert of_deal == [*expected[2:12], "待办已完成"], "the deal with its quotes and contracts"
    assert desk.titles(contract.name) == ["回款逾期", "收到回款", "开具发票", "合同签署"]
    assert desk.titles(contact) == ["电话：有进展"]
    english = [entry.title_en for entry in desk.timeline(lead, order_by="happen_time")]
    assert english == ["First contact", "Lead qualified", "Web form: captured", "Lead assigned"]


def test_Q11_each_step_of_an_approval_is_told_as_what_it_is_and_by_whom(desk: Office) -> None:
    """A form, the manager, then finance: asked for once, and gone on with by each."""
    deal = desk.opportunity()
    of = Approval(name=name("approvals"), record=deal, opportunity=deal, owner="people/li", flow="opportunity")

    def step(node: str, kind: Approval.Step.Kind.ValueType, *people: str) -> None:
        of.steps.append(Approval.Step(node=node, kind=kind, seats=[Approval.Seat(people=people)]))

    def answered(person: str, hours: float) -> None:
        seat = of.steps[-1].seats[0]
        seat.person, seat.verdict = person, Approval.APPROVE
        seat.decide_time.FromDatetime(ago(hours=hours))

    def asked(hours: float, actor: str, *approvers: str, **more: Any) -> None:
        desk.tell(deals.ApprovalRequested(approval=of, approvers=approvers, **more), time=ago(hours=hours), actor=actor)

    asked(9.1, "people/li", copied=["people/zhao"])  # told, not asked
    step("form", Approval.Step.FILL_IN, "people/li")
    asked(9, "people/li", "people/li")
    answered("people/li", 8)
    step("manager", Approval.Step.APPROVE, "people/boss")
    asked(8, "people/li", "people/boss")
    asked(7, "services/contracts", "people/boss", reason="REMINDER")
    answered("people/boss", 6)
    step("finance", Approval.Step.APPROVE)
    asked(6, "people/boss")  # nobody is there yet
    asked(5, "services/contracts", "people/gold")  # and now somebody is
    of.status = Approval.APPROVED
    desk.tell(deals.ApprovalDecided(approval=of), time=ago(hours=4), actor="people/gold")
    found = [(one.title_zh, one.title_en, one.actor) for one in desk.timeline(deal, order_by="happen_time")]
    assert [one for one in found if one[1] != "Opportunity opened"] == [
        ("提交审批", "Approval requested", "people/li"),
        ("已填写，转下一步", "Filled in, on to the next step", "people/li"),
        ("已同意，转下一步", "Agreed, on to the next step", "people/boss"),
        ("审批通过", "Approved", "people/gold"),
    ]
    step("general-manager", Approval.Step.APPROVE, "people/boss")
    of.steps[-2].seats[0].people.append("people/gold")
    of.steps[-2].seats[0].person = "people/gold"
    of.steps[-2].seats[0].decide_time.FromDatetime(ago(hours=3))
    asked(3, "people/gold", "people/boss")
    newest = desk.timeline(deal)[0]
    assert (newest.title_zh, newest.title_en, newest.actor) == (
        *("已同意，转下一步", "Agreed, on to the next step", "people/gold"),
    )


def test_K5_what_was_paid_back_is_an_entry_of_its_own(desk: Office) -> None:
    contract = Contract(name=name("contracts"), customer=desk.customer(), owner="people/li")
    desk.tell(deals.ContractChanged(contract=contract, version=1))
    back = Payment(name=name("payments"), contract=contract.name, amount=Money(currency_code="CNY", units=-9))
    desk.tell(deals.PaymentRefunded(payment=back))
    (entry,) = desk.timeline(contract.name)
    assert (entry.title_zh, entry.title_en, entry.source) == ("退款", "Refunded", back.name)


def test_F4_a_repeat_makes_one_entry_and_pages_have_each_once(desk: Office) -> None:
    deal = desk.opportunity()
    moved = [StageChanged(opportunity=deal, from_stage=f"{n}", to_stage=f"{n + 1}") for n in range(7)]
    envelopes = [desk.tell(event, time=ago(hours=n))[0] for n, event in enumerate(moved)]
    desk.deliver(*envelopes)
    assert desk.rows("timeline") == 7
    for order in ("", "happen_time"):
        found: list[str] = []
        token = ""
        while True:
            request = pb.ListTimelineRequest(record=deal, page_size=3, page_token=token, order_by=order)
            page = desk.call("ListTimeline", request)
            found += [entry.detail["stage"] for entry in page.entries]
            token = page.next_page_token
            if not token:
                break
        assert found == sorted((f"{n + 1}" for n in range(7)), reverse=bool(order))
    since = ago(hours=2.5).isoformat().replace("+00:00", "Z")
    assert len(desk.timeline(deal, filter=f'kind = STAGE AND happen_time >= "{since}"')) == 3
    with refused("INVALID", "filter"):
        desk.timeline(deal, filter="detail = 1")


def test_C17_what_is_learnt_late_stands_in_its_right_place_and_says_when_it_was_learnt(desk: Office) -> None:
    customer = desk.customer()
    desk.log(customer, happen_time=ago(hours=1), summary="后")
    desk.log(customer, happen_time=ago(hours=3), summary="前")
    late = interaction(desk, customer, kind=pb.Interaction.CALL_SUMMARY, happen_time=ago(hours=2), text="报修")
    entries = desk.timeline(customer)
    assert [entry.detail["summary"] if entry.kind == pb.TimelineEntry.FOLLOW_UP else "" for entry in entries] == [
        "后",
        "",
        "前",
    ]
    assert entries[1].source == late.name
    assert utc(entries[1].learn_time) - utc(entries[1].happen_time) > timedelta(hours=1.9)


def test_C17_what_belongs_to_a_customer_is_found_out_in_any_order(desk: Office) -> None:
    lead, customer, deal, contract = name("leads"), name("customers"), name("opportunities"), name("contracts")
    desk.tell(LeadTouched(lead=lead, channel=DOUYIN, text="在吗", happen_time=at(ago(hours=3))))
    desk.tell(StageChanged(opportunity=deal, from_stage="a", to_stage="b"), time=ago(hours=2))
    desk.tell(deals.ContractSigned(contract=Contract(name=contract, amount=YUAN)), time=ago(hours=1))
    desk.tell(LeadWelcomed(customer=customer, lead=lead))
    desk.opportunity("people/li", of=deal, customer=customer)
    desk.tell(deals.ContractChanged(contract=Contract(name=contract, customer=customer, opportunity=deal), version=1))
    desk.customer("people/li", of=customer)
    assert desk.titles(customer) == ["合同签署", "阶段变更", "抖音：再次联系我们"]
    assert desk.titles(deal) == ["合同签署", "阶段变更"]


def test_C17_C20_merged_customers_have_one_history_also_for_what_comes_later(desk: Office) -> None:
    stays, gone = desk.customer(), desk.customer()
    deal = desk.opportunity(customer=gone)
    desk.log(gone, happen_time=ago(hours=3), summary="甲")
    desk.customer(of=gone, version=2, merged_into=stays, deleted=True)
    desk.tell(CustomersMerged(customer=Customer(name=stays), merged=gone), time=ago(hours=2))
    desk.log(deal, happen_time=ago(hours=1), summary="乙")
    later_deal = desk.opportunity(customer=gone)
    desk.log(later_deal, summary="丙")
    said = [entry.detail["summary"] for entry in desk.timeline(stays) if "summary" in entry.detail]
    assert said == ["丙", "乙", "甲"]
    assert desk.timeline(gone) == desk.timeline(stays), "the old name leads to the one that stands"
    top = desk.customer()
    desk.customer(of=stays, version=2, merged_into=top, deleted=True)
    assert len(desk.timeline(gone)) == len(desk.timeline(top)) == 4


def test_C18_a_fault_report_has_the_raw_data_that_engineers_look_at(desk: Office) -> None:
    customer = desk.customer()
    logs = [name("attachments"), name("attachments")]
    report = interaction(
        desk,
        customer,
        kind=pb.Interaction.DIAGNOSIS_REPORT,
        system="remote",
        title="PLC 通讯中断",
        text="E-204 timeout\n重启后恢复",
        attachments=logs,
        detail={"code": "E-204", "uptime": 4.5},
    )
    (entry,) = desk.timeline(customer)
    assert (entry.kind, entry.source, entry.title_zh) == (pb.TimelineEntry.INTERACTION, report.name, "远程诊断报告")
    said = json_format.MessageToDict(entry.detail)
    assert said["attachments"] == logs
    assert said["text"] == "E-204 timeout\n重启后恢复"
    assert said["detail"] == {"code": "E-204", "uptime": 4.5}


def test_C18_each_touch_keeps_what_was_said_then(desk: Office) -> None:
    lead = desk.lead(text="第一次：询价")
    desk.tell(LeadTouched(lead=lead, channel=PHONE_400, text="第二次：要样品", happen_time=at(ago(seconds=0))))
    texts = [entry.detail["text"] for entry in desk.timeline(lead) if "text" in entry.detail]
    assert texts == ["第二次：要样品", "第一次：询价"]


def requirement(desk: Office, record: str, who: Any = LI, **fields: Any) -> pb.ChangeRequest:
    given = {"type": pb.ChangeRequest.SCHEDULE, "detail": "提前两周交货", **fields}
    request = pb.CreateChangeRequestRequest(change_request=pb.ChangeRequest(record=record, **given))
    made: pb.ChangeRequest = desk.call("CreateChangeRequest", request, who)
    return made


def test_C22_a_change_of_requirement_is_a_form_that_schedulers_and_finance_hear_of(desk: Office) -> None:
    customer = desk.customer()
    deal = desk.opportunity(customer=customer)
    made = requirement(desk, deal, schedule_days=-10, surcharge=Money(currency_code="CNY", units=8000, nanos=500000000))
    assert (made.customer, made.owner, made.schedule_days) == (customer, "people/li", -10)
    assert (made.surcharge.units, made.surcharge.nanos) == (8000, 500000000)
    (told,) = desk.announced(RequirementChanged)
    assert told.change_request == made
    wanted = pb.ChangeRequest(name=made.name, detail="提前一周", surcharge=Money(currency_code="CNY", units=-1))
    now = desk.call("UpdateChangeRequest", pb.UpdateChangeRequestRequest(change_request=wanted))
    assert (now.detail, now.surcharge.units, now.schedule_days) == ("提前一周", -1, -10)
    assert [event.change_request.detail for event in desk.announced(RequirementChanged)] == ["提前一周"]
    assert desk.titles(customer) == ["工期变更"]
    desk.call("DeleteChangeRequest", pb.DeleteChangeRequestRequest(name=made.name))
    assert desk.titles(customer) == []
    desk.call("UndeleteChangeRequest", pb.UndeleteChangeRequestRequest(name=made.name))
    assert desk.titles(customer) == ["工期变更"]
    found = desk.call("ListChangeRequests", pb.ListChangeRequestsRequest(filter=f"record = {deal}")).change_requests
    assert [one.name for one in found] == [made.name]
    contract = Contract(name=name("contracts"), opportunity=deal, customer=customer, owner="people/li")
    desk.tell(deals.ContractChanged(contract=contract, version=1))
    assert requirement(desk, contract.name).customer == customer


def test_C22_a_form_with_nothing_on_it_is_none(desk: Office) -> None:
    deal = desk.opportunity()
    with refused("INVALID", "change_request.type", "change_request.detail", "change_request.schedule_days"):
        requirement(desk, deal, type=0, detail="", schedule_days=100_000)
    with refused("INVALID", "change_request.surcharge"):
        requirement(desk, deal, surcharge=Money(currency_code="yuan", units=1))
    with refused("INVALID", "change_request.record"):
        requirement(desk, desk.customer())
    for record in (desk.opportunity("people/wang"), name("contracts")):
        with refused("NOT_FOUND"):
            requirement(desk, record)


def test_F19_a_timeline_is_for_whoever_may_see_its_record(desk: Office) -> None:
    customer = desk.customer("people/zhao")
    desk.log(customer, ZHAO)
    for who in (ZHAO, BOSS, ADMIN):
        assert len(desk.timeline(customer, who)) == 1
    for who in (LI, WANG):
        with refused("NOT_FOUND"):
            desk.timeline(customer, who)
    for wrong in (name("tasks"), ""):
        with refused("INVALID", "record"):
            desk.timeline(wrong)
    desk.customer("people/zhao", of=customer, version=2, deleted=True)
    with refused("NOT_FOUND"):
        desk.timeline(customer, ZHAO)


@pytest.mark.parametrize("resource", ["followUps", "payments", "leads"])
def test_P7_a_role_that_may_not_read_a_kind_does_not_find_it_on_a_timeline(desk: Office, resource: str) -> None:
    customer = desk.customer()
    contract = Contract(name=name("contracts"), customer=customer, owner="people/li")
    desk.tell(deals.ContractChanged(contract=contract, version=1))
    desk.tell(deals.PaymentReceived(payment=Payment(name=name("payments"), contract=contract.name, amount=YUAN)))
    desk.log(customer, summary="很满意")
    lead = desk.lead()
    desk.tell(LeadWelcomed(customer=customer, lead=lead))
    every = {"followUps": 1, "payments": 1, "leads": 2}
    who = principal("people/li", "sales", Scope.OWN, "teams/east", **{resource: Grant()})
    assert len(desk.timeline(customer, who)) == 4 - every[resource]


def test_P7_a_field_that_is_hidden_is_hidden_on_a_timeline_too(desk: Office) -> None:
    customer = desk.customer()
    desk.log(customer, summary="价格敏感", next_plan="送样")
    narrow = Grant(Scope.OWN, Scope.OWN, hidden=frozenset({"summary"}))
    who = principal("people/li", "sales", Scope.OWN, "teams/east", followUps=narrow)
    (entry,) = desk.timeline(customer, who)
    assert dict(entry.detail) == {"next_plan": "送样", "outcome": "PROGRESS"}
