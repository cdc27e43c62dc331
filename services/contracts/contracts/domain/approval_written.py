"""Approval flows and approver groups in their normal form as JSON; `approval_form` reads it back to equal values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contracts.domain.approval_flow import Blank, Flow, Mode, Node, NodeKind, Words
from contracts.domain.approvers import Group


def flows(of: Iterable[Flow]) -> dict[str, Any]:
    return {one.id: flow(one) for one in of}


def flow(of: Flow) -> dict[str, Any]:
    return {
        "displayName": _words(of.display_name),
        "for": of.subject,
        "when": of.when,
        "order": of.order,
        "enabled": of.enabled,
        "askOnce": of.ask_once,
        "distinctPeople": of.distinct_people,
        "nodes": [_node(node) for node in of.nodes],
    }


def groups(of: Iterable[Group]) -> dict[str, Any]:
    return {
        one.id: {
            "displayName": _words(one.display_name),
            "members": list(one.members),
            "otherwise": list(one.otherwise),
        }
        for one in of
    }


def _node(of: Node) -> dict[str, Any]:
    """What a node of its kind takes."""
    plain: dict[str, Any] = {"id": of.id, "displayName": _words(of.display_name), "kind": of.kind.name}
    plain.update({key: value for key, value in (("when", of.when), ("next", of.next)) if value})
    if of.kind is NodeKind.BRANCH:
        return {**plain, "branches": [{"when": one.when, "next": one.next} for one in of.branches]}
    plain["approvers"] = list(of.approvers)
    if of.kind is NodeKind.COPY:
        return plain
    plain |= {"mode": of.mode.name, "timeoutHours": of.timeout_hours, "onTimeout": of.on_timeout.name}
    if of.mode is Mode.N_OF_M:
        plain["n"] = of.needed
    if of.kind is NodeKind.FILL_IN:
        plain["fields"] = [_blank(one) for one in of.fields]
    return plain


def _blank(of: Blank) -> dict[str, Any]:
    return {"id": of.id, "displayName": _words(of.display_name), "required": of.required}


def _words(of: Words) -> dict[str, str]:
    return {"zh": of.chinese, "en": of.english}
