"""What the company has done with a customer so far, for who has to decide (Q14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chassis.money import Money


@dataclass(frozen=True, slots=True)
class Deal:
    """A contract; `status` is the name of its state."""

    name: str
    number: str
    title: str
    status: str
    amount: Money | None
    create_time: datetime


@dataclass(frozen=True, slots=True)
class History:
    """`contracts` counts those that were signed, `signed` sums them by currency; `last` are the newest contracts."""

    customer: str
    display_name: str = ""
    tier: str = ""
    contracts: int = 0
    signed: tuple[Money, ...] = ()
    quotes: int = 0
    last: tuple[Deal, ...] = ()
