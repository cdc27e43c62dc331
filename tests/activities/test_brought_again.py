"""What imports bring: follow-ups once, what they say of known records on timelines, and the way back."""

from __future__ import annotations

from google.protobuf import json_format

from dealwright.activities.v1 import activities_pb2 as pb
from dealwright.api.v1 import belongings_pb2, bringing_pb2
from dealwright.customers.v1 import events_pb2 as customer_events
from dealwright.opportunities.v1 import events_pb2 as opportunity_events
from dealwright.rules.v1.events_pb2 import ActionRequested
from tests.activities.desk import ADMIN, LI, WANG
from tests.activities.office import Office, ago, at

_SKIPPED, _CREATED = bringing_pb2.Brought.SKIPPED, bringing_pb2.Brought.CREATED
_MOMENT = ago(days=3)


def _row(record: str, summary: str = "谈价格", origin: str = "", dated: bool = True) -> pb.CreateFollowUpRequest:
    wanted = pb.FollowUp(record=record, summary=summary, outcome=pb.FollowUp.PROGRESS, method=pb.FollowUp.CALL)
    if dated:
        wanted.happen_time.CopyFrom(at(_MOMENT))
    return pb.CreateFollowUpRequest(follow_up=wanted, historical=dated, on_conflict=bringing_pb2.MERGE, origin=origin)


def _bring(desk: Office, *rows: pb.CreateFollowUpRequest, who: object = LI) -> list[tuple[int, str]]:
    answer = desk.call("BatchCreateFollowUps", pb.BatchCreateFollowUpsRequest(requests=rows), who)  # type: ignore[arg-type]
    assert not any(one.HasField("error") for one in answer.results), answer
    return [(one.brought.outcome, one.follow_up.name) for one in answer.results]


def test_I1_the_same_words_on_the_same_record_at_the_same_time_are_one_follow_up_whoever_brings_them(
    desk: Office,
) -> None:
    customer, other = desk.customer(), desk.customer()
    first = _bring(desk, _row(customer), _row(customer), _row(customer, "别的"), _row(other))
    assert [outcome for outcome, _ in first] == [_CREATED, _SKIPPED, _CREATED, _CREATED]
    assert first[0][1] == first[1][1]
    again = _bring(desk, _row(customer), _row(customer, "新的"), who=ADMIN)
    assert again[0] == (_SKIPPED, first[0][1])
    assert (again[1][0], desk.rows("follow_ups")) == (_CREATED, 4)


def test_I1_what_has_no_time_is_known_by_where_it_came_from(desk: Office) -> None:
    customer = desk.customer()
    rows = [_row(customer, origin=f"file:{n}", dated=False) for n in (2, 3)]
    assert [outcome for outcome, _ in _bring(desk, *rows)] == [_CREATED] * 2
    assert [outcome for outcome, _ in _bring(desk, *rows, who=ADMIN)] == [_SKIPPED] * 2
    assert desk.rows("follow_ups") == 2


def test_I1_one_that_was_deleted_or_that_nobody_asked_to_know_is_brought(desk: Office) -> None:
    customer = desk.customer()
    ((_, first),) = _bring(desk, _row(customer))
    desk.call("DeleteFollowUp", pb.DeleteFollowUpRequest(name=first), ADMIN)
    assert [outcome for outcome, _ in _bring(desk, _row(customer))] == [_CREATED]
    plain = _row(customer)
    plain.on_conflict = bringing_pb2.ON_CONFLICT_UNSPECIFIED
    assert [outcome for outcome, _ in _bring(desk, plain, plain)] == [_CREATED] * 2


def test_F19_a_follow_up_that_he_may_not_see_is_not_known_to_him(desk: Office) -> None:
    mine, others = desk.customer(), desk.customer("people/wang")
    _bring(desk, _row(others, origin="file:2"), who=WANG)
    assert [outcome for outcome, _ in _bring(desk, _row(mine, origin="file:2"))] == [_CREATED]


def _belongings(desk: Office, *names: str) -> dict[str, list[str]]:
    answer = desk.call("FindBelongings", belongings_pb2.FindBelongingsRequest(names=names), ADMIN)
    return {one.name: list(one.kinds) for one in answer.found}


def test_I3_what_people_made_hangs_on_a_record_and_what_nobody_did_yet_does_not(desk: Office) -> None:
    customer, worked, deal, free = desk.customer(), desk.customer(), desk.opportunity(), desk.customer()
    desk.log(record=customer)
    desk.task(record=customer, title="送样品")
    _ask_for_a_task(desk, worked)
    assert _belongings(desk, customer, worked, deal, free) == {customer: ["followUps", "tasks"]}
    (task,) = [one for one in desk.tasks() if one.record == worked]
    desk.act("Complete", task.name, ADMIN)
    assert _belongings(desk, customer, worked) == {customer: ["followUps", "tasks"], worked: ["tasks"]}


def _ask_for_a_task(desk: Office, record: str) -> None:
    """As a rule does."""
    asked = ActionRequested(action="CREATE_TASK", subject=record, person="people/li", origin=f"rule/{record}")
    asked.parameters.update({"title": "回访", "origin": asked.origin})
    desk.tell(asked)


def _said(record: str, source: str) -> customer_events.RecordBroughtAgain:
    said = customer_events.RecordBroughtAgain(record=record, source=source, outcome=bringing_pb2.Brought.MERGED)
    said.differences.add(field="email", ours="old@x.cn", theirs="new@x.cn")
    return said


def test_I3_what_an_import_said_stands_on_the_timeline_until_it_is_undone(desk: Office) -> None:
    customer = desk.customer()
    desk.tell(_said(customer, "imports/1"), _said(customer, "imports/2"))
    entries = desk.timeline(customer)
    assert [(one.source, json_format.MessageToDict(one.detail)["email"]["theirs"]) for one in entries] == [
        ("imports/2", "new@x.cn"),
        ("imports/1", "new@x.cn"),
    ]
    desk.tell(customer_events.RecordTakenBack(record=customer, source="imports/1"))
    assert [one.source for one in desk.timeline(customer)] == ["imports/2"]


def test_I3_of_a_record_that_is_gone_with_its_import_nothing_is_told_and_nothing_is_to_be_done(desk: Office) -> None:
    customer = desk.customer()
    deal = desk.opportunity(customer=customer)
    desk.tell(opportunity_events.OpportunityOpened(opportunity=deal, customer=customer, number="CRM-1"))
    _ask_for_a_task(desk, deal)
    assert (len(desk.timeline(customer)), len(desk.tasks())) == (1, 1)
    desk.tell(opportunity_events.RecordTakenBack(record=deal, source="imports/1", gone=True))
    assert (desk.timeline(customer), desk.tasks()) == ([], [])
