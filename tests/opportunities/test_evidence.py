"""Gates that look at what other services keep, and what they say is missing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from dealwright.opportunities.v1 import events_pb2
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from dealwright.rules.v1 import events_pb2 as rule_events_pb2
from tests.opportunities.desk import ADMIN, LI, WANG, Desk, refused
from tests.opportunities.test_stages import company

ATTACHED = {"kind": "ATTACHMENT", "attachment": "quote"}


def gates(desk: Desk, name: str, who: Any = LI) -> dict[str, pb.StageGates]:
    answer = desk.call("ListGates", pb.ListGatesRequest(parent=name), who)
    return {one.stage: one for one in answer.stage_gates}


def test_O16_the_quote_stage_needs_an_uploaded_quotation(desk: Desk) -> None:
    made = desk.open()
    desk.move(made.name, "need-clear")
    with refused("GATE", "opportunity.attachments.quote"):
        desk.move(made.name, "quote")
    desk.upload(made.name, "contract")
    desk.upload(desk.open().name, "quote")
    desk.upload("customers/x", "quote")
    with refused("GATE", "opportunity.attachments.quote"):
        desk.move(made.name, "quote")
    # Taken off again, in whatever order it is heard of.
    desk.upload(made.name, "quote", 2, gone=True, name="attachments/1")
    desk.upload(made.name, "quote", 1, name="attachments/1")
    with refused("GATE", "opportunity.attachments.quote"):
        desk.move(made.name, "quote")
    desk.upload(made.name, "quote", 3, name="attachments/1")
    assert desk.move(made.name, "quote").stage == "quote"


def test_O17_negotiation_needs_two_follow_ups(desk: Desk) -> None:
    made = desk.open()
    desk.upload(made.name, "quote")
    desk.move(made.name, "need-clear", "quote")
    first = desk.log(made.name)
    desk.log(desk.open().name)
    # The same one told of again is no second.
    desk.hear("follow_ups", follow_up_changed(first, 1), follow_up_changed(first, 2))
    with refused("GATE", "opportunity.followUps"):
        desk.move(made.name, "negotiation")
    second = desk.log(made.name)
    desk.hear("follow_ups", follow_up_changed(second, 5, deleted=True))
    with refused("GATE", "opportunity.followUps"):
        desk.move(made.name, "negotiation")
    desk.log(made.name)
    assert desk.move(made.name, "negotiation").stage == "negotiation"


def follow_up_changed(follow_up: Any, version: int, deleted: bool = False) -> Any:
    from dealwright.activities.v1 import events_pb2 as activity_events_pb2

    return activity_events_pb2.FollowUpChanged(follow_up=follow_up, version=version, deleted=deleted)


def test_O18_negotiation_of_five_stages_needs_a_quote_and_a_competitor_analysis(desk: Desk) -> None:
    made = desk.open(pipeline="pipelines/five-stage")
    desk.move(made.name, "need-confirmation", "proposal-quote")
    with refused("GATE", "opportunity.attachments.quote", "opportunity.attachments.competitor-analysis"):
        desk.move(made.name, "negotiation")
    desk.upload(made.name, "quote")
    with refused("GATE", "opportunity.attachments.competitor-analysis"):
        desk.move(made.name, "negotiation")
    desk.upload(made.name, "competitor-analysis")
    assert desk.move(made.name, "negotiation").stage == "negotiation"


def test_O19_need_confirmation_takes_a_task_an_upload_and_the_managers_approval(desk: Desk) -> None:
    made = desk.open(pipeline="pipelines/lifecycle")
    desk.announced()
    desk.move(made.name, "first-contact")
    (task,) = desk.announced(rule_events_pb2.ActionRequested)
    assert (task.action, task.person, task.subject) == ("CREATE_TASK", "people/li", made.name)
    assert "《客户需求调研报告》" in task.text_zh
    assert task.origin == f"{made.name}/gates/need-confirmation/0"
    with refused("GATE", "opportunity.attachments.requirements", "opportunity.approvals.requirements"):
        desk.move(made.name, "need-confirmation")
    desk.upload(made.name, "quote")
    assert desk.announced(events_pb2.StageApprovalRequested) == []
    report = desk.upload(made.name, "requirements")
    (asked,) = desk.announced(events_pb2.StageApprovalRequested)
    assert (asked.opportunity, asked.flow, asked.stage) == (made.name, "requirements", "need-confirmation")
    assert (asked.attachment, asked.requested_by, asked.owner) == (report, "people/li", "people/li")
    for status in ("REJECTED", "RETURNED", "WITHDRAWN", "PENDING"):
        desk.decide(made.name, "requirements", status)
        with refused("GATE", "opportunity.approvals.requirements"):
            desk.move(made.name, "need-confirmation")
    desk.decide(made.name, "another-flow")
    with refused("GATE", "opportunity.approvals.requirements"):
        desk.move(made.name, "need-confirmation")
    desk.decide(made.name, "requirements")
    assert desk.move(made.name, "need-confirmation").stage == "need-confirmation"


def test_O19_a_report_that_was_uploaded_early_goes_to_approval_when_its_stage_comes(desk: Desk) -> None:
    made = desk.open(pipeline="pipelines/lifecycle")
    report = desk.upload(made.name, "requirements")
    assert desk.announced(events_pb2.StageApprovalRequested) == []
    desk.move(made.name, "first-contact")
    events = desk.announced()
    assert [e.attachment for e in events if isinstance(e, events_pb2.StageApprovalRequested)] == [report]
    # What is there need not be asked for.
    assert not any(isinstance(e, rule_events_pb2.ActionRequested) and e.action == "CREATE_TASK" for e in events)


def test_O19_a_deal_that_is_brought_back_or_goes_on_asks_anew_for_what_its_stage_needs(desk: Desk) -> None:
    made = desk.open(pipeline="pipelines/lifecycle")
    desk.move(made.name, "first-contact")
    report = desk.upload(made.name, "requirements")
    desk.announced()
    said = {"reason": "价格"}
    for end, anew, more in (("Delete", "Undelete", dict[str, str]()), ("Lose", "Reopen", said)):
        desk.act(end, made.name, ADMIN, **more)
        assert desk.announced(events_pb2.StageApprovalRequested) == []
        now = desk.act(anew, made.name, ADMIN, **more)
        (asked,) = desk.announced(events_pb2.StageApprovalRequested)
        assert (asked.attachment, asked.version) == (report, int(now.etag))
    desk.decide(made.name, "requirements")
    desk.act("Delete", made.name, ADMIN)
    desk.act("Undelete", made.name, ADMIN)
    assert desk.announced(events_pb2.StageApprovalRequested) == [], "a yes stays"


def test_O20_the_newest_run_of_a_flow_counts(desk: Desk) -> None:
    company(desk, {"kind": "APPROVAL", "flow": "offers"}, {"kind": "QUOTE"})
    made = desk.open()
    run = desk.decide(made.name, "offers", "APPROVED")
    quote = desk.quote(made.name, "SUBMITTED")
    with refused("GATE", "opportunity.quotes"):
        desk.move(made.name, "offer")
    desk.quote(made.name, "APPROVED", 2, quote)
    desk.quote(made.name, "DRAFT", 1, quote)
    desk.decide(made.name, "offers", "REJECTED")
    with refused("GATE", "opportunity.approvals.offers"):
        desk.move(made.name, "offer")
    desk.decide(made.name, "offers", "APPROVED", 1, run)
    with refused("GATE", "opportunity.approvals.offers"):
        desk.move(made.name, "offer")
    desk.decide(made.name, "offers", "APPROVED")
    assert desk.move(made.name, "offer").stage == "offer"


def test_O20_gates_say_of_each_stage_ahead_what_is_there_and_what_is_missing(desk: Desk) -> None:
    made = desk.open()
    desk.log(made.name)
    found = gates(desk, made.name)
    assert list(found) == ["need-clear", "quote", "negotiation", "won"]
    assert [one.next for one in found.values()] == [True, False, False, False]
    assert [one.ready for one in found.values()] == [True, False, False, True]
    (quotation,) = found["quote"].requirements
    assert (quotation.met, quotation.field, quotation.have) == (False, "attachments.quote", 0)
    assert (quotation.gate.kind, quotation.gate.attachment) == (pb.Pipeline.Gate.ATTACHMENT, "quote")
    assert (quotation.message, quotation.message_zh) == ("upload the quotation first", "请先上传报价单")
    (talks,) = found["negotiation"].requirements
    assert (talks.met, talks.have, talks.gate.count) == (False, 1, 2)
    assert "1" in talks.message
    assert "2" in talks.message_zh
    desk.upload(made.name, "quote")
    desk.move(made.name, "need-clear")
    found = gates(desk, made.name)
    assert list(found) == ["quote", "negotiation", "won"]
    assert found["quote"].ready
    assert found["quote"].requirements[0].met
    desk.act("Lose", made.name, reason="价格")
    assert gates(desk, made.name) == {}
    with refused("NOT_FOUND"):
        gates(desk, made.name, WANG)


def test_O21_a_met_condition_is_announced_once_and_its_owner_reminded(desk: Desk) -> None:
    company(desk, ATTACHED, {"kind": "FILLED", "field": "need"}, {"kind": "CHECKLIST"}, checklist=[DEMO])
    made = desk.open(need="三个仓库")
    desk.upload(made.name, "quote")
    assert ready(desk) == []
    desk.change(made.name, checklist_done=["talk/demo"])
    events = desk.announced()
    (announced,) = [e for e in events if isinstance(e, events_pb2.StageReady)]
    assert (announced.opportunity, announced.stage, announced.owner) == (made.name, "offer", "people/li")
    (notice,) = [e for e in events if isinstance(e, rule_events_pb2.ActionRequested)]
    assert (notice.action, notice.person) == ("NOTIFY", "people/li")
    assert made.number in notice.text_zh
    assert made.number in notice.text_en
    # Once: not for another file, not after it was not so for a while.
    desk.upload(made.name, "quote")
    desk.change(made.name, mask="need")
    desk.change(made.name, need="再来")
    assert ready(desk) == []


DEMO = {"id": "demo", "title": "已演示"}


def ready(desk: Desk) -> list[Any]:
    return desk.announced(events_pb2.StageReady)


def test_O21_a_stage_whose_conditions_are_met_already_is_ready_when_one_comes_before_it(desk: Desk) -> None:
    made = desk.open()
    desk.upload(made.name, "quote")
    assert ready(desk) == []
    desk.move(made.name, "need-clear")
    assert [one.stage for one in ready(desk)] == ["quote"]


def test_O16_a_file_that_was_uploaded_just_now_is_waited_for(tmp_path: Path) -> None:
    """The call comes before the news: it is not refused for that."""
    import grpc

    from chassis.embedding import Embedding
    from chassis.settings import Settings
    from dealwright.activities.v1 import events_pb2 as activity_events_pb2
    from dealwright.activities.v1 import files_pb2
    from dealwright.directory.v1 import directory_pb2
    from dealwright.directory.v1 import events_pb2 as directory_events
    from dealwright.opportunities.v1 import opportunities_pb2_grpc
    from opportunities.main import service

    house = Embedding([service], Settings(data=tmp_path))
    house.start()
    try:
        runtime = house.runtimes["opportunities"]
        with runtime.transaction() as tx:
            person = directory_pb2.Person(name="people/li", display_name="李", team="teams/east", role="sales")
            tx.emit(directory_events.PersonChanged(person=person, version=1))
        metadata = (("authorization", f"Bearer {runtime.tokens.sign(LI)}"),)
        with grpc.insecure_channel(house.addresses["opportunities"]) as channel:
            stub = opportunities_pb2_grpc.OpportunityServiceStub(channel)
            while True:
                try:
                    made = stub.CreateOpportunity(
                        pb.CreateOpportunityRequest(opportunity=pb.Opportunity(title="等")), metadata=metadata
                    )
                    break
                except grpc.RpcError:
                    threading.Event().wait(0.05)

            def move(stage: str) -> pb.Opportunity:
                request = pb.UpdateOpportunityRequest(opportunity=pb.Opportunity(name=made.name, stage=stage))
                moved: pb.Opportunity = stub.UpdateOpportunity(request, metadata=metadata)
                return moved

            move("need-clear")
            with pytest.raises(grpc.RpcError) as gate:
                move("quote")
            assert gate.value.code() is grpc.StatusCode.FAILED_PRECONDITION

            def tell() -> None:
                threading.Event().wait(0.2)
                with runtime.transaction() as tx:
                    attachment = files_pb2.Attachment(name="attachments/1", record=made.name, kind="quote", etag="1")
                    tx.emit(activity_events_pb2.AttachmentAdded(attachment=attachment))

            teller = threading.Thread(target=tell)
            teller.start()
            assert move("quote").stage == "quote"
            teller.join()
    finally:
        house.stop()
