"""What is known of a customer, and what it adds to the figures.

How valuable one is, is told by when it bought last, how often and for how much (recency, frequency, monetary value:
Hughes, "Strategic Database Marketing", 1994). A contract that was made of a won opportunity is one purchase with it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from reports.domain.folding import Folding, News, newer
from reports.domain.posting import Posting, incomplete, made_of, replace

FREQUENCY = (2, 3, 5, 8)
"""From how many purchases on it is F2 to F5."""
MONETARY = tuple(units * 10_000 for units in (10_000, 50_000, 200_000, 1_000_000))
"""From how much on, in ten-thousandths, it is M2 to M5."""
STAGES = ("LEAD", "INTENT", "QUOTED", "WON")
"""As they are passed."""
DEAL, CONTRACT, COVERED = "deal", "contract", "covered"


@dataclass(frozen=True, slots=True)
class Customer:
    """`version` is of the newest state. `signed` is what its service says was signed with it in all, `blank` are those
    of the fields that it should have that have no value. `parts` are how often each of what others count for with it
    counts: purchases ("deal", record, whose, time, worth), ("contract", record, whose, time, worth, its opportunity),
    and days on which it was followed up ("covered", when the day began). All money is in ten-thousandths of the
    company's currency, by the rate of the day of each purchase."""

    version: int = 0
    deleted: bool = False
    owner: str = ""
    channel: str = ""
    region: str = ""
    industry: str = ""
    tier: str = ""
    stage: str = ""
    create_time: int = 0
    signed: int = 0
    blank: tuple[str, ...] = ()
    parts: tuple[tuple[tuple[Any, ...], int], ...] = ()


_FIELDS = tuple(part.name for part in fields(Customer))
_STATE = _FIELDS[:-1]


def fold(customer: Customer, news: News) -> Customer:
    """What is known with this as well."""
    values = news.values
    if news.what == "state":
        if not newer(values, customer):
            return customer
        return replace(customer, **{name: values[name] for name in _STATE})
    if news.what == "part":
        parts = dict(customer.parts)
        parts[values["part"]] = parts.get(values["part"], 0) + values["count"]
        return replace(customer, parts=tuple(sorted((one, n) for one, n in parts.items() if n)))
    raise ValueError(news.what)


def postings(customer: Customer) -> list[Posting]:
    """What it adds now; nothing while its state is not known or it is deleted or merged."""
    if not customer.version or customer.deleted:
        return []
    bare = Posting(
        "",
        customer.create_time,
        holder=customer.owner,
        owner=customer.owner,
        channel=customer.channel,
        region=customer.region,
        industry=customer.industry,
    )
    days = sorted(part[1] for part, count in customer.parts if part[0] == COVERED and count > 0)
    here = max((customer.create_time, *days))
    found = [
        replace(bare, fact="customer.created"),
        *incomplete(bare, "customer", customer.blank),
        replace(bare, fact="customer.present", happen_time=here, stage=customer.stage, detail=customer.tier),
        # The latest is marked by its amount: those who were covered since a day are as many as have theirs since.
        *(replace(bare, fact="customer.covered", happen_time=day, amount=int(day == days[-1])) for day in days),
    ]
    return found + _valued(customer, replace(bare, fact="customer.valued"))


def _valued(customer: Customer, bare: Posting) -> list[Posting]:
    """What it is worth by all that it bought, and by what it bought of its owner: all that he may know of."""
    bought = [part for part, count in customer.parts if part[0] in (DEAL, CONTRACT) and count > 0]
    his = [part for part in bought if part[2] == customer.owner]

    def worth(bought: Sequence[tuple[Any, ...]]) -> Posting:
        each = _purchases(bought)
        return replace(bare, happen_time=max(part[3] for part in each), detail=value(customer, each))

    others = {part[1]: part[2] for part in bought if part not in his}
    return made_of(worth(bought), worth(his) if his else None, others) if bought else []


def _purchases(bought: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    contracts = [part for part in bought if part[0] == CONTRACT]
    signed = {part[5] for part in contracts}
    return contracts + [part for part in bought if part[0] == DEAL and part[1] not in signed]


def value(customer: Customer, bought: Sequence[tuple[Any, ...]]) -> str:
    """ "F3M5": how often it bought, and for how much."""
    worth = max(sum(part[4] for part in bought), customer.signed)
    return f"F{1 + bisect_right(FREQUENCY, len(bought))}M{1 + bisect_right(MONETARY, worth)}"


def tells(customer: Customer) -> Mapping[str, Any]:
    """What its opportunities and papers are grouped by, and whose it is: who may see that."""
    return {"region": customer.region, "industry": customer.industry, "holder": customer.owner}


def _plain(customer: Customer) -> list[Any]:
    return [getattr(customer, name) for name in _FIELDS]


def _read(plain: list[Any]) -> Customer:
    parts = tuple((tuple(part), count) for part, count in plain[-1])
    return replace(Customer(*plain[:-2]), blank=tuple(plain[-2]), parts=parts)


def _holder(customer: Customer) -> str:
    return customer.owner


FOLDING = Folding(Customer(), fold, postings, _plain, _read, tells=tells, holder=_holder)
