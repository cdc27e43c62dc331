"""A chain of records that belong to one business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Phase(IntEnum):
    PRE_SALE = 1
    IN_SALE = 2
    AFTER_SALE = 3


@dataclass(frozen=True, slots=True)
class Link:
    """A record of the chain. `begin_time` is None for what was there before the opportunity."""

    phase: Phase
    record: str
    state: str
    begin_time: datetime | None
