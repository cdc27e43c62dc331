"""What activities is asked for: tasks, as rules asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from google.protobuf.struct_pb2 import Struct

from customers.domain.customer import Customer
from customers.domain.vip import VipTask
from dealwright.rules.v1 import events_pb2


def vip_tasks(of: Customer, tasks: Sequence[VipTask], now: datetime) -> Iterator[events_pb2.ActionRequested]:
    """What its owner is to do for a new VIP; the same origin makes one task."""
    for place, task in enumerate(tasks):
        due = (now + timedelta(days=task.days)).isoformat() if task.days else ""
        parameters = Struct()
        parameters.update(
            {
                "customer": of.name,
                "opportunity": "",
                "kind": "TODO",
                "title_zh": task.title,
                "title_en": task.title,
                "detail_zh": of.display_name,
                "detail_en": of.display_name,
                **({"due_time": due} if due else {}),
            }
        )
        yield events_pb2.ActionRequested(
            subject=of.name,
            action="CREATE_TASK",
            person=of.owner,
            owner_version=of.owner_version,
            parameters=parameters,
            text_zh=task.title,
            text_en=task.title,
            origin=f"{of.name}/vip/{place}",
        )
