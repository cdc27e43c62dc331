"""Entries as bytes: canonical JSON arrays, `[kind, field, ...]`, the format's version in the kind.

Deterministic (one value has one encoding) and free of libraries that change. A field is only ever appended to
a kind under a new kind letter and number; old kinds stay readable for ever.
"""

import json
from collections.abc import Callable
from typing import Any

from chassis.calendar import from_plain as calendar_from_plain
from rules.domain.entries import (
    CalendarChanged,
    Decided,
    Entry,
    LeadFacts,
    LeadWithdrawn,
    LoadChanged,
    PersonChanged,
    PolicyPublished,
    PresenceChanged,
    TurnReturned,
)
from rules.domain.policy import build, to_plain

_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_KINDS: dict[type, str] = {
    PersonChanged: "person1",
    PresenceChanged: "presence1",
    LoadChanged: "load1",
    LeadWithdrawn: "withdrawn1",
    TurnReturned: "returned1",
}
_CLASSES: dict[str, Callable[..., Entry]] = {kind: made for made, kind in _KINDS.items()}


class Unreadable(ValueError):
    """These bytes are no entry, or not the canonical bytes of one."""


def encode(entry: Entry) -> bytes:
    """The canonical bytes of an entry."""
    if isinstance(entry, Decided):
        facts = entry.facts
        # Empty facts at the end are left out: most leads have no owner, exclusions or place.
        tail: list[Any] = [
            _flags(facts.conditions),
            facts.region,
            facts.industry,
            facts.category,
            facts.channel,
            facts.intent,
            facts.skills,
            facts.cell,
            1 if facts.urgent else 0,
            facts.owner,
            facts.excluded,
            facts.attempt,
            facts.owner_version,
        ]
        while tail and not tail[-1]:
            tail.pop()
        return _write(
            [
                "d1",
                facts.lead,
                entry.owner,
                entry.step,
                entry.reason,
                entry.ledger,
                entry.position,
                1 if entry.urgent else 0,
                entry.at,
                entry.at - facts.captured_at,
                entry.policy_hash,
                facts.policy_version,
                *tail,
            ]
        ).encode()
    if isinstance(entry, PolicyPublished):
        plain = ["policy1", entry.policy.version, entry.at, to_plain(entry.policy)]
    elif isinstance(entry, CalendarChanged):
        plain = ["calendar1", entry.calendar, entry.version, entry.at, entry.hours.to_plain()]
    else:
        plain = [_KINDS[type(entry)], *(getattr(entry, name) for name in entry.__slots__)]
    return _write(plain).encode()


def decode(data: bytes) -> Entry:
    """The entry of these bytes. Raises Unreadable unless they are exactly what `encode` gives for it."""
    try:
        entry = _decode(json.loads(data))
        same = encode(entry) == data
    except Exception as error:  # whatever broke, the bytes are not an entry
        raise Unreadable(str(error) or type(error).__name__) from error
    if not same:
        raise Unreadable("not canonical")
    return entry


def _decode(plain: list[Any]) -> Entry:
    kind = plain[0]
    if kind == "d1":
        lead, owner, step, reason, ledger, position, urgent, at, waited, policy_hash, version, *tail = plain[1:]
        usual: tuple[Any, ...] = ("", "", "", "", "", "", (), None, 0, "", (), 0, 0)
        tail += usual[len(tail) :]
        conditions, region, industry, category, channel, intent, skills, place, flag, held, excluded, *rest = tail
        facts = LeadFacts(
            lead,
            version,
            _conditions(conditions),
            region,
            industry,
            category,
            channel,
            intent,
            tuple(skills),
            None if place is None else (place[0], place[1]),
            bool(flag),
            held,
            tuple(excluded),
            rest[0],
            rest[1],
            at - waited,
        )
        return Decided(facts, policy_hash, owner, step, reason, ledger, position, bool(urgent), at)
    if kind == "policy1":
        return PolicyPublished(build(plain[3], plain[1]), plain[2])
    if kind == "calendar1":
        return CalendarChanged(plain[1], plain[2], calendar_from_plain(plain[4]), plain[3])
    fields = [tuple(value) if isinstance(value, list) else value for value in plain[1:]]
    return _CLASSES[kind](*fields)


def _flags(conditions: tuple[bool | str, ...]) -> str | list[bool | str]:
    """ "TFF" while every condition could be evaluated, else the values themselves."""
    if not conditions:
        return ""
    letters = "".join(["T" if value is True else "F" if value is False else "?" for value in conditions])
    return list(conditions) if "?" in letters else letters


def _conditions(plain: str | list[bool | str]) -> tuple[bool | str, ...]:
    return tuple(plain) if isinstance(plain, list) else tuple([letter == "T" for letter in plain])
