"""Which payment paid which instalment (K6): told anew from all payments of a contract whenever one comes or goes.

What came is matched first, in the order in which it was recorded; then what was paid back is taken off again, from what
no instalment took and then from the instalments that are due last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment; `given` is what somebody said that it pays (instalment to amount), below zero for a refund."""

    name: str
    amount: int
    given: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Matched:
    """What a payment paid (instalment to amount), and the rest that no instalment took. Both are below zero for a
    refund; together they are its amount."""

    shares: Mapping[str, int]
    unmatched: int


@dataclass(frozen=True, slots=True)
class Settled:
    """`paid` by instalment, each from 0 to its amount; `payments` by name."""

    paid: Mapping[str, int]
    payments: Mapping[str, Matched]

    @property
    def credit(self) -> int:
        return sum(matched.unmatched for matched in self.payments.values())


def settle(plan: Sequence[tuple[str, int]], receipts: Sequence[Receipt]) -> Settled:
    """`plan` is (instalment, amount) for what may be paid, the oldest first; `receipts` as they were recorded. The sum
    of all receipts is not below zero."""
    paid = {name: 0 for name, _ in plan}
    amounts = dict(plan)
    found: dict[str, Matched] = {}
    credit = 0
    for receipt in receipts:
        if receipt.amount <= 0:
            continue
        shares: dict[str, int] = {}
        left = receipt.amount
        wishes = [*receipt.given.items(), *((name, receipt.amount) for name, _ in plan)]
        for name, wish in wishes:
            if name not in paid:
                continue  # cancelled since
            take = min(left, wish, amounts[name] - paid[name])
            if take > 0:
                paid[name] += take
                shares[name] = shares.get(name, 0) + take
                left -= take
        found[receipt.name] = Matched(shares, left)
        credit += left
    for receipt in receipts:
        if receipt.amount > 0:
            continue
        shares = {}
        left = -receipt.amount
        for name, wish in receipt.given.items():
            left -= _back(paid, shares, name, min(left, -wish))
        from_credit = min(left, credit)
        credit -= from_credit
        left -= from_credit
        for name, _ in reversed(plan):
            left -= _back(paid, shares, name, left)
        found[receipt.name] = Matched(shares, -from_credit - left)
        credit -= left
    return Settled(paid, found)


def _back(paid: dict[str, int], shares: dict[str, int], name: str, most: int) -> int:
    """Takes up to so much off what was paid of an instalment. Returns how much that was."""
    take = min(most, paid.get(name, 0))
    if take > 0:
        paid[name] -= take
        shares[name] = shares.get(name, 0) - take
    return max(take, 0)
