"""Reports that are mailed when a day, a week or a month is over (B33, B41)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reports.domain import alert
from reports.domain.periods import Period

WAITING, SENDING, SENT, FAILED, UNCERTAIN = "WAITING", "SENDING", "SENT", "FAILED", "UNCERTAIN"
"""What becomes of a mail."""


@dataclass(frozen=True, slots=True)
class ExportSchedule:
    """Fields in the order of the columns. `people` are "people/..." and "roles/..."; `hour` is of the company's clock;
    `sent_until` is the first day of the span that went out last."""

    name: str
    display_name: str
    display_name_zh: str
    report: str
    group_by: list[str]
    filter: str
    format: int
    span: int
    hour: int
    people: list[str]
    language: str
    enabled: bool
    sent_until: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None


@dataclass(frozen=True, slots=True)
class Mail:
    """What one person is to get of a schedule, about one span of days, both included."""

    schedule: str
    person: str
    begin_date: str
    end_date: str
    state: str
    why: str
    tries: int
    create_time: datetime
    due_time: datetime


def due(span: int, hour: int, now: datetime) -> Period:
    """The last span whose report is to be out at this moment of the company's clock: from the day after it on, at its
    hour."""
    return alert.over(span, (now - timedelta(hours=hour)).date())


def days(of: Period) -> tuple[str, str]:
    """Its first day and its last."""
    assert of.begin is not None
    assert of.end is not None
    return of.begin.isoformat(), (of.end - timedelta(days=1)).isoformat()
