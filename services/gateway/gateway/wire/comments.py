"""What the protos say in comments, for the OpenAPI document: read from the descriptor set with its source info."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from google.protobuf import descriptor_pb2

_MESSAGE, _ENUM, _SERVICE = 4, 5, 6


@cache
def comments() -> Mapping[str, str]:
    """Full name of a message, field, enum, enum value, service or method -> its comment, joined to one paragraph."""
    data = (files("dealwright") / "descriptors.binpb").read_bytes()
    found: dict[str, str] = {}
    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        if not file.name.startswith("dealwright/"):
            continue
        names = dict(_names(file))
        for location in file.source_code_info.location:
            name = names.get(tuple(location.path))
            if name and location.leading_comments:
                found[name] = _paragraphs(location.leading_comments)
    return found


def write_only(field: Any) -> bool:
    """Whether the proto says so of a field ("Write only; ..."): it is taken and never answered."""
    return comments().get(field.full_name, "").startswith("Write only")


def _paragraphs(text: str) -> str:
    blocks = [" ".join(line.strip() for line in block.splitlines()) for block in text.strip().split("\n\n")]
    return "\n\n".join(block.strip() for block in blocks)


def _names(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    for index, message in enumerate(file.message_type):
        yield from _message(message, (_MESSAGE, index), file.package)
    for index, enum in enumerate(file.enum_type):
        yield from _enum(enum, (_ENUM, index), file.package)
    for index, service in enumerate(file.service):
        yield (_SERVICE, index), f"{file.package}.{service.name}"
        for at, method in enumerate(service.method):
            yield (_SERVICE, index, 2, at), f"{file.package}.{service.name}.{method.name}"


def _message(message: Any, path: Sequence[int], outer: str) -> Iterator[tuple[tuple[int, ...], str]]:
    name = f"{outer}.{message.name}"
    yield tuple(path), name
    for index, field in enumerate(message.field):
        yield (*path, 2, index), f"{name}.{field.name}"
    for index, inner in enumerate(message.nested_type):
        yield from _message(inner, (*path, 3, index), name)
    for index, enum in enumerate(message.enum_type):
        yield from _enum(enum, (*path, 4, index), name)


def _enum(enum: Any, path: Sequence[int], outer: str) -> Iterator[tuple[tuple[int, ...], str]]:
    yield tuple(path), f"{outer}.{enum.name}"
    for index, value in enumerate(enum.value):
        yield (*path, 2, index), f"{outer}.{enum.name}.{value.name}"
