"""Who works together on a deal sees what hangs on it; who sees its customer alone does not."""

from __future__ import annotations

from chassis.access import Grant, Principal, Scope
from dealwright.activities.v1 import activities_pb2 as pb
from dealwright.activities.v1.notices_pb2 import CreateTemplateRequest, RenderTemplateRequest, Template
from dealwright.contracts.v1.contracts_pb2 import Contract
from dealwright.contracts.v1.events_pb2 import ContractChanged
from dealwright.opportunities.v1.events_pb2 import CollaboratorAdded
from dealwright.opportunities.v1.opportunities_pb2 import Opportunity
from tests.activities.desk import LI, WANG, ZHAO, principal
from tests.activities.office import Office, name


def test_F19_P6_through_a_shared_customer_a_team_mate_hears_only_that_something_happened(desk: Office) -> None:
    customer = desk.customer("people/zhao", shared_with_team=True)
    deal = desk.opportunity("people/zhao", customer=customer)
    contract = Contract(name=name("contracts"), opportunity=deal, customer=customer, owner="people/zhao")
    desk.tell(ContractChanged(contract=contract, version=1))
    desk.log(deal, ZHAO, method=pb.FollowUp.CALL, outcome=pb.FollowUp.REFUSED, summary="太贵")
    for record in (deal, contract.name):
        desk.act("Complete", desk.task(ZHAO, record=record, title="降价").name, ZHAO)
    desk.log(customer, ZHAO, summary="来访")
    wanted = f"customer = {customer}"
    assert desk.tasks(wanted, LI) == []
    assert [one.summary for one in desk.follow_ups(wanted, LI)] == ["来访"]
    entries = desk.timeline(customer, LI)
    assert [one.title_zh for one in entries] == ["跟进：有进展", *["其他商机有新动态"] * 3]
    assert [bool(one.detail.fields) for one in entries] == [True, False, False, False]
    assert [word for word in ("拒绝", "太贵", "降价") if word in repr(entries)] == []
    assert [one.detail["title"] for one in desk.timeline(contract.name, ZHAO)] == ["降价"]


def test_F20_O36_a_team_that_is_asked_for_a_part_sees_what_hangs_on_the_deal(desk: Office) -> None:
    deal = desk.opportunity("people/zhao", collaborators=[Opportunity.Collaborator(team="teams/west")])
    made = desk.log(deal, ZHAO)
    assert [one.name for one in desk.follow_ups(who=WANG)] == [made.name]
    desk.opportunity("people/zhao", of=deal, version=2)
    assert desk.follow_ups(who=WANG) == []


def test_F14_O33_asked_again_for_a_part_that_was_cancelled_its_task_is_open_again(desk: Office) -> None:
    deal = desk.opportunity(title="仓储系统")
    asked = CollaboratorAdded(opportunity=deal, person="people/zhao", part="报价", owner="people/li", detail="先估价")
    desk.tell(asked)
    (task,) = desk.tasks(f"opportunity = {deal}")
    desk.act("Cancel", task.name, ZHAO, result="没空")
    again = CollaboratorAdded(opportunity=deal, person="people/zhao", part="报价", requested_by="people/boss")
    desk.tell(again)
    (now,) = desk.tasks(f"opportunity = {deal}")
    assert (now.name, now.status, now.result, now.creator) == (task.name, pb.Task.OPEN, "", "people/boss")
    # What is done is done.
    desk.act("Complete", task.name, ZHAO)
    desk.tell(again)
    assert [one.status for one in desk.tasks(f"opportunity = {deal}")] == [pb.Task.DONE]


def test_P7_O27_a_template_says_of_a_record_what_its_reader_may_see(desk: Office) -> None:
    text = "{{title}}|{{number}}|{{owner}}|{{team}}|{{customer}}"
    made = desk.call(
        "CreateTemplate",
        CreateTemplateRequest(template=Template(display_name="报价", kind=Template.DOCUMENT, body_zh=text)),
    )
    desk.hire(("people/li", "teams/east", "sales"))
    mine, theirs = (desk.customer(of, display_name="华兴") for of in ("people/li", "people/wang"))
    deal, other = (desk.opportunity(customer=of, title="仓储", number="CRM-1") for of in (mine, theirs))

    def rendered(record: str, who: Principal = LI) -> str:
        return str(desk.call("RenderTemplate", RenderTemplateRequest(name=made.name, record=record), who).body_zh)

    assert rendered(deal) == "仓储|CRM-1|people/li|teams/east|华兴"
    # The deal is his, its customer another's.
    assert rendered(other) == "仓储|CRM-1|people/li|teams/east|"

    def blind(**hidden: str) -> Principal:
        narrow = {kind: Grant(Scope.OWN, Scope.OWN, hidden=frozenset({field})) for kind, field in hidden.items()}
        return principal("people/li", "sales", Scope.OWN, "teams/east", **narrow)

    assert rendered(deal, blind(opportunities="title")) == "|CRM-1|people/li|teams/east|华兴"
    assert rendered(deal, blind(opportunities="number")) == "仓储||people/li|teams/east|华兴"
    assert rendered(deal, blind(opportunities="owner")) == "仓储|CRM-1||teams/east|华兴"
    assert rendered(deal, blind(opportunities="customer")) == "仓储|CRM-1|people/li|teams/east|"
    assert rendered(deal, blind(customers="display_name")) == "仓储|CRM-1|people/li|teams/east|"
    assert rendered(mine, blind(customers="display_name")) == "||people/li|teams/east|"
