"""Plain JSON data into a protobuf message, strictly: whatever does not fit is refused with the path to it.

Names are taken in camelCase and in snake_case; enum values by name; 64-bit numbers as text or number. A plan per
message type is made once and kept.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor as F
from google.protobuf.message import Message

from gateway.wire import well_known
from gateway.wire.json_text import MOST_DEPTH, NotANumber, Repeated
from gateway.wire.well_known import check_text
from gateway.wire.wrong import Wrong

_INT32 = {F.CPPTYPE_INT32: (-(2**31), 2**31 - 1), F.CPPTYPE_UINT32: (0, 2**32 - 1)}
_INT64 = {F.CPPTYPE_INT64: (-(2**63), 2**63 - 1), F.CPPTYPE_UINT64: (0, 2**64 - 1)}
_URL_SAFE = str.maketrans("-_", "+/")
_MOST_FLOAT = 3.4028234663852886e38


@dataclass(frozen=True)
class Field:
    """How one field is read. `scalar` reads a value; None for messages and maps."""

    name: str
    json_name: str
    repeated: bool
    is_map: bool
    oneof: str
    message: Any
    scalar: Callable[[Any], Any] | None


@cache
def fields_of(descriptor: Any) -> Mapping[str, Field]:
    """The fields of a message type by each name that they may be called by."""
    found: dict[str, Field] = {}
    for field in descriptor.fields:
        message = field.message_type
        is_map = message is not None and message.GetOptions().map_entry
        oneof = field.containing_oneof
        plan = Field(
            field.name,
            field.json_name,
            field.is_repeated and not is_map,
            is_map,
            oneof.name if oneof is not None and len(oneof.fields) > 1 else "",
            message,
            None if message is not None else scalar_reader(field),
        )
        found[field.name] = found[field.json_name] = plan
    return found


def scalar_reader(field: Any) -> Callable[[Any], Any]:
    kind = field.cpp_type
    if kind == F.CPPTYPE_STRING:
        return _bytes if field.type == F.TYPE_BYTES else _text
    if kind == F.CPPTYPE_BOOL:
        return _bool
    if kind == F.CPPTYPE_ENUM:
        names = {value.name: value.number for value in field.enum_type.values}
        return lambda value: _enum(value, names)
    if kind in _INT32:
        low, high = _INT32[kind]
        return lambda value: _whole(value, low, high)
    if kind in _INT64:
        low, high = _INT64[kind]
        return lambda value: _long(value, low, high)
    most = _MOST_FLOAT if kind == F.CPPTYPE_FLOAT else math.inf
    return lambda value: _number(value, most)


def _text(value: Any) -> str:
    if not isinstance(value, str) or isinstance(value, NotANumber):
        raise Wrong("must be text", "必须是文本")
    return check_text(value)


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(
            _text(value).encode(), altchars=b"-_" if "-" in value or "_" in value else None, validate=True
        )
    except binascii.Error:
        raise Wrong("must be base64", "必须是 base64 文本") from None


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("must be true or false", "必须是 true 或 false")
    return value


def _enum(value: Any, names: Mapping[str, int]) -> int:
    number = names.get(value) if isinstance(value, str) else None
    if number is None:
        choices = ", ".join(name for name in names if not name.endswith("_UNSPECIFIED"))
        raise Wrong(f"must be one of {choices}", f"必须是以下之一：{choices}")
    return number


def _whole(value: Any, low: int, high: int) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong("must be a whole number", "必须是整数")
    if not low <= value <= high:
        raise Wrong(f"must be between {low} and {high}", f"必须在 {low} 与 {high} 之间")
    return value


def _long(value: Any, low: int, high: int) -> int:
    if isinstance(value, str) and not isinstance(value, NotANumber):
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 20:
            raise Wrong("must be a whole number", "必须是整数")
        value = int(value)
    return _whole(value, low, high)


def _number(value: Any, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | NotANumber):
        raise Wrong("must be a number", "必须是数字")
    try:
        number = math.nan if isinstance(value, NotANumber) else float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or abs(number) > most:
        raise Wrong("must be a finite number", "必须是有限的数字")
    return number


def read(value: Any, into: Message, depth: int = MOST_DEPTH) -> None:
    """Fills `into`. Raises Wrong with the path of the first thing that does not fit. null means: not given."""
    if not isinstance(value, dict):
        raise Wrong("must be an object", "必须是对象")
    if depth <= 0:
        raise Wrong("is nested too deeply", "嵌套过深")
    if isinstance(value, Repeated):
        raise Wrong("is there twice", "重复出现", f".{value.key}")
    known = fields_of(into.DESCRIPTOR)
    seen: set[str] = set()
    for key, item in value.items():
        field = known.get(key)
        if field is None:
            raise Wrong("there is no such field", "没有该字段", f".{key[:100]}")
        if item is None and (field.message is None or field.message.full_name != "google.protobuf.Value"):
            continue
        if field.name in seen or (field.oneof and field.oneof in seen):
            raise Wrong("is there twice", "重复出现", f".{field.json_name}")
        seen.update((field.name, field.oneof))
        try:
            read_field(field, item, into, depth - 1)
        except Wrong as wrong:
            raise wrong.below(f".{key}") from None


def read_field(field: Field, item: Any, into: Message, depth: int) -> None:
    if field.is_map:
        _read_map(field, item, getattr(into, field.name), depth)
    elif not field.repeated:
        if field.scalar is not None:
            setattr(into, field.name, field.scalar(item))
        else:
            part = getattr(into, field.name)
            part.SetInParent()
            read_message(item, part, depth)
    else:
        if not isinstance(item, list):
            raise Wrong("must be a list", "必须是列表")
        place = getattr(into, field.name)
        for index, one in enumerate(item):
            try:
                if field.scalar is not None:
                    place.append(field.scalar(one))
                else:
                    read_message(one, place.add(), depth - 1)
            except Wrong as wrong:
                raise wrong.below(f"[{index}]") from None


def read_message(value: Any, into: Any, depth: int) -> None:
    special = well_known.READ.get(into.DESCRIPTOR.full_name)
    if special is not None:
        special(value, into, depth)
    else:
        read(value, into, depth)


def _read_map(field: Field, item: Any, place: Any, depth: int) -> None:
    if not isinstance(item, dict):
        raise Wrong("must be an object", "必须是对象")
    if isinstance(item, Repeated):
        raise Wrong("is there twice", "重复出现", f".{item.key}")
    entry = field.message
    key_field, value_field = entry.fields_by_name["key"], entry.fields_by_name["value"]
    for key, one in item.items():
        try:
            if key_field.cpp_type != F.CPPTYPE_STRING:
                raise Wrong("is not a key of this map", "不是有效的键")
            check_text(key)
            if value_field.message_type is not None:
                read_message(one, place[key], depth - 1)
            else:
                place[key] = scalar_reader(value_field)(one)
        except Wrong as wrong:
            raise wrong.below(f".{key}") from None
