"""How each RPC about what people do is asked for what is his own, a team mate's, and another team's: on a record of
that person, or a thing of his."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from activities.domain.changes import ChangeRequest
from activities.domain.known import Known
from activities.usecases import following
from activities.usecases.kinds import CHANGE_REQUESTS
from chassis import clock, ids, records
from dealwright.activities.v1 import activities_pb2 as pb
from dealwright.api.v1.bringing_pb2 import TakenBack
from tests.security.house import House
from tests.security.matrix import PEOPLE
from tests.security.probes import Told, asks

_A = "activities.ActivityService."


def record(h: House, who: str, row: str, kind: str = "customers") -> str:
    """One that the person has, as activities was told of it."""
    name = f"{kind}/{ids.new_id()}"
    of = Known(name, kind, h.person(who, row), customer=name if kind == "customers" else "", version=1)
    with h.runtimes["activities"].transaction() as tx:
        following.know(tx, [of])
    return name


def _request(h: House, who: str, row: str, owner: str = "") -> pb.CreateFollowUpRequest:
    of = pb.FollowUp(record=record(h, who, row), outcome=pb.FollowUp.PROGRESS, owner=owner)
    return pb.CreateFollowUpRequest(follow_up=of)


def _follow_up(h: House, who: str, row: str) -> str:
    made = h.do(_A + "CreateFollowUp", _request(h, who, row, h.person(who, row)))
    return str(made.name)


def _gone(delete: str, request: type[Message], named: Callable[[House, str, str], str]) -> Any:
    """The name of one that was deleted."""

    def name(h: House, who: str, row: str) -> str:
        found = named(h, who, row)
        h.do(_A + delete, request(name=found))
        return found

    return name


def _any(field: str) -> Told:
    return lambda h, who, row, answer: "S" if getattr(answer, field) else "U"


def _each(h: House, who: str, row: str, answer: Any) -> str:
    return "O" if answer.results[0].HasField("error") else "Y"


asks(_A + "CreateFollowUp", PEOPLE)(_request)
asks(_A + "BatchCreateFollowUps", PEOPLE, _each)(
    lambda h, who, row: pb.BatchCreateFollowUpsRequest(requests=[_request(h, who, row)])
)
asks(_A + "GetFollowUp", PEOPLE)(lambda h, who, row: pb.GetFollowUpRequest(name=_follow_up(h, who, row)))


@asks(_A + "ListFollowUps", PEOPLE, _any("follow_ups"))
def _(h: House, who: str, row: str) -> Message:
    made = h.do(_A + "CreateFollowUp", _request(h, who, row, h.person(who, row)))
    return pb.ListFollowUpsRequest(filter=f'record = "{made.record}"')


@asks(_A + "SummarizeFollowUps", PEOPLE, _any("rows"))
def _(h: House, who: str, row: str) -> Message:
    made = h.do(_A + "CreateFollowUp", _request(h, who, row, h.person(who, row)))
    return pb.SummarizeFollowUpsRequest(filter=f'record = "{made.record}"')


asks(_A + "ListLatestFollowUps", PEOPLE, _any("latest"))(
    lambda h, who, row: pb.ListLatestFollowUpsRequest(kind="customers", filter=f'record = "{record(h, who, row)}"')
)
asks(_A + "UpdateFollowUp", PEOPLE)(
    lambda h, who, row: pb.UpdateFollowUpRequest(
        follow_up=pb.FollowUp(name=_follow_up(h, who, row), summary="新"), update_mask=FieldMask(paths=["summary"])
    )
)
asks(_A + "DeleteFollowUp", PEOPLE)(lambda h, who, row: pb.DeleteFollowUpRequest(name=_follow_up(h, who, row)))
_gone_follow_up = _gone("DeleteFollowUp", pb.DeleteFollowUpRequest, _follow_up)
asks(_A + "UndeleteFollowUp", PEOPLE)(lambda h, who, row: pb.UndeleteFollowUpRequest(name=_gone_follow_up(h, who, row)))
asks(_A + "TakeBackFollowUps", PEOPLE)(
    lambda h, who, row: pb.TakeBackFollowUpsRequest(records=[TakenBack(name=_follow_up(h, who, row), left="v1")])
)


# --- tasks ---


def _task(h: House, who: str, row: str) -> str:
    return str(h.do(_A + "CreateTask", _wanted(h, who, row)).name)


def _wanted(h: House, who: str, row: str) -> pb.CreateTaskRequest:
    return pb.CreateTaskRequest(task=pb.Task(title="报价", owner=h.person(who, row)))


def _of_team(h: House, who: str, row: str) -> str:
    return str(h.do(_A + "CreateTask", pb.CreateTaskRequest(task=pb.Task(title="报价", team=h.teams[row]))).name)


def _done(h: House, who: str, row: str) -> str:
    name = _task(h, who, row)
    h.do(_A + "CompleteTask", pb.CompleteTaskRequest(name=name))
    return name


asks(_A + "CreateTask", PEOPLE)(_wanted)
asks(_A + "GetTask", PEOPLE)(lambda h, who, row: pb.GetTaskRequest(name=_task(h, who, row)))


@asks(_A + "ListTasks", PEOPLE, _any("tasks"))
def _(h: House, who: str, row: str) -> Message:
    whole = _task(h, who, row)
    part = pb.Task(title="部分", parent=whole, owner=h.person(who, row))
    h.do(_A + "CreateTask", pb.CreateTaskRequest(task=part))
    return pb.ListTasksRequest(filter=f'parent = "{whole}"')


asks(_A + "UpdateTask", PEOPLE)(
    lambda h, who, row: pb.UpdateTaskRequest(
        task=pb.Task(name=_task(h, who, row), title="新"), update_mask=FieldMask(paths=["title"])
    )
)
asks(_A + "DeleteTask", PEOPLE)(lambda h, who, row: pb.DeleteTaskRequest(name=_task(h, who, row)))
_gone_task = _gone("DeleteTask", pb.DeleteTaskRequest, _task)
asks(_A + "UndeleteTask", PEOPLE)(lambda h, who, row: pb.UndeleteTaskRequest(name=_gone_task(h, who, row)))
asks(_A + "ClaimTask", PEOPLE)(lambda h, who, row: pb.ClaimTaskRequest(name=_of_team(h, who, row)))
asks(_A + "StartTask", PEOPLE)(lambda h, who, row: pb.StartTaskRequest(name=_task(h, who, row)))
asks(_A + "CompleteTask", PEOPLE)(lambda h, who, row: pb.CompleteTaskRequest(name=_task(h, who, row)))
asks(_A + "CancelTask", PEOPLE)(lambda h, who, row: pb.CancelTaskRequest(name=_task(h, who, row)))
asks(_A + "ReopenTask", PEOPLE)(lambda h, who, row: pb.ReopenTaskRequest(name=_done(h, who, row)))
asks(_A + "AssignTask", PEOPLE)(
    lambda h, who, row: pb.AssignTaskRequest(
        name=_task(h, who, row), owner=h.people["mate" if row == "other" else "other"]
    )
)


# --- changes of requirements, what other systems recorded, timelines ---


def _change(h: House, who: str, row: str) -> str:
    """One that the person wrote, on an opportunity of his."""
    owner, now = h.person(who, row), clock.now()
    deal = record(h, who, row, "opportunities")
    made = ChangeRequest(CHANGE_REQUESTS.new_name(), deal, "", deal, 1, "提前交货", 0, None, "", owner, "", 1, now, now)
    with h.runtimes["activities"].transaction(h.root) as tx:
        records.create(tx, CHANGE_REQUESTS, made)
    return made.name


def _recorded(h: House, who: str, row: str) -> Any:
    return h.do(_A + "CreateInteraction", _interaction(h, who, row))


def _interaction(h: House, who: str, row: str) -> pb.CreateInteractionRequest:
    of = pb.Interaction(record=record(h, who, row), kind=pb.Interaction.ORDER, system="shop", external_id=ids.new_id())
    return pb.CreateInteractionRequest(interaction=of)


@asks(_A + "CreateChangeRequest", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    deal = record(h, who, row, "opportunities")
    wanted = pb.ChangeRequest(record=deal, type=pb.ChangeRequest.DELIVERY, detail="换地址")
    return pb.CreateChangeRequestRequest(change_request=wanted)


asks(_A + "GetChangeRequest", PEOPLE)(lambda h, who, row: pb.GetChangeRequestRequest(name=_change(h, who, row)))


@asks(_A + "ListChangeRequests", PEOPLE, _any("change_requests"))
def _(h: House, who: str, row: str) -> Message:
    made = h.do(_A + "GetChangeRequest", pb.GetChangeRequestRequest(name=_change(h, who, row)))
    return pb.ListChangeRequestsRequest(filter=f'record = "{made.record}"')


asks(_A + "UpdateChangeRequest", PEOPLE)(
    lambda h, who, row: pb.UpdateChangeRequestRequest(
        change_request=pb.ChangeRequest(name=_change(h, who, row), detail="新")
    )
)
asks(_A + "DeleteChangeRequest", PEOPLE)(lambda h, who, row: pb.DeleteChangeRequestRequest(name=_change(h, who, row)))
_gone_change = _gone("DeleteChangeRequest", pb.DeleteChangeRequestRequest, _change)
asks(_A + "UndeleteChangeRequest", PEOPLE)(
    lambda h, who, row: pb.UndeleteChangeRequestRequest(name=_gone_change(h, who, row))
)
asks(_A + "CreateInteraction", PEOPLE)(_interaction)
asks(_A + "GetInteraction", PEOPLE)(lambda h, who, row: pb.GetInteractionRequest(name=_recorded(h, who, row).name))
asks(_A + "ListInteractions", PEOPLE, _any("interactions"))(
    lambda h, who, row: pb.ListInteractionsRequest(filter=f'external_id = "{_recorded(h, who, row).external_id}"')
)


def _of_owner(h: House, who: str, row: str) -> str:
    """One that the person whose record it is recorded, if he may."""
    name = who if row == "own" else row
    by = h.root if name == "finance" else h.principals[name]
    return str(h.do(_A + "CreateInteraction", _interaction(h, who, row), by).name)


asks(_A + "UpdateInteraction", PEOPLE)(
    lambda h, who, row: pb.UpdateInteractionRequest(interaction=pb.Interaction(name=_of_owner(h, who, row), title="新"))
)
asks(_A + "DeleteInteraction", PEOPLE)(lambda h, who, row: pb.DeleteInteractionRequest(name=_of_owner(h, who, row)))
_gone_interaction = _gone("DeleteInteraction", pb.DeleteInteractionRequest, _of_owner)
asks(_A + "UndeleteInteraction", PEOPLE)(
    lambda h, who, row: pb.UndeleteInteractionRequest(name=_gone_interaction(h, who, row))
)
asks(_A + "ListTimeline", PEOPLE)(lambda h, who, row: pb.ListTimelineRequest(record=record(h, who, row)))
