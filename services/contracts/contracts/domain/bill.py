"""What is to be paid of a contract, what was invoiced and what came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from chassis.money import Money, of_units


class Due(IntEnum):
    """How an instalment stands."""

    OPEN = 1
    PARTLY_PAID = 2
    PAID = 3
    OVERDUE = 4
    CANCELLED = 5


def standing(amount: int, paid: int, overdue: bool) -> Due:
    """How an instalment stands that is not cancelled."""
    if paid >= amount:
        return Due.PAID
    if overdue:
        return Due.OVERDUE
    return Due.PARTLY_PAID if paid else Due.OPEN


@dataclass(frozen=True, slots=True)
class Instalment:
    """Fields in the order of the columns. Money in ten-thousandths of `currency`; `due_date` is empty for a milestone
    that has not come; `overdue_told` is the due date that was announced as missed."""

    name: str
    contract: str
    customer: str
    title: str
    position: int
    amount: int
    paid: int
    currency: str
    due_date: str
    status: int
    owner: str
    overdue_told: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None

    def money(self, units: int) -> Money | None:
        return of_units(units, self.currency)

    @property
    def order(self) -> tuple[str, int]:
        """The oldest first; milestones that have not come last."""
        return self.due_date or "9999", self.position


@dataclass(frozen=True, slots=True)
class Invoice:
    """Fields in the order of the columns. Money in ten-thousandths of `currency`; `amount` has the tax in it."""

    name: str
    number: str
    contract: str
    customer: str
    instalment: str
    amount: int
    tax: int
    currency: str
    issue_date: str
    title: str
    tax_number: str
    owner: str
    void_time: datetime | None
    void_reason: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None

    @property
    def counts(self) -> bool:
        return self.void_time is None and self.delete_time is None


@dataclass(frozen=True, slots=True)
class Payment:
    """Fields in the order of the columns. Money in ten-thousandths of `currency`, the contract's, below zero for a
    refund; `shares` and `given` are {"instalment", "amount"}: what it paid, and what somebody said that it pays;
    `unmatched` is what no instalment took; `received` is in ten-thousandths of `received_currency`, where the bank
    received another currency."""

    name: str
    contract: str
    customer: str
    amount: int
    currency: str
    pay_date: str
    method: str
    reference: str
    shares: list[dict[str, str | int]]
    given: list[dict[str, str | int]]
    unmatched: int
    received: int | None
    received_currency: str
    exchange_rate: str
    owner: str
    team: str
    note: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None
