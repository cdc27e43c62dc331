"""What another system recorded of a customer (I22)."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class InteractionKind(enum.IntEnum):
    KIND_UNSPECIFIED = 0
    ORDER = 1
    MAIL = 2
    CONVERSATION = 3
    DIAGNOSIS_REPORT = 4
    CALL_SUMMARY = 5
    SNAPSHOT = 6
    OTHER = 7


@dataclass(frozen=True, slots=True)
class Interaction:
    """Fields in the order of the columns; `kind` is a number of the contract."""

    name: str
    record: str
    customer: str
    opportunity: str
    lead: str
    kind: int
    system: str
    external_id: str
    title: str
    text: str
    detail: Mapping[str, Any]
    attachments: Sequence[str]
    happen_time: datetime
    owner: str
    team: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None = None
