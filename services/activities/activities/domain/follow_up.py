"""What was said or done about a record, and what came of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

# How far a clock that runs ahead may date something into what is still to come.
SKEW = timedelta(minutes=5)


class Method(enum.IntEnum):
    METHOD_UNSPECIFIED = 0
    CALL = 1
    VISIT = 2
    MAIL = 3
    MESSAGE = 4
    MEETING = 5
    OTHER = 6


class Outcome(enum.IntEnum):
    OUTCOME_UNSPECIFIED = 0
    PAID = 1
    REVISIT = 2
    REFUSED = 3
    REFERRAL = 4
    NOT_REACHED = 5
    PROGRESS = 6


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Fields in the order of the columns; `method` and `outcome` are numbers of the contract. `origin` stands for the
    place that an import took it from."""

    name: str
    record: str
    customer: str
    opportunity: str
    lead: str
    method: int
    outcome: int
    summary: str
    next_plan: str
    next_time: datetime | None
    next_owner: str
    owner: str
    team: str
    happen_time: datetime
    attachments: Sequence[str]
    mentions: Sequence[str]
    custom: Mapping[str, Any] | None
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A follow-up as somebody wants it logged: `values` are those that he gave, by field. `once`: where it is logged
    already, that one will do."""

    values: Mapping[str, Any]
    historical: bool = False
    to_stage: str = ""
    once: bool = False
    origin: str = ""


def marks(origin: str, values: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """By what a follow-up is known again: where it came from; its record, moment and words."""
    found: list[tuple[object, ...]] = [(origin,)] if origin else []
    if values.get("happen_time"):
        found.append((values["record"], values["happen_time"], values.get("summary", "")))
    return found
