"""The proof of a visit, as it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CheckIn:
    """Fields in the order of the columns. `latitude` and `longitude` are degrees (WGS 84); `photo` and `signature` are
    "attachments/..."; `owner` was there."""

    name: str
    record: str
    customer: str
    latitude: float
    longitude: float
    address: str
    photo: str
    signature: str
    note: str
    happen_time: datetime
    owner: str
    team: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None
