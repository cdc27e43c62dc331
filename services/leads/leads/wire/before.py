"""What a lead held before an import and holds since, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from leads.domain.lead import Lead

# What a capture may change of a lead.
FACTS = (
    *("full_name", "phone", "email", "company", "licence", "region", "industry", "category", "intent"),
    *("text", "latitude", "longitude", "tags", "skills", "custom", "channel", "capture_time", "last_activity_time"),
)
_TIMES = ("capture_time", "last_activity_time")


def changes(before: Lead, after: Lead) -> dict[str, list[Any]]:
    """Field to what it held and holds, for those that differ."""
    return {
        field: [_plain(was), _plain(now)]
        for field in FACTS
        if (was := getattr(before, field)) != (now := getattr(after, field))
    }


def restored(lead: Lead, changed: Mapping[str, list[Any]]) -> tuple[dict[str, Any], list[str]]:
    """What to put back, and the fields that somebody has changed since."""
    back: dict[str, Any] = {}
    others: list[str] = []
    for field, (was, now) in changed.items():
        if _plain(getattr(lead, field)) == now:
            back[field] = datetime.fromisoformat(was) if field in _TIMES and was else was
        elif field != "last_activity_time":
            others.append(field)
    return back, others


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
