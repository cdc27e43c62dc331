"""Who works on an opportunity besides its owner, how far they are, and what belongs to the same business."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock
from chassis.access import Grant, Scope
from dealwright.activities.v1 import activities_pb2
from dealwright.activities.v1 import events_pb2 as activity_events_pb2
from dealwright.contracts.v1 import contracts_pb2
from dealwright.contracts.v1 import events_pb2 as contract_events_pb2
from dealwright.opportunities.v1 import events_pb2
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from tests.opportunities.desk import ADMIN, BOSS, LI, WANG, ZHAO, Desk, principal, refused

Collaborator = pb.Opportunity.Collaborator
OPEN, IN_PROGRESS, DONE = pb.Opportunity.Part.OPEN, pb.Opportunity.Part.IN_PROGRESS, pb.Opportunity.Part.DONE


def asked(desk: Desk, name: str, who: Any = LI, **fields: Any) -> pb.Opportunity:
    request = pb.RequestCollaborationRequest(name=name, **{"part": "技术方案", **fields})
    answer: pb.Opportunity = desk.call("RequestCollaboration", request, who)
    return answer


def progress(desk: Desk, name: str) -> tuple[int, int, list[tuple[str, str, int]]]:
    now = desk.get(name).collaborator_progress
    return now.done, now.total, [(one.person or one.team, one.part, one.status) for one in now.parts]


def test_O33_collaborators_tasks_add_up_to_the_progress_of_the_deal(desk: Desk) -> None:
    made = desk.open(
        collaborators=[
            Collaborator(person="people/zhao", part="报价"),
            Collaborator(person="people/wang", part="技术"),
        ]
    )
    assert progress(desk, made.name) == (0, 2, [("people/zhao", "报价", OPEN), ("people/wang", "技术", OPEN)])
    told = [(e.person, e.part, e.owner, e.requested_by) for e in desk.announced(events_pb2.CollaboratorAdded)]
    assert told == [
        ("people/zhao", "报价", "people/li", "people/li"),
        ("people/wang", "技术", "people/li", "people/li"),
    ]
    quote = desk.task(made.name, "COLLABORATION", owner="people/zhao", part="报价")
    assert progress(desk, made.name)[2] == [("people/zhao", "报价", OPEN), ("people/wang", "技术", OPEN)]
    desk.task(made.name, "COLLABORATION", "DONE", 3, name=quote, owner="people/zhao", part="报价")
    # Late news, a to-do, a stranger's task and another deal's change nothing.
    desk.task(made.name, "COLLABORATION", "IN_PROGRESS", 2, name=quote, owner="people/zhao", part="报价")
    desk.task(made.name, "TODO", owner="people/wang", part="技术")
    desk.task(made.name, "COLLABORATION", owner="people/boss", part="看看")
    desk.task(desk.open().name, "COLLABORATION", "DONE", owner="people/wang", part="技术")
    assert progress(desk, made.name) == (1, 2, [("people/zhao", "报价", DONE), ("people/wang", "技术", OPEN)])
    desk.task(made.name, "COLLABORATION", "IN_PROGRESS", owner="people/wang", part="技术")
    desk.task(made.name, "COLLABORATION", "CANCELLED", owner="people/wang", part="法务")
    assert progress(desk, made.name) == (1, 2, [("people/zhao", "报价", DONE), ("people/wang", "技术", IN_PROGRESS)])
    # Who is none any more does not count.
    desk.change(made.name, collaborators=[Collaborator(person="people/wang", part="技术")])
    assert progress(desk, made.name) == (0, 1, [("people/wang", "技术", IN_PROGRESS)])
    listed = desk.call("ListOpportunities", pb.ListOpportunitiesRequest(filter=f"number = {made.number}"))
    assert listed.opportunities[0].collaborator_progress.total == 1


def test_O33_a_task_changes_neither_the_deal_nor_its_etag(desk: Desk) -> None:
    made = desk.open(collaborators=[Collaborator(person="people/zhao", part="报价")])
    desk.task(made.name, "COLLABORATION", "DONE", owner="people/zhao", part="报价")
    assert desk.get(made.name).etag == made.etag


def test_O36_a_colleague_is_asked_for_a_part_and_sees_the_deal(desk: Desk) -> None:
    made = desk.open()
    due = Timestamp()
    due.FromDatetime(clock.now() + timedelta(days=3))
    desk.announced()
    after = asked(desk, made.name, person="people/wang", detail="现场勘查\n两天", due_time=due)
    assert [(one.person, one.part) for one in after.collaborators] == [("people/wang", "技术方案")]
    (told,) = desk.announced(events_pb2.CollaboratorAdded)
    assert (told.person, told.part, told.detail, told.due_time) == ("people/wang", "技术方案", "现场勘查\n两天", due)
    assert (told.title, told.number, told.requested_by) == (made.title, made.number, "people/li")
    assert desk.get(made.name, WANG).name == made.name
    # Asked once more: another part, the same collaborator.
    again = asked(desk, made.name, person="people/wang", part="报价")
    assert len(again.collaborators) == 1
    (told,) = desk.announced(events_pb2.CollaboratorAdded)
    assert told.part == "报价"


def test_O33_F14_who_has_no_part_left_does_not_see_the_deal_any_more(desk: Desk) -> None:
    made = desk.open(collaborators=[Collaborator(person="people/zhao", part="报价")])
    asked(desk, made.name, person="people/wang", part="技术")
    asked(desk, made.name, person="people/wang", part="法务")
    one = desk.task(made.name, "COLLABORATION", owner="people/wang", team="teams/west", part="技术")
    desk.announced()
    # The task of another part that he was asked for is still to come.
    desk.task(made.name, "COLLABORATION", "CANCELLED", 2, name=one, owner="people/wang", team="teams/west", part="技术")
    assert desk.get(made.name, WANG).name == made.name
    two = desk.task(made.name, "COLLABORATION", owner="people/wang", team="teams/west", part="法务")
    assert desk.get(made.name, WANG).name == made.name
    desk.task(made.name, "COLLABORATION", "CANCELLED", 2, name=two, owner="people/wang", team="teams/west", part="法务")
    with refused("NOT_FOUND"):
        desk.get(made.name, WANG)
    (told,) = desk.announced(events_pb2.OpportunityChanged)
    assert [one.person for one in told.opportunity.collaborators] == ["people/zhao"]
    assert desk.get(made.name, ZHAO).name == made.name
    # His task is there again, and he is not; asked again, he is.
    desk.task(made.name, "COLLABORATION", "OPEN", 3, name=two, owner="people/wang", part="法务")
    with refused("NOT_FOUND"):
        desk.get(made.name, WANG)
    asked(desk, made.name, person="people/wang", part="法务")
    assert desk.get(made.name, WANG).name == made.name


def test_O33_who_did_his_part_stays_and_a_deleted_task_is_none(desk: Desk) -> None:
    made = desk.open(collaborators=[Collaborator(person="people/wang", part="技术")])
    done = desk.task(made.name, "COLLABORATION", "DONE", owner="people/wang", part="技术")
    desk.task(made.name, "COLLABORATION", "CANCELLED", owner="people/wang", part="法务")
    assert desk.get(made.name, WANG).collaborator_progress.done == 1
    task = activities_pb2.Task(name=done, opportunity=made.name, owner="people/wang", part="技术")
    task.kind = activities_pb2.Task.COLLABORATION
    desk.hear("tasks", activity_events_pb2.TaskChanged(task=task, version=9, deleted=True))
    with refused("NOT_FOUND"):
        desk.get(made.name, WANG)


def test_O36_a_team_and_one_of_its_people_are_asked_each_for_himself(desk: Desk) -> None:
    made = desk.open()
    asked(desk, made.name, team="teams/west", part="勘查")
    asked(desk, made.name, person="people/wang", part="报价")
    his: dict[str, Any] = {"owner": "people/wang", "team": "teams/west", "part": "报价"}
    task = desk.task(made.name, "COLLABORATION", **his)
    desk.task(made.name, "COLLABORATION", "CANCELLED", 2, name=task, **his)
    # He sees it with his team.
    assert [one.team for one in desk.get(made.name, WANG).collaborators] == ["teams/west"]
    theirs = desk.task(made.name, "COLLABORATION", team="teams/west", part="勘查")
    desk.task(made.name, "COLLABORATION", "CANCELLED", 2, name=theirs, team="teams/west", part="勘查")
    with refused("NOT_FOUND"):
        desk.get(made.name, WANG)


def test_O33_O34_what_comes_back_to_the_owner_still_counts(desk: Desk) -> None:
    made = desk.open(collaborators=[Collaborator(person="people/wang", part="报价")])
    asked(desk, made.name, person="people/zhao", part="法务")
    quote = desk.task(made.name, "COLLABORATION", owner="people/wang", part="报价")
    desk.task(made.name, "COLLABORATION", "DONE", owner="people/zhao", part="法务")

    def counted() -> tuple[int, int, list[tuple[str, str]]]:
        of = desk.get(made.name).collaborator_progress
        return of.done, of.total, sorted((one.person, one.part) for one in of.parts)

    assert counted() == (1, 2, [("people/wang", "报价"), ("people/zhao", "法务")])
    desk.act("Unshare", made.name, person="people/wang")
    desk.task(made.name, "COLLABORATION", version=2, name=quote, owner="people/li", part="报价")
    assert counted() == (1, 2, [("people/li", "报价"), ("people/zhao", "法务")])
    desk.task(made.name, "COLLABORATION", "DONE", version=3, name=quote, owner="people/li", part="报价")
    assert counted()[:2] == (2, 2)
    # The last of those who worked on it goes: the owner's own work is still there.
    desk.act("Unshare", made.name, person="people/zhao")
    assert counted() == (1, 1, [("people/li", "报价")])


def test_O34_O33_unsharing_ends_a_part_in_it_as_well_as_a_share(desk: Desk) -> None:
    made = desk.open(collaborators=[Collaborator(person="people/wang", part="报价")])
    desk.act("Share", made.name, person="people/wang")
    desk.announced()
    assert not desk.act("Unshare", made.name, person="people/wang").collaborators
    with refused("NOT_FOUND"):
        desk.get(made.name, WANG)
    assert len(desk.announced(events_pb2.ShareEnded)) == 1
    asked(desk, made.name, team="teams/west")
    with refused("INVALID", "person"):
        desk.act("Unshare", made.name)
    with refused("INVALID", "person"):
        desk.act("Unshare", made.name, person="people/wang", team="teams/west")
    with refused("NOT_SHARED"):
        desk.act("Unshare", made.name, person="people/wang")
    desk.act("Unshare", made.name, team="teams/west")
    with refused("NOT_FOUND"):
        desk.get(made.name, WANG)
    assert desk.announced(events_pb2.ShareEnded) == []


def test_O36_a_whole_team_is_asked_and_everybody_in_it_sees_the_deal(desk: Desk) -> None:
    made = desk.open()
    with refused("NOT_FOUND"):
        desk.get(made.name, WANG)
    after = asked(desk, made.name, team="teams/west")
    assert [(one.person, one.team, one.part) for one in after.collaborators] == [("", "teams/west", "技术方案")]
    assert desk.get(made.name, WANG).name == made.name
    with refused("NOT_FOUND"):
        desk.get(made.name, ZHAO)
    assert progress(desk, made.name) == (0, 1, [("teams/west", "技术方案", OPEN)])
    task = desk.task(made.name, "COLLABORATION", team="teams/west", part="技术方案")
    desk.task(made.name, "COLLABORATION", "DONE", 2, name=task, team="teams/west", owner="people/wang", part="技术方案")
    assert progress(desk, made.name)[:2] == (1, 1)


def test_O36_what_nobody_can_do_is_refused(desk: Desk) -> None:
    made = desk.open()
    past = Timestamp()
    past.FromDatetime(clock.now() - timedelta(seconds=1))
    for field, fields in (
        ("person", {}),
        ("person", {"person": "people/wang", "team": "teams/west"}),
        ("person", {"person": "people/nobody"}),
        ("team", {"team": "teams/none"}),
        ("team", {"team": "west"}),
        ("part", {"person": "people/wang", "part": " "}),
        ("due_time", {"person": "people/wang", "due_time": past}),
    ):
        with refused("INVALID", field):
            asked(desk, made.name, **fields)
    with refused("NOT_FOUND"):
        asked(desk, made.name, WANG, person="people/wang")
    desk.act("Lose", made.name, reason="价格")
    with refused("NOT_OPEN"):
        asked(desk, made.name, person="people/wang")
    assert desk.announced(events_pb2.CollaboratorAdded) == []


def test_O39_lead_quote_contract_and_ticket_stay_in_one_chain(desk: Desk) -> None:
    lead, customer = f"leads/{7:032x}", f"customers/{8:032x}"
    desk.know((customer, ""))
    made = desk.open(lead=lead, customer=customer)
    quote = desk.quote(made.name, "APPROVED")
    run = desk.decide(made.name, "quote")
    contract = contracts_pb2.Contract(name="contracts/1", opportunity=made.name)
    contract.status = contracts_pb2.Contract.SIGNED
    contract.create_time.FromDatetime(clock.now())
    desk.hear("papers", contract_events_pb2.ContractChanged(contract=contract, version=1))
    ticket = desk.task(made.name, "TICKET", "IN_PROGRESS")
    desk.task(made.name, "TODO")
    desk.quote(desk.open().name, "DRAFT")

    def chain(who: Any) -> list[tuple[int, str, str]]:
        links = desk.call("ListChain", pb.ListChainRequest(parent=made.name), who).chain_links
        return [(link.phase, link.record, link.state) for link in links]

    approver = principal("people/li", "sales", Scope.OWN, "teams/east")
    everything = Grant(Scope.OWN, Scope.OWN, Scope.OWN, Scope.OWN)
    seeing = type(approver)(
        approver.person, "sales", "teams/east", ("teams/east",), {**approver.grants, "approvals": everything}
    )
    whole = [
        (1, lead, ""),
        (1, customer, ""),
        (1, made.name, "OPEN"),
        (2, quote, "APPROVED"),
        (2, run, "APPROVED"),
        (2, "contracts/1", "SIGNED"),
        (3, ticket, "IN_PROGRESS"),
    ]
    assert chain(seeing) == whole
    # Of what his role may read at all.
    assert chain(LI) == [link for link in whole if link[1] != run]
    desk.hear("papers", contract_events_pb2.ContractChanged(contract=contract, version=2, deleted=True))
    assert "contracts/1" not in {link[1] for link in chain(ADMIN)}
    with refused("NOT_FOUND"):
        chain(WANG)
    assert desk.get(made.name, BOSS).lead == lead
