"""Texts with places for what is known of a record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chassis.fields import FieldProblem

# What a place may be for.
PLACES = ("customer", "number", "owner", "record", "team", "title", "today")
_PLACE = re.compile(r"\{\{\s*([A-Za-z_.]*)\s*\}\}")
TEXTS = ("subject_zh", "subject_en", "body_zh", "body_en")


@dataclass(frozen=True, slots=True)
class Template:
    """Fields in the order of the columns. `kind` is DOCUMENT 1, MAIL 2 or FOLLOW_UP 3; `attachments` are its own."""

    name: str
    display_name: str
    kind: int
    subject_zh: str
    subject_en: str
    body_zh: str
    body_en: str
    attachments: list[str]
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None


def checked(text: str) -> str:
    """Raises FieldProblem for a place that there is none of."""
    for found in _PLACE.finditer(text):
        if found[1] not in PLACES:
            known = ", ".join(f"{{{{{name}}}}}" for name in PLACES)
            raise FieldProblem(
                f"has {found[0][:60]}; there are {known}", f"含有 {found[0][:60]}，可用的占位符为 {known}"
            )
    return text


def filled(of: Template, values: Mapping[str, str]) -> Template:
    """With the values in their places; nothing where a value is not known. A value is never read as a place itself."""
    texts: dict[str, Any] = {
        name: _PLACE.sub(lambda found: values.get(found[1], ""), getattr(of, name)) for name in TEXTS
    }
    return replace(of, **texts)
