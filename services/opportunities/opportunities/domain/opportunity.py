"""An opportunity as it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from chassis.money import Money, of_units


class Status(IntEnum):
    OPEN = 1
    WON = 2
    LOST = 3
    ON_HOLD = 4
    # New, until whoever leads its owner says yes (O35).
    AWAITING_CONFIRMATION = 5


class Importance(IntEnum):
    NORMAL = 1
    IMPORTANT = 2


CLOSED = frozenset({Status.WON, Status.LOST})
RUNNING = frozenset({Status.OPEN, Status.ON_HOLD, Status.AWAITING_CONFIRMATION})
# What a stage may show.
SHOWN = (Status.OPEN, Status.WON, Status.LOST, Status.ON_HOLD)


@dataclass(frozen=True, slots=True)
class Opportunity:
    """Fields in the order of the columns. `amount` and `budget` are in ten-thousandths of their currency, or None;
    `expected_close_date` is ISO text or empty; `collaborators` are {"person", "part"}, a team {"person": "", "part",
    "team"}; `resume_stage` is the open stage that it left when it was put on hold, won or lost, empty for one that
    was lost before it was open; `open_time` is when it was opened, if that was before it was entered; `warning` is
    why it is warned since `warned_time`, if it is; `approved_quote` is the last quote that was approved, at
    `quote_approve_time`."""

    name: str
    number: str
    title: str
    customer: str
    contact: str
    lead: str
    pipeline: str
    stage: str
    status: int
    amount: int | None
    currency: str
    expected_close_date: str
    win_probability: int
    need: str
    products: list[str]
    budget: int | None
    budget_currency: str
    decision_cycle: str
    blocker: str
    importance: int
    collaborators: list[dict[str, str]]
    owner: str
    team: str
    owner_version: int
    custom: dict[str, Any] | None
    position: str
    phone: str
    email: str
    source: str
    industry: str
    company_size: str
    follow_up_status: str
    checklist_done: list[str]
    stage_time: datetime
    open_time: datetime | None
    close_time: datetime | None
    status_reason: str
    resume_stage: str
    warned_time: datetime | None
    warning: str
    warning_zh: str
    approved_quote: str
    quote_approve_time: datetime | None
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None

    @property
    def opened(self) -> datetime:
        return self.open_time or self.create_time

    @property
    def expected(self) -> Money | None:
        return of_units(self.amount, self.currency)

    @property
    def budgeted(self) -> Money | None:
        return of_units(self.budget, self.budget_currency)


@dataclass(frozen=True, slots=True)
class StageChange:
    """One move. `from_stage` is empty and `from_status` 0 for the opening; `actor` is "people/..." or a service."""

    id: str
    opportunity: str
    from_stage: str
    to_stage: str
    from_status: int
    to_status: int
    happen_time: datetime
    actor: str
    forced: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Share:
    """A right to read that ends by itself."""

    opportunity: str
    person: str
    given_by: str
    start_time: datetime
    end_time: datetime


@dataclass(frozen=True, slots=True)
class Agreed:
    """A quote that was approved: what it comes to, when that was, and who had asked for it and said yes to it."""

    opportunity: str
    quote: str
    approval: str
    total: Money
    at: datetime
    asker: str
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Warning:
    """What somebody should look at. Fields in the order of the columns; `stage` is the one it is about."""

    opportunity: str
    kind: str
    message: str
    message_zh: str
    stage: str
    raise_time: datetime


@dataclass(frozen=True, slots=True)
class Party:
    """A customer or a contact, in the order of the columns. `customer` is a contact's, and of a customer the one that
    it was merged into; the rest says who sees a customer."""

    name: str
    customer: str = ""
    deleted: bool = False
    version: int = 1
    owner: str = ""
    team: str = ""
    shared: bool = False

    @property
    def merged(self) -> bool:
        return bool(self.customer) and self.name.startswith("customers/")


@dataclass(frozen=True, slots=True)
class Welcomed:
    """A lead with the customer and the contact that it became. `wanted`: whoever qualified it wants an opportunity."""

    lead: str
    owner: str
    wanted: bool
    title: str
    customer: str
    contact: str
    phone: str
    email: str
    source: str
    industry: str
    need: str
