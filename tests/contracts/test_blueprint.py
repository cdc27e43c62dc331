"""The part of the blueprint that names who approves."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from chassis import clock
from chassis.rpc import Call
from chassis.transaction import Origin
from contracts.domain.approval_templates import GROUPS
from contracts.servicer.blueprint import BlueprintServicer
from dealwright.blueprint.v1 import blueprint_pb2 as pb
from tests.contracts.desk import ADMIN, Desk, refused

NEW = f"people/{7:032x}"


def _groups(*members: str) -> dict[str, Any]:
    return {"approverGroups": {**GROUPS, "director": list(members)}}


def _plan(desk: Desk, *members: str) -> list[str]:
    request = pb.PlanPartRequest()
    request.content.update(_groups(*members))
    call = Call(request, ADMIN, Origin(ADMIN.actor), deadline=clock.monotonic() + 4)
    return [one.path for one in BlueprintServicer(desk.runtime).PlanPart(call).changes]


def test_Q9_whoever_was_hired_a_moment_ago_may_be_said_to_approve(desk: Desk) -> None:
    hired = threading.Timer(0.4, desk.hire, [(NEW, "teams/east", "manager")])
    hired.start()
    try:
        assert "approverGroups.director.members" in _plan(desk, NEW)
    finally:
        hired.join()


def test_Q9_who_never_comes_is_refused_by_name_and_whoever_cannot_be_at_once(desk: Desk) -> None:
    with refused("INVALID", "approverGroups.director.members[0]"):
        _plan(desk, NEW)
    before = time.monotonic()
    with pytest.raises(Exception, match="director"):
        _plan(desk, "people/nobody")
    assert time.monotonic() - before < 0.5
