"""What is announced."""

from __future__ import annotations

from activities.domain.changes import ChangeRequest
from activities.domain.follow_up import FollowUp
from activities.domain.interaction import Interaction
from activities.domain.task import Task
from activities.wire import messages
from dealwright.activities.v1 import events_pb2


def follow_up_changed(of: FollowUp, gone: bool) -> events_pb2.FollowUpChanged:
    """`gone`: for good."""
    deleted = gone or of.delete_time is not None
    return events_pb2.FollowUpChanged(follow_up=messages.follow_up(of), version=of.version + gone, deleted=deleted)


def follow_up_logged(of: FollowUp, to_stage: str) -> events_pb2.FollowUpLogged:
    return events_pb2.FollowUpLogged(follow_up=messages.follow_up(of), to_stage=to_stage)


def task_changed(of: Task, gone: bool) -> events_pb2.TaskChanged | events_pb2.LeadTaskChanged:
    deleted = gone or of.delete_time is not None
    kind = events_pb2.LeadTaskChanged if of.is_of_lead else events_pb2.TaskChanged
    return kind(task=messages.task(of), version=of.version + gone, deleted=deleted)


def task_done(of: Task) -> events_pb2.TaskDone:
    return events_pb2.TaskDone(task=messages.task(of))


def change_request_changed(of: ChangeRequest, gone: bool) -> events_pb2.ChangeRequestChanged:
    deleted = gone or of.delete_time is not None
    return events_pb2.ChangeRequestChanged(
        change_request=messages.change_request(of), version=of.version + gone, deleted=deleted
    )


def requirement_changed(of: ChangeRequest) -> events_pb2.RequirementChanged:
    return events_pb2.RequirementChanged(change_request=messages.change_request(of))


def interaction_changed(of: Interaction, gone: bool) -> events_pb2.InteractionChanged:
    deleted = gone or of.delete_time is not None
    return events_pb2.InteractionChanged(interaction=messages.interaction(of), version=of.version, deleted=deleted)


def interaction_recorded(of: Interaction) -> events_pb2.InteractionRecorded:
    return events_pb2.InteractionRecorded(interaction=messages.interaction(of))


def mentioned(source: str, person: str, record: str, actor: str, text: str) -> events_pb2.Mentioned:
    return events_pb2.Mentioned(source=source, person=person, record=record, actor=actor, text=text)
