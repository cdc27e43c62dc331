"""Tasks: asked for, taken by a team, done once, made by what happens elsewhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import Problem
from dealwright.activities.v1 import activities_pb2 as pb
from dealwright.activities.v1.events_pb2 import LeadTaskChanged, Mentioned, TaskChanged, TaskDone
from dealwright.leads.v1.events_pb2 import (
    LeadAssigned,
    LeadCaptured,
    LeadClockSet,
    LeadContacted,
    LeadDisqualified,
    LeadReleased,
    LeadRemoved,
)
from dealwright.opportunities.v1.events_pb2 import CollaboratorAdded
from dealwright.rules.v1.events_pb2 import ActionRequested
from tests.activities.desk import ADMIN, BOSS, LI, WANG, ZHAO, refused
from tests.activities.office import FANG, Office, ago, at, name, utc

OPEN, STARTED, DONE, CANCELLED = pb.Task.OPEN, pb.Task.IN_PROGRESS, pb.Task.DONE, pb.Task.CANCELLED


def changed(desk: Office, of: str, who: Any = LI, etag: str = "", **fields: Any) -> pb.Task:
    request = pb.UpdateTaskRequest(
        task=pb.Task(name=of, etag=etag, **fields), update_mask=FieldMask(paths=list(fields))
    )
    answer: pb.Task = desk.call("UpdateTask", request, who)
    return answer


def test_F10_each_has_a_list_of_what_he_is_to_do_soonest_first(desk: Office) -> None:
    for title, days in (("三", -3), ("一", -1), ("二", -2)):
        desk.task(title=title, due_time=at(ago(days=days)))
    desk.task(title="无期限")
    desk.task(title="别人的", owner="people/wang")
    mine = desk.tasks('owner = "people/li" AND status = OPEN', LI)
    assert [one.title for one in mine] == ["一", "二", "三", "无期限"]
    assert (mine[0].kind, mine[0].creator, mine[0].team) == (pb.Task.TODO, "people/li", "teams/east")
    assert [one.title for one in desk.tasks(who=WANG)] == ["别人的"]
    assert [one.title for one in desk.tasks('creator = "people/li"', LI)][-1] == "别人的", "who asked for it follows it"


def test_F10_a_task_of_the_team_is_taken_by_one_of_it(desk: Office) -> None:
    task = desk.task(BOSS, team="teams/east", title="整理名单")
    assert (task.owner, task.team) == ("", "teams/east")
    assert [one.title for one in desk.tasks(who=ZHAO)] == ["整理名单"]
    assert desk.tasks(who=WANG) == []
    with refused("NOT_FOUND"):
        desk.act("Claim", task.name, WANG)
    taken = desk.act("Claim", task.name, ZHAO)
    assert (taken.owner, taken.status) == ("people/zhao", OPEN)
    assert desk.act("Claim", task.name, ZHAO) == taken, "it is his already"
    assert desk.tasks(who=LI) == []
    with refused("TAKEN"):
        desk.act("Claim", task.name, BOSS)
    again = desk.task(BOSS, team="teams/east", title="打电话")
    assert desk.act("Start", again.name, LI).owner == "people/li", "who starts it takes it"


def test_F10_a_task_goes_from_open_over_started_to_done_and_is_opened_again(desk: Office) -> None:
    task = desk.task()
    assert desk.act("Start", task.name).status == STARTED
    with refused("NOT_OPEN"):
        desk.act("Start", task.name)
    with refused("NOT_CLOSED"):
        desk.act("Reopen", task.name)
    done = desk.act("Complete", task.name, result="已发报价")
    assert (done.status, done.result) == (DONE, "已发报价")
    assert done.HasField("done_time")
    for verb in ("Complete", "Cancel", "Claim"):
        with refused("TASK_CLOSED"):
            desk.act(verb, task.name)
    with refused("TASK_CLOSED"):
        desk.act("Assign", task.name, owner="people/zhao")
    changed(desk, task.name, detail="补充说明")  # which is not to do it again
    again = desk.act("Reopen", task.name)
    assert (again.status, again.HasField("done_time")) == (OPEN, False)
    assert desk.act("Cancel", task.name, result="不需要了").status == CANCELLED
    assert [event.task.result for event in desk.announced(TaskDone)] == ["已发报价"]


def test_F10_a_task_is_changed_by_who_has_it_who_asked_for_it_and_who_leads_him(desk: Office) -> None:
    task = desk.task(LI, owner="people/zhao")
    for who in (LI, ZHAO, BOSS):
        changed(desk, task.name, who, detail=who.person)
    with refused("NOT_FOUND"):
        changed(desk, task.name, WANG, detail="x")
    with refused("STALE"):
        changed(desk, task.name, etag=task.etag, detail="x")
    with refused("INVALID", "update_mask.status"):
        changed(desk, task.name, status=DONE)
    mentioned = desk.task(LI, mentions=["people/wang"])
    assert desk.act("Get", mentioned.name, WANG).title == "报价"
    with refused("DENIED"):
        changed(desk, mentioned.name, WANG, detail="x")
    given = desk.act("Assign", task.name, ZHAO, owner="people/wang")
    assert (given.owner, given.team) == ("people/wang", "teams/west")
    assert desk.act("Assign", task.name, WANG, team="teams/east").owner == ""
    for owner, team in (("", ""), ("people/li", "teams/east"), ("people/nobody", "")):
        with refused("INVALID", "owner"):
            desk.act("Assign", task.name, LI, owner=owner, team=team)


def test_F10_a_task_tells_how_many_of_its_parts_are_done(desk: Office) -> None:
    deal = desk.opportunity()
    whole = desk.task(record=deal, title="准备投标")
    first = desk.task(parent=whole.name, title="技术方案", owner="people/zhao")
    second = desk.task(parent=whole.name, title="报价单")
    third = desk.task(parent=whole.name, title="法务")
    assert (first.record, first.opportunity) == (deal, deal), "a part is about what the whole is about"
    desk.act("Complete", first.name, ZHAO)
    desk.act("Cancel", third.name)
    told = desk.act("Get", whole.name)
    assert (told.parts, told.parts_done) == (2, 1)
    desk.act("Complete", second.name)
    (listed,) = desk.tasks('title = "准备投标"')
    assert (listed.parts, listed.parts_done) == (2, 2)
    assert len(desk.tasks(f"parent = {whole.name}")) == 3
    with refused("NOT_FOUND"):
        desk.task(parent=name("tasks"))


def test_F14_another_department_is_asked_for_a_deliverable_until_a_time(desk: Office) -> None:
    deal = desk.opportunity()
    due = ago(days=-2)
    task = desk.task(
        kind=pb.Task.COLLABORATION,
        record=deal,
        team="teams/finance",
        deliverable="信用审核意见",
        due_time=at(due),
        mentions=["people/fang"],
    )
    assert (task.owner, task.team, task.deliverable, utc(task.due_time)) == ("", "teams/finance", "信用审核意见", due)
    (told,) = desk.announced(Mentioned)
    assert (told.source, told.person, told.record) == (task.name, "people/fang", deal)
    # The department sees what it was asked for, though not the deal.
    desk.act("Complete", task.name, FANG, result="额度 50 万")
    assert desk.act("Get", task.name).owner == "people/fang"


def test_F14_O33_each_part_of_a_deal_is_one_task_of_its_collaborator(desk: Office) -> None:
    deal = desk.opportunity(title="仓储系统")
    asked = CollaboratorAdded(
        opportunity=deal, person="people/zhao", part="技术方案", owner="people/li", title="仓储系统"
    )
    desk.tell(asked, asked)
    desk.tell(asked, CollaboratorAdded(opportunity=deal, person="people/zhao", part="现场勘测", owner="people/li"))
    due = ago(days=-1)
    desk.tell(
        CollaboratorAdded(
            opportunity=deal, team="teams/finance", part="信用", due_time=at(due), requested_by="people/boss"
        )
    )
    tasks = {one.part: one for one in desk.tasks(f"opportunity = {deal}")}
    assert len(tasks) == 3
    first = tasks["技术方案"]
    assert (first.kind, first.owner, first.creator) == (pb.Task.COLLABORATION, "people/zhao", "people/li")
    assert first.title == "技术方案：仓储系统"
    wait = utc(first.due_time) - utc(first.create_time)
    assert wait == timedelta(days=3)
    of_team = tasks["信用"]
    assert (of_team.owner, of_team.team, of_team.creator) == ("", "teams/finance", "people/boss")
    assert utc(of_team.due_time) == due
    desk.act("Complete", first.name, ZHAO)
    (done,) = desk.announced(TaskDone)
    assert (done.task.opportunity, done.task.part, done.task.owner) == (deal, "技术方案", "people/zhao")


def test_C26_a_ticket_has_a_customer_and_a_flow_that_is_announced(desk: Office) -> None:
    customer = desk.customer()
    with refused("INVALID", "task.record"):
        desk.task(kind=pb.Task.TICKET, title="设备停机")
    with refused("INVALID", "task.record"):
        desk.task(kind=pb.Task.TICKET, title="设备停机", record=desk.lead())
    ticket = desk.task(kind=pb.Task.TICKET, title="设备停机", record=customer, team="teams/east")
    desk.announced()
    for verb, who in (("Start", ZHAO), ("Complete", ZHAO), ("Reopen", ZHAO), ("Complete", ZHAO)):
        desk.act(verb, ticket.name, who)
    assert ticket.customer == customer
    events = desk.announced()
    states = [e.task.status for e in events if isinstance(e, TaskChanged)]
    assert states == [STARTED, DONE, OPEN, DONE]
    assert len([e for e in events if isinstance(e, TaskDone)]) == 2, "once for each time that it was done"
    versions = [e.version for e in events if isinstance(e, TaskChanged)]
    assert versions == sorted(set(versions))


def test_F10_two_who_complete_one_task_at_once_complete_it_once(desk: Office) -> None:
    for _ in range(8):
        task = desk.task(BOSS, team="teams/east")

        def complete(who: Any, of: str = task.name) -> str:
            try:
                return str(desk.act("Complete", of, who).owner)
            except Problem as problem:
                return problem.reason

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(complete, (LI, ZHAO, BOSS, ADMIN)))
        refusals = [answer for answer in answers if not answer.startswith("people/") and answer]
        assert len(refusals) == 3, answers
        assert set(refusals) <= {"TASK_CLOSED", "STALE", "NOT_FOUND", "DENIED"}, "one has it, the others hear why not"
        assert [event.task.name for event in desk.announced(TaskDone)] == [task.name]


def test_F10_the_same_request_again_makes_one_task(desk: Office) -> None:
    request = pb.CreateTaskRequest(task=pb.Task(title="报价"), request_id="once")
    assert desk.call("CreateTask", request) == desk.call("CreateTask", request)
    assert len(desk.tasks()) == 1


def test_F10_a_deleted_task_comes_back(desk: Office) -> None:
    customer = desk.customer()
    task = desk.task(record=customer)
    desk.act("Complete", task.name)
    desk.act("Delete", task.name)
    assert desk.tasks() == []
    assert desk.titles(customer) == []
    desk.act("Undelete", task.name)
    assert desk.titles(customer) == ["待办已完成"]
    with refused("NOT_DELETED"):
        desk.act("Undelete", task.name)


# --- leads ---


def test_L12_L20_whoever_gets_a_lead_has_a_task_until_he_was_in_touch(desk: Office) -> None:
    lead = name("leads")
    desk.tell(LeadCaptured(lead=lead))
    given = ago(minutes=1)
    assigned = LeadAssigned(
        lead=lead,
        owner="people/li",
        owner_version=1,
        assign_time=at(given),
        respond_by=at(given + timedelta(hours=2)),
    )
    desk.tell(assigned)
    desk.tell(assigned)
    (task,) = desk.tasks(f"record = {lead}", LI)
    assert (task.title, task.owner, task.status) == ("您有一条新线索待处理,请在2小时内联系客户", "people/li", OPEN)
    assert task.title_en == "You have a new lead; contact the customer within 2 hours"
    assert utc(task.due_time) == given + timedelta(hours=2)
    desk.tell(LeadClockSet(lead=lead, owner_version=1, respond_by=at(given + timedelta(hours=3))))
    assert utc(desk.tasks(f"record = {lead}")[0].due_time) == given + timedelta(hours=3)
    desk.announced()
    desk.tell(LeadContacted(lead=lead, owner="people/li", owner_version=1, first=True))
    (task,) = desk.tasks(f"record = {lead}")
    assert task.status == DONE
    assert len(desk.announced(TaskDone)) == 1


def test_L12_the_task_follows_the_lead_from_hand_to_hand(desk: Office) -> None:
    lead = desk.lead("people/li")
    desk.tell(LeadAssigned(lead=lead, owner="people/zhao", owner_version=2, previous_owner="people/li"))
    assert {(one.owner, one.status) for one in desk.tasks(f"record = {lead}")} == {
        ("people/li", CANCELLED),
        ("people/zhao", OPEN),
    }
    desk.tell(LeadReleased(lead=lead, owner_version=3, previous_owner="people/zhao"))
    assert {one.status for one in desk.tasks(f"record = {lead}")} == {CANCELLED}
    desk.tell(LeadAssigned(lead=lead, owner="people/wang", owner_version=4))
    desk.tell(LeadDisqualified(lead=lead, owner="people/wang", owner_version=4, reason="空号"))
    assert {one.status for one in desk.tasks(f"record = {lead}")} == {CANCELLED}


@pytest.mark.parametrize("later", [LeadContacted, LeadReleased, LeadDisqualified])
def test_L12_what_ended_before_we_heard_that_it_began_makes_no_task(desk: Office, later: Any) -> None:
    lead = name("leads")
    desk.tell(later(lead=lead, owner_version=2 if later is LeadReleased else 1))
    desk.tell(LeadAssigned(lead=lead, owner="people/li", owner_version=1))
    desk.tell(LeadCaptured(lead=lead))
    assert desk.tasks(f"record = {lead}") == []


def test_L12_an_older_owner_that_is_told_of_late_makes_no_task(desk: Office) -> None:
    lead = name("leads")
    newer = LeadAssigned(lead=lead, owner="people/zhao", owner_version=2)
    desk.tell(newer, LeadAssigned(lead=lead, owner="people/li", owner_version=1))
    assert [one.owner for one in desk.tasks(f"record = {lead}")] == ["people/zhao"]


def test_L1_what_lies_in_the_pool_is_seen_by_everybody_until_it_has_an_owner_again(desk: Office) -> None:
    lead = desk.lead("people/wang", text="急")
    with refused("NOT_FOUND"):
        desk.timeline(lead, LI)
    desk.tell(LeadReleased(lead=lead, owner_version=2))
    assert desk.timeline(lead, LI)
    desk.tell(LeadCaptured(lead=lead, owner_version=2, cause="RETURNED"))
    with refused("NOT_FOUND"):
        desk.timeline(lead, LI)


# --- rules ---


def action(subject: str, person: str = "people/li", **parameters: Any) -> ActionRequested:
    event = ActionRequested(subject=subject, action="CREATE_TASK", person=person)
    event.parameters.update(parameters)
    return event


def test_F8_what_a_rule_asks_for_is_a_task_and_a_repeat_is_none(desk: Office) -> None:
    deal = desk.opportunity()
    asked = action(
        deal, title="7天未跟进，请联系客户", titleEn="No follow-up for 7 days", dueHours=24, detail="重要商机"
    )
    (envelope,) = desk.tell(asked)
    desk.deliver(envelope)
    (task,) = desk.tasks(f"record = {deal}")
    assert (task.owner, task.title, task.title_en, task.detail) == (
        "people/li",
        "7天未跟进，请联系客户",
        "No follow-up for 7 days",
        "重要商机",
    )
    assert abs(utc(task.due_time) - ago(hours=-24)) < timedelta(minutes=1)
    # A rule that says which task is the same makes one, however often it fires.
    for _ in range(3):
        desk.tell(action(deal, title="盘点", origin="stall/1"))
    assert len(desk.tasks('title = "盘点"')) == 1
    desk.tell(ActionRequested(subject=deal, action="NOTIFY", person="people/li", text_zh="看看"))
    assert len(desk.tasks()) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"title": ""}, {"title": "x", "dueHours": -1}, {"title": "x", "dueTime": "soon"}, {"title": "x", "kind": "PARTY"}],
)
def test_F8_what_makes_no_task_is_refused(desk: Office, wrong: dict[str, Any]) -> None:
    with pytest.raises(Problem, match="parameters"):
        desk.tell(action(desk.opportunity(), **wrong))
    assert desk.tasks() == []


def test_I10_of_a_lead_that_is_gone_for_good_nothing_stays_and_nothing_comes_back(desk: Office) -> None:
    lead = desk.lead("people/li", text="导入")
    assigned = LeadAssigned(lead=lead, owner="people/zhao", owner_version=2)
    desk.announced()
    desk.tell(LeadRemoved(lead=lead, owner_version=1))
    desk.tell(assigned, LeadCaptured(lead=lead))
    assert desk.tasks(f"record = {lead}", show_deleted=True) == []
    assert desk.rows("timeline") == 0
    (gone,) = desk.announced(LeadTaskChanged)
    assert gone.deleted
    with refused("NOT_FOUND"):
        desk.timeline(lead)
