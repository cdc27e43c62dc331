"""Approvals that wait: reminders in working time, escalation, and approvers who leave; flows tried before they run."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from chassis import clock
from chassis.errors import Invalid
from contracts import subscribers
from contracts.main import service
from contracts.usecases.settings import PART
from dealwright.contracts.v1 import approvals_pb2 as pb
from dealwright.contracts.v1 import events_pb2
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1.events_pb2 import CalendarChanged, PersonChanged, TeamChanged
from tests.contracts.approving import ADMIN, applied, as_, asked, got, node, say, staffed, written
from tests.contracts.desk import Desk, later, refused

# A Friday, 15:00 in Shanghai.
FRIDAY = datetime(2026, 3, 6, 7, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def staff(desk: Desk) -> None:
    staffed(
        desk,
        *(("li", "sales", "boss"), ("boss", "manager", "chief"), ("chief", "manager", "")),
        *(("money", "finance", ""), ("gold", "finance", ""), ("admin", "admin", "")),
    )


def rung(desk: Desk) -> list[tuple[list[str], str]]:
    """Lets the clocks ring; whom they told, and why."""
    desk.announced()
    (loop,) = (loop for loop in service.loops() if loop.name == "approval clocks")
    assert loop.every <= 5, "fired at most five seconds late"
    with desk.runtime.transaction() as tx:
        loop.run(tx)
    return [(list(event.approvers), event.reason) for event in desk.announced(events_pb2.ApprovalRequested)]


def open_weekdays(desk: Desk, version: int = 1) -> None:
    """The company works from nine to six, Monday to Friday."""
    spans = [directory_pb2.Calendar.Span(weekday=day, start="09:00", end="18:00") for day in range(1, 6)]
    calendar = directory_pb2.Calendar(name="calendars/company", time_zone="Asia/Shanghai", spans=spans)
    desk.tell(subscribers.calendars, CalendarChanged(calendar=calendar, version=version))


def test_Q12_a_reminder_comes_when_the_working_hours_have_passed_never_before(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: FRIDAY)
    open_weekdays(desk)
    applied(desk, approvalFlows={"trial": written(node("one", "people/money", timeoutHours=8))})
    made = asked(desk, "trial")
    # Three hours on Friday, five on Monday.
    due = datetime(2026, 3, 9, 6, 0, tzinfo=UTC)
    assert got(desk, made.name).due_time.ToDatetime(UTC) == due
    with later(due - FRIDAY - timedelta(microseconds=1), monkeypatch):
        assert rung(desk) == []
    with later(due - FRIDAY, monkeypatch):
        assert rung(desk) == [(["people/money"], "REMINDER")]
        assert rung(desk) == [], "once"
    seen = got(desk, made.name)
    assert (seen.steps[0].reminders, seen.due_time.ToDatetime(UTC)) == (1, datetime(2026, 3, 10, 5, 0, tzinfo=UTC))
    assert say(desk, made.name, "money").status == pb.Approval.APPROVED
    with later(timedelta(days=30), monkeypatch):
        assert rung(desk) == []


def test_Q12_without_an_answer_the_manager_is_asked_as_well(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    applied(desk, approvalFlows={"trial": written(node("one", "manager", timeoutHours=2, onTimeout="ESCALATE"))})
    made = asked(desk, "trial")
    with refused("NOT_FOUND"):
        say(desk, made.name, "chief")
    with later(timedelta(hours=2), monkeypatch):
        assert rung(desk) == [(["people/chief"], "ESCALATED")]
        (passed,) = got(desk, made.name).steps[0].seats[0].passes
        assert (passed.giver, passed.to, passed.reason) == ("people/boss", "people/chief", pb.Approval.ESCALATED)
        assert say(desk, made.name, "chief").status == pb.Approval.APPROVED


def test_Q12_a_clock_rings_once_however_many_processes_listen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    applied(desk, approvalFlows={"trial": written(node("one", "people/money", timeoutHours=1))})
    for number in range(8):
        asked(desk, "trial", f"quotes/{number}")
    desk.announced()
    together = threading.Barrier(4)
    (loop,) = (one for one in service.loops() if one.name == "approval clocks")

    def ring(_: int) -> None:
        together.wait()
        with desk.runtime.transaction() as tx:
            loop.run(tx)

    with later(timedelta(hours=1, seconds=1), monkeypatch), ThreadPoolExecutor(4) as pool:
        list(pool.map(ring, range(4)))
    told = [event.approval.record for event in desk.announced(events_pb2.ApprovalRequested)]
    assert sorted(told) == [f"quotes/{number}" for number in range(8)]


def test_Q12_who_asked_reminds_at_most_once_an_hour(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    made = asked(desk, "quote")

    def remind(who: str) -> None:
        desk.call("RemindApproval", pb.RemindApprovalRequest(name=made.name), as_(who))

    desk.announced()
    remind("li")
    (told,) = desk.announced(events_pb2.ApprovalRequested)
    assert (list(told.approvers), told.reason) == (["people/chief"], "REMINDER")
    with refused("REMINDED"):
        remind("li")
    with refused("DENIED"):
        remind("chief")
    with later(timedelta(hours=1), monkeypatch):
        remind("li")
    say(desk, made.name, "chief")
    with refused("NOT_PENDING"):
        remind("li")


def test_Q11_what_waits_for_a_leaver_goes_to_his_manager_and_is_recorded(desk: Desk) -> None:
    applied(desk, approvalFlows={"trial": written(node("one", "people/boss", "role:finance"))})
    made = asked(desk, "trial")
    desk.announced()
    left = directory_pb2.Person(
        name="people/boss", role="manager", manager="people/chief", state=directory_pb2.Person.LEFT
    )
    for _ in range(2):
        desk.tell(subscribers.people, PersonChanged(person=left, version=3))
    seat = got(desk, made.name).steps[0].seats[0]
    assert (list(seat.people), seat.passes[0].giver, seat.passes[0].reason) == (
        *(["people/chief"], "people/boss"),
        pb.Approval.LEFT,
    )
    told = desk.announced(events_pb2.ApprovalRequested)
    assert [list(event.approvers) for event in told] == [["people/chief"]]
    # One of several that could answer: the others can.
    gone = directory_pb2.Person(name="people/gold", role="finance", state=directory_pb2.Person.LEFT)
    desk.tell(subscribers.people, PersonChanged(person=gone, version=3))
    assert list(got(desk, made.name).pending) == ["people/chief", "people/money"]
    say(desk, made.name, "chief")
    assert say(desk, made.name, "money").status == pb.Approval.APPROVED


def test_Q11_the_lead_of_a_team_and_a_region_are_known_from_the_directory(desk: Desk) -> None:
    team = directory_pb2.Team(name="teams/east", manager="people/gold")
    desk.tell(subscribers.teams, TeamChanged(team=team, version=2))
    desk.tell(subscribers.teams, TeamChanged(team=directory_pb2.Team(name="teams/east"), version=1))
    li = directory_pb2.Person(name="people/li", role="sales", team="teams/east", manager="people/boss", region="华东")
    desk.tell(subscribers.people, PersonChanged(person=li, version=3))
    applied(
        desk,
        approvalFlows={
            "trial": written(node("one", "team-lead", when="asker_region == '华东'"), node("two", "teams/east"))
        },
    )
    made = asked(desk, "trial")
    assert list(got(desk, made.name).pending) == ["people/gold"]
    assert say(desk, made.name, "gold").status == pb.Approval.APPROVED


# --- saved, and tried ---


def test_R16_flows_that_cannot_end_or_ask_nobody_are_not_saved(desk: Desk) -> None:
    circle = written(node("a", "manager"), node("b", "manager:2", next="a"))
    with refused("INVALID", "approvalFlows.trial.nodes[1].next"):
        applied(desk, approvalFlows={"trial": circle})
    with refused("INVALID", "approvalFlows.trial.nodes[1]"):
        applied(desk, approvalFlows={"trial": written(node("a", "manager", next="end"), node("b", "manager"))})
    for line in ("group:none", "people/nobody", "teams/none"):
        with refused("INVALID", "approvalFlows.trial.nodes[0].approvers[0]"):
            applied(desk, approvalFlows={"trial": written(node("a", line))})
    with desk.runtime.reading() as tx:
        assert "trial" not in PART.read(tx)[0]["approvalFlows"]
    staffed(desk, ("money", "finance", ""), active=False, version=3)
    with refused("INVALID", "approvalFlows.trial.nodes[0].approvers[0]"):
        applied(desk, approvalFlows={"trial": written(node("a", "people/money"))})


def test_Q13_a_flow_is_tried_on_samples_and_on_what_was(desk: Desk) -> None:
    for discount in (5, 20):
        asked(desk, "quote", f"quotes/{discount}", discount=discount)
    draft = written(node("small", "manager", when="discount <= 10.0"), node("large", "role:finance", mode="ANY"))

    def tried(flow: dict[str, Any] | None = None, **more: Any) -> pb.SimulateApprovalFlowResponse:
        content = None
        if flow is not None:
            content = Struct()
            content.update(flow)
        samples = []
        for sample in more.pop("samples", []):
            samples.append(Struct())
            samples[-1].update(sample)
        request = pb.SimulateApprovalFlowRequest(flow=content, samples=samples, **more)
        answer: pb.SimulateApprovalFlowResponse = desk.call("SimulateApprovalFlow", request, ADMIN)
        return answer

    facts = [{"discount": 10, "asker": "people/li"}, {"discount": 10.0001, "asker": "people/li"}]
    answer = tried(draft, samples=facts, last=5)
    skipped = pb.Approval.Step.SKIPPED
    paths = [[step.node for step in run.steps if step.outcome != skipped] for run in answer.runs]
    assert paths == [["small", "large"], ["large"], ["large"], ["small", "large"]]
    assert [bool(run.approval) for run in answer.runs] == [False, False, True, True]
    assert [(node.node, node.visits, node.asked) for node in answer.nodes] == [("small", 4, 2), ("large", 4, 4)]
    assert list(answer.runs[0].steps[0].seats[0].people) == ["people/boss"]
    over = tried(flow_id="contract", samples=[{"amount": 500000}, {"amount": 500000.01}])
    assert [[s.node for s in run.steps if s.outcome == skipped] for run in over.runs] == [["risk-control"], []]
    circle = tried(written(node("a", "manager"), node("b", "manager:2", next="a")))
    assert [(one.field, one.message) for one in circle.problems] == [("nodes[1].next", "goes in a circle: a > b > a")]
    assert [one.field for one in tried(written(node("a", "people/nobody"))).problems] == ["nodes[0].approvers[0]"]
    with refused("NOT_FOUND"):
        tried(flow_id="none")
    with refused("INVALID", "flow"):
        tried()
    with refused("INVALID", "flow"):
        tried(draft, flow_id="quote")
    with refused("INVALID", "samples"):
        tried(flow_id="quote", last=201)
    assert desk.announced(events_pb2.ApprovalChanged)[2:] == [], "nothing is written"


def test_Q11_a_team_that_was_deleted_is_none_until_it_is_back(desk: Desk) -> None:
    def told(version: int, deleted: bool = False) -> None:
        team = directory_pb2.Team(name="teams/east", manager="people/gold")
        desk.tell(subscribers.teams, TeamChanged(team=team, version=version, deleted=deleted))

    told(1)
    applied(desk, approvalFlows={"trial": written(node("one", "teams/east"))})
    assert list(got(desk, asked(desk, "trial", record="quotes/1").name).pending) == ["people/gold"]
    told(2, deleted=True)
    assert "people/gold" not in got(desk, asked(desk, "trial", record="quotes/2").name).pending
    with pytest.raises(Invalid, match="teams/east is not known"):
        applied(desk, approvalFlows={"other": written(node("one", "teams/east"))})
    told(3)
    assert list(got(desk, asked(desk, "trial", record="quotes/3").name).pending) == ["people/gold"]
