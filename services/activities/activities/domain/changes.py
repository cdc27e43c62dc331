"""What a customer wants otherwise than agreed (C22)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from chassis.money import Money, of_units


class ChangeType(enum.IntEnum):
    TYPE_UNSPECIFIED = 0
    SPECIFICATION = 1
    QUANTITY = 2
    SCHEDULE = 3
    DELIVERY = 4
    OTHER = 5


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """Fields in the order of the columns; the surcharge in ten-thousandths, None for none."""

    name: str
    record: str
    customer: str
    opportunity: str
    type: int
    detail: str
    schedule_days: int
    surcharge: int | None
    currency: str
    owner: str
    team: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None = None

    @property
    def added(self) -> Money | None:
        return of_units(self.surcharge, self.currency)
