"""Follow-ups: logged, seen, corrected, counted."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct

from activities.usecases import purging
from activities.usecases.settings import PART
from chassis import arrivals, clock, ids
from chassis.access import Grant, Principal, Scope
from dealwright.activities.v1 import activities_pb2 as pb
from dealwright.activities.v1 import files_pb2
from dealwright.activities.v1.events_pb2 import FollowUpChanged, FollowUpLogged, Mentioned, TaskChanged
from dealwright.customers.v1.events_pb2 import LeadWelcomed
from dealwright.opportunities.v1.events_pb2 import OpportunityShared, ShareEnded
from dealwright.opportunities.v1.opportunities_pb2 import Opportunity
from tests.activities.desk import ADMIN, BOSS, LI, WANG, ZHAO, later, principal, refused
from tests.activities.office import Office, ago, at, name, utc
from tests.activities.samples import PNG

SETTER = Principal("people/admin", "admin", grants={"blueprint": Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)})


def changed(desk: Office, of: str, who: Any = LI, etag: str = "", **fields: Any) -> pb.FollowUp:
    request = pb.UpdateFollowUpRequest(
        follow_up=pb.FollowUp(name=of, etag=etag, **fields), update_mask=FieldMask(paths=list(fields))
    )
    answer: pb.FollowUp = desk.call("UpdateFollowUp", request, who)
    return answer


def test_F1_F3_a_follow_up_says_who_when_how_what_and_what_next(desk: Office) -> None:
    customer = desk.customer()
    deal = desk.opportunity(customer=customer)
    happened, back = ago(hours=3), ago(days=-3)
    made = desk.log(
        deal,
        method=pb.FollowUp.VISIT,
        outcome=pb.FollowUp.PROGRESS,
        summary="看了三个仓库\n对价格满意",
        next_plan="发报价",
        next_time=back,
        happen_time=happened,
        custom={"满意度": 4},
    )
    assert (made.owner, made.team, made.customer, made.opportunity) == ("people/li", "teams/east", customer, deal)
    assert (utc(made.happen_time), utc(made.next_time)) == (happened, back)
    assert made.summary == "看了三个仓库\n对价格满意"
    assert made.custom["满意度"] == 4
    assert abs(utc(made.create_time) - clock.now()) < timedelta(minutes=1)
    found = desk.call("GetFollowUp", pb.GetFollowUpRequest(name=made.name))
    assert found == made
    (logged,) = desk.announced(FollowUpLogged)
    assert logged.follow_up == made
    assert logged.to_stage == ""


def test_F2_the_template_says_what_is_required_and_which_outcomes_there_are(desk: Office) -> None:
    customer = desk.customer()
    with refused("INVALID", "follow_up.outcome"):
        desk.log(customer, outcome=0)
    with refused("INVALID", "follow_up.next_time"):
        desk.log(customer, outcome=pb.FollowUp.REVISIT)
    made = desk.log(customer)
    assert (made.owner, made.HasField("happen_time")) == ("people/li", True), "time and person are there in any case"
    wanted = {"followUps": {"required": ["outcome", "summary", "custom.满意度"], "outcomes": ["PROGRESS", "PAID"]}}
    with desk.runtime.transaction(SETTER) as tx:
        PART.apply(tx, wanted, 0)
    with refused("INVALID", "follow_up.outcome", "follow_up.summary", "follow_up.custom.满意度"):
        desk.log(customer, outcome=pb.FollowUp.REFERRAL)
    desk.log(customer, summary="好", custom={"满意度": 5})
    # What was there before and lacks it goes on; what has it does not lose it.
    changed(desk, made.name, next_plan="再联系")
    with refused("INVALID", "follow_up.outcome"):
        changed(desk, made.name, outcome=pb.FollowUp.REFUSED)


def test_F2_a_template_that_is_none_is_refused(desk: Office) -> None:
    for wrong, path in (
        ({"followUps": {"outcomes": []}}, "followUps.outcomes"),
        ({"followUps": {"outcomes": ["WON"]}}, "followUps.outcomes"),
        ({"followUps": {"required": ["owner2"]}}, "followUps.required"),
        ({"followUps": {"requiredFor": {"GONE": []}}}, "followUps.requiredFor"),
        ({"followUps": {"attachmentKinds": ["A B"]}}, "followUps.attachmentKinds"),
        ({"followUps": {"needed": []}}, "followUps.needed"),
        ({"followUps": 3}, "followUps"),
        ({"tasks": {"leadTask": "yes"}}, "tasks.leadTask"),
        ({"tasks": {"leadHours": 0}}, "tasks.leadHours"),
    ):
        with refused("INVALID", path), desk.runtime.transaction(SETTER) as tx:
            PART.apply(tx, wrong, 0)


def test_F1_what_is_to_come_has_not_happened_and_what_is_past_may_be_told(desk: Office) -> None:
    customer = desk.customer()
    with refused("INVALID", "follow_up.happen_time"):
        desk.log(customer, happen_time=ago(minutes=-10))
    assert desk.log(customer, happen_time=ago(minutes=-2)), "clocks differ by minutes"
    assert utc(desk.log(customer, happen_time=ago(days=400)).happen_time).year < clock.now().year + 1


def test_F5_a_follow_up_is_on_a_record_that_there_is_and_that_its_author_sees(desk: Office) -> None:
    theirs = desk.opportunity("people/wang")
    for record in (name("opportunities"), theirs, name("tasks")):
        with refused("NOT_FOUND"):
            desk.log(record)
    with refused("INVALID", "follow_up.record"):
        desk.log("opportunities")
    deal = desk.opportunity()
    for _ in range(3):
        desk.log(deal)
    assert len(desk.follow_ups(f"opportunity = {deal}")) == 3


def test_F6_a_follow_up_asks_for_the_stage_of_the_opportunity(desk: Office) -> None:
    deal, customer = desk.opportunity(), desk.customer()
    desk.log(deal, more={"to_stage": "quote"})
    assert [event.to_stage for event in desk.announced(FollowUpLogged)] == ["quote"]
    with refused("INVALID", "to_stage"):
        desk.log(customer, more={"to_stage": "quote"})
    # Whoever only looks on moves nothing.
    shared = desk.opportunity("people/wang", collaborators=[Opportunity.Collaborator(person="people/li")])
    desk.log(shared)
    with refused("DENIED"):
        desk.log(shared, more={"to_stage": "quote"})
    assert [event.to_stage for event in desk.announced(FollowUpLogged)] == [""]


def test_F7_a_revisit_makes_one_task_for_who_comes_back_and_when(desk: Office) -> None:
    customer = desk.customer()
    back = ago(days=-5)
    made = desk.log(customer, outcome=pb.FollowUp.REVISIT, next_time=back, next_plan="带样品", next_owner="people/zhao")
    (task,) = desk.tasks(f"record = {customer}")
    assert (task.kind, task.status, task.owner) == (pb.Task.REVISIT, pb.Task.OPEN, "people/zhao")
    assert utc(task.due_time) == back
    assert task.title == "回访：带样品"
    assert task.title_en == "Follow up again: 带样品"
    assert task.creator == "people/li"
    assert task.customer == customer
    later_on = ago(days=-9)
    changed(desk, made.name, next_time=at(later_on))
    (task,) = desk.tasks(f"record = {customer}")
    assert utc(task.due_time) == later_on
    desk.announced()
    changed(desk, made.name, outcome=pb.FollowUp.PAID)
    (task,) = desk.tasks(f"record = {customer}")
    assert task.status == pb.Task.CANCELLED
    assert [event.task.status for event in desk.announced(TaskChanged)] == [pb.Task.CANCELLED]


def test_F7_the_task_of_a_visit_comes_back_with_its_follow_up_unless_somebody_closed_it(desk: Office) -> None:
    customer = desk.customer()
    back = ago(days=-5)

    def turn(method: str) -> Any:
        request = {"Delete": pb.DeleteFollowUpRequest, "Undelete": pb.UndeleteFollowUpRequest}[method]
        desk.call(f"{method}FollowUp", request(name=made.name), BOSS)
        (task,) = desk.tasks(f"record = {customer}")
        return task

    made = desk.log(customer, outcome=pb.FollowUp.REVISIT, next_time=at(back), next_plan="带样品")
    gone = turn("Delete")
    assert (gone.status, bool(gone.result)) == (pb.Task.CANCELLED, True)
    task = turn("Undelete")
    assert (task.status, task.result, utc(task.due_time), task.title) == (pb.Task.OPEN, "", back, "回访：带样品")
    # So it is when he changes his mind about the outcome.
    changed(desk, made.name, outcome=pb.FollowUp.PAID)
    changed(desk, made.name, outcome=pb.FollowUp.REVISIT)
    (task,) = desk.tasks(f"record = {customer}")
    assert task.status == pb.Task.OPEN
    for act, status in (("Cancel", pb.Task.CANCELLED), ("Complete", pb.Task.DONE)):
        desk.act(act, task.name)
        turn("Delete")
        assert turn("Undelete").status == status
        desk.act("Reopen", task.name)


def test_F14_people_named_are_told_once_and_read_it(desk: Office) -> None:
    customer = desk.customer()
    made = desk.log(customer, summary="请看价格", mentions=["people/wang", "people/li"])
    (told,) = desk.announced(Mentioned)
    assert (told.source, told.person, told.record, told.actor) == (made.name, "people/wang", customer, "people/li")
    assert desk.follow_ups(who=WANG) == [made], "he sees what he is named in, and nothing else of it"
    changed(desk, made.name, mentions=["people/wang", "people/zhao"])
    assert [event.person for event in desk.announced(Mentioned)] == ["people/zhao"]
    changed(desk, made.name, mentions=[])
    assert desk.follow_ups(who=WANG) == []
    with refused("INVALID", "follow_up.mentions"):
        desk.log(customer, mentions=["people/nobody"])


def test_F16_follow_ups_are_listed_by_person_and_time(desk: Office) -> None:
    customer = desk.customer()
    days = [1, 3, 2]
    for day in days:
        desk.log(customer, happen_time=ago(days=day), summary=f"{day}")
    since = ago(days=2.5).isoformat().replace("+00:00", "Z")
    assert [one.summary for one in desk.follow_ups(f'owner = people/li AND happen_time >= "{since}"')] == ["1", "2"]
    assert [one.summary for one in desk.follow_ups(order_by="happen_time")] == ["3", "2", "1"]


def latest(desk: Office, kind: str, filter: str = "", who: Any = LI) -> list[tuple[str, str]]:
    answer = desk.call("ListLatestFollowUps", pb.ListLatestFollowUpsRequest(kind=kind, filter=filter), who)
    return [(one.record, one.follow_up) for one in answer.latest]


def test_F17_records_say_when_they_were_last_followed_up_and_which_never_were(desk: Office) -> None:
    old, new, never, theirs = desk.customer(), desk.customer(), desk.customer(), desk.customer("people/wang")
    deal = desk.opportunity(customer=new)
    first = desk.log(old, happen_time=ago(days=20))
    second = desk.log(deal, happen_time=ago(days=1))
    assert latest(desk, "customers") == [(old, first.name), (new, second.name), (never, "")]
    assert latest(desk, "opportunities") == [(deal, second.name)]
    since = ago(days=7).isoformat().replace("+00:00", "Z")
    silent = {record for record, _ in latest(desk, "customers", f'NOT happen_time >= "{since}"')}
    assert silent == {old, never}
    assert {record for record, _ in latest(desk, "customers", who=ADMIN)} == {old, new, never, theirs}
    # What was told late is not the last, and what is deleted does not count.
    desk.log(new, happen_time=ago(days=5))
    assert (new, second.name) in latest(desk, "customers")
    desk.call("DeleteFollowUp", pb.DeleteFollowUpRequest(name=second.name))
    assert second.name not in [follow_up for _, follow_up in latest(desk, "customers")]
    assert latest(desk, "opportunities") == [(deal, "")]
    desk.call("UndeleteFollowUp", pb.UndeleteFollowUpRequest(name=second.name))
    assert latest(desk, "opportunities") == [(deal, second.name)]
    with refused("INVALID", "kind"):
        latest(desk, "tasks")


def test_F18_the_manager_reads_of_calls_that_nobody_answered(desk: Office) -> None:
    desk.log(desk.customer(), method=pb.FollowUp.CALL, outcome=pb.FollowUp.NOT_REACHED, summary="无人接听")
    desk.log(desk.customer("people/wang"), WANG, outcome=pb.FollowUp.NOT_REACHED)
    (seen,) = desk.follow_ups("outcome = NOT_REACHED", BOSS)
    assert seen.owner == "people/li"
    assert desk.follow_ups("outcome = NOT_REACHED", ZHAO) == []


def test_F19_F20_whoever_sees_the_record_sees_its_whole_history(desk: Office) -> None:
    customer = desk.customer("people/zhao", shared_with_team=True)
    deal = desk.opportunity("people/zhao", customer=customer)
    mine, his = desk.log(customer), desk.log(customer, ZHAO)
    desk.log(deal, ZHAO)
    # The customer is shared, the deal is not.
    assert {one.name for one in desk.follow_ups(who=LI)} == {mine.name, his.name}
    assert desk.follow_ups(who=WANG) == []
    # To see is not to write.
    with refused("DENIED"):
        changed(desk, his.name, summary="不对")
    with refused("NOT_FOUND"):
        changed(desk, his.name, WANG, summary="不对")


def test_F19_a_share_shows_the_history_until_it_ends(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    deal = desk.opportunity("people/zhao")
    desk.log(deal, ZHAO)
    assert desk.follow_ups(who=WANG) == []
    shared = OpportunityShared(opportunity=deal, person="people/wang", end_time=at(ago(days=-7)))
    desk.tell(shared, time=ago(hours=1))
    assert len(desk.follow_ups(who=WANG)) == 1
    with later(timedelta(days=8), monkeypatch):
        assert desk.follow_ups(who=WANG) == [], "it ends by itself"
    desk.tell(ShareEnded(opportunity=deal, person="people/wang"), time=ago(minutes=30))
    assert desk.follow_ups(who=WANG) == []
    desk.tell(shared, time=ago(minutes=45))
    assert desk.follow_ups(who=WANG) == [], "an older share that comes late opens nothing"


def test_F20_colleagues_who_work_on_a_deal_write_into_one_history(desk: Office) -> None:
    deal = desk.opportunity("people/zhao", collaborators=[Opportunity.Collaborator(person="people/wang")])
    desk.log(deal, ZHAO, happen_time=ago(hours=2))
    desk.log(deal, WANG, happen_time=ago(hours=1))
    assert [one.owner for one in desk.follow_ups(f"record = {deal}", WANG)] == ["people/wang", "people/zhao"]
    desk.opportunity("people/zhao", of=deal, version=2)
    assert [one.owner for one in desk.follow_ups(f"record = {deal}", WANG)] == ["people/wang"], "his own alone"
    desk.opportunity("people/zhao", of=deal, version=1, collaborators=[Opportunity.Collaborator(person="people/wang")])
    assert len(desk.follow_ups(f"record = {deal}", WANG)) == 1, "an old state that comes late changes nothing"


def test_F1_nobody_writes_in_the_name_of_whom_he_does_not_lead(desk: Office) -> None:
    customer = desk.customer()
    with refused("DENIED"):
        desk.log(customer, owner="people/zhao")
    assert desk.log(customer, BOSS, owner="people/zhao").team == "teams/east"
    with refused("DENIED"):
        desk.log(desk.customer("people/boss"), BOSS, owner="people/wang")
    with refused("INVALID", "follow_up.owner"):
        desk.log(customer, ADMIN, owner="people/nobody")


def test_F1_two_who_edit_one_follow_up_never_lose_a_word(desk: Office) -> None:
    made = desk.log(desk.customer(), custom={"a": 1, "b": 2})
    changed(desk, made.name, etag=made.etag, summary="甲")
    with refused("STALE"):
        changed(desk, made.name, etag=made.etag, summary="乙")
    wanted = pb.FollowUp(name=made.name)
    wanted.custom.update({"b": 3})
    request = pb.UpdateFollowUpRequest(follow_up=wanted, update_mask=FieldMask(paths=["custom.b", "custom.a"]))
    assert dict(desk.call("UpdateFollowUp", request).custom) == {"b": 3}
    with refused("INVALID", "update_mask.record"):
        changed(desk, made.name, record="customers/x")


def test_F1_what_was_deleted_comes_back_within_30_days(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = desk.customer()
    made = desk.log(customer, mentions=["people/zhao"])
    desk.call("DeleteFollowUp", pb.DeleteFollowUpRequest(name=made.name))
    assert desk.follow_ups() == []
    assert desk.timeline(customer) == []
    assert len(desk.follow_ups(show_deleted=True)) == 1
    back = desk.call("UndeleteFollowUp", pb.UndeleteFollowUpRequest(name=made.name))
    assert not back.HasField("delete_time")
    assert len(desk.timeline(customer)) == 1
    with refused("NOT_DELETED"):
        desk.call("UndeleteFollowUp", pb.UndeleteFollowUpRequest(name=made.name))
    desk.call("DeleteFollowUp", pb.DeleteFollowUpRequest(name=made.name))
    desk.announced()
    with later(timedelta(days=31), monkeypatch):
        with desk.runtime.transaction() as tx:
            assert not purging.purge(tx)
        with refused("NOT_FOUND"):
            desk.call("UndeleteFollowUp", pb.UndeleteFollowUpRequest(name=made.name))
    (gone,) = desk.announced(FollowUpChanged)
    assert gone.deleted
    assert gone.version == 5
    assert desk.rows("mentions") == 0


def test_I1_many_are_logged_at_once_each_with_its_own_answer_and_a_repeat_logs_none(desk: Office) -> None:
    customer = desk.customer()
    rows = [
        pb.CreateFollowUpRequest(
            follow_up=pb.FollowUp(record=customer, summary=f"{number}", happen_time=at(ago(days=number + 1))),
            historical=True,
        )
        for number in range(5)
    ]
    rows[1].follow_up.record = name("customers")
    rows[2].follow_up.ClearField("happen_time")
    rows[3].follow_up.summary = "\u202e"
    request = pb.BatchCreateFollowUpsRequest(requests=rows, request_id="import-1")
    answer = desk.call("BatchCreateFollowUps", request)
    wrong = [[field.field for field in one.error.fields] for one in answer.results]
    assert wrong == [[], [], ["follow_up.happen_time"], ["follow_up.summary"], []]
    assert [one.error.reason for one in answer.results] == ["", "NOT_FOUND", "INVALID", "INVALID", ""]
    assert all(one.error.detail_zh for one in answer.results if one.HasField("error"))
    assert desk.call("BatchCreateFollowUps", request) == answer
    assert [one.summary for one in desk.follow_ups()] == ["0", "4"], "the outcome of old times is not asked for"
    assert len(desk.announced(FollowUpLogged)) == 2
    assert len(desk.timeline(customer)) == 2
    for count in (0, 1001):
        with refused("INVALID", "requests"):
            desk.call("BatchCreateFollowUps", pb.BatchCreateFollowUpsRequest(requests=[rows[0]] * count))


def test_I1_a_thousand_of_old_times_make_no_tasks_and_tell_nobody(desk: Office) -> None:
    customer = desk.customer()
    row = pb.CreateFollowUpRequest(
        follow_up=pb.FollowUp(
            record=customer,
            outcome=pb.FollowUp.REVISIT,
            next_time=at(ago(days=300)),
            happen_time=at(ago(days=310)),
            mentions=["people/zhao"],
        ),
        historical=True,
    )
    answer = desk.call("BatchCreateFollowUps", pb.BatchCreateFollowUpsRequest(requests=[row] * 1000))
    assert len({one.follow_up.name for one in answer.results}) == 1000
    assert desk.tasks() == []
    assert desk.announced(Mentioned) == []
    assert latest(desk, "customers")[0][0] == customer


def test_C17_a_lead_that_became_a_customers_brings_its_history_along(desk: Office) -> None:
    lead, customer = desk.lead(), desk.customer("people/zhao")
    made = desk.log(lead)
    assert (made.lead, made.customer) == (lead, "")
    desk.announced()
    desk.tell(LeadWelcomed(customer=customer, lead=lead))
    (seen,) = desk.follow_ups(f"customer = {customer}", ZHAO)
    assert seen.name == made.name
    # Whoever counts follow-ups by their customers hears of it, once.
    desk.tell(LeadWelcomed(customer=customer, lead=lead))
    (changed,) = desk.announced(FollowUpChanged)
    assert (changed.follow_up.name, changed.follow_up.customer, changed.version) == (made.name, customer, 2)


def test_C20_what_was_done_for_a_merged_customer_is_announced_as_the_others(desk: Office) -> None:
    gone, stays = desk.customer(), desk.customer()
    made, deleted = desk.log(gone), desk.log(gone)
    task = desk.call("CreateTask", pb.CreateTaskRequest(task=pb.Task(record=gone, title="回访")))
    desk.call("DeleteFollowUp", pb.DeleteFollowUpRequest(name=deleted.name))
    desk.announced()
    desk.customer(of=gone, version=2, deleted=True, merged_into=stays)
    told = {one.follow_up.name: (one.follow_up.customer, one.deleted) for one in desk.announced(FollowUpChanged)}
    assert told == {made.name: (stays, False), deleted.name: (stays, True)}
    assert desk.call("GetTask", pb.GetTaskRequest(name=task.name)).customer == stays


def test_F1_fields_that_a_role_may_not_see_or_change_are_kept_from_it(desk: Office) -> None:
    narrow = Grant(Scope.OWN, Scope.OWN, hidden=frozenset({"custom"}), read_only=frozenset({"next_plan"}))
    who = principal("people/li", "sales", Scope.OWN, "teams/east", followUps=narrow)
    customer = desk.customer()
    with refused("DENIED"):
        desk.log(customer, who, next_plan="x")
    with refused("INVALID", "custom"):
        desk.log(customer, who, custom=Struct())
        desk.log(customer, who, custom={"a": 1})


def test_F1_F2_what_is_attached_is_on_the_record_and_of_a_kind_that_the_template_has(desk: Office) -> None:
    customer = desk.customer()
    deal, other = desk.opportunity(customer=customer), desk.customer()

    def upload(record: str, kind: str) -> str:
        request = files_pb2.CreateAttachmentRequest(
            record=record, kind=kind, file_name="a.png", content_type="image/png", content=PNG
        )
        return str(desk.call("CreateAttachment", request).name)

    quote, photo, elsewhere = upload(deal, "quote"), upload(customer, "photo"), upload(other, "quote")
    made = desk.log(deal, attachments=[quote, photo])
    assert list(made.attachments) == [quote, photo]
    for wrong in (elsewhere, name("attachments")):
        with refused("INVALID", "follow_up.attachments"):
            desk.log(deal, attachments=[wrong])
    with desk.runtime.transaction(SETTER) as tx:
        PART.apply(tx, {"followUps": {"attachmentKinds": ["quote", "contract"]}}, 0)
    desk.log(deal, attachments=[quote])
    with refused("INVALID", "follow_up.attachments"):
        changed(desk, made.name, attachments=[photo])


def test_F20_I1_a_row_about_nothing_does_not_keep_the_others_from_being_waited_for(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "_PATIENCE", 5.0)
    customer = f"customers/{ids.new_id()}"
    request = pb.BatchCreateFollowUpsRequest()
    for record in (customer, "customers/none"):
        one = request.requests.add(historical=True)
        one.follow_up.record = record
        one.follow_up.happen_time.CopyFrom(at(ago(days=3)))
    # The customer was made just now: what tells of it is still on its way.
    news = threading.Timer(0.3, desk.customer, kwargs={"of": customer})
    news.start()
    try:
        results = desk.call("BatchCreateFollowUps", request).results
    finally:
        news.join()
    assert [one.HasField("error") for one in results] == [False, True]
