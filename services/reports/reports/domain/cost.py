"""What a channel of leads costs in a month, and what that adds to the figures (B17, B19).

A month's cost counts hour by hour, in equal shares: so a day, or an hour, has what its leads are compared with. A share
is a whole number of coins, what is due at the end of its hour less what was due at its beginning, both rounded down:
whatever hours are added up are less than a coin off their part of the month, and all of them are the cost.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from itertools import pairwise
from typing import Any

from chassis import money
from reports.domain.folding import Folding, News
from reports.domain.posting import HOUR, Posting, replace


@dataclass(frozen=True, slots=True)
class ChannelCost:
    """Fields in the order of the columns. `channel` is "TRADE_SHOW", `month` "2026-11", `amount` in ten-thousandths of
    `currency`."""

    name: str
    channel: str
    month: str
    amount: int
    currency: str
    note: str
    version: int
    create_time: datetime
    update_time: datetime
    delete_time: datetime | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What is known of one. `time` is when its month begins, `end` when it ends."""

    version: int = 0
    deleted: bool = False
    channel: str = ""
    time: int = 0
    end: int = 0
    amount: int = 0
    currency: str = ""


_FIELDS = tuple(part.name for part in fields(Spent))


def fold(spent: Spent, news: News) -> Spent:
    """What is known with this as well."""
    return Spent(**news.values) if news.values["version"] > spent.version else spent


def postings(spent: Spent) -> list[Posting]:
    if not spent.version or spent.deleted:
        return []
    bare = Posting("cost.spent", spent.time, currency=spent.currency, channel=spent.channel)
    shares = even_shares(spent.amount, spent.currency, -(-(spent.end - spent.time) // HOUR))
    return [replace(bare, happen_time=spent.time + hour * HOUR, amount=share) for hour, share in enumerate(shares)]


def even_shares(amount: int, currency: str, parts: int) -> list[int]:
    """An amount (ten-thousandths) in so many parts of whole coins that add up to it; what is less than a coin goes
    with the last."""
    coin = int(money.coin(currency) * money.UNITS)
    coins, rest = divmod(amount, coin)
    due = [coins * part // parts * coin for part in range(parts + 1)]
    due[-1] += rest
    return [end - begin for begin, end in pairwise(due)]


def _plain(spent: Spent) -> list[Any]:
    return [getattr(spent, name) for name in _FIELDS]


FOLDING = Folding(Spent(), fold, postings, _plain, lambda plain: Spent(*plain))
