"""What one who left had still to do goes to whoever has the record now, or to his manager."""

from __future__ import annotations

from typing import Any

import pytest

from dealwright.activities.v1 import activities_pb2 as pb
from dealwright.activities.v1.events_pb2 import TaskChanged
from dealwright.activities.v1.notices_pb2 import ListNotificationsRequest
from dealwright.customers.v1.events_pb2 import LeadWelcomed
from dealwright.directory.v1.directory_pb2 import Person
from dealwright.directory.v1.events_pb2 import PersonChanged
from dealwright.leads.v1.events_pb2 import LeadAssigned
from dealwright.rules.v1.events_pb2 import ActionRequested
from tests.activities.desk import LI, WANG, ZHAO
from tests.activities.office import Office

OPEN, STARTED, CANCELLED = pb.Task.OPEN, pb.Task.IN_PROGRESS, pb.Task.CANCELLED
TITLE = "离职同事的任务已转给您"


def leave(desk: Office, manager: str = "people/boss") -> None:
    who = Person(name="people/li", display_name="李", team="teams/east", manager=manager, state=Person.LEFT)
    desk.tell(PersonChanged(person=who, version=9))


def whose(desk: Office, *tasks: Any) -> list[str]:
    now = {one.name: one.owner for one in desk.tasks()}
    return [now[task.name] for task in tasks]


def told(desk: Office, who: Any) -> list[str]:
    """What he was told of tasks, our own announcements heard: of each task once."""
    for event in desk.announced(TaskChanged):
        desk.tell(event)
    found = desk.call("ListNotifications", ListNotificationsRequest(filter="kind = TASK_ASSIGNED"), who).notifications
    assert len({one.record for one in found}) == len(found)
    return sorted(one.text_zh for one in found if one.title_zh == TITLE)


def test_C16_tasks_about_a_leavers_customer_go_with_it_and_the_new_owner_is_told(desk: Office) -> None:
    customer = desk.customer()
    contact = desk.contact(customer)
    deal, other = desk.opportunity(customer=customer), desk.opportunity(customer=customer)
    tasks = [desk.task(title=f"任务{number}", record=of) for number, of in enumerate((customer, contact, deal, other))]
    done = desk.task(title="做完", record=customer)
    desk.act("Complete", done.name)
    desk.act("Start", tasks[0].name)
    colleagues = desk.task(WANG, title="他人", record=desk.customer("people/wang"))
    leave(desk)
    # The records wait for a word, and the tasks about them with them.
    assert whose(desk, *tasks) == ["people/li"] * 4
    desk.customer("people/zhao", of=customer, version=2)
    assert whose(desk, *tasks, done, colleagues) == [
        *["people/zhao"] * 2,
        *["people/li"] * 2,
        "people/li",
        "people/wang",
    ]
    desk.opportunity("people/wang", of=deal, version=2, customer=customer)
    assert whose(desk, *tasks) == ["people/zhao", "people/zhao", "people/wang", "people/li"]
    assert {one.status for one in desk.tasks(f"record = {customer}") if one.name == tasks[0].name} == {STARTED}
    assert (told(desk, ZHAO), told(desk, WANG)) == (["任务0", "任务1"], ["任务2"])
    found = desk.call("GetTask", pb.GetTaskRequest(name=tasks[0].name), ZHAO)
    assert (found.owner, found.team) == ("people/zhao", "teams/east")


def test_C16_it_does_not_matter_whether_we_hear_first_that_he_left_or_who_has_it_now(desk: Office) -> None:
    customer, lead = desk.customer(), desk.lead("people/li")
    mine, of_lead = desk.task(title="一", record=customer), desk.task(title="二", record=lead)
    desk.customer("people/zhao", of=customer, version=2)
    assert whose(desk, mine) == ["people/li"], "he is with us, and goes on"
    leave(desk)
    assert whose(desk, mine, of_lead) == ["people/zhao", "people/li"]
    desk.tell(LeadAssigned(lead=lead, owner="people/zhao", previous_owner="people/li", owner_version=2))
    assert whose(desk, of_lead) == ["people/zhao"]
    # What the system asks him for afterwards is not for him either.
    event = ActionRequested(subject=customer, action="CREATE_TASK", person="people/li", origin="rule/late")
    event.parameters.update({"title": "晚到"})
    desk.tell(event)
    (late,) = [one for one in desk.tasks(f"record = {customer}") if one.title == "晚到"]
    assert late.owner == "people/zhao"


def test_C16_tasks_about_nothing_go_to_his_manager_and_about_anothers_record_to_that_one(desk: Office) -> None:
    theirs = desk.customer("people/wang", shared_with_team=True)
    nothing = desk.task(title="整理资料")
    anothers = desk.task(WANG, title="帮忙", record=theirs, owner="people/li")
    leave(desk)
    assert whose(desk, nothing, anothers) == ["people/boss", "people/wang"]


def test_C16_without_a_manager_they_are_his_teams(desk: Office) -> None:
    nothing = desk.task(title="整理资料")
    leave(desk, manager="")
    (now,) = [one for one in desk.tasks() if one.name == nothing.name]
    assert (now.owner, now.team) == ("", "teams/east")


def test_C16_a_task_about_a_lead_that_became_a_customer_goes_with_the_customer(desk: Office) -> None:
    lead, customer = desk.lead("people/li"), desk.customer()
    mine = desk.task(title="回电", record=lead)
    desk.tell(LeadWelcomed(lead=lead, customer=customer))
    leave(desk)
    assert whose(desk, mine) == ["people/li"]
    desk.customer("people/zhao", of=customer, version=2)
    assert whose(desk, mine) == ["people/zhao"]


@pytest.mark.parametrize("leaves_first", [True, False])
def test_C16_C20_a_leavers_task_on_a_customer_that_was_merged_goes_with_the_one_that_stays(
    desk: Office, leaves_first: bool
) -> None:
    stays, other, last = desk.customer("people/zhao"), desk.customer(), desk.customer("people/wang")
    mine = desk.task(title="回访", record=other)
    if leaves_first:
        leave(desk)
        assert whose(desk, mine) == ["people/li"], "the other waits for a word"
    desk.customer(of=other, version=2, deleted=True, merged_into=stays)
    if not leaves_first:
        leave(desk)
    assert whose(desk, mine) == ["people/zhao"]
    assert told(desk, ZHAO) == ["回访"]
    # What the system still asks of him about the other, in a chain of merges, too.
    desk.customer("people/zhao", of=stays, version=2, deleted=True, merged_into=last)
    event = ActionRequested(subject=other, action="CREATE_TASK", person="people/li", origin="rule/late")
    event.parameters.update({"title": "晚到"})
    desk.tell(event)
    assert [one.owner for one in desk.tasks() if one.title == "晚到"] == ["people/wang"]


def test_C16_C20_where_the_one_that_stays_waits_for_a_word_so_does_the_task_on_the_other(desk: Office) -> None:
    stays, other = desk.customer(), desk.customer()
    mine = desk.task(title="回访", record=other)
    leave(desk)
    desk.customer(of=other, version=2, deleted=True, merged_into=stays)
    assert whose(desk, mine) == ["people/li"]
    desk.customer("people/zhao", of=stays, version=2)
    assert whose(desk, mine) == ["people/zhao"]


def vip(action: str, customer: str, **more: Any) -> ActionRequested:
    event = ActionRequested(subject=customer, action=action, person="people/li", origin=f"{customer}/vip/1/0")
    event.parameters.update({"title": "专属服务", "kind": "TODO", **more})
    return event


@pytest.mark.parametrize("asked_first", [True, False])
def test_C12_what_is_taken_back_is_cancelled_with_the_reason_in_whatever_order_that_is_heard(
    desk: Office, asked_first: bool
) -> None:
    customer = desk.customer()
    events = [vip("CREATE_TASK", customer), vip("CANCEL_TASK", customer, result="不再是 VIP")]
    for event in events if asked_first else reversed(events):
        desk.tell(event)
    (task,) = desk.tasks(f"record = {customer}")
    assert (task.status, task.result, task.title) == (CANCELLED, "不再是 VIP", "专属服务")


def test_C12_what_was_done_stays_done(desk: Office) -> None:
    customer = desk.customer()
    desk.tell(vip("CREATE_TASK", customer))
    (task,) = desk.tasks(f"record = {customer}")
    desk.act("Complete", task.name, LI)
    desk.tell(vip("CANCEL_TASK", customer, result="不再是 VIP"))
    (task,) = desk.tasks(f"record = {customer}")
    assert task.status == pb.Task.DONE
