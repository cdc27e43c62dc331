"""Events of customers, follow-ups, tasks and check-ins, as their services tell them."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from dealwright.activities.v1 import activities_pb2, files_pb2
from dealwright.activities.v1.events_pb2 import CheckInChanged, FollowUpChanged, TaskChanged
from dealwright.contracts.v1 import contracts_pb2
from dealwright.contracts.v1.events_pb2 import ContractChanged
from dealwright.customers.v1.customers_pb2 import Customer
from dealwright.customers.v1.events_pb2 import CustomerChanged
from tests.reports.desk import money
from tests.reports.leads import stamp

Told = tuple[Message, str]


def customer(
    name: str, when: str, version: int = 1, deleted: bool = False, owner: str = "people/li", **fields: Any
) -> Told:
    """One that was made at that moment."""
    of = Customer(name=name, display_name=f"{name}号", owner=owner, create_time=stamp(when), **fields)
    return CustomerChanged(customer=of, version=version, deleted=deleted), when


def follow_up(name: str, when: str, version: int = 1, deleted: bool = False, **fields: Any) -> Told:
    of = activities_pb2.FollowUp(name=name, happen_time=stamp(when), **{"owner": "people/li", **fields})
    return FollowUpChanged(follow_up=of, version=version, deleted=deleted), when


def check_in(name: str, when: str, **fields: Any) -> Told:
    of = files_pb2.CheckIn(name=name, happen_time=stamp(when), **{"owner": "people/li", **fields})
    return CheckInChanged(check_in=of, version=1), when


def task(name: str, due: str = "", done: str = "", version: int = 1, when: str = "", **fields: Any) -> Told:
    of = activities_pb2.Task(name=name, **{"owner": "people/li", "kind": "TODO", "status": "OPEN", **fields})
    if due:
        of.due_time.CopyFrom(stamp(due))
    if done:
        of.done_time.CopyFrom(stamp(done))
        of.status = activities_pb2.Task.DONE
    return TaskChanged(task=of, version=version), when or done or "2026-11-01T08:00"


def contract(name: str, customer: str, date: str, amount: int, version: int = 1, **fields: Any) -> Told:
    """A signed one, unless `fields` tell otherwise."""
    of = contracts_pb2.Contract(
        name=name, customer=customer, sign_date=date, amount=money(amount), **{"status": "SIGNED", **fields}
    )
    return ContractChanged(contract=of, version=version), f"{date}T10:00"
