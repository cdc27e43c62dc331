"""What is known of a customer does not depend on the order in which it is told, by whomever."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reports.domain import activity, customer
from reports.domain.folding import News
from reports.domain.posting import APART, WHOEVER, Posting

DAY = 86_400_000_000


def _state(version: int, deleted: bool, tier: str) -> News:
    values = {"version": version, "deleted": deleted, "owner": "people/li", "channel": "", "region": f"R{version}"}
    values |= {"industry": "", "tier": tier, "stage": "", "create_time": DAY, "signed": 0, "blank": ()}
    return News("customers/a", "state", values)


WHOSE = st.sampled_from(["people/li", "people/wang"])
PARTS = st.one_of(
    st.tuples(st.just("covered"), st.integers(1, 5).map(lambda n: n * DAY)),
    st.tuples(st.just("deal"), st.sampled_from("abc"), WHOSE, st.integers(1, 9).map(lambda n: n * DAY),
              st.integers(0, 10**11)),
    st.tuples(st.just("contract"), st.sampled_from("xyz"), WHOSE, st.integers(1, 9).map(lambda n: n * DAY),
              st.integers(0, 10**11), st.sampled_from(["", "a"])),
)  # fmt: skip
STATES = st.builds(_state, st.integers(1, 9), st.booleans(), st.sampled_from("ABC"))


def _part(part: tuple[Any, ...], count: int) -> News:
    return News("customers/a", "part", {"part": part, "count": count})


def _folded(news: list[News]) -> customer.Customer:
    found = customer.Customer()
    for one in news:
        found = customer.fold(found, one)
    return found


def _facts(found: customer.Customer) -> list[Posting]:
    return customer.postings(found)


@given(st.data(), st.lists(PARTS, max_size=6), st.lists(STATES, max_size=3, unique_by=lambda n: n.values["version"]))
def test_C14_any_order_comes_to_the_same(data: st.DataObject, parts: list[tuple[Any, ...]], states: list[News]) -> None:
    gone = data.draw(st.lists(st.sampled_from(parts), unique=True)) if parts else []
    told = [*(_part(part, 1) for part in parts), *(_part(part, -1) for part in gone), *states]
    again = data.draw(st.lists(st.sampled_from(states), max_size=3)) if states else []
    shuffled = data.draw(st.permutations([*told, *again]))
    assert _folded(shuffled) == _folded(told)
    plain = json.loads(json.dumps(customer.FOLDING.plain(_folded(told))))
    assert customer.FOLDING.read(plain) == _folded(told)


@given(st.lists(PARTS, max_size=6))
def test_B29_what_was_told_and_taken_back_counts_nothing(parts: list[tuple[Any, ...]]) -> None:
    state = _state(1, False, "A")
    both = [state, *(_part(part, n) for n in (1, -1) for part in parts)]
    assert _facts(_folded(both)) == _facts(_folded([state]))
    valued = [one for one in _facts(_folded(both[: 1 + len(parts)])) if one.fact == "customer.valued"]
    # Everybody has one of it, and its owner where he bought of him.
    bought = [part for part in parts if part[0] != "covered"]
    assert sum(not one.lead_holder.startswith(APART) for one in valued) == any(bought)
    to_owner = [one for one in valued if one.lead_holder == WHOEVER or one.lead_holder.startswith(APART)]
    assert len(to_owner) == any(part[2] == "people/li" for part in bought)


@given(st.data(), st.lists(st.tuples(st.integers(1, 9), st.booleans()), unique_by=lambda pair: pair[0], min_size=1))
def test_F16_the_newest_state_of_an_activity_counts(data: st.DataObject, told: list[tuple[int, bool]]) -> None:
    news = [
        News("followUps/a", "state", {"version": n, "deleted": d, "owner": f"people/{n}", "customer": "customers/a"})
        for n, d in told
    ]
    found = activity.Activity()
    for one in data.draw(st.permutations(news + news[:2])):
        found = activity.fold(found, one)
    newest, deleted = max(told)
    assert found.version == newest
    assert len(activity.FOLDINGS["followUps"].postings(found)) == (not deleted)
    assert len(activity.FOLDINGS["followUps"].parts("followUps/a", found)) == (not deleted)
