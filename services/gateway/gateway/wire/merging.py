"""What a document says, laid over what there is: a JSON merge patch (RFC 7396).

What it names is changed, what it leaves out stays, null takes away. Lists are values: one that is given replaces the
one there was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def merge(into: Any, given: Any) -> None:
    """Lays the Struct `given` over the Struct `into`, in place."""
    for key, value in given.fields.items():
        kind = value.WhichOneof("kind")
        if kind == "null_value":
            if key in into.fields:
                del into.fields[key]
        elif kind != "struct_value":
            into.fields[key].CopyFrom(value)
        else:
            if not into.fields[key].HasField("struct_value"):
                into.fields[key].struct_value.Clear()
                into.fields[key].struct_value.SetInParent()
            merge(into.fields[key].struct_value, value.struct_value)


def removed(before: Any, given: Any, path: str = "") -> Iterator[str]:
    """The paths of objects of `before` that `given` takes away: "forms.booth"."""
    for key, value in given.fields.items():
        here = f"{path}.{key}" if path else key
        if key not in before.fields or not before.fields[key].HasField("struct_value"):
            continue
        if value.WhichOneof("kind") == "null_value":
            yield here
        elif value.HasField("struct_value"):
            yield from removed(before.fields[key].struct_value, value.struct_value, here)
