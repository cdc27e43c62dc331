"""What activities is asked for: tasks, as rules asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from google.protobuf.struct_pb2 import Struct

from customers.domain.customer import Customer
from customers.domain.vip import VipTask
from dealwright.rules.v1 import events_pb2

_OVER = "客户不再是 VIP No longer a VIP"


def vip_tasks(of: Customer, tasks: Sequence[VipTask]) -> Iterator[events_pb2.ActionRequested]:
    """What its owner is to do for a new VIP, as many as were counted for it."""
    for place, task in enumerate(tasks[: of.vip_tasks]):
        yield _asked(of, "CREATE_TASK", place, task)


def vip_over(of: Customer, tasks: Sequence[VipTask]) -> Iterator[events_pb2.ActionRequested]:
    """What was asked for when it became a VIP is taken back; its words may have been changed since."""
    for place in range(of.vip_tasks):
        task = tasks[place] if place < len(tasks) else VipTask("VIP", 0)
        yield _asked(of, "CANCEL_TASK", place, task, result=_OVER)


def _asked(of: Customer, action: str, place: int, task: VipTask, **more: str) -> events_pb2.ActionRequested:
    """The same origin makes one task: one for each time that it becomes a VIP."""
    assert of.vip_time is not None
    origin = f"{of.name}/vip/{of.vip_time.isoformat()}/{place}"
    due = {"due_time": (of.vip_time + timedelta(days=task.days)).isoformat()} if task.days else {}
    parameters = Struct()
    parameters.update(
        {
            "customer": of.name,
            "opportunity": "",
            "kind": "TODO",
            "title": task.title,
            "title_zh": task.title,
            "title_en": task.title,
            "detail_zh": of.display_name,
            "detail_en": of.display_name,
            "origin": origin,
            **due,
            **more,
        }
    )
    return events_pb2.ActionRequested(
        subject=of.name,
        action=action,
        person=of.owner,
        owner_version=of.owner_version,
        parameters=parameters,
        text_zh=task.title,
        text_en=task.title,
        origin=origin,
    )
