"""Sums of facts: out of the cells where a rollup has them, else out of the postings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from chassis.database import in_values
from chassis.transaction import Transaction
from reports.storage import cells as stored
from reports.storage.cells import DAY, EVER, EVERYBODY, HOUR, SLOTS
from reports.storage.tables import cells, postings, subjects

Covered = Callable[[sa.ColumnElement[Any]], sa.ColumnElement[bool]]
"""The criterion of what a caller sees, by the column with the holder."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be summed: a fact, between two hours (the end excluded; None: open), where each dimension of `where`
    has one of the values, by `group` and the grain of time ("": none). `as_of`: of what was learnt until then
    (microseconds). `home` is the currency that needs no rate; amounts in others are turned by the rate of `rate_day`,
    or where that is None of the day on which they happened: those come by day. `held`: each record is one person's.
    `once`: each record counts once, whatever it has more than once."""

    fact: str
    begin: int | None = None
    end: int | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    group: tuple[str, ...] = ()
    grain: str = ""
    as_of: int | None = None
    home: str = ""
    rate_day: int | None = None
    held: bool = True
    once: bool = False


@dataclass(frozen=True, slots=True)
class Sum:
    """`keys` in the order of the question's group; `bucket` the hour or day; `day` the day whose rate turns `currency`
    into the company's, 0 where it needs none."""

    keys: tuple[str, ...]
    bucket: int
    currency: str
    day: int
    count: int
    amount: int
    seconds: int


def answer(tx: Transaction, copy: int, asked: Question, covered: Covered | None) -> list[Sum]:
    """The sums. `covered`: of what the caller sees; None: of everybody's."""
    if asked.once:
        return _once(tx, asked, *_of_postings(copy, asked, covered))
    rollup = None if asked.as_of is not None else fitting(tx, copy, asked)
    if rollup is None:
        return _rows(tx, asked, *_of_postings(copy, asked, covered))
    return _rows(tx, asked, *_of_cells(copy, asked, covered, *rollup))


def fitting(tx: Transaction, copy: int, asked: Question) -> tuple[int, stored.Rollup] | None:
    """The smallest rollup that has all it needs."""
    needed = {*asked.group, *asked.where}
    whole_days = all(edge is None or edge % 24 == 0 for edge in (asked.begin, asked.end))
    always = asked.begin is None and asked.end is None and not asked.grain and asked.rate_day is not None
    fits = [
        (number, rollup)
        for number, rollup in stored.kept(tx, copy, asked.fact).items()
        if rollup.fact == asked.fact
        and needed <= set(rollup.dimensions)
        and (
            (rollup.grain == EVER and always)
            or (rollup.grain == DAY and whole_days and asked.grain != HOUR)
            or rollup.grain == HOUR
        )
    ]
    order = {EVER: 0, DAY: 1, HOUR: 2}
    return min(fits, key=lambda fit: (order[fit[1].grain], len(fit[1].dimensions)), default=None)


# A table, its columns by dimension, the bucket and the day of its rows, and which of them.
_Parts = tuple[
    Any,
    dict[str, sa.ColumnElement[Any]],
    sa.ColumnElement[int],
    sa.ColumnElement[int],
    list[sa.ColumnElement[bool]],
]


def _of_cells(copy: int, asked: Question, covered: Any, number: int, rollup: stored.Rollup) -> _Parts:
    columns: dict[str, sa.ColumnElement[Any]] = {
        name: cells.c[slot] for name, slot in zip(rollup.dimensions, SLOTS, strict=False)
    }
    unit = {HOUR: 1, DAY: 24, EVER: 1}[rollup.grain]
    holder = cells.c.holder == EVERYBODY if covered is None else covered(cells.c.holder)
    where = [cells.c.copy == copy, cells.c.rollup == number, holder]
    if rollup.grain != EVER:
        where += _between(cells.c.bucket, asked, unit)
    bucket = cells.c.bucket // 24 if rollup.grain == HOUR and asked.grain == DAY else cells.c.bucket
    day = {HOUR: cells.c.bucket // 24, DAY: cells.c.bucket}.get(rollup.grain, sa.literal(0))
    return cells, columns, bucket, day, where


def counted(tx: Transaction, copy: int, asked: Question, covered: Covered | None) -> list[sa.ColumnElement[bool]]:
    """The criteria of the postings that a question sums."""
    return [*_ours(copy, asked, covered), *_narrowed(tx, asked, postings.c)]


def _narrowed(tx: Transaction, asked: Question, columns: Any) -> list[sa.ColumnElement[bool]]:
    return [in_values(columns[name], sorted(values), tx.dialect) for name, values in asked.where.items()]


def _ours(copy: int, asked: Question, covered: Any) -> list[sa.ColumnElement[bool]]:
    where = [postings.c.copy == copy, postings.c.fact == asked.fact, *_between(postings.c.hour, asked, 1)]
    if covered is not None:
        past = asked.as_of is not None and asked.held
        where.append(seen_now(copy, covered) if past else covered(postings.c.holder))
    if asked.as_of is not None:
        where.append(postings.c.learn_time <= asked.as_of)
    return where


def seen_now(copy: int, covered: Covered) -> sa.ColumnElement[bool]:
    """Postings of records that the caller sees as they are now, whosever they were when it was posted: what one may see
    of the past is told by the rights of today."""
    names = sa.select(subjects.c.name).where(subjects.c.copy == copy, covered(subjects.c.holder))
    return postings.c.record.in_(names)


def _of_postings(copy: int, asked: Question, covered: Any) -> _Parts:
    where = _ours(copy, asked, covered)
    columns: dict[str, sa.ColumnElement[Any]] = {name: postings.c[name] for name in {*asked.group, *asked.where}}
    bucket = postings.c.hour if asked.grain == HOUR else postings.c.hour // 24
    return postings, columns, bucket, postings.c.hour // 24, where


def _between(column: sa.ColumnElement[int], asked: Question, unit: int) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if asked.begin is not None:
        found.append(column >= asked.begin // unit)
    if asked.end is not None:
        found.append(column < -(-asked.end // unit))
    return found


def _once(
    tx: Transaction,
    asked: Question,
    table: Any,
    columns: Mapping[str, sa.ColumnElement[Any]],
    bucket: sa.ColumnElement[int],
    day: sa.ColumnElement[int],
    where: list[sa.ColumnElement[bool]],
) -> list[Sum]:
    """How many records there are of each group."""
    keys = [*(columns[name] for name in asked.group), bucket if asked.grain else sa.literal(0)]
    labels = [f"k{place}" for place in range(len(keys))]
    labelled = [key.label(label) for label, key in zip(labels, keys, strict=True)]
    each = (
        sa.select(*labelled, table.c.record)
        .where(*where, *_narrowed(tx, asked, columns))
        .group_by(*map(sa.text, labels), table.c.record)
        .having(sa.func.sum(table.c.count) > 0)
        .subquery()
    )
    by = [each.c[label] for label in labels]
    query = sa.select(*by, sa.func.count()).group_by(*by)
    return [Sum(tuple(row[:-2]), row[-2], "", 0, row[-1], 0, 0) for row in tx.execute(query)]


def _rows(
    tx: Transaction,
    asked: Question,
    table: Any,
    columns: Mapping[str, sa.ColumnElement[Any]],
    bucket: sa.ColumnElement[int],
    day: sa.ColumnElement[int],
    where: list[sa.ColumnElement[bool]],
) -> list[Sum]:
    rated = day if asked.rate_day is None else sa.literal(asked.rate_day)
    foreign = sa.case((table.c.currency.in_(("", asked.home)), 0), else_=rated)
    keys = [
        *(columns[name] for name in asked.group),
        bucket if asked.grain else sa.literal(0),
        table.c.currency,
        foreign,
    ]
    labelled = [key.label(f"k{place}") for place, key in enumerate(keys)]
    sums = [sa.cast(sa.func.sum(table.c[name]), sa.BigInteger) for name in ("count", "amount", "seconds")]
    query = (
        sa.select(*labelled, *sums)
        .where(*where, *_narrowed(tx, asked, columns))
        .group_by(*(sa.text(f"k{n}") for n in range(len(keys))))
    )
    width = len(asked.group)
    return [Sum(tuple(row[:width]), *row[width:]) for row in tx.execute(query) if any(row[-3:])]
