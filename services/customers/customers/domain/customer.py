"""Customers and their contacts, and by what a customer is known again."""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.money import Money, of_units


class Tier(enum.IntEnum):
    TIER_UNSPECIFIED = 0
    A = 1
    B = 2
    C = 3


class Stage(enum.IntEnum):
    STAGE_UNSPECIFIED = 0
    LEAD = 1
    INTENT = 2
    QUOTED = 3
    WON = 4


class DecisionRole(enum.IntEnum):
    DECISION_ROLE_UNSPECIFIED = 0
    DECISION_MAKER = 1
    INFLUENCER = 2
    USER = 3


class HandOverState(enum.IntEnum):
    OPEN = 1
    CONFIRMED = 2


@dataclass(frozen=True, slots=True)
class Customer:
    """Fields in the order of the columns. `phone` is E.164 with its extension; `channel` a number of the contract;
    `signed_amount` is in ten-thousandths of `signed_currency`, `uncounted` what was signed in currencies without a
    rate, in theirs; `vip_tasks` is how many tasks were asked for when it became a VIP."""

    name: str
    create_time: datetime
    update_time: datetime
    display_name: str
    private_person: bool = False
    industry: str = ""
    employees: int = 0
    region: str = ""
    channel: int = 0
    address: str = ""
    tier: int = Tier.TIER_UNSPECIFIED
    tier_by_hand: bool = False
    stage: int = Stage.LEAD
    tags: Sequence[str] = ()
    owner: str = ""
    owner_version: int = 0
    team: str = ""
    shared_with_team: bool = False
    phone: str = ""
    email: str = ""
    licence: str = ""
    external_ids: Mapping[str, str] = field(default_factory=dict)
    custom: Mapping[str, Any] = field(default_factory=dict)
    lead: str = ""
    merged_into: str = ""
    delete_time: datetime | None = None
    version: int = 1
    vip: bool = False
    vip_time: datetime | None = None
    signed_amount: int = 0
    signed_currency: str = ""
    last_follow_up_time: datetime | None = None
    uncounted: Mapping[str, int] = field(default_factory=dict)
    vip_tasks: int = 0

    @property
    def signed(self) -> Money | None:
        return of_units(self.signed_amount, self.signed_currency) if self.signed_currency else None

    @property
    def stands(self) -> bool:
        """Neither deleted nor part of another."""
        return self.delete_time is None and not self.merged_into


@dataclass(frozen=True, slots=True)
class Contact:
    """Fields in the order of the columns."""

    name: str
    customer: str
    create_time: datetime
    update_time: datetime
    full_name: str
    title: str = ""
    phone: str = ""
    email: str = ""
    decision_role: int = DecisionRole.DECISION_ROLE_UNSPECIFIED
    delete_time: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class HandOver:
    """Fields in the order of the columns. `person` left; `owner` and what follows is set when it was confirmed; `kind`
    is the first part of the record's name, `customer` the record's, `version` the version of its owner."""

    name: str
    customer: str
    person: str
    state: int
    owner: str
    confirmed_by: str
    create_time: datetime
    confirm_time: datetime | None
    record: str
    kind: str
    title: str
    version: int


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What a leaver had: a record with what people call it, and its owner's version. `settled`: `owner` has it now, or
    nobody."""

    record: str
    customer: str
    person: str
    title: str
    version: int
    settled: bool = False
    owner: str = ""

    @property
    def kind(self) -> str:
        return self.record.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Signed:
    """A contract, in the order of the columns. `amount` is in ten-thousandths; it counts from its signing (`sign_date`,
    ISO text) until it is voided; `number` is what people call it."""

    contract: str
    customer: str
    amount: int
    currency: str
    counts: bool
    version: int
    sign_date: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Sum:
    """What somebody signed, in ten-thousandths; by currency what could not be counted for want of a rate."""

    amount: int = 0
    uncounted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rate:
    """One of `from_currency` was `rate` (decimal text) of `to_currency` on `date` (ISO text), in the order of the
    columns."""

    name: str
    from_currency: str
    to_currency: str
    date: str
    rate: str
    gone: bool
    version: int


@dataclass(frozen=True, slots=True)
class Role:
    """What those who have a role may write, in the order of the columns."""

    id: str
    writes: Sequence[str]
    version: int


@dataclass(frozen=True, slots=True)
class Reached:
    """A deal, a quote or a contract, and the Stage that a customer has come to by it, in the order of the columns."""

    record: str
    customer: str
    stage: int


# What may find a customer by itself (C20), the surest first.
TRIPLE = ("licence", "phone", "email")
_SPACE = re.compile(r"\s+")


def spelled(display_name: str) -> str:
    """One spelling of a company's name: without white space, full-width letters and case."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", display_name)).casefold()


def keys(of: Customer) -> dict[str, str]:
    """By what nobody else may be known: the key to the field that it comes from."""
    found = {f"{name}:{value}": name for name in TRIPLE if (value := getattr(of, name))}
    if not of.private_person:
        found[f"name:{spelled(of.display_name)}"] = "display_name"
    for system, value in of.external_ids.items():
        found[f"id:{system}:{value}"] = f"external_ids.{system}"
    return found


_FILLED = ("industry", "employees", "region", "channel", "address", "lead")


def completed(of: Customer, more: Customer, free: Mapping[str, str]) -> dict[str, Any]:
    """What the customer lacks and the other knows, by field. `free` are the other's keys, with their fields, that this
    one may be known by, too."""
    changes: dict[str, Any] = {
        name: getattr(more, name) for name in _FILLED if not getattr(of, name) and getattr(more, name)
    }
    for name in TRIPLE:
        if not getattr(of, name) and name in free.values():
            changes[name] = getattr(more, name)
    ids = {
        s: v for s, v in more.external_ids.items() if s not in of.external_ids and f"external_ids.{s}" in free.values()
    }
    changes["external_ids"] = {**of.external_ids, **ids}
    changes["tags"] = list(dict.fromkeys([*of.tags, *more.tags]))[:50]
    changes["custom"] = {**more.custom, **of.custom}
    return {name: value for name, value in changes.items() if value != getattr(of, name)}
