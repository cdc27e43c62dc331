"""Whose turn it is: exact, incremental, and proven in docs/decisions/fairness.md.

A ledger deals the turns of one kind of lead (step, region, needed skills). An *epoch* of it is a run of turns
with the same candidates and weights, in which no turn is returned or charged from outside. All arithmetic is
in integers; credits are counted in units of 1/LEAD lead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import gcd

LEAD = 720_720_000_000
"""Units in one lead: divisible by 1..16 and by every power of ten up to 10^6, so that most shares are exact."""

HORIZON_MARGIN = 8


@dataclass(slots=True)
class Ledger:
    """Credits carried into the running epoch, and what was dealt since. Change it through this module only.

    `credits`: units per member at the epoch's start, sum always 0; `people` (ascending ids), `weights`
    (positive integers) and `taken` run in parallel; `turns` = sum(taken); `at_par`: every candidate began at 0.
    """

    credits: dict[str, int] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    weights: tuple[int, ...] = ()
    taken: list[int] = field(default_factory=list)
    turns: int = 0
    epoch: int = 0
    at_par: bool = True
    period: int = 1
    """Turns after which everybody has had exactly their share."""
    without: tuple[str, ...] = ()
    """Who might have been a candidate of this epoch, had they not had the lead before."""
    plan: dict[int, int] = field(default_factory=dict, compare=False, repr=False)
    """Turn of the period -> index: a pure function of the epoch's start, so copies may share it."""

    def copy(self) -> "Ledger":
        return Ledger(
            self.credits,
            self.people,
            self.weights,
            self.taken.copy(),
            self.turns,
            self.epoch,
            self.at_par,
            self.period,
            self.without,
            self.plan,
        )


def settled(ledger: Ledger) -> dict[str, int]:
    """Every member's credit now, in units: what is owed (above 0) or was had too early (below). Sums to 0.

    Shares that do not divide LEAD are rounded down, and the units left over go to the first ids, one each.
    """
    credits = dict(ledger.credits)
    if not ledger.turns:
        return credits
    total, left = sum(ledger.weights), 0
    for person, weight, taken in zip(ledger.people, ledger.weights, ledger.taken, strict=True):
        moved = LEAD * (weight * ledger.turns - total * taken) // total
        credits[person] = credits.get(person, 0) + moved
        left -= moved
    for person in ledger.people[:left]:
        credits[person] += 1
    return credits


def begin_epoch(
    ledger: Ledger, people: tuple[str, ...], weights: tuple[int, ...], without: tuple[str, ...] = ()
) -> None:
    """Carry the credits over and deal to these candidates from now on; a newcomer starts at 0, which is par.

    `without`: those left out because they had the lead before.
    """
    credits = settled(ledger)
    for person in people:
        credits.setdefault(person, 0)
    ledger.credits, ledger.people, ledger.weights, ledger.without = credits, people, weights, without
    ledger.taken, ledger.turns, ledger.plan = [0] * len(people), 0, {}
    ledger.epoch += 1
    ledger.at_par = not any(credits[person] for person in people)
    ledger.period = sum(weights) // gcd(*weights)


def next_index(ledger: Ledger) -> int:
    """Whose turn is next among the epoch's candidates; changes nothing but the memo."""
    weights = ledger.weights
    if len(weights) == 1:
        return 0
    rounds, turn = divmod(ledger.turns, ledger.period)
    index = ledger.plan.get(turn)
    if index is None:
        divisor = gcd(*weights)
        reduced = [weight // divisor for weight in weights]
        # After a whole period everyone has had exactly their weight, so only the remainder matters.
        taken = [had - rounds * weight for had, weight in zip(ledger.taken, reduced, strict=True)]
        index = _due_first(reduced, taken, turn) if ledger.at_par else _owed_most(ledger, reduced, taken, turn)
        ledger.plan[turn] = index
    return index


def take(ledger: Ledger, index: int) -> None:
    """Charge the next turn to a candidate."""
    ledger.taken[index] += 1
    ledger.turns += 1


def _due_first(weights: list[int], taken: list[int], turn: int) -> int:
    """Tijdeman 1980: among those whose share with this lead exceeds their count by e = 1/(2n-2), the first due."""
    total, slack = sum(weights), 2 * len(weights) - 2
    best, best_due, best_weight = -1, 0, 1
    for index, weight in enumerate(weights):
        had = taken[index]
        if (weight * (turn + 1) - total * had) * slack < total:
            continue
        due = (had + 1) * slack - 1  # (had + 1 - e) / weight, compared crosswise
        if best < 0 or due * best_weight < best_due * weight:
            best, best_due, best_weight = index, due, weight
    return best


def _owed_most(ledger: Ledger, weights: list[int], taken: list[int], turn: int) -> int:
    """Of all choices after which everybody can still be kept strictly within one lead, the largest credit.

    With D - turn slots up to turn D and F(D) unserved leads due by then, D is *tight* if F(D) = D - turn: every
    slot up to it is spoken for, so whoever is due later must wait. Looking 2n + 8 turns ahead is enough to be
    safe: beyond that only those due within the look-ahead are considered.
    """
    total = sum(weights)
    horizon = 2 * len(weights) + HORIZON_MARGIN
    if turn:
        due_count = [0] * (horizon + 1)
        nearest = 0
        next_due = []
        for index, weight in enumerate(weights):
            lead = taken[index] + 1
            due = -(-total * lead // weight) - turn
            next_due.append(due)
            if (not nearest or due < nearest) and weight * (turn + 1) > total * taken[index]:
                nearest = due  # the earliest due of those who may take it is always a safe choice
            while due <= horizon:
                due_count[due] += 1
                lead += 1
                due = -(-total * lead // weight) - turn
        limit, unserved = horizon, 0
        for ahead in range(1, horizon + 1):
            unserved += due_count[ahead]
            if unserved == ahead:
                limit = ahead
                break
        limit = max(limit, nearest)
    best, best_credit = -1, 0
    carried, people = ledger.credits, ledger.people
    for index, weight in enumerate(weights):
        position = weight * (turn + 1) - total * taken[index]
        if position <= 0 or (turn and next_due[index] > limit):
            continue
        credit = carried[people[index]] * total + LEAD * position
        if best < 0 or credit > best_credit:
            best, best_credit = index, credit
    return best


def adjust(ledger: Ledger, person: str, units: int) -> None:
    """Give a person units of credit (below 0: charge them), taken from the epoch's candidates by weight.

    Between epochs the members share it equally; a ledger that nobody was ever dealt from stays as it is.

    Ends the epoch, so that the next turn may make up for it. The sum of credits stays 0.
    """
    credits = settled(ledger)
    people = ledger.people or tuple(sorted(credits))
    weights = ledger.weights or (1,) * len(people)
    if not people:
        return
    total, left = sum(weights), units
    for member, weight in zip(people, weights, strict=True):
        part = units * weight // total
        credits[member] -= part
        left -= part
    for member in people[:left]:
        credits[member] -= 1
    credits[person] = credits.get(person, 0) + units
    _close(ledger, credits)


def forget(ledger: Ledger, person: str) -> None:
    """Somebody left for good: what they were owed, or owed, is spread over the members who stay."""
    if person not in ledger.credits:
        return
    credits = settled(ledger)
    units = credits.pop(person)
    stay = sorted(credits)
    if stay:
        part, left = divmod(units, len(stay))
        for position, member in enumerate(stay):
            credits[member] += part + (position < left)
    _close(ledger, credits)


def _close(ledger: Ledger, credits: Mapping[str, int]) -> None:
    ledger.credits = dict(credits)
    ledger.people, ledger.weights, ledger.taken, ledger.turns = (), (), [], 0
    ledger.at_par, ledger.period, ledger.plan, ledger.without = True, 1, {}, ()
