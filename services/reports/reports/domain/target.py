"""What is to be reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Target:
    """Fields in the order of the columns. Of a `person`, of a `team`, or with neither the company's; `value` in
    ten-thousandths of the KPI's unit."""

    name: str
    kpi: str
    period: str
    person: str
    team: str
    value: int
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None
