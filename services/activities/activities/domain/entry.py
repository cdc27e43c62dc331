"""What a timeline is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """Fields in the order of the columns. `key` is 32 hexadecimal digits: those of the event, or of the record that it
    is about, so that a repeat makes one entry. `resource` is the right that it takes to read it, and the role's hidden
    fields of that are left out of `detail`; titles therefore say nothing that a role may not see. Customer and
    opportunity become those of the record. `kind` is a number of the contract."""

    key: str
    record: str
    resource: str
    kind: int
    title_zh: str
    title_en: str
    actor: str
    happen_time: datetime
    learn_time: datetime
    source: str
    customer: str = ""
    opportunity: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def key_of(name: str) -> str:
    """The key of an entry about a record of ours, "followUps/...": its id."""
    return name.partition("/")[2]
