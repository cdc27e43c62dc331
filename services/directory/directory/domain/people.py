"""A person, and what changes do to him."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

ONLINE, AWAY, OFFLINE = "ONLINE", "AWAY", "OFFLINE"
PRESENCES = (ONLINE, AWAY, OFFLINE)
ACTIVE, LEFT = "ACTIVE", "LEFT"
STATES = (ACTIVE, LEFT)
SENIORITIES = ("", "junior", "senior")

# Presence changes by itself all day; an edit form must not become stale by it.
_PRESENCE_FIELDS = frozenset({"presence", "expects_heartbeat", "presence_expired"})


@dataclass(frozen=True, slots=True)
class Person:
    """`version` rises with every change, presence included; `edits` with every other one, and is the etag.

    `open_limit` and `day_limit` are counts of leads, None for unlimited. `expects_heartbeat`: he has sent one, so
    silence means something. `presence_expired`: OFFLINE because heartbeats stopped, so the next one brings him back.
    """

    name: str
    display_name: str
    login: str
    role: str
    created_at: datetime
    updated_at: datetime
    team: str = ""
    manager: str = ""
    region: str = ""
    skills: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    seniority: str = ""
    weight: int = 1
    open_limit: int | None = None
    day_limit: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    presence: str = ONLINE
    state: str = ACTIVE
    calendar: str = ""
    email: str = ""
    expects_heartbeat: bool = False
    presence_expired: bool = False
    version: int = 1
    edits: int = 1

    @property
    def etag(self) -> str:
        return str(self.edits)

    @property
    def active(self) -> bool:
        return self.state == ACTIVE


def changed(person: Person, changes: Mapping[str, Any], now: datetime) -> Person:
    """The person after the changes; the same value when nothing differs.

    Who leaves is OFFLINE; who returns is ONLINE unless said otherwise; a presence that somebody set is not expired.
    """
    values = {field: value for field, value in changes.items() if getattr(person, field) != value}
    if "presence" in changes and "presence_expired" not in changes and person.presence_expired:
        values["presence_expired"] = False
    state = values.get("state")
    if state == LEFT:
        values |= {"presence": OFFLINE, "presence_expired": False, "expects_heartbeat": False}
    elif state == ACTIVE:
        values["presence"] = changes.get("presence", ONLINE)
    if not values:
        return person
    edits = person.edits + (1 if set(values) - _PRESENCE_FIELDS else 0)
    return replace(person, **values, version=person.version + 1, edits=edits, updated_at=now)


def manager_chain_has(start: str, person: str, managers: Mapping[str, str]) -> bool:
    """Whether `person` stands at or above `start` in the chain of managers (a circle, were he put below it)."""
    seen: set[str] = set()
    at = start
    while at and at not in seen:
        if at == person:
            return True
        seen.add(at)
        at = managers.get(at, "")
    return False
