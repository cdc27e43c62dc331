"""Who is told of what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Kind(IntEnum):
    MENTIONED = 1
    LEAD_ASSIGNED = 2
    TASK_ASSIGNED = 3
    APPROVAL_REQUESTED = 4
    APPROVAL_COPIED = 5
    APPROVAL_DECIDED = 6
    QUOTE_OPENED = 7
    PAYMENT_OVERDUE = 8
    CONTRACT_EXPIRING = 9
    OPPORTUNITY_SHARED = 10
    COLLABORATOR_ADDED = 11
    NOTIFY = 12
    MAIL = 13
    ESCALATED = 14


class MailState(IntEnum):
    NONE = 0
    WAITING = 1
    SENT = 2
    FAILED = 3
    UNCERTAIN = 4


# What goes by mail where a company says nothing else. A rule's MAIL always does.
MAILED = (Kind.APPROVAL_REQUESTED, Kind.PAYMENT_OVERDUE, Kind.CONTRACT_EXPIRING, Kind.ESCALATED)


@dataclass(frozen=True, slots=True)
class Words:
    """What people read, in both languages."""

    title_zh: str
    title_en: str
    text_zh: str = ""
    text_en: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that one person is to be told. `key`: he is told once of what has the same. `template`: whose words and
    attachments it has, by name or display name. `about`: a record that is called by its number in the text."""

    person: str
    kind: Kind
    record: str
    words: Words
    actor: str
    key: str
    template: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Fields in the order of the columns. `attachments` are "attachments/..."."""

    name: str
    person: str
    kind: int
    record: str
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    actor: str
    key: str
    mail_state: int
    attachments: list[str]
    create_time: datetime
    read_time: datetime | None
