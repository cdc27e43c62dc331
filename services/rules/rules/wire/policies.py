"""Policies as people write them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from google.protobuf import json_format, struct_pb2

from dealwright.rules.v1 import rules_pb2
from rules.domain.policy import Policy, to_plain
from rules.wire.names import person_name


def struct(plain: Any) -> struct_pb2.Struct:
    found = struct_pb2.Struct()
    json_format.ParseDict(plain, found)
    return found


def plain(value: struct_pb2.Struct) -> dict[str, Any]:
    """A Struct as plain data; whole numbers as int, since JSON knows only one kind."""
    found: dict[str, Any] = json_format.MessageToDict(value)
    whole = _whole(found)
    assert isinstance(whole, dict)
    return whole


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {k: _whole(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return value


def policy_content(policy: Policy) -> dict[str, Any]:
    """The policy as people write it: persons by their resource names."""
    content = to_plain(policy)
    for step in content["steps"]:
        for rule in step.get("rules", ()):
            rule["people"] = [person_name(p) for p in rule["people"]]
        if step.get("to") not in (None, "queue", "manager"):
            step["to"] = person_name(step["to"])
    return content


def people_named(content: Any) -> set[str]:
    """The ids of people that what somebody wrote names; what is not as it should be names nobody."""
    steps = content.get("steps") if isinstance(content, dict) else None
    found: list[Any] = []
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict):
            found.append(step.get("to"))
            rules = step.get("rules")
            for rule in rules if isinstance(rules, list) else ():
                people = rule.get("people") if isinstance(rule, dict) else None
                found += people if isinstance(people, list) else ()
    return {name.removeprefix("people/") for name in found if isinstance(name, str) and name.startswith("people/")}


def policy_message(policy: Policy, published: datetime | None) -> rules_pb2.Policy:
    message = rules_pb2.Policy(
        name=f"policies/{policy.id}",
        content=struct(policy_content(policy)),
        version=policy.version,
        hash=policy.hash(),
        etag=f"{policy.version}",
    )
    if published is not None:
        message.publish_time.FromDatetime(published)
    return message
