"""What somebody says of a record otherwise than what it holds, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from chassis.money import written
from dealwright.api.v1 import bringing_pb2

_LONGEST = 200


def differences(ours: Message, theirs: Message, unsaid: bool = False) -> list[bringing_pb2.Difference]:
    """The fields of which the two hold different things; with `unsaid` those, too, of which ours holds nothing. Of
    labels it is one only where theirs has more."""
    held = dict(_flat(_plain(ours)))
    found = []
    for field, value in _flat(_plain(theirs)):
        mine = held.get(field)
        more = set(value) - set(mine or ()) if isinstance(value, list) else value != mine
        if more and (mine or unsaid):
            found.append(bringing_pb2.Difference(field=field, ours=_shown(mine), theirs=_shown(value)))
    return found


def _plain(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return found


def _flat(plain: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Fields with their values, the keys of "custom" and "external_ids" each by itself."""
    for name, value in plain.items():
        if isinstance(value, dict) and "currency_code" not in value:
            yield from ((f"{name}.{key}", of) for key, of in value.items())
        elif isinstance(value, list):
            yield name, [_shown(one) for one in value]
        else:
            yield name, value


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):  # money
        amount = Decimal(value.get("units", 0)) + Decimal(value.get("nanos", 0)) / 10**9
        return f"{written(amount, value['currency_code'])} {value['currency_code']}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return ("、".join(value) if isinstance(value, list) else str(value))[:_LONGEST]
