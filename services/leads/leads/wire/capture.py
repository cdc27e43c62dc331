"""What a capture brings, checked and normalised field by field before it reaches a transaction."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from chassis import clock, fields
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from chassis.rpc import Call
from dealwright.leads.v1 import leads_pb2
from leads.domain.lead import Capture, Channel, Intent
from leads.domain.touch import CUSTOM_BYTES, CUSTOM_KEYS, MOST_TAGS, MOST_TEXT, custom_bytes
from leads.wire.times import moment

_CHANNELS = frozenset(Channel)
_INTENTS = frozenset(Intent)
_FUTURE = timedelta(minutes=5)
LONGEST = {"full_name": 128, "company": 200, "industry": 64, "category": 64}
LONGEST_TEXT = MOST_TEXT
LONGEST_REQUEST_ID = 128
_CUSTOM_DEPTH = 5
_CUSTOM_KEY = re.compile(r"\w[\w .\-]{0,63}")
_EXTENSION = re.compile(r"[0-9]{1,8}", re.ASCII)


def capture(call: Call[leads_pb2.CaptureLeadRequest]) -> Capture:
    """The capture as the domain knows it. Raises Invalid with every wrong field, "lead.phone"."""
    request = call.request
    check = FieldCheck()
    if request.request_id:
        check.take("request_id", fields.text, request.request_id, LONGEST_REQUEST_ID)
    taken = contact(request.lead, check, clock.now())
    if check.violations:
        raise Invalid(check.violations)
    return taken


def contact(lead: leads_pb2.Lead, check: FieldCheck, now: datetime, path: str = "lead") -> Capture:
    """Reads what a capture may say; what only we say is ignored. Wrong fields are noted in `check`."""
    noted = len(check.violations)
    values: dict[str, Any] = {name: read(name, lead, check, now, path) for name in READERS if present(lead, name)}
    if not lead.phone and not lead.email:
        check.refuse(f"{path}.phone", "a phone or an e-mail is required", "手机号和邮箱至少填写一项")
    if lead.phone_extension and not lead.phone:
        check.refuse(f"{path}.phone", "is required with an extension", "填写分机号时必须填写电话")
    if len(check.violations) > noted:
        return Capture()
    place = values.pop("location", None)
    if place is not None:
        values["latitude"], values["longitude"] = place
    return Capture(**values)


def present(lead: leads_pb2.Lead, name: str) -> bool:
    if name in ("location", "custom", "capture_time"):
        return lead.HasField(name)  # type: ignore[arg-type]
    return bool(getattr(lead, name))


def read(name: str, lead: leads_pb2.Lead, check: FieldCheck, now: datetime, path: str = "lead") -> Any:
    """One field as it is stored; None, and noted in `check`, where it is wrong."""
    value = getattr(lead, name)
    if name == "phone" and lead.phone_extension:
        return _direct_line(value, lead.phone_extension, check, path)
    if name == "location":
        # Left out, a half would be 0 degrees: a place, and a wrong one.
        missing = [half for half in ("latitude", "longitude") if not value.HasField(half)]
        for half in missing:
            check.refuse(f"{path}.location.{half}", "is required", "必填")
        if missing:
            return None
    return check.take(f"{path}.{name}", READERS[name], value, now)


def _direct_line(phone: str, extension: str, check: FieldCheck, path: str) -> str | None:
    """The phone with the extension that comes beside it; one that is written in the phone wins."""
    if not _EXTENSION.fullmatch(extension):
        check.refuse(f"{path}.phone_extension", "must be 1 to 8 digits", "须为 1 至 8 位数字")
        return None
    line = check.take(f"{path}.phone", fields.direct_line, phone)
    return f"{line};ext={extension}" if line and ";ext=" not in line else line


def _text(name: str) -> Callable[[str, datetime], str]:
    longest = LONGEST[name]
    return lambda value, now: fields.text(value, longest)


def _phone(value: str, now: datetime) -> str:
    return fields.direct_line(value)


def _email(value: str, now: datetime) -> str:
    return fields.email(value)


def _licence(value: str, now: datetime) -> str:
    return fields.licence(value, strict=False)


def _region(value: str, now: datetime) -> str:
    return fields.region(value)


def _message(value: str, now: datetime) -> str:
    return fields.text(value, LONGEST_TEXT, multiline=True)


def _channel(value: int, now: datetime) -> int:
    if value not in _CHANNELS:
        raise FieldProblem(f"{value} is no channel", f"{value} 不是有效的渠道")
    return value or Channel.API


def _intent(value: int, now: datetime) -> int:
    if value not in _INTENTS:
        raise FieldProblem(f"{value} is no intent", f"{value} 不是有效的意向度")
    return value


def _location(value: leads_pb2.Location, now: datetime) -> tuple[float, float]:
    return fields.location(value.latitude, value.longitude)


def _capture_time(value: Any, now: datetime) -> datetime:
    at = moment(value)
    if at is None:
        raise FieldProblem("must lie in the years 2000 to 2100", "必须在 2000 至 2100 年之间")
    at = fields.moment(at)
    if at > now + _FUTURE:
        raise FieldProblem("lies in the future", "不能晚于当前时间")
    return at


def labels(value: Sequence[str], now: datetime | None = None) -> list[str]:
    """Tags or skills: at most 50 of at most 64 characters, each once."""
    if len(value) > MOST_TAGS:
        raise FieldProblem(f"at most {MOST_TAGS}", f"最多 {MOST_TAGS} 个")
    return list(dict.fromkeys(fields.text(one, 64, required=True) for one in value))


def custom(value: Struct, now: datetime | None = None) -> dict[str, Any]:
    """A company's own fields: plain data, at most 16 kB of JSON, five levels deep, 200 keys."""
    if value.ByteSize() > 2 * CUSTOM_BYTES:
        raise FieldProblem("has more than 16 kB", "超过 16 kB")
    try:
        plain: dict[str, Any] = json_format.MessageToDict(value)
    except (ValueError, RecursionError) as problem:  # NaN and infinity, which JSON does not have
        raise FieldProblem("is not plain data", "不是有效的数据") from problem
    return checked(plain)


def checked(plain: dict[str, Any]) -> dict[str, Any]:
    """The same data within those bounds. Raises FieldProblem."""
    if _count(plain, 1) > CUSTOM_KEYS:
        raise FieldProblem(f"has more than {CUSTOM_KEYS} keys", f"超过 {CUSTOM_KEYS} 个键")
    if custom_bytes(plain) > CUSTOM_BYTES:
        raise FieldProblem("has more than 16 kB", "超过 16 kB")
    return plain


def _count(value: Any, depth: int) -> int:
    """How many keys there are, every value checked on the way."""
    if isinstance(value, str):
        fields.text(value, CUSTOM_BYTES, multiline=True)
    elif isinstance(value, float) and not math.isfinite(value):
        raise FieldProblem("has a number that is not finite", "含有非有限数值")
    elif isinstance(value, dict | list):
        if depth > _CUSTOM_DEPTH:
            raise FieldProblem(f"is more than {_CUSTOM_DEPTH} levels deep", f"嵌套超过 {_CUSTOM_DEPTH} 层")
        if isinstance(value, list):
            return sum(_count(inner, depth + 1) for inner in value)
        for key in value:
            if not _CUSTOM_KEY.fullmatch(key):
                raise FieldProblem(
                    "has a key that is not 1 to 64 letters, digits, spaces or _-.",
                    "键名须为 1 至 64 个字母、数字、空格或 _-.",
                )
        return len(value) + sum(_count(inner, depth + 1) for inner in value.values())
    return 0


READERS: dict[str, Callable[[Any, datetime], Any]] = {
    "phone": _phone,
    "email": _email,
    "full_name": _text("full_name"),
    "company": _text("company"),
    "licence": _licence,
    "region": _region,
    "industry": _text("industry"),
    "category": _text("category"),
    "channel": _channel,
    "intent": _intent,
    "text": _message,
    "location": _location,
    "capture_time": _capture_time,
    "tags": labels,
    "skills": labels,
    "custom": custom,
}
