"""Attachments and check-ins as messages, and requests as plain values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any

from google.type.latlng_pb2 import LatLng

from activities.domain.attachment import Attachment
from activities.domain.check_in import CheckIn
from chassis import fields
from chassis.fields import FieldCheck, FieldProblem
from chassis.messages import stamp
from dealwright.activities.v1 import files_pb2 as pb

_KIND = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_RECORD = re.compile(r"[a-z][A-Za-z]{1,30}/[0-9a-f]{32}")
_SAME = ("name", "record", "customer", "owner", "team")


def attachment(of: Attachment) -> pb.Attachment:
    return pb.Attachment(
        **{name: getattr(of, name) for name in (*_SAME, "kind", "file_name", "content_type", "size_bytes", "sha256")},
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
    )


def check_in(of: CheckIn) -> pb.CheckIn:
    return pb.CheckIn(
        **{name: getattr(of, name) for name in (*_SAME, "address", "photo", "signature", "note")},
        location=LatLng(latitude=of.latitude, longitude=of.longitude),
        happen_time=stamp(of.happen_time),
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
    )


def kind(value: str) -> str:
    """What a gate asks for. Raises FieldProblem."""
    if not _KIND.fullmatch(value):
        raise FieldProblem('must have 1 to 64 small letters, digits and "-"', "须为 1 至 64 个小写字母、数字或 “-”")
    return value


def record(value: str) -> str:
    """The name of a record. Raises FieldProblem."""
    if not _RECORD.fullmatch(value):
        raise FieldProblem(
            'must be "customers/...", "opportunities/..." or the like', "须为 “customers/…”、“opportunities/…” 等"
        )
    return value


# What of a check-in can be put right later.
CHECK_IN: Mapping[str, Callable[[str], str]] = {
    "photo": lambda value: fields.text(value, 100, required=True),
    "signature": lambda value: fields.text(value, 100, required=True),
    "address": lambda value: fields.text(value, 300),
    "note": lambda value: fields.text(value, 5000, multiline=True),
}


def changed_check_in(given: pb.CheckIn, named: Sequence[str], check: FieldCheck) -> dict[str, Any]:
    """The values of these fields. What is wrong is told to `check`."""
    return {name: check.take(f"check_in.{name}", CHECK_IN[name], getattr(given, name)) for name in named}


def values_of_check_in(given: pb.CheckIn, check: FieldCheck) -> dict[str, Any]:
    """By the names of the columns; `happen_time` None for now. What is wrong is told to `check`."""
    found: dict[str, Any] = {"record": check.take("check_in.record", record, given.record)}
    place = None
    if given.HasField("location"):
        place = check.take("check_in.location", fields.location, given.location.latitude, given.location.longitude)
    else:
        check.refuse("check_in.location", "is required", "必填")
    found["latitude"], found["longitude"] = place or (0.0, 0.0)
    found |= changed_check_in(given, tuple(CHECK_IN), check)
    found["happen_time"] = None
    if given.HasField("happen_time"):
        found["happen_time"] = check.take("check_in.happen_time", _moment, given.happen_time)
    return found


def _moment(given: Any) -> Any:
    try:
        return fields.moment(given.ToDatetime(tzinfo=UTC))
    except (ValueError, OverflowError) as problem:
        raise FieldProblem("must lie in the years 2000 to 2100", "必须在 2000 至 2100 年之间") from problem
