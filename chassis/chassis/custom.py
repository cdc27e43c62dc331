"""What a company adds to a record without a programmer: its own fields as plain data, and tags."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from chassis import fields
from chassis.errors import Invalid
from chassis.fields import FieldProblem
from chassis.kinds import json_text

MOST_BYTES, MOST_KEYS, DEEPEST = 64 * 1024, 500, 5
MOST_TAGS = 50
_KEY = re.compile(r"\w[\w .\-]{0,63}")


def values(given: Struct) -> dict[str, Any]:
    """A company's own fields: at most 64 kB of JSON, five levels deep, 500 keys. Raises FieldProblem."""
    if given.ByteSize() > 2 * MOST_BYTES:
        raise FieldProblem("has more than 64 kB", "超过 64 kB")
    try:
        plain: dict[str, Any] = json_format.MessageToDict(given)
    except (ValueError, RecursionError) as problem:  # NaN and infinity, which JSON does not have
        raise FieldProblem("is not plain data", "不是有效的数据") from problem
    return checked(plain)


def checked(plain: dict[str, Any]) -> dict[str, Any]:
    """The same data within the same bounds. Raises FieldProblem."""
    if _count(plain, 1) > MOST_KEYS:
        raise FieldProblem(f"has more than {MOST_KEYS} keys", f"超过 {MOST_KEYS} 个键")
    if len(json_text(plain).encode()) > MOST_BYTES:
        raise FieldProblem("has more than 64 kB", "超过 64 kB")
    return plain


def patched(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values with those keys replaced; None removes one. Raises FieldProblem where they become too many."""
    return checked({key: value for key, value in {**before, **given}.items() if value is not None})


def laid(before: Mapping[str, Any] | None, values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The values of an update, with those of "custom" and of "custom.key" laid over what was there `before`, key by
    key: whoever changes one leaves the others. None under "custom.key" removes that one, and nothing else does. A key
    may have dots, but there are no paths below one. `prefix` is the record's in the request ("customer"). Raises
    Invalid."""
    given = dict(values)
    whole = given.pop("custom", None) or {}
    own = {path.partition(".")[2]: given.pop(path) for path in values if path.startswith("custom.")}
    if wrong := [key for key, value in whole.items() if value is None]:
        raise Invalid(
            [
                (
                    f"{prefix}.custom.{key}",
                    "is null; name it in update_mask to remove it",
                    "为空值；如需删除请在 update_mask 中指明",
                )
                for key in wrong
            ]
        )
    if below := [key for key, value in own.items() if value is None and "." in key and key not in (before or {})]:
        raise Invalid(
            [
                (
                    f"update_mask.custom.{key[:64]}",
                    "there is no such key; name a key whole",
                    "没有这个键；须写完整的键名",
                )
                for key in below
            ]
        )
    if whole or own:
        try:
            given["custom"] = patched(before or {}, {**whole, **own}) or (None if before is None else {})
        except FieldProblem as problem:
            raise Invalid([(f"{prefix}.custom", problem.english, problem.chinese)]) from None
    return given


def tags(given: Sequence[str]) -> list[str]:
    """At most 50 of at most 64 characters, each once. Raises FieldProblem."""
    if len(given) > MOST_TAGS:
        raise FieldProblem(f"at most {MOST_TAGS}", f"最多 {MOST_TAGS} 个")
    return list(dict.fromkeys(fields.text(one, 64, required=True) for one in given))


def _count(value: Any, depth: int) -> int:
    """How many keys there are, every value checked on the way."""
    if isinstance(value, str):
        fields.text(value, MOST_BYTES, multiline=True)
    elif isinstance(value, float) and not math.isfinite(value):
        raise FieldProblem("has a number that is not finite", "含有非有限数值")
    elif isinstance(value, dict | list):
        if depth > DEEPEST:
            raise FieldProblem(f"is more than {DEEPEST} levels deep", f"嵌套超过 {DEEPEST} 层")
        if isinstance(value, list):
            return sum(_count(inner, depth + 1) for inner in value)
        for key in value:
            if not _KEY.fullmatch(key):
                raise FieldProblem(
                    "has a key that is not 1 to 64 letters, digits, spaces or _-.",
                    "键名须为 1 至 64 个字母、数字、空格或 _-.",
                )
        return len(value) + sum(_count(inner, depth + 1) for inner in value.values())
    return 0
