"""Automations: what starts one, on which condition, how long after, and what is asked for then. All of it is data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any

from chassis.calendar import WorkingCalendar

STAGE_CHANGED = "STAGE_CHANGED"
OPPORTUNITY_OPENED = "OPPORTUNITY_OPENED"
OPPORTUNITY_SILENT = "OPPORTUNITY_SILENT"
FOLLOW_UP_LOGGED = "FOLLOW_UP_LOGGED"
REVISIT_DUE = "REVISIT_DUE"
CUSTOMER_SILENT = "CUSTOMER_SILENT"
CONTRACT_EXPIRING = "CONTRACT_EXPIRING"
INSTALMENT_DUE = "INSTALMENT_DUE"
INVOICE_ISSUED = "INVOICE_ISSUED"
PAYMENT_RECEIVED = "PAYMENT_RECEIVED"
PAYMENT_REFUNDED = "PAYMENT_REFUNDED"
TASK_OPENED = "TASK_OPENED"
TASK_DONE = "TASK_DONE"
TASK_OVERDUE = "TASK_OVERDUE"
DAILY = "DAILY"

_OF_ALL = {"owner": "string", "team": "string", "customer": "string", "number": "string", "title": "string"}
_DEAL = {
    **_OF_ALL,
    **dict.fromkeys(("pipeline", "stage", "importance", "currency", "source", "industry"), "string"),
    "amount": "int",
}
_MONEY = {**_OF_ALL, "amount": "int", "currency": "string"}
_PAID = {**_MONEY, **dict.fromkeys(("contract", "payDate", "method", "reference"), "string")}
_TASK = {**_OF_ALL, **dict.fromkeys(("kind", "record", "part", "dueTime", "automation"), "string")}
FACTS: Mapping[str, Mapping[str, str]] = {
    STAGE_CHANGED: {**_DEAL, "fromStage": "string", "toStage": "string", "forced": "bool"},
    OPPORTUNITY_OPENED: _DEAL,
    OPPORTUNITY_SILENT: _DEAL,
    FOLLOW_UP_LOGGED: {**_OF_ALL, "outcome": "string", "channel": "string", "record": "string"},
    REVISIT_DUE: {**_OF_ALL, "outcome": "string", "channel": "string", "record": "string"},
    CUSTOMER_SILENT: {**_OF_ALL, **dict.fromkeys(("tier", "region", "industry", "stage"), "string")},
    CONTRACT_EXPIRING: {**_MONEY, "days": "int"},
    INSTALMENT_DUE: {**_MONEY, "dueDate": "string", "contract": "string"},
    INVOICE_ISSUED: {**_MONEY, "issueDate": "string", "contract": "string"},
    PAYMENT_RECEIVED: _PAID,
    PAYMENT_REFUNDED: _PAID,
    TASK_OPENED: _TASK,
    TASK_DONE: {**_TASK, "result": "string"},
    TASK_OVERDUE: _TASK,
    DAILY: {**_DEAL, "daysSilent": "int", "daysInStage": "int"},
}
"""The triggers, and the facts that conditions of each may name, with their CEL types. Amounts are whole units of their
currency, rounded down; `record` is "leads", "customers", "contacts" or "opportunities"; `kind` is a task's, and
`automation` the id of the automation that asked for it, if one did."""
TRIGGERS = tuple(FACTS)
DELAYED = (
    *(STAGE_CHANGED, OPPORTUNITY_OPENED, OPPORTUNITY_SILENT, FOLLOW_UP_LOGGED, REVISIT_DUE, CUSTOMER_SILENT, DAILY),
    *(TASK_OPENED, TASK_OVERDUE),
)
"""Those that may wait: their subjects are watched."""
SILENT = (OPPORTUNITY_SILENT, CUSTOMER_SILENT)
"""Those that only time starts, so that they must wait, and may ask again."""
ON_OPPORTUNITIES = (STAGE_CHANGED, OPPORTUNITY_OPENED, OPPORTUNITY_SILENT, DAILY)

CREATE_TASK = "CREATE_TASK"
NOTIFY = "NOTIFY"
MAIL = "MAIL"
MARK_LOST = "MARK_LOST"
WARN = "WARN"
TO_PEOPLE = (CREATE_TASK, NOTIFY, MAIL)
TO_OPPORTUNITY = (MARK_LOST, WARN)
ACTIONS = (*TO_PEOPLE, *TO_OPPORTUNITY)
TASK_KINDS = ("TODO", "COLLABORATION", "TICKET", "REVISIT")
PLACEHOLDERS = ("number", "title", "days", "after", "customer")
"""What texts may name: `days` are those that have passed, `after` those that the automation waits for."""
MOST = 100


@dataclass(frozen=True, slots=True)
class Span:
    """How long to wait. In working time a day is as long as the company works on one, on average."""

    days: int = 0
    hours: int = 0

    def __bool__(self) -> bool:
        return bool(self.days or self.hours)

    def times(self, count: int) -> Span:
        return Span(self.days * count, self.hours * count)

    def plus(self, other: Span) -> Span:
        return Span(self.days + other.days, self.hours + other.hours)

    def length(self, hours: WorkingCalendar | None) -> timedelta:
        """As much time of the calendar, or of the clock on the wall."""
        day = timedelta(days=1) if hours is None else working_day(hours)
        return self.days * day + timedelta(hours=self.hours)


def working_day(hours: WorkingCalendar) -> timedelta:
    """The working time of a weekday on which there is any, on average."""
    lengths = [sum(end - start for start, end in spans) for spans in hours.weekly if spans]
    if not lengths:
        lengths = [sum(end - start for start, end in hours.work_day_hours or ((0, 1440),))]
    return timedelta(minutes=sum(lengths)) / len(lengths)


@dataclass(frozen=True, slots=True)
class Action:
    """What is asked for. `to`: "owner", "manager", "team", "people/...", "roles/...", "part:quote" (the collaborators
    with this part, else the owner). Titles and texts hold placeholders. `template` names what a mail has attached."""

    kind: str
    to: tuple[str, ...] = ()
    title_zh: str = ""
    title_en: str = ""
    text_zh: str = ""
    text_en: str = ""
    due_hours: int = 0
    template: str = ""
    task_kind: str = "TODO"


@dataclass(frozen=True, slots=True)
class Automation:
    """`after` nothing: at once. `repeat` nothing: once. `at`: DAILY, when on the company's clock. `author` is the
    person under whose rights it asks, "" for the company's own."""

    id: str
    on: str
    name_zh: str = ""
    name_en: str = ""
    enabled: bool = True
    when: str = ""
    after: Span = field(default_factory=Span)
    working: bool = False
    repeat: Span = field(default_factory=Span)
    at: time | None = None
    actions: tuple[Action, ...] = ()
    author: str = ""

    @property
    def loses(self) -> bool:
        return any(action.kind == MARK_LOST for action in self.actions)

    def waits(self, count: int) -> Span:
        """How long until it asks for the `count`th time, from 0."""
        return self.after.plus(self.repeat.times(count))


_ACTION_KEYS = {
    "kind": "kind",
    "to": "to",
    "titleZh": "title_zh",
    "titleEn": "title_en",
    "textZh": "text_zh",
    "textEn": "text_en",
    "dueHours": "due_hours",
    "template": "template",
    "taskKind": "task_kind",
}
KEYS_OF_ACTION: Mapping[str, tuple[str, ...]] = {
    CREATE_TASK: ("kind", "to", "taskKind", "titleZh", "titleEn", "textZh", "textEn", "dueHours"),
    NOTIFY: ("kind", "to", "titleZh", "titleEn", "textZh", "textEn"),
    MAIL: ("kind", "to", "titleZh", "titleEn", "textZh", "textEn", "template"),
    MARK_LOST: ("kind", "textZh", "textEn"),
    WARN: ("kind", "textZh", "textEn"),
}


def to_plain(automation: Automation) -> dict[str, Any]:
    """As JSON or YAML shows it, every setting spelt out."""
    plain: dict[str, Any] = {
        "id": automation.id,
        "nameZh": automation.name_zh,
        "nameEn": automation.name_en,
        "enabled": automation.enabled,
        "on": automation.on,
        "when": automation.when,
    }
    if automation.on in DELAYED:
        plain["after"] = _span(automation.after, automation.working)
    if automation.on in SILENT:
        plain["repeat"] = {"days": automation.repeat.days, "hours": automation.repeat.hours}
    if automation.at is not None:
        plain["at"] = f"{automation.at:%H:%M}"
    plain["actions"] = [_action(action) for action in automation.actions]
    plain["author"] = automation.author
    return plain


def _span(span: Span, working: bool) -> dict[str, Any]:
    return {"days": span.days, "hours": span.hours, "working": working}


def _action(action: Action) -> dict[str, Any]:
    values = {key: getattr(action, _ACTION_KEYS[key]) for key in KEYS_OF_ACTION[action.kind]}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def build(plain: Mapping[str, Any]) -> Automation:
    """The automation of data already validated."""
    after, repeat, at = plain.get("after", {}), plain.get("repeat", {}), plain.get("at")
    return Automation(
        id=plain["id"],
        on=plain["on"],
        name_zh=plain.get("nameZh", ""),
        name_en=plain.get("nameEn", ""),
        enabled=plain.get("enabled", True),
        when=plain.get("when", ""),
        after=Span(after.get("days", 0), after.get("hours", 0)),
        working=after.get("working", False),
        repeat=Span(repeat.get("days", 0), repeat.get("hours", 0)),
        at=time.fromisoformat(at) if at else None,
        actions=tuple(_built(action) for action in plain["actions"]),
        author=plain.get("author", ""),
    )


def _built(plain: Mapping[str, Any]) -> Action:
    values: dict[str, Any] = {
        _ACTION_KEYS[key]: tuple(value) if isinstance(value, list) else value for key, value in plain.items()
    }
    return Action(**values)
