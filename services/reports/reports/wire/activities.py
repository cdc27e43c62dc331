"""What follow-ups, tasks and check-ins tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.message import Message

from chassis.transaction import Cause
from dealwright.activities.v1 import activities_pb2, events_pb2, files_pb2
from reports.domain.folding import News
from reports.settings import company_zone
from reports.wire.news import micros, news

# Of leads' tasks, which come with every lead, their clocks tell.
EVENTS: tuple[type[Message], ...] = (events_pb2.FollowUpChanged, events_pb2.TaskChanged, events_pb2.CheckInChanged)
_FollowUp, _Task = activities_pb2.FollowUp, activities_pb2.Task
_OPEN = (_Task.OPEN, _Task.IN_PROGRESS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def told(event: Message, cause: Cause) -> list[News]:
    """News of an activity."""
    if isinstance(event, events_pb2.FollowUpChanged):
        one = event.follow_up
        said = {
            "channel": _FollowUp.Method.Name(one.method) if one.method else "",
            "detail": _FollowUp.Outcome.Name(one.outcome) if one.outcome else "",
            **_when(micros(one.happen_time)),
            "delay": max(0, micros(one.create_time) - micros(one.happen_time)) // 1_000_000,
        }
        return [_state(one, event, said, cause)]
    if isinstance(event, events_pb2.CheckInChanged):
        return [_state(event.check_in, event, _when(micros(event.check_in.happen_time)), cause)]
    if isinstance(event, events_pb2.TaskChanged):
        task = event.task
        said = {
            "detail": _Task.Kind.Name(task.kind) if task.kind else "",
            "time": micros(task.done_time) if task.status == _Task.DONE else 0,
            "due_time": micros(task.due_time),
            "open": task.status in _OPEN,
        }
        return [_state(task, event, said, cause)]
    raise TypeError(type(event).__name__)


def _when(time: int) -> dict[str, str | int]:
    """When it was, and when that day of the company's clock began."""
    there = (_EPOCH + timedelta(microseconds=time)).astimezone(company_zone())
    day = there.replace(hour=0, minute=0, second=0, microsecond=0)
    return {"time": time, "begin": _micros(day)}


def _micros(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def _state(
    of: activities_pb2.FollowUp | activities_pb2.Task | files_pb2.CheckIn,
    event: events_pb2.FollowUpChanged | events_pb2.TaskChanged | events_pb2.CheckInChanged,
    said: dict[str, str | int | bool] | dict[str, str | int],
    cause: Cause,
) -> News:
    values = {"version": event.version, "deleted": event.deleted, "owner": of.owner, "customer": of.customer, **said}
    return news(cause, of.name, "state", values)
