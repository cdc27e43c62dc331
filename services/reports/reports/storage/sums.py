"""Sums of facts: out of the cells where a rollup has them, else out of the postings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from chassis.database import in_values
from chassis.transaction import Transaction
from reports.domain import several
from reports.domain.posting import APART, WHOEVER
from reports.storage import cells as stored
from reports.storage.cells import BLOCK, BORROWED, DAY, EVER, EVERYBODY, HOUR, HOURS, SLOTS, complete
from reports.storage.ledger import Within
from reports.storage.tables import cells, postings, subjects

WEEK, MONTH = "WEEK", "MONTH"
"""Grains that cells are summed up to as they are read."""


class first_of_month(FunctionElement[int]):
    """The first day of a day's month, both in days since 1970."""

    inherit_cache = True
    type = sa.BigInteger()
    name = "first_of_month"


@compiles(first_of_month)
def _by_name(element: first_of_month, compiler: Any, **more: Any) -> str:
    day = compiler.process(element.clauses, **more)
    return f"CAST(julianday(({day}) * 86400, 'unixepoch', 'start of month') - 2440587.5 AS INTEGER)"


@compiles(first_of_month, "postgresql")
def _truncated(element: first_of_month, compiler: Any, **more: Any) -> str:
    day = f"CAST({compiler.process(element.clauses, **more)} AS INTEGER)"
    return f"(CAST(date_trunc('month', CAST(DATE '1970-01-01' + {day} AS TIMESTAMP)) AS DATE) - DATE '1970-01-01')"


@dataclass(frozen=True, slots=True)
class Reach:
    """What a caller sees: the records that `within` covers; None: everybody's. `lent`: of what others lend these, by
    the column with whose those are: the column with their names, and which of them; None: everybody's. `customers`:
    which of the customers that these name he may know; None: all."""

    within: Within | None = None
    lent: Mapping[str, tuple[str, Within | None]] = field(default_factory=dict)
    customers: Within | None = None

    @property
    def narrow(self) -> bool:
        """Whether anything that is lent may not be seen."""
        return self.within is not None and any(within is not None for _, within in self.lent.values())


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be summed: a fact, between two hours (the end excluded; None: open), where each dimension of `where`
    has one of the values, by `group` and the grain of time (HOUR, DAY, WEEK, MONTH; "": none). `as_of`: of what was
    learnt until then (microseconds). `home` is the currency that needs no rate; amounts in others are turned by the
    rate of `rate_day`, or where that is None of the day on which they happened: those come by day. `held`: each record
    is one person's. `once`: each record counts once, whatever it has more than once."""

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

    @property
    def key(self) -> tuple[Any, ...]:
        """By which it is known again."""
        return *(getattr(self, name) for name in _WITHOUT_WHERE), *sorted(self.where.items())


_WITHOUT_WHERE = tuple(one.name for one in fields(Question) if one.name != "where")


@dataclass(frozen=True, slots=True)
class Sum:
    """`keys` in the order of the question's group; `bucket` the hour, or the first day of the span; `day` the day whose
    rate turns `currency` into the company's, 0 where it needs none."""

    keys: tuple[str, ...]
    bucket: int
    currency: str
    day: int
    count: int
    amount: int
    seconds: int


def answer(tx: Transaction, copy: int, asked: Question, reach: Reach) -> list[Sum]:
    """The sums of what the caller sees."""
    if asked.once and asked.end is not None and not _anything_since(tx, copy, asked.fact, asked.end):
        asked = replace(asked, end=None)
    wide = parts(tx, copy, asked)
    if not wide:
        columns = _of_postings(copy, asked, reach)
        return _once(tx, asked, columns) if asked.once else _rows(tx, asked, (1, columns))
    found = _rows(tx, asked, *((one.sign, _of_cells(copy, one, reach)) for one in wide))
    if any(one.day == _NO_DAY for one in found):  # so it takes each day's rate
        days = parts(tx, copy, asked, wide=False)
        return _rows(tx, asked, *((one.sign, _of_cells(copy, one, reach)) for one in days))
    return list(filter(None, map(_latest, found))) if asked.once and not asked.grain else found


def _anything_since(tx: Transaction, copy: int, fact: str, hour: int) -> bool:
    c = postings.c
    query = sa.select(sa.literal(1)).where(c.copy == copy, c.fact == fact, c.hour >= hour).limit(1)
    return tx.execute(query).first() is not None


def _latest(of: Sum) -> Sum | None:
    """How many have their latest day in it: each counts once in all since a day."""
    return replace(of, count=of.amount, amount=0) if of.amount else None


@dataclass(frozen=True, slots=True)
class Part:
    """A rollup that a question is answered from, the span of it, and whether that is added or taken away."""

    number: int
    rollup: stored.Rollup
    asked: Question
    sign: int = 1


def parts(tx: Transaction, copy: int, asked: Question, wide: bool = True) -> list[Part]:
    """What is read for it; nothing where no rollup fits. `wide`: in blocks of days, too. What counts once is in sums by
    the day, and of all since a day."""
    if asked.as_of is not None or (asked.once and asked.grain != DAY and (asked.grain or asked.end is not None)):
        return []
    kept = stored.kept(tx, copy, asked.fact)
    best = _fitting(kept, asked)
    if best is None:
        return []
    whole = replace(asked, end=None)
    ever = _fitting(kept, whole) if asked.begin is None and asked.end is not None else None
    if ever is not None and ever[1].grain == EVER:
        # What was before a day is all but what was since: those days are few, and the years before them are not.
        return [Part(*ever, whole), Part(*best, replace(asked, begin=asked.end, end=None), -1)]
    number, rollup = best
    blocks = {one: number for number, one in kept.items()}.get(replace(rollup, grain=BLOCK))
    if not wide or rollup.grain != DAY or asked.grain or blocks is None:
        return [Part(*best, asked)]
    size = HOURS[BLOCK]
    first = None if asked.begin is None else -(-asked.begin // size) * size
    last = None if asked.end is None else asked.end // size * size
    if first is not None and last is not None and first >= last:
        return [Part(*best, asked)]
    found = [Part(blocks, replace(rollup, grain=BLOCK), replace(asked, begin=first, end=last))]
    if first != asked.begin:
        found.append(Part(number, rollup, replace(asked, end=first)))
    if last != asked.end:
        found.append(Part(number, rollup, replace(asked, begin=last)))
    return found


def _fitting(kept: Mapping[int, stored.Rollup], asked: Question) -> tuple[int, stored.Rollup] | None:
    """The smallest rollup that has all it needs, in each span."""
    needed = {*asked.group, *asked.where}
    whole_days = all(edge is None or edge % 24 == 0 for edge in (asked.begin, asked.end))
    always = asked.begin is None and asked.end is None and not asked.grain and asked.rate_day is not None
    fits = [
        (number, rollup)
        for number, rollup in kept.items()
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


# The day of a block's amount, which is of many.
_NO_DAY = -1
# A table, its columns by dimension, the bucket and the day of its rows, and which of them.
_Columns = tuple[
    Any,
    dict[str, sa.ColumnElement[Any]],
    sa.ColumnElement[int],
    sa.ColumnElement[int],
    list[sa.ColumnElement[bool]],
]


def _of_cells(copy: int, of: Part, reach: Reach) -> _Columns:
    rollup, asked = of.rollup, of.asked
    columns: dict[str, sa.ColumnElement[Any]] = {
        name: cells.c[slot] for name, slot in zip(rollup.dimensions, SLOTS, strict=False)
    }
    if "customer" in columns:
        columns["customer"] = customer(copy, columns["customer"], reach)
    where = [cells.c.copy == copy, cells.c.rollup == of.number]
    if reach.within is None:
        where.append(cells.c.holder == EVERYBODY)
    else:
        where.append(reach.within(cells.c.holder))
        where += [_lent(cells.c[name], within) for name, (_, within) in reach.lent.items()]
    if rollup.grain != EVER:
        where += _between(cells.c.bucket, asked, HOURS[rollup.grain])
    days = {HOUR: cells.c.bucket // 24, DAY: cells.c.bucket, BLOCK: sa.literal(_NO_DAY)}
    day = days.get(rollup.grain, sa.literal(0))
    return cells, columns, _bucket(asked.grain, cells.c.bucket, day), day, where


def _bucket(grain: str, hour: sa.ColumnElement[int], day: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """The hour, or the first day of the span: years of days are many rows where their months are few."""
    if grain == WEEK:
        return day - (day + 3) % 7  # days are since a Thursday
    return {HOUR: hour, MONTH: first_of_month(day)}.get(grain, day)


def counted(tx: Transaction, copy: int, asked: Question, reach: Reach) -> list[sa.ColumnElement[bool]]:
    """The criteria of the postings that a question sums; of what was done with leads, of those that one may read."""
    where = [*_ours(copy, asked, reach), *_narrowed(tx, asked, _columns(copy, postings, asked.where, reach))]
    within = reach.within if asked.fact in BORROWED else None
    return where if within is None else [*where, seen_now(copy, within)]


def customer(copy: int, column: sa.ColumnElement[str], reach: Reach) -> sa.ColumnElement[str]:
    """The customer named there where the caller may know it, else ""."""
    if reach.customers is None:
        return column
    mine = (subjects.c.copy == copy, subjects.c.name == column, reach.customers(subjects.c.holder))
    return sa.case((sa.exists().where(*mine), column), else_="")


def _columns(copy: int, table: Any, names: Iterable[str], reach: Reach) -> dict[str, sa.ColumnElement[Any]]:
    return {n: customer(copy, table.c[n], reach) if n == "customer" else table.c[n] for n in names}


def _narrowed(
    tx: Transaction, asked: Question, columns: Mapping[str, sa.ColumnElement[Any]]
) -> list[sa.ColumnElement[bool]]:
    return [_is_of(tx, name, columns[name], sorted(values)) for name, values in asked.where.items()]


def _is_of(tx: Transaction, name: str, column: sa.ColumnElement[Any], values: Sequence[str]) -> sa.ColumnElement[bool]:
    """Where it has one of these values, or has it among others."""
    is_one = in_values(column, values, tx.dialect)
    if name not in several.DIMENSIONS:
        return is_one
    place = sa.func.strpos if tx.dialect == "postgresql" else sa.func.instr
    return sa.or_(is_one, *(place(column, several.marked(value)) > 0 for value in values))


def _ours(copy: int, asked: Question, reach: Reach) -> list[sa.ColumnElement[bool]]:
    where = [postings.c.copy == copy, postings.c.fact == asked.fact, *_between(postings.c.hour, asked, 1)]
    if reach.within is not None:
        past = asked.as_of is not None and asked.held
        where.append(seen_now(copy, reach.within) if past else reach.within(postings.c.holder))
    lent: Mapping[str, tuple[str, Within | None]] = {} if asked.fact in BORROWED else reach.lent
    for name, (lender, within) in lent.items():
        of = None if reach.within is None else within
        where.append(complete(name) if of is None else _lent_now(copy, name, postings.c[lender], of))
    if asked.as_of is not None:
        where.append(postings.c.learn_time <= asked.as_of)
    return where


def seen_now(copy: int, within: Within) -> sa.ColumnElement[bool]:
    """Postings of records that the caller sees as they are now, whosever they were when it was posted: what one may see
    of the past is told by the rights of today."""
    return postings.c.record.in_(_held(copy, within))


def _held(copy: int, within: Within) -> sa.Select[Any]:
    return sa.select(subjects.c.name).where(subjects.c.copy == copy, within(subjects.c.holder))


def _lent(holder: sa.ColumnElement[str], within: Within | None) -> sa.ColumnElement[bool]:
    """Cells with what is lent, where the caller may see that, and those without where not."""
    if within is None:
        return holder.notlike(f"{APART}%")
    apart = sa.func.substr(holder, 1 + len(APART))
    without = sa.and_(holder.like(f"{APART}%"), sa.not_(within(apart)))
    return sa.or_(holder == WHOEVER, within(holder), without)


def _lent_now(copy: int, name: str, lender: sa.ColumnElement[str], within: Within) -> sa.ColumnElement[bool]:
    """The same of postings, by who holds now what lends: not even that it changed hands is told."""
    return sa.or_(postings.c[name] == WHOEVER, complete(name) == lender.in_(_held(copy, within)))


def _of_postings(copy: int, asked: Question, reach: Reach) -> _Columns:
    table: Any = postings
    where = _ours(copy, asked, reach)
    if asked.fact in BORROWED and reach.within is not None:
        table, where = _as_seen(copy, asked.fact, reach.within, where), []
    columns = _columns(copy, table, {*asked.group, *asked.where}, reach)
    day = table.c.hour // 24
    return table, columns, _bucket(asked.grain, table.c.hour, day), day, where


def _as_seen(copy: int, fact: str, within: Within, where: Sequence[sa.ColumnElement[bool]]) -> sa.Subquery:
    """Postings of what was done with leads, with what they borrow of those alone that one may read now."""
    borrowed, seen = BORROWED[fact], seen_now(copy, within)
    columns = [
        sa.case((seen, column), else_=borrowed[column.name]).label(column.name) if column.name in borrowed else column
        for column in postings.c
    ]
    return sa.select(*columns).where(*where).subquery()


def _between(column: sa.ColumnElement[int], asked: Question, unit: int) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if asked.begin is not None:
        found.append(column >= asked.begin // unit)
    if asked.end is not None:
        found.append(column < -(-asked.end // unit))
    return found


def _once(tx: Transaction, asked: Question, of: _Columns) -> list[Sum]:
    """How many records there are of each group."""
    table, columns, bucket, _, where = of
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


def _rows(tx: Transaction, asked: Question, *of: tuple[int, _Columns]) -> list[Sum]:
    """The sums of some, less those of others: in one statement, since more is summed meanwhile."""
    each = [_summed(tx, asked, sign, *columns) for sign, columns in of]
    query: Any = each[0] if len(each) == 1 else sa.union_all(*each)
    width = len(asked.group)
    found: dict[tuple[Any, ...], tuple[int, int, int]] = {}
    for row in tx.execute(query):
        count, amount, seconds = found.get(key := tuple(row[:-3]), (0, 0, 0))
        found[key] = (count + row[-3], amount + row[-2], seconds + row[-1])
    return [
        Sum(key[:width], *key[width:], *three)  # type: ignore[call-arg]  # a bucket, a currency and a day
        for key, three in found.items()
        if any(three)
    ]


def _summed(
    tx: Transaction,
    asked: Question,
    sign: int,
    table: Any,
    columns: Mapping[str, sa.ColumnElement[Any]],
    bucket: sa.ColumnElement[int],
    day: sa.ColumnElement[int],
    where: list[sa.ColumnElement[bool]],
) -> sa.Select[Any]:
    rated = day if asked.rate_day is None else sa.literal(asked.rate_day)
    foreign = sa.case((table.c.currency.in_(("", asked.home)), 0), else_=rated)
    keys = [
        *(columns[name] for name in asked.group),
        bucket if asked.grain else sa.literal(0),
        table.c.currency,
        foreign,
    ]
    labelled = [key.label(f"k{place}") for place, key in enumerate(keys)]
    sums = [sa.cast(sign * sa.func.sum(table.c[name]), sa.BigInteger) for name in ("count", "amount", "seconds")]
    return (
        sa.select(*labelled, *sums)
        .where(*where, *_narrowed(tx, asked, columns))
        .group_by(*(sa.text(f"k{n}") for n in range(len(keys))))
    )
