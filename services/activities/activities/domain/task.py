"""What is to be done, by whom and until when."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


class TaskKind(enum.IntEnum):
    KIND_UNSPECIFIED = 0
    TODO = 1
    COLLABORATION = 2
    TICKET = 3
    REVISIT = 4


class Status(enum.IntEnum):
    STATUS_UNSPECIFIED = 0
    OPEN = 1
    IN_PROGRESS = 2
    DONE = 3
    CANCELLED = 4


CLOSED = (Status.DONE, Status.CANCELLED)


@dataclass(frozen=True, slots=True)
class Task:
    """Fields in the order of the columns; `kind` and `status` are numbers of the contract."""

    name: str
    kind: int
    title: str
    title_en: str
    detail: str
    status: int
    record: str
    customer: str
    opportunity: str
    parent: str
    owner: str
    team: str
    creator: str
    due_time: datetime | None
    part: str
    deliverable: str
    mentions: Sequence[str]
    attachments: Sequence[str]
    done_time: datetime | None
    result: str
    custom: Mapping[str, Any] | None
    origin: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None = None

    @property
    def is_done(self) -> bool:
        return self.status == Status.DONE

    @property
    def is_closed(self) -> bool:
        return self.status in CLOSED

    @property
    def is_of_lead(self) -> bool:
        """What comes with the ownership of a lead."""
        return self.origin.startswith("leads/")


@dataclass(frozen=True, slots=True)
class Automatic:
    """A task that no person wrote: `origin` is its key, the same one makes one task."""

    origin: str
    title: str
    title_en: str
    owner: str
    record: str = ""
    kind: int = TaskKind.TODO
    detail: str = ""
    team: str = ""
    due_time: datetime | None = None
    part: str = ""
    deliverable: str = ""
    creator: str = ""
    customer: str = ""
    opportunity: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """How many tasks are a part of one, and how many of these are done."""

    total: int = 0
    done: int = 0


@dataclass(frozen=True, slots=True)
class Owned:
    """An ownership of a lead that began: `respond_by` is None where nobody said until when to respond."""

    lead: str
    owner: str
    owner_version: int
    assign_time: datetime
    respond_by: datetime | None

    def due(self, hours: int) -> datetime:
        """Until when to respond; `hours` after it began where nobody said."""
        return self.respond_by or self.assign_time + timedelta(hours=hours)

    def words(self, hours: int) -> tuple[str, str]:
        """What its owner is asked for, in Chinese and English (L20)."""
        minutes = max(round((self.due(hours) - self.assign_time).total_seconds() / 60), 1)
        number, zh, en = (minutes // 60, "小时", "hour") if minutes % 60 == 0 else (minutes, "分钟", "minute")
        return (
            f"您有一条新线索待处理,请在{number}{zh}内联系客户",
            f"You have a new lead; contact the customer within {number} {en}{'s' if number > 1 else ''}",
        )
