"""Corrections of a lead: which fields, and their values, checked like a capture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis import clock
from chassis.errors import Invalid
from chassis.fields import FieldCheck
from dealwright.leads.v1 import leads_pb2
from leads.wire.capture import READERS, present, read

# All that a capture brings but the moment it happened, which the response clocks rest on.
CHANGEABLE = tuple(name for name in READERS if name != "capture_time")
_EMPTY: dict[str, Any] = {"intent": 0, "tags": [], "skills": [], "custom": None}


def paths(request: leads_pb2.UpdateLeadRequest) -> list[str]:
    """The fields to change: the mask's, all for "*", those that are set without a mask; "custom.key" for one key of
    `custom`. Raises Invalid."""
    mask = list(dict.fromkeys(request.update_mask.paths))
    if mask == ["*"]:
        return list(CHANGEABLE)
    if not mask:
        return [name for name in CHANGEABLE if present(request.lead, name)]
    wrong = [name for name in mask if name not in CHANGEABLE and not name.startswith("custom.")]
    if wrong:
        raise Invalid(
            [(f"update_mask.{name[:64]}", "cannot be changed this way", "不能通过此方法修改") for name in wrong]
        )
    return mask


def values(request: leads_pb2.UpdateLeadRequest, named: Sequence[str]) -> dict[str, Any]:
    """New values by the lead's own field names; None under "custom.key" for a key that is to go. Raises Invalid with
    every wrong field."""
    check = FieldCheck()
    found: dict[str, Any] = {}
    for name in named:
        if name.startswith("custom."):
            own = read("custom", request.lead, check, clock.now()) if present(request.lead, "custom") else None
            found[name] = (own or {}).get(name.partition(".")[2])
            continue
        if not present(request.lead, name):
            if name == "channel":
                check.refuse("lead.channel", "is required", "必填")
            elif name == "location":
                found["latitude"] = found["longitude"] = None
            else:
                found[name] = _EMPTY.get(name, "")
            continue
        value = read(name, request.lead, check, clock.now())
        if name == "location" and value is not None:
            found["latitude"], found["longitude"] = value
        else:
            found[name] = value
    if check.violations:
        raise Invalid(check.violations)
    return found
