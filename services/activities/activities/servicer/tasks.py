"""Tasks."""

from __future__ import annotations

from activities.domain.task import Task
from activities.servicer.waiting import for_records
from activities.usecases import tasks
from activities.usecases.kinds import TASKS
from activities.wire import messages, reading
from chassis import records
from chassis.rpc import command, query
from chassis.transaction import Transaction
from dealwright.activities.v1 import activities_pb2 as pb

_RESULT = reading.TASK["result"]


def _told(tx: Transaction, of: Task) -> pb.Task:
    return messages.task(of, tasks.parts(tx, [of]).get(of.name))


class Tasks:
    @command(fetch=for_records(lambda request: [request.task.record]))
    def CreateTask(self, tx: Transaction, request: pb.CreateTaskRequest) -> pb.Task:
        reading.request_id(request)
        values = reading.created(request.task, reading.NEW_TASK, "task", ["title"])
        return _told(tx, tasks.create(tx, values))

    @query
    def GetTask(self, tx: Transaction, request: pb.GetTaskRequest) -> pb.Task:
        return _told(tx, records.find(tx, TASKS, request.name, request.show_deleted))

    @query
    def ListTasks(self, tx: Transaction, request: pb.ListTasksRequest) -> pb.ListTasksResponse:
        found, token, total = records.page(tx, TASKS, request)
        parts = tasks.parts(tx, found)
        return pb.ListTasksResponse(
            tasks=[messages.task(one, parts.get(one.name)) for one in found],
            next_page_token=token,
            total_size=total or 0,
        )

    @command
    def UpdateTask(self, tx: Transaction, request: pb.UpdateTaskRequest) -> pb.Task:
        reading.request_id(request)
        values = reading.changed(request.task, request.update_mask.paths, reading.TASK, "task")
        return _told(tx, tasks.update(tx, request.task.name, request.task.etag, values))

    @command
    def DeleteTask(self, tx: Transaction, request: pb.DeleteTaskRequest) -> pb.Task:
        reading.request_id(request)
        return _told(tx, tasks.delete(tx, request.name, request.etag))

    @command
    def UndeleteTask(self, tx: Transaction, request: pb.UndeleteTaskRequest) -> pb.Task:
        reading.request_id(request)
        return _told(tx, tasks.undelete(tx, request.name))

    @command
    def ClaimTask(self, tx: Transaction, request: pb.ClaimTaskRequest) -> pb.Task:
        reading.request_id(request)
        return _told(tx, tasks.claim(tx, request.name, request.etag))

    @command
    def StartTask(self, tx: Transaction, request: pb.StartTaskRequest) -> pb.Task:
        reading.request_id(request)
        return _told(tx, tasks.start(tx, request.name, request.etag))

    @command
    def CompleteTask(self, tx: Transaction, request: pb.CompleteTaskRequest) -> pb.Task:
        reading.request_id(request)
        result = reading.one("result", _RESULT, request.result)
        return _told(tx, tasks.complete(tx, request.name, request.etag, result))

    @command
    def CancelTask(self, tx: Transaction, request: pb.CancelTaskRequest) -> pb.Task:
        reading.request_id(request)
        result = reading.one("result", _RESULT, request.result)
        return _told(tx, tasks.cancel(tx, request.name, request.etag, result))

    @command
    def ReopenTask(self, tx: Transaction, request: pb.ReopenTaskRequest) -> pb.Task:
        reading.request_id(request)
        return _told(tx, tasks.reopen(tx, request.name, request.etag))

    @command
    def AssignTask(self, tx: Transaction, request: pb.AssignTaskRequest) -> pb.Task:
        reading.request_id(request)
        owner = reading.one("owner", reading.person, request.owner) if request.owner else ""
        team = reading.one("team", reading.team, request.team) if request.team else ""
        return _told(tx, tasks.assign(tx, request.name, request.etag, owner, team))
