"""The keys `approvalFlows` and `approverGroups` of our part of the blueprint (Q9, Q19)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chassis.fields import FieldCheck
from chassis.people import find_all
from chassis.transaction import Transaction
from contracts.domain import approval_form, approval_written
from contracts.domain.approval_templates import FLOWS, GROUPS
from contracts.domain.approvers import EACH
from contracts.storage import approvals as stored
from contracts.storage.tables import people

APPROVAL_FLOWS, APPROVER_GROUPS = "approvalFlows", "approverGroups"
_NAMED = re.compile(r"\b(?:people|teams)/[0-9a-f]{32}\b")


def flows(given: Any, check: FieldCheck, path: str) -> Any:
    """The flows in their normal form; those that every system begins with for None."""
    return approval_written.flows(approval_form.flows(FLOWS if given is None else given, check, path).values())


def groups(given: Any, check: FieldCheck, path: str) -> Any:
    """The approver groups in their normal form."""
    return approval_written.groups(approval_form.groups(GROUPS if given is None else given, check, path).values())


def used(tx: Transaction, before: Mapping[str, Any], after: Mapping[str, Any], check: FieldCheck) -> None:
    """Refuses flows that ask a group which is not there, and new ones that ask somebody who is not."""
    lines = list(_lines(after))
    wanted = {line for _, _, line in lines}
    there = {one.name for one in find_all(tx, people, sorted(wanted)) if one.active}
    teams = stored.all_teams(tx) if any(line.startswith("teams/") for line in wanted) else {}
    old = {(key, line) for key, _, line in _lines(before)}
    for key, path, line in lines:
        kind, _, value = line.removeprefix(EACH).partition(":")
        if kind == "group" and value not in after[APPROVER_GROUPS]:
            check.refuse(path, f"there is no approver group {value}", f"没有审批组 {value}")
        elif line.startswith("people/") and line not in there and (key, line) not in old:
            check.refuse(path, f"{line} is not known, or has left", f"{line} 不存在或已离职")
        elif line.startswith("teams/") and line not in teams and (key, line) not in old:
            check.refuse(path, f"{line} is not known", f"{line} 不存在")


def named(document: str) -> set[str]:
    """The people and teams that a document names, whatever else it is."""
    return set(_NAMED.findall(document))


def known(tx: Transaction, names: set[str]) -> bool:
    """Whether news of all these people and teams have come."""
    return names <= {one.name for one in find_all(tx, people, sorted(names))} | stored.all_teams(tx).keys()


def _lines(content: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every line that names approvers: (the flow or group it is of, its path, the line)."""
    for id, flow in content[APPROVAL_FLOWS].items():
        for place, node in enumerate(flow["nodes"]):
            for number, line in enumerate(node.get("approvers", [])):
                yield f"flow {id}", f"{APPROVAL_FLOWS}.{id}.nodes[{place}].approvers[{number}]", line
    for id, group in content[APPROVER_GROUPS].items():
        for key in ("members", "otherwise"):
            for number, line in enumerate(group[key]):
                yield f"group {id}", f"{APPROVER_GROUPS}.{id}.{key}[{number}]", line
