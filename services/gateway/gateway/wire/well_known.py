"""Protobuf's well-known types in JSON: moments, durations, masks, free data. Both ways."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import Message

from gateway.wire.json_text import NotANumber, Repeated
from gateway.wire.wrong import Wrong

_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
_DURATION = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s\Z", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_SECONDS = 315_576_000_000
_MOST_EXACT = 2**53


def read_timestamp(value: Any, into: Any) -> None:
    found = _MOMENT.match(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong("must be a time like 2026-05-01T09:30:00Z", "必须是形如 2026-05-01T09:30:00Z 的时间")
    zone = found[8]
    try:
        year, month, day, hour, minute, second = (int(found[i]) for i in range(1, 7))
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        if zone not in "Zz":
            hours, minutes = int(zone[1:3]), int(zone[4:6])
            if hours > 23 or minutes > 59:
                raise ValueError
            moment -= timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    except (ValueError, OverflowError):
        raise Wrong("is not a time that exists", "不是有效的时间") from None
    into.seconds = (moment - _EPOCH) // timedelta(seconds=1)
    into.nanos = int((found[7] or "").ljust(9, "0"))


def write_timestamp(message: Any) -> str:
    try:
        whole = (_EPOCH + timedelta(seconds=message.seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    except OverflowError:
        return ""
    return whole + _fraction(message.nanos) + "Z"


def _fraction(nanos: int) -> str:
    """None, 3, 6 or 9 digits, as protobuf JSON writes them."""
    if not nanos:
        return ""
    if nanos % 1_000_000 == 0:
        return f".{nanos // 1_000_000:03d}"
    if nanos % 1_000 == 0:
        return f".{nanos // 1_000:06d}"
    return f".{nanos:09d}"


def read_duration(value: Any, into: Any) -> None:
    found = _DURATION.match(value) if isinstance(value, str) else None
    if found is None or int(found[2]) > _MOST_SECONDS:
        raise Wrong("must be seconds like 90s or 1.5s", "必须是形如 90s 或 1.5s 的秒数")
    sign = -1 if found[1] else 1
    into.seconds = sign * int(found[2])
    into.nanos = sign * int((found[3] or "").ljust(9, "0"))


def write_duration(message: Any) -> str:
    sign = "-" if message.seconds < 0 or message.nanos < 0 else ""
    return f"{sign}{abs(message.seconds)}{_fraction(abs(message.nanos))}s"


def read_mask(value: Any, into: Any) -> None:
    if not isinstance(value, str):
        raise Wrong("must be text: field names separated by commas", "必须是用逗号分隔的字段名文本")
    for path in filter(None, value.split(",")):
        if not re.fullmatch(r"[A-Za-z0-9_.]{1,200}", path):
            raise Wrong(f"has no field {path[:60]!r}", f"不存在字段 {path[:60]!r}")
        into.paths.append(snake(path))


def write_mask(message: Any) -> str:
    return ",".join(camel(path) for path in message.paths)


def snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda letter: letter[1].upper(), name)


def read_struct(value: Any, into: Any, depth: int) -> None:
    if not isinstance(value, dict):
        raise Wrong("must be an object", "必须是对象")
    if depth <= 0:
        raise Wrong("is nested too deeply", "嵌套过深")
    if isinstance(value, Repeated):
        raise Wrong("is there twice", "重复出现", f".{value.key}")
    for key, item in value.items():
        try:
            check_text(key)
            read_value(item, into.fields[key], depth - 1)
        except Wrong as wrong:
            raise wrong.below(f".{key}") from None


def read_value(value: Any, into: Any, depth: int) -> None:
    if value is None:
        into.null_value = 0
    elif isinstance(value, NotANumber):
        raise Wrong("must be a finite number", "必须是有限的数字")
    elif isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, str):
        into.string_value = check_text(value)
    elif isinstance(value, int):
        if abs(value) > _MOST_EXACT:
            raise Wrong(
                "is a number too large to be kept exactly; write it as text", "数字过大，无法精确保存，请写成文本"
            )
        into.number_value = value
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Wrong("must be a finite number", "必须是有限的数字")
        into.number_value = value
    elif isinstance(value, dict):
        into.struct_value.SetInParent()
        read_struct(value, into.struct_value, depth)
    else:
        into.list_value.SetInParent()
        read_list(value, into.list_value, depth)


def read_list(value: Any, into: Any, depth: int) -> None:
    if not isinstance(value, list):
        raise Wrong("must be a list", "必须是列表")
    if depth <= 0:
        raise Wrong("is nested too deeply", "嵌套过深")
    for index, item in enumerate(value):
        try:
            read_value(item, into.values.add(), depth - 1)
        except Wrong as wrong:
            raise wrong.below(f"[{index}]") from None


def write_struct(message: Any) -> dict[str, Any]:
    return {key: write_value(message.fields[key]) for key in sorted(message.fields)}


def write_value(message: Any) -> Any:
    kind = message.WhichOneof("kind")
    if kind == "struct_value":
        return write_struct(message.struct_value)
    if kind == "list_value":
        return [write_value(item) for item in message.list_value.values]
    if kind == "number_value":
        number = message.number_value
        return int(number) if number.is_integer() and abs(number) <= _MOST_EXACT else number
    return None if kind in (None, "null_value") else getattr(message, kind)


def check_text(value: str) -> str:
    """Text that a database and protobuf can hold. Raises Wrong."""
    if "\x00" in value:
        raise Wrong("must not contain the character U+0000", "不能包含字符 U+0000")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Wrong("is not valid Unicode (half of a surrogate pair)", "不是有效的 Unicode 文本") from None
    return value


def _read_empty(value: Any, into: Message) -> None:
    if not isinstance(value, dict):
        raise Wrong("must be an object", "必须是对象")
    for key in value:
        raise Wrong("there is no such field", "没有该字段", f".{key}")


READ: dict[str, Callable[[Any, Any, int], None]] = {
    "google.protobuf.Timestamp": lambda value, into, depth: read_timestamp(value, into),
    "google.protobuf.Duration": lambda value, into, depth: read_duration(value, into),
    "google.protobuf.FieldMask": lambda value, into, depth: read_mask(value, into),
    "google.protobuf.Empty": lambda value, into, depth: _read_empty(value, into),
    "google.protobuf.Struct": read_struct,
    "google.protobuf.Value": read_value,
    "google.protobuf.ListValue": read_list,
}
WRITE: dict[str, Callable[[Any], Any]] = {
    "google.protobuf.Timestamp": write_timestamp,
    "google.protobuf.Duration": write_duration,
    "google.protobuf.FieldMask": write_mask,
    "google.protobuf.Empty": lambda message: {},
    "google.protobuf.Struct": write_struct,
    "google.protobuf.Value": write_value,
    "google.protobuf.ListValue": lambda message: [write_value(item) for item in message.values],
}
