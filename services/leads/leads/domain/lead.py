"""A lead, what comes in for it, and what a further touch does to it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class Channel(enum.IntEnum):
    """Where a contact came from (L4, L5, E11); numbers as in the contract."""

    CHANNEL_UNSPECIFIED = 0
    WEB_FORM = 1
    TRADE_SHOW = 2
    DOUYIN = 3
    WECHAT = 4
    PHONE_400 = 5
    REFERRAL = 6
    IMPORT = 7
    API = 8


class Intent(enum.IntEnum):
    INTENT_UNSPECIFIED = 0
    HIGH = 1
    MEDIUM = 2
    LOW = 3


class Status(enum.IntEnum):
    STATUS_UNSPECIFIED = 0
    WAITING = 1
    UNASSIGNED = 2
    ASSIGNED = 3
    CONTACTED = 4
    QUALIFIED = 5
    DISQUALIFIED = 6
    POOLED = 7
    MERGED = 8
    DELETED = 9


class Attention(enum.IntEnum):
    ATTENTION_UNSPECIFIED = 0
    RED = 1
    YELLOW = 2
    GREEN = 3


class Kind(enum.IntEnum):
    """What a touchpoint tells of."""

    KIND_UNSPECIFIED = 0
    CAPTURED = 1
    TOUCHED = 2
    ASSIGNED = 3
    UNASSIGNED = 4
    CONTACTED = 5
    RELEASED = 6
    QUALIFIED = 7
    DISQUALIFIED = 8
    ESCALATED = 9
    CHANGED = 10
    KEPT = 11
    DELETED = 12
    UNDELETED = 13


# Nobody works on these any more.
CLOSED = frozenset({Status.QUALIFIED, Status.DISQUALIFIED, Status.MERGED, Status.DELETED})
# A new touch opens these again.
RETURNS = frozenset({Status.POOLED, Status.DISQUALIFIED})
# Somebody works on these.
AT_WORK = frozenset({Status.ASSIGNED, Status.CONTACTED})
# Why a lead that was touched waits again though it had an owner.
OWNER_LEFT = "OWNER_LEFT"
# Nobody decided yet, or nobody could take it.
UNDECIDED = frozenset({Status.WAITING, Status.UNASSIGNED})


@dataclass(frozen=True, slots=True)
class Capture:
    """A contact as it came in, every field normalised; "" and None stand for nothing said. A phone has its extension
    with it, "+862162345678;ext=801": the whole is what a person is known by."""

    phone: str = ""
    email: str = ""
    full_name: str = ""
    company: str = ""
    licence: str = ""
    region: str = ""
    industry: str = ""
    category: str = ""
    channel: int = Channel.API
    intent: int = Intent.INTENT_UNSPECIFIED
    text: str = ""
    latitude: float | None = None
    longitude: float | None = None
    capture_time: datetime | None = None
    tags: Sequence[str] = ()
    skills: Sequence[str] = ()
    custom: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead as it is stored.

    `owners` is everybody who has had it, the present owner last. `deciding` says why an owned lead waits for another
    decision ("REASSIGNED", "FIRST_RESPONSE_MISSED"). `status_time` is when the status changed; for a waiting lead,
    when it was last announced. `version` counts what people and channels changed: the record of a decision and the
    clocks leave it, so that a person's edit does not go stale by itself.
    """

    name: str
    full_name: str
    phone: str
    email: str
    company: str
    licence: str
    region: str
    industry: str
    category: str
    channel: int
    intent: int
    text: str
    latitude: float | None
    longitude: float | None
    capture_time: datetime
    receive_time: datetime
    status: int
    status_reason: str
    status_time: datetime
    owner: str
    owner_version: int
    owners: Sequence[str]
    deciding: str
    tags: Sequence[str]
    skills: Sequence[str]
    custom: Mapping[str, Any] | None
    assign_time: datetime | None
    respond_by: datetime | None
    first_response_time: datetime | None
    last_activity_time: datetime
    escalated_to: str
    review_with: str
    version: int
    # First responses that owners let lie until their time was over.
    missed_responses: int = 0
    # Of a deleted lead when that was, and the status that it comes back to; it keeps its owner.
    delete_time: datetime | None = None
    status_before: int | None = None

    @property
    def deleted(self) -> bool:
        return self.status == Status.DELETED


def start(capture: Capture, name: str, now: datetime) -> Lead:
    """The lead that a first capture makes."""
    return Lead(
        name=name,
        full_name=capture.full_name,
        phone=capture.phone,
        email=capture.email,
        company=capture.company,
        licence=capture.licence,
        region=capture.region,
        industry=capture.industry,
        category=capture.category,
        channel=capture.channel,
        intent=capture.intent,
        text=capture.text,
        latitude=capture.latitude,
        longitude=capture.longitude,
        capture_time=capture.capture_time or now,
        receive_time=now,
        status=Status.WAITING,
        status_reason="",
        status_time=now,
        owner="",
        owner_version=0,
        owners=(),
        deciding="",
        tags=capture.tags,
        skills=capture.skills,
        custom=capture.custom,
        assign_time=None,
        respond_by=None,
        first_response_time=None,
        last_activity_time=now,
        escalated_to="",
        review_with="",
        version=1,
    )


def joined(tags: Sequence[str], more: Sequence[str]) -> list[str]:
    """The tags and those of `more` that are not among them, in order."""
    return list(dict.fromkeys((*tags, *more)))
