"""Clocks as people read them."""

from __future__ import annotations

from dealwright.rules.v1 import rules_pb2
from rules.domain.ownership import Clock
from rules.wire.names import lead_name, person_name


def timer_name(lead: str, kind: str, version: int) -> str:
    """`version`: the number of the ownership whose clock it is."""
    return f"timers/{lead}-{kind}-{version}"


def timer(lead: str, version: int, owner: str, kind: str, clock: Clock, stopped: bool) -> rules_pb2.Timer:
    message = rules_pb2.Timer(
        name=timer_name(lead, kind, version),
        kind=rules_pb2.Timer.Kind.Value(kind),
        subject=lead_name(lead),
        cancelled=stopped,
        owner=person_name(owner),
        owner_version=version,
    )
    if clock.due is not None:
        message.due_time.FromDatetime(clock.due)
    if clock.fired is not None:
        message.fire_time.FromDatetime(clock.fired)
    return message
