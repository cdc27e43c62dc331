"""What reports want done."""

from __future__ import annotations

from datetime import timedelta

from chassis import clock
from dealwright.activities.v1 import activities_pb2 as pb
from dealwright.reports.v1.events_pb2 import TaskRequested
from tests.activities.desk import LI, Desk


def _wanted(record: str, day: str = "2026-11-22", owner: str = "people/li") -> TaskRequested:
    event = TaskRequested(
        record=record,
        owner=owner,
        title="跟进：超过 3 天未跟进的线索",
        title_en="Follow up: Leads without follow-up for 3 days",
        report="reports/leads-untouched-3d",
        origin=f"reports/leads-untouched-3d/{record}/{day}",
        creator="people/boss",
    )
    event.due_time.FromDatetime(clock.now() + timedelta(days=1))
    return event


def _tasks(desk: Desk) -> list[pb.Task]:
    return sorted(desk.call("ListTasks", pb.ListTasksRequest(), LI).tasks, key=lambda task: task.origin)


def test_B44_F11_each_record_is_one_task_a_day_however_often_it_is_asked_for(desk: Desk) -> None:
    desk.hear("reported", _wanted("leads/a"), _wanted("leads/b"), _wanted("leads/a"))
    desk.hear("reported", _wanted("leads/a"))
    assert [task.record for task in _tasks(desk)] == ["leads/a", "leads/b"]
    desk.hear("reported", _wanted("leads/a", "2026-11-23"))
    found = _tasks(desk)
    assert [task.record for task in found] == ["leads/a", "leads/a", "leads/b"]
    one = found[0]
    assert (one.owner, one.creator, one.status) == ("people/li", "people/boss", pb.Task.OPEN)
    assert one.title_en == "Follow up: Leads without follow-up for 3 days"
    assert one.HasField("due_time")
