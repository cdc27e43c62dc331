"""What we must know of other services' records: whose they are, and what they belong to."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

LEADS, CUSTOMERS, CONTACTS, OPPORTUNITIES = "leads", "customers", "contacts", "opportunities"
QUOTES, CONTRACTS = "quotes", "contracts"
KINDS = (LEADS, CUSTOMERS, CONTACTS, OPPORTUNITIES, QUOTES, CONTRACTS)
"""The first part of a record's name, which is also the right that it takes to see one."""

DEALS = (OPPORTUNITIES, QUOTES, CONTRACTS)
"""Those that a customer of the caller's may have without his seeing them."""

FOLLOWED = (LEADS, CUSTOMERS, CONTACTS, OPPORTUNITIES)
"""What people follow up."""


@dataclass(frozen=True, slots=True)
class Known:
    """Fields in the order of the columns. `version` is below 0 for one that others spoke of before its owner did.

    Of a lead: `woken` is the largest version of its owner at which it wanted one, `answered` the largest that made the
    first contact (or needs none any more).
    """

    name: str
    kind: str
    owner: str = ""
    team: str = ""
    customer: str = ""
    opportunity: str = ""
    lead: str = ""
    title: str = ""
    number: str = ""
    shared_with_team: bool = False
    merged_into: str = ""
    deleted: bool = False
    version: int = -1
    woken: int = 0
    answered: int = 0
    last_follow_up: str = ""
    last_follow_up_time: datetime | None = None

    @property
    def gone(self) -> bool:
        return self.version == FOR_GOOD

    @property
    def is_customers(self) -> bool:
        """Whether the owner of its customer is whose it is: nobody's own, or part of that customer by now."""
        return not self.owner or self.kind == LEADS or bool(self.merged_into)


# The version of a lead that is gone for good: nothing that is told of it later counts.
FOR_GOOD = 2**62


class Said(enum.Enum):
    """What `leads` announced of a lead: it wants an owner, has one, is nobody's, needs no first contact any more, was
    deleted, or is gone for good."""

    WANTS = 1
    OWNED = 2
    RELEASED = 3
    ANSWERED = 4
    DELETED = 5
    GONE = 6


@dataclass(frozen=True, slots=True)
class LeadSaid:
    said: Said
    lead: str
    owner_version: int
    owner: str = ""
    title: str = ""


def kind_of(name: str) -> str:
    return name.partition("/")[0]


def there(name: str) -> Known:
    """One of which only the name is known; a customer is its own, an opportunity and a lead too."""
    kind = kind_of(name)
    return Known(
        name,
        kind,
        customer=name if kind == CUSTOMERS else "",
        opportunity=name if kind == OPPORTUNITIES else "",
        lead=name if kind == LEADS else "",
    )


def newest(told: Iterable[Known]) -> dict[str, Known]:
    """Of several states of each record the last one, by name."""
    return {one.name: one for one in sorted(told, key=lambda one: one.version)}


def parties(of: Known) -> list[str]:
    """The records whose history gains by something about this one, itself first."""
    return [name for name in dict.fromkeys((of.name, of.customer, of.opportunity, of.lead)) if name]
