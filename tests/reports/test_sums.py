"""Whatever is asked, sums out of cells are those of the postings."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.domain import periods
from reports.domain.posting import Posting
from reports.storage import cells, ledger, sums
from reports.storage.cells import BLOCK, DAY, EVER, HOUR, Rollup
from reports.storage.ledger import Entry
from reports.storage.sums import MONTH, WEEK, Question, Reach
from tests.reports.desk import Desk

FACT, FIRST, DAYS = "deal.open", 494_000 // 24 * 24, 70
# The end of time: what is asked as of a moment is summed from the postings.
ALWAYS = 1 << 60
ROLLUPS = [
    Rollup(FACT, dimensions, grain)
    for dimensions in ((), ("owner",), ("owner", "stage"))
    for grain in (DAY, BLOCK, EVER, HOUR)
]  # fmt: skip

hours = st.integers(FIRST - 24 * DAYS, FIRST + 24 * DAYS)
posted = st.builds(
    lambda hour, count, amount, currency, holder, owner, stage: (
        hour,
        Posting(FACT, hour * 3_600_000_000, count, amount, currency, 0, holder, owner, stage=stage),
    ),
    hours,
    st.sampled_from([1, -1]),
    st.integers(-9, 9),
    st.sampled_from(["", "CNY", "USD"]),
    *(st.sampled_from(["", "people/a", "people/b"]),) * 2,
    st.sampled_from(["need", "quote"]),
)
edges = st.none() | hours | hours.map(lambda hour: hour // 24 * 24)
questions = st.builds(
    Question,
    st.just(FACT),
    edges,
    edges,
    st.sampled_from([{}, {"owner": ("people/a",)}, {"stage": ("need", "quote")}]),
    st.sampled_from([(), ("owner",), ("owner", "stage")]),
    st.sampled_from(["", DAY, HOUR, WEEK, MONTH]),
    home=st.just("CNY"),
    rate_day=st.none() | st.just(FIRST // 24),
    held=st.just(False),
)
whose = st.sampled_from([Reach(), Reach(lambda holder: holder.in_(["people/a", ""]))])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(posted, max_size=12), max_size=3), asked=st.lists(questions, min_size=8, max_size=8),
       covered=whose)  # fmt: skip
def test_B33_B41_sums_of_cells_are_those_of_the_postings(
    desk: Desk, batches: list[list[tuple[int, Posting]]], asked: list[Question], covered: Reach
) -> None:
    with suppress(_Undone), desk.runtime.transaction() as tx:
        cells.add(tx, 1, ROLLUPS)
        for batch in batches:
            ledger.append(tx, 1, [Entry("opportunities/1", "e", 1, hour, one) for hour, one in batch])
            cells.roll(tx, 1, cells.fresh(tx, 1))
        for one in asked:
            out_of_cells = sums.answer(tx, 1, one, covered)
            of_postings = sums.answer(tx, 1, replace(one, as_of=ALWAYS), covered)
            assert sorted(map(_plain, out_of_cells)) == sorted(map(_plain, of_postings))
            if one.grain in (WEEK, MONTH):
                by_day = sums.answer(tx, 1, replace(one, grain=DAY), covered)
                assert _by_span(one.grain.lower(), out_of_cells) == _by_span(one.grain.lower(), by_day)
                days = [periods.EPOCH + timedelta(days=found.bucket) for found in out_of_cells]
                assert days == [periods.begin_of(one.grain.lower(), day) for day in days]
        raise _Undone


class _Undone(Exception):
    """What one example wrote is not there for the next."""


def _by_span(grain: str, found: Sequence[sums.Sum]) -> dict[tuple[Any, ...], list[int]]:
    """What is summed by the span in which its day lies."""
    spans: dict[tuple[Any, ...], list[int]] = {}
    for one in found:
        so_far = spans.setdefault((one.keys, periods.key_of(grain, one.bucket), one.currency, one.day), [0, 0, 0])
        so_far[:] = [so_far[0] + one.count, so_far[1] + one.amount, so_far[2] + one.seconds]
    return {key: three for key, three in spans.items() if any(three)}


def _plain(one: sums.Sum) -> tuple[Any, ...]:
    return (one.keys, one.bucket, one.currency, one.day, one.count, one.amount, one.seconds)
