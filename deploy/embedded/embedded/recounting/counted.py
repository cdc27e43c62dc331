"""What is counted, and what messages mean by moments, amounts and spans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

OF_EVERYBODY, OF_HOLDER = "everybody", "holder"
SEVERAL = "\n"
"""Between the products of one opportunity, which is in the group of each."""
_SOON = (("1h", 1), ("2h", 2), ("4h", 4), ("24h", 24))


@dataclass(frozen=True, slots=True)
class Counted:
    """One that a fact counts. `when` is of the company's clock; `of` is what it is grouped by, with its "holder"
    where that may be another than its owner; `amount` is in ten-thousandths of `currency`. `once`: what counts once in
    each group, however often it is there. `whose`: in whose figures it is, everybody's or its holder's; "": in both."""

    fact: str
    when: datetime
    of: Mapping[str, str] = field(default_factory=dict)
    amount: int = 0
    currency: str = ""
    seconds: int = 0
    once: str = ""
    whose: str = ""


def lent(whole: Iterable[Counted], alone: Iterable[Counted]) -> Iterator[Counted]:
    """What counts of a record to which others lend something, as everybody has it, and as whoever holds the record has
    it, who may not see those."""
    for one, other in zip(whole, alone, strict=True):
        if one == other:
            yield one
        else:
            yield replace(one, whose=OF_EVERYBODY)
            yield replace(other, whose=OF_HOLDER)


def incomplete(fact: str, when: datetime, of: Mapping[str, str], **fields: object) -> Iterator[Counted]:
    """A record that should have these fields, where some have no value."""
    blank = [name for name, value in fields.items() if not value]
    if blank:
        yield Counted(fact, when, {**of, "detail": "+".join(blank)}, amount=len(blank) * 10_000)


def moment(stamp: Any) -> datetime:
    """A message's moment."""
    found: datetime = stamp.ToDatetime(UTC)
    return found


def units(money: Any) -> int:
    """Ten-thousandths."""
    return int(money.units) * 10_000 + int(money.nanos) // 100_000


def called(kind: Any, number: int) -> str:
    """The name of an enum's value; empty for the one that says nothing."""
    return str(kind.Name(number)) if number else ""


def lasted(begin: datetime, end: datetime) -> int:
    """Whole seconds; 0 where the end is before."""
    return max(timedelta(), end - begin) // timedelta(seconds=1)


def how_soon(seconds: int) -> str:
    """Within 1, 2, 4, 24 hours, or later."""
    return next((name for name, hours in _SOON if seconds <= hours * 3600), "later")
