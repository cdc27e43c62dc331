"""A public form: which lead fields a visitor may fill, and what it puts on every lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leads.domain.lead import Channel

# What a visitor may be asked for; the rest is for colleagues and channels.
FIELDS = ("full_name", "phone", "email", "company", "licence", "region", "industry", "category", "text", "custom")
MOST_FORMS = 200


@dataclass(frozen=True, slots=True)
class Form:
    """`version` counts its changes."""

    name: str
    display_name: str
    channel: int
    fields: Sequence[str]
    required_fields: Sequence[str]
    region: str
    industry: str
    tags: Sequence[str]
    open: bool
    rate_per_minute: int
    create_time: datetime
    version: int
    # Origins of web sites whose pages may send it, "*" for all.
    allowed_origins: Sequence[str] = ()
    # Where a browser goes after it sent the form as a page does.
    thanks_url: str = ""
    delete_time: datetime | None = None


Violations = list[tuple[str, str, str]]


def check(form: Form, path: str) -> Violations:
    """What is wrong with a form as a whole."""
    wrong: Violations = []
    for key in ("fields", "required_fields"):
        for index, field in enumerate(getattr(form, key)):
            if field not in FIELDS:
                wrong.append((f"{path}.{key}[{index}]", f"must be one of {', '.join(FIELDS)}", "不是表单可用的字段"))
    for index, field in enumerate(form.required_fields):
        if field in FIELDS and field not in form.fields:
            wrong.append((f"{path}.required_fields[{index}]", "is not among the fields", "不在表单字段之中"))
    if not {"phone", "email"} & set(form.fields):
        wrong.append((f"{path}.fields", "must have phone or email", "必须包含 phone 或 email"))
    if not 0 <= form.rate_per_minute <= 10_000:
        wrong.append((f"{path}.rate_per_minute", "must lie from 0 to 10000", "须在 0 至 10000 之间"))
    return wrong


def to_plain(form: Form) -> dict[str, Any]:
    """The form as it stands in the blueprint, under its id."""
    return {
        "displayName": form.display_name,
        "channel": Channel(form.channel).name,
        "fields": list(form.fields),
        "requiredFields": list(form.required_fields),
        "region": form.region,
        "industry": form.industry,
        "tags": list(form.tags),
        "open": form.open,
        "ratePerMinute": form.rate_per_minute,
        "allowedOrigins": list(form.allowed_origins),
        "thanksUrl": form.thanks_url,
    }


KEYS: Mapping[str, str] = {
    "displayName": "display_name",
    "channel": "channel",
    "fields": "fields",
    "requiredFields": "required_fields",
    "region": "region",
    "industry": "industry",
    "tags": "tags",
    "open": "open",
    "ratePerMinute": "rate_per_minute",
    "allowedOrigins": "allowed_origins",
    "thanksUrl": "thanks_url",
}
