"""A protobuf message as plain JSON data, as protobuf JSON writes it: camelCase, 64-bit numbers as text.

Numbers, booleans and lists are always there, so that scripts may count on them; empty texts, unspecified enum values
and messages that are not set are left out. What a proto calls "Write only" is never written.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor as F
from google.protobuf.message import Message

from gateway.wire import well_known
from gateway.wire.comments import write_only

Put = Callable[[Any, dict[str, Any]], None]
_LONG = (F.CPPTYPE_INT64, F.CPPTYPE_UINT64)


def encode(plain: Any) -> bytes:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(errors="replace")


def write(message: Message) -> Any:
    special = well_known.WRITE.get(message.DESCRIPTOR.full_name)
    if special is not None:
        return special(message)
    plain: dict[str, Any] = {}
    for put in _plan(message.DESCRIPTOR):
        put(message, plain)
    return plain


@cache
def _plan(descriptor: Any) -> Sequence[Put]:
    return [_putter(field) for field in descriptor.fields if not write_only(field)]


def _putter(field: Any) -> Put:
    name, key = field.name, field.json_name
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        return _map_putter(name, key, message.fields_by_name["value"])
    if message is not None:
        one: Callable[[Any], Any] = well_known.WRITE.get(message.full_name, write)
    else:
        one = _scalar(field)
    if field.is_repeated:

        def put_list(source: Any, plain: dict[str, Any]) -> None:
            plain[key] = [one(item) for item in getattr(source, name)]

        return put_list
    if field.has_presence:

        def put_if_set(source: Any, plain: dict[str, Any]) -> None:
            if source.HasField(name):
                plain[key] = one(getattr(source, name))

        return put_if_set
    if field.cpp_type in (F.CPPTYPE_STRING, F.CPPTYPE_ENUM):

        def put_if_any(source: Any, plain: dict[str, Any]) -> None:
            value = getattr(source, name)
            if value:
                plain[key] = one(value)

        return put_if_any

    def put(source: Any, plain: dict[str, Any]) -> None:
        plain[key] = one(getattr(source, name))

    return put


def _map_putter(name: str, key: str, value: Any) -> Put:
    one: Callable[[Any], Any] = write if value.message_type is not None else _scalar(value)

    def put_map(source: Any, plain: dict[str, Any]) -> None:
        entries = getattr(source, name)
        plain[key] = {str(k): one(entries[k]) for k in sorted(entries)}

    return put_map


def _scalar(field: Any) -> Callable[[Any], Any]:
    if field.cpp_type == F.CPPTYPE_ENUM:
        names = {value.number: value.name for value in field.enum_type.values}
        return lambda number: names.get(number, number)
    if field.cpp_type in _LONG:
        return str
    if field.type == F.TYPE_BYTES:
        return lambda value: base64.b64encode(value).decode()
    if field.cpp_type in (F.CPPTYPE_DOUBLE, F.CPPTYPE_FLOAT):
        return _float
    return lambda value: value


def _float(value: float) -> Any:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
