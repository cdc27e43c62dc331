"""Postings: what a record adds to the figures, as a ledger has it.

Each record (a lead, a deal, a payment) is folded into what is known of it, and what is known says what is posted: so
many of a fact, at the moment it happened, with an amount and a time it took. When something new is learnt, what was
posted before and is not true any more is posted back: nothing is ever changed, and the ledger up to a moment is what
was known then (Snodgrass, "Developing Time-Oriented Database Applications in SQL", 2000, ch. 10: valid time and
transaction time).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

HOUR = 3_600_000_000
Value = TypeVar("Value")


class Posting(NamedTuple):
    """`happen_time` in microseconds since 1970, `amount` in ten-thousandths of `currency`, `seconds` whole. `holder` is
    whose the record is now, and of what somebody did with it he: who may see it. `owner` is for whom it counts. The
    rest are what figures are grouped and filtered by; empty: unknown.

    `customer_holder` and `lead_holder` are whose the customer, and the `lead`, are that lend it something: it is as
    those see it who may see theirs. After APART: as those see it who may not. WHOEVER: they lend it nothing. Of what
    somebody did with a lead, `lead_holder` is whose that lead is, and there is no second one: what it borrows is left
    out where it is summed. Of what is made of others' records (a lead won by a deal, a customer worth what it bought),
    `lead` and `lead_holder` are such a record and whose it is, or SEVERAL people's."""

    fact: str
    happen_time: int
    count: int = 1  # type: ignore[assignment]  # hides tuple's own, which nobody asks a posting
    amount: int = 0
    currency: str = ""
    seconds: int = 0
    holder: str = ""
    owner: str = ""
    channel: str = ""
    region: str = ""
    industry: str = ""
    customer: str = ""
    product: str = ""
    pipeline: str = ""
    stage: str = ""
    reason: str = ""
    detail: str = ""
    lead: str = ""
    customer_holder: str = "*"
    lead_holder: str = "*"


WHOEVER, APART, SEVERAL = "*", "!", "several"


def lent(known: Iterable[Posting], alone: Iterable[Posting], by: str, holder: str) -> list[Posting]:
    """What a record posts with what another lends it (`known`), and what without (`alone`), one by one: of each that
    is not the same both, one for those who may see what `holder` has, and one for those who may not. `by` says which
    other: "customer_holder" or "lead_holder"."""
    place, apart = _PLACES[by], f"{APART}{holder}"
    found = []
    for one, other in zip(known, alone, strict=True):
        if one == other:
            found.append(one)
        else:
            found += [with_values(one, place, holder), with_values(other, place, apart)]
    return found


def made_of(whole: Posting, alone: Posting | None, others: Mapping[str, str]) -> list[Posting]:
    """What a record posts with what it is made of at `others`' (their names, and whose each is), and what without that,
    if anything: the one for those who may see these, the other for those who may not. Of several people's, those alone
    who see everything see the whole."""
    if whole == alone:
        return [whole]
    holders = sorted({*others.values()})
    name, holder = (min(others), holders[0]) if len(holders) == 1 else ("", SEVERAL)
    found = [replace(whole, lead=name, lead_holder=holder)]
    return found if alone is None else [*found, replace(alone, lead=name, lead_holder=f"{APART}{holder}")]


_PLACES = {name: place for place, name in enumerate(Posting._fields)}


def with_values(one: Posting, place: int, *values: Any) -> Posting:
    """A posting with these values from that place of its fields on: what of it is made most often, at a third of what
    `replace` costs."""
    return tuple.__new__(Posting, (*one[:place], *values, *one[place + len(values) :]))


def incomplete(one: Posting, kind: str, blank: Sequence[str]) -> list[Posting]:
    """What a record that is new at `one` adds where fields have no value that it should have: their number as an
    amount of no currency, and which they are."""
    if not blank:
        return []
    return [one._replace(fact=f"{kind}.incomplete", amount=len(blank) * 10_000, currency="", detail="+".join(blank))]


def replace(one: Value, **changes: Any) -> Value:
    """A posting or a dataclass, of which each event makes dozens, with other fields: at a third and less of what
    `dataclasses.replace` costs."""
    if isinstance(one, Posting):
        values = list(one)
        for name, value in changes.items():
            values[_PLACES[name]] = value
        return tuple.__new__(Posting, values)  # type: ignore[return-value]  # it is a posting
    kind: Any = type(one)
    read, places = shape(kind)
    values = list(read(one))
    for name, value in changes.items():
        values[places[name]] = value
    made: Value = kind(*values)
    return made


@cache
def shape(kind: type[Any]) -> tuple[Callable[[Any], tuple[Any, ...]], Mapping[str, int]]:
    """What reads all fields of a dataclass with two or more, and their places."""
    names = [one.name for one in dataclasses.fields(kind)]
    return attrgetter(*names), {name: place for place, name in enumerate(names)}


DIMENSIONS = (
    *("owner", "channel", "region", "industry", "customer", "product"),
    *("pipeline", "stage", "reason", "detail"),
)
"""What figures are grouped and filtered by, besides time."""


def differences(before: Iterable[Posting], after: Iterable[Posting]) -> list[Posting]:
    """What is to be posted for the ledger to come from the first to the second: what fell away posted back, what is new
    posted. Adding it to `before` gives `after`, whatever they are."""
    was, now = list(before), list(after)
    old, there = set(was), set(now)
    if len(old) < len(was) or len(there) < len(now):  # some are twice
        return [*map(back_of, (Counter(was) - Counter(now)).elements()), *(Counter(now) - Counter(was)).elements()]
    return [*(back_of(one) for one in was if one not in there), *(one for one in now if one not in old)]


def back_of(one: Posting) -> Posting:
    """What undoes it."""
    return replace(one, count=-one.count, amount=-one.amount, seconds=-one.seconds)
