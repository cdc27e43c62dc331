"""A contract as it is kept, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from chassis.money import Money, of_units


class Status(IntEnum):
    DRAFT = 1
    SUBMITTED = 2
    APPROVED = 3
    REJECTED = 4
    SIGNED = 5
    VOID = 6
    RETURNED = 7
    COMPLETED = 8


# What may be edited and deleted: nobody is asked to approve it, nobody has.
OPEN = frozenset({Status.DRAFT, Status.RETURNED, Status.REJECTED})
# What holds between the parties.
HOLDS = frozenset({Status.SIGNED, Status.COMPLETED})


class FinanceMode(IntEnum):
    ONE_OFF = 1
    INSTALMENTS = 2
    SUBSCRIPTION = 3
    MILESTONE = 4


class Interval(IntEnum):
    MONTH = 1
    QUARTER = 2
    YEAR = 3


class ChangeStatus(IntEnum):
    PENDING = 1
    APPLIED = 2
    REJECTED = 3
    WITHDRAWN = 4
    OVERTAKEN = 5


@dataclass(frozen=True, slots=True)
class Contract:
    """Fields in the order of the columns. `amount`, `invoiced` and `paid` are in ten-thousandths of `currency`; dates
    are ISO text or empty; `expiry_told` is the expiry date that was announced."""

    name: str
    number: str
    title: str
    customer: str
    contact: str
    opportunity: str
    quote: str
    status: int
    amount: int
    currency: str
    finance_mode: int
    interval: int
    instalment_count: int
    planned_by_hand: bool
    sign_date: str
    start_date: str
    expiry_date: str
    delivery_date: str
    owner: str
    team: str
    author: str
    approval: str
    renews: str
    terms: str
    invoiced: int
    paid: int
    custom: dict[str, Any] | None
    status_reason: str
    expiry_told: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None

    def money(self, units: int) -> Money:
        """So many ten-thousandths of its currency."""
        found = of_units(units, self.currency)
        assert found is not None
        return found

    @property
    def balance(self) -> int:
        """What is still to come; below zero where too much came."""
        return self.amount - self.paid


@dataclass(frozen=True, slots=True)
class StatusChange:
    """`from_status` is 0 for the beginning; `actor` is "people/..." or a service."""

    id: str
    contract: str
    from_status: int
    to_status: int
    happen_time: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class ContractChange:
    """A change that waits for agreement. `content` has the new values by column, `differences` what people read:
    {"field", "before", "after"}."""

    name: str
    contract: str
    customer: str
    status: int
    reason: str
    content: dict[str, Any]
    differences: list[dict[str, str]]
    approval: str
    owner: str
    outcome: str
    end_time: datetime | None
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None
