"""By what rows of one sheet are the same record: as the services that keep such records know them again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from chassis import fields
from chassis.fields import FieldProblem
from leads.domain.imports import ImportKind

_SPACE = re.compile(r"\s+")
_READERS: Mapping[str, Callable[[str], str]] = {
    "licence": lambda text: fields.licence(text, strict=False),
    "phone": fields.direct_line,
    "email": fields.email,
}


def keys(kind: int, record: Any) -> list[str]:
    """Of a record as its row says it, the records that it names found; what is wrong is no key."""
    if kind == ImportKind.CUSTOMERS:
        return [*_known_by(record, "licence", "phone", "email"), *_named("name", record.display_name)]
    if kind == ImportKind.CONTACTS:
        found = _known_by(record, "phone", "email") or _named("name", record.full_name)
        return [f"{record.customer} {key}" for key in found]
    if kind == ImportKind.OPPORTUNITIES:
        return [f"{record.customer} {record.title.strip()}"]
    if not record.HasField("happen_time"):
        return []
    at = record.happen_time
    return [f"{record.record} {at.seconds}.{at.nanos} {record.summary.strip()}"]


def _known_by(record: Any, *names: str) -> list[str]:
    found = []
    for name in names:
        if text := getattr(record, name):
            try:
                found.append(f"{name}:{_READERS[name](text)}")
            except FieldProblem:
                continue
    return found


def _named(key: str, text: str) -> list[str]:
    """One spelling of a name: without white space, full-width letters and case."""
    spelled = _SPACE.sub("", unicodedata.normalize("NFKC", text)).casefold()
    return [f"{key}:{spelled}"] if spelled else []
