"""What one more capture does to a lead that is known, and what of it the lead does not take."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from leads.domain.lead import Capture, Lead, joined

# What a lead holds at most, from one capture or from a thousand.
MOST_TEXT = 8000
MOST_TAGS = 50
CUSTOM_BYTES, CUSTOM_KEYS = 16 * 1024, 200

_FILLED = ("full_name", "phone", "email", "company", "licence", "region", "industry", "category", "intent", "text")
_TOLD = tuple(field for field in _FILLED if field != "text")  # a touchpoint has its text anyway
_decisive = attrgetter(
    *("region", "industry", "category", "intent", "company", "text", "latitude", "longitude", "tags", "skills")
)

_kind = attrgetter("region", "industry", "category", "intent", "channel", "capture_time")
_missing = ("full_name", "phone", "company")


def touch(lead: Lead, capture: Capture, now: datetime, waits: bool, others_email: bool) -> Lead:
    """The lead after one more capture: empty fields are filled, nothing is overwritten, the owner stays (L31).

    `waits`: nobody has it, so that what is said now joins what was said before, for whoever is to decide.
    `others_email`: the e-mail is the key of another lead, which keeps it.
    """
    filled: dict[str, Any] = {
        field: value for field in _FILLED if not getattr(lead, field) and (value := getattr(capture, field))
    }
    if others_email:
        filled.pop("email", None)
    if waits and lead.text and capture.text and capture.text not in lead.text:
        both = f"{lead.text}\n{capture.text}"
        filled["text"] = both if len(both) <= MOST_TEXT else lead.text
    if lead.latitude is None and capture.latitude is not None:
        filled["latitude"], filled["longitude"] = capture.latitude, capture.longitude
    if capture.tags:
        # Never fewer than there are: the rules may have added some.
        filled["tags"] = joined(lead.tags, capture.tags)[: max(MOST_TAGS, len(lead.tags))]
    if capture.skills and not lead.skills:
        filled["skills"] = capture.skills
    if capture.custom:
        filled["custom"] = _merged(lead.custom or {}, capture.custom)
    return replace(heard_of(lead, now), **filled, version=lead.version + 1)


def overwrite(lead: Lead, capture: Capture, now: datetime, others_email: bool) -> Lead:
    """The lead after what a capture says replaced what it held; what the capture leaves open stays."""
    said: dict[str, Any] = {field: value for field in _FILLED if (value := getattr(capture, field))}
    if others_email:
        said.pop("email", None)
    if capture.latitude is not None:
        said["latitude"], said["longitude"] = capture.latitude, capture.longitude
    if capture.tags:
        said["tags"] = joined(lead.tags, capture.tags)[: max(MOST_TAGS, len(lead.tags))]
    if capture.skills:
        said["skills"] = capture.skills
    if capture.custom:
        others = {key: value for key, value in (lead.custom or {}).items() if key not in capture.custom}
        said["custom"] = _merged(capture.custom, others)
    return replace(heard_of(lead, now), **said, version=lead.version + 1)


def heard_of(lead: Lead, now: datetime) -> Lead:
    """The lead after a capture by somebody who may not change it: all that was said stays on the touchpoint."""
    return replace(lead, last_activity_time=max(lead.last_activity_time, now))


def first(before: Lead, after: Lead, capture: Capture) -> Lead:
    """The lead as it was captured first. What is heard of late may have happened before (a device had no network), and
    how soon somebody was answered is counted from there: no matter who brings it, and in whatever order."""
    if capture.capture_time is None or capture.capture_time >= before.capture_time:
        return after
    return replace(after, capture_time=capture.capture_time, channel=capture.channel, version=before.version + 1)


def left_over(lead: Lead, capture: Capture) -> dict[str, Any] | None:
    """What the capture said and the lead, after it, does not say; None where that is nothing."""
    left: dict[str, Any] = {
        field: value for field in _TOLD if (value := getattr(capture, field)) and getattr(lead, field) != value
    }
    for field in ("tags", "skills"):
        more = [one for one in getattr(capture, field) if one not in getattr(lead, field)]
        if more:
            left[field] = more
    if capture.custom:
        kept = lead.custom or {}
        other = {key: value for key, value in capture.custom.items() if key not in kept or kept[key] != value}
        if other:
            left["custom"] = other
    return left or None


def unheard(lead: Lead, capture: Capture) -> bool:
    """Whether the capture has words that the lead has no room for."""
    return bool(capture.text) and capture.text not in lead.text


def decisive(before: Lead, after: Lead) -> bool:
    """Whether anything changed that a decision may look at."""
    return bool(_decisive(before) != _decisive(after))


def otherwise(before: Lead, after: Lead) -> bool:
    """Whether it is of another kind than was known, or not as incomplete any more."""
    filled = any(not getattr(before, field) and getattr(after, field) for field in _missing)
    return filled or bool(_kind(before) != _kind(after))


def _merged(kept: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """`kept` and those of `more` that are not there and for which there is room."""
    merged = dict(kept)
    size, keys = custom_bytes(merged), custom_keys(merged)
    for key, value in more.items():
        if key in merged:
            continue
        added = {key: value}
        if size + custom_bytes(added) > CUSTOM_BYTES or keys + custom_keys(added) > CUSTOM_KEYS:
            continue
        size, keys = size + custom_bytes(added), keys + custom_keys(added)
        merged[key] = value
    return merged


def custom_bytes(value: Mapping[str, Any]) -> int:
    """As JSON in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False).encode())


def custom_keys(value: Any) -> int:
    """How many keys there are at all levels."""
    if isinstance(value, Mapping):
        return len(value) + sum(map(custom_keys, value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sum(map(custom_keys, value))
    return 0
