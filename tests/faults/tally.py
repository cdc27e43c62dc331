"""What the check of deals finds, and how it reads what both databases keep differently."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Tally:
    """`wrong`: every violation. The rest is how much there was to be wrong."""

    wrong: list[str] = field(default_factory=list)
    deals: int = 0
    approvals: int = 0
    races: int = 0
    payments: int = 0
    refunds: int = 0
    shares: int = 0
    ended: int = 0
    entries: int = 0
    copies: int = 0
    vips: int = 0

    def counts(self) -> dict[str, int]:
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "wrong"}

    def says(self, sign: str, text: str) -> None:
        self.wrong.append(f"{sign}: {text}")

    def once(self, sign: str, found: Mapping[Any, int], wanted: Iterable[Any]) -> None:
        """Each of those that are wanted is there once, and no others are."""
        expected = set(wanted)
        for key in sorted({*found, *expected}, key=str):
            if found.get(key, 0) != (key in expected):
                self.says(sign, f"{key} is there {found.get(key, 0)} times, should be {int(key in expected)}")


def at(moment: Any) -> int:
    """Microseconds since 1970: what SQLite keeps, of what PostgreSQL keeps."""
    return int(moment) if isinstance(moment, int) else (moment - _EPOCH) // timedelta(microseconds=1)


def plain(stored: Any) -> Any:
    return json.loads(stored) if isinstance(stored, str | bytes) else stored
