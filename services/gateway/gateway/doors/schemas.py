"""JSON Schema (2020-12) of protobuf messages, as they are written and read here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor as F

from gateway.wire.comments import comments, write_only

PROBLEM = "Problem"
_WELL_KNOWN: dict[str, dict[str, Any]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time", "examples": ["2026-05-01T09:30:00Z"]},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]{1,11}(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string", "description": "Field names in camelCase, separated by commas."},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array"},
    "google.protobuf.Empty": {"type": "object", "additionalProperties": False},
    "dealwright.api.v1.Problem": {"$ref": f"#/components/schemas/{PROBLEM}"},
}
_SCALARS: dict[int, dict[str, Any]] = {
    F.CPPTYPE_BOOL: {"type": "boolean"},
    F.CPPTYPE_INT32: {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    F.CPPTYPE_UINT32: {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
    F.CPPTYPE_INT64: {
        "type": ["string", "integer"],
        "format": "int64",
        "pattern": "^-?[0-9]{1,19}$",
        "minimum": -(2**63),
        "maximum": 2**63 - 1,
        "description": "Answered as text; taken as text or number.",
    },
    F.CPPTYPE_UINT64: {"type": ["string", "integer"], "pattern": "^[0-9]{1,20}$", "minimum": 0, "maximum": 2**64 - 1},
    F.CPPTYPE_DOUBLE: {"type": "number", "format": "double"},
    F.CPPTYPE_FLOAT: {"type": "number", "format": "float"},
}
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457, in the language of Accept-Language (zh-CN, en).",
    "required": ["type", "title", "status", "detail", "reason", "fields", "requestId"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 100, "maximum": 599},
        "detail": {"type": "string"},
        "reason": {"type": "string", "description": "Stable, for programs."},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "additionalProperties": False,
                "properties": {
                    "field": {"type": "string", "description": "The path as it was sent: lead.fullName."},
                    "message": {"type": "string"},
                    "value": {"description": "STALE: what the field holds now; left out where that is long."},
                    "actor": {"type": "string", "description": "STALE: who changed it last."},
                    "changeTime": {"type": "string", "format": "date-time", "description": "STALE: and when."},
                },
            },
        },
        "etag": {"type": "string", "description": "STALE: the record's etag now."},
        "requestId": {"type": "string", "description": "The X-Request-Id of the answer, to be quoted to support."},
    },
}


class Schemas:
    """Collects the component schemas that an API refers to."""

    def __init__(self, messages: Iterable[Any]) -> None:
        self.components: dict[str, dict[str, Any]] = {PROBLEM: PROBLEM_SCHEMA}
        self._names: dict[str, str] = {}
        reached = _reach(messages)
        short: dict[str, list[str]] = {}
        for name in reached:
            short.setdefault(_short(name), []).append(name)
        for brief, full in short.items():
            for name in full:
                self._names[name] = brief if len(full) == 1 else f"{name.split('.')[1]}.{brief}"

    def of(self, descriptor: Any, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """A reference to the schema of a message. `without` fields stand in the address and not in the body."""
        special = _WELL_KNOWN.get(descriptor.full_name)
        if special is not None:
            return special
        name = self._names[descriptor.full_name]
        if name not in self.components:
            schema = self.components[name] = {"type": "object", "additionalProperties": False}
            if text := comments().get(descriptor.full_name):
                schema["description"] = text
            schema["properties"] = {
                field.json_name: self.field(field) for field in descriptor.fields if field.name not in without
            }
        return {"$ref": f"#/components/schemas/{name}"}

    def field(self, field: Any) -> dict[str, Any]:
        message = field.message_type
        if message is not None and message.GetOptions().map_entry:
            value = message.fields_by_name["value"]
            schema: dict[str, Any] = {"type": "object", "additionalProperties": self._one(value)}
        elif field.is_repeated:
            schema = {"type": "array", "items": self._one(field)}
        else:
            schema = self._one(field)
        text = comments().get(field.full_name, "")
        if not text:
            return schema
        described = {**schema, "description": text}
        if write_only(field):
            described["writeOnly"] = True
        return described

    def _one(self, field: Any) -> dict[str, Any]:
        if field.message_type is not None:
            return self.of(field.message_type)
        if field.cpp_type == F.CPPTYPE_ENUM:
            return self._enum(field.enum_type)
        if field.cpp_type == F.CPPTYPE_STRING:
            return {"type": "string", **({"contentEncoding": "base64"} if field.type == F.TYPE_BYTES else {})}
        return dict(_SCALARS[field.cpp_type])

    def _enum(self, enum: Any) -> dict[str, Any]:
        name = self._names.setdefault(enum.full_name, _short(enum.full_name))
        if name not in self.components:
            schema: dict[str, Any] = {"type": "string", "enum": [value.name for value in enum.values]}
            lines = [comments().get(enum.full_name, "")]
            for value in enum.values:
                if text := comments().get(f"{enum.full_name}.{value.name}"):
                    lines.append(f"{value.name}: {text}")
            if any(lines):
                schema["description"] = "\n\n".join(filter(None, lines))
            self.components[name] = schema
        return {"$ref": f"#/components/schemas/{name}"}


def _reach(messages: Iterable[Any]) -> list[str]:
    """Full names of every message and enum that the messages lead to."""
    found: dict[str, None] = {}
    waiting = list(messages)
    while waiting:
        descriptor = waiting.pop()
        if descriptor.full_name in found or descriptor.full_name in _WELL_KNOWN:
            continue
        found[descriptor.full_name] = None
        for field in descriptor.fields:
            if field.message_type is not None:
                waiting.append(field.message_type)
            elif field.cpp_type == F.CPPTYPE_ENUM:
                found[field.enum_type.full_name] = None
    return list(found)


def _short(full_name: str) -> str:
    """ "dealwright.leads.v1.Lead.Intent" to "Lead.Intent", "google.type.Money" to "Money"."""
    ours = full_name.startswith("dealwright.")
    return full_name.split(".", 3)[3] if ours else full_name.rpartition(".")[2]
