"""Cells: postings summed by some dimensions and a grain of time, kept as postings come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from reports.domain.facts import FACTS
from reports.domain.posting import APART, DIMENSIONS, WHOEVER, Posting
from reports.storage.tables import batches, cells, copies, postings, rollups

HOUR, DAY, BLOCK, EVER = "HOUR", "DAY", "BLOCK", "EVER"
HOURS = {HOUR: 1, DAY: 24, BLOCK: 24 * 32}
"""How many hours a bucket of each grain has; that of EVER has all. Blocks are summed where a year of days would be many
cells."""
EVERYBODY = "*"
SLOTS = ("d1", "d2", "d3")
_SUMS = ("count", "amount", "seconds")
MOST = 4_000
# Postings, up to which they are added up here and not by the database.
_BY_HAND = 40_000
LENDERS = ("customer_holder", "lead_holder")
_FIELDS = ("fact", "hour", "holder", *LENDERS, "currency", *_SUMS, *DIMENSIONS)
_READ = tuple(postings.c[name] for name in _FIELDS)
# Where each of them is in a row that is summed by hand, and what is worked out besides: each grain's bucket, nothing,
# and in whose sums it is.
_PLACES = {
    name: place
    for place, name in enumerate((*_FIELDS, DAY, BLOCK, EVER, "BLANK", "WHOSE", *(f"OF_{name}" for name in LENDERS)))
} | {HOUR: _FIELDS.index("hour")}
_FACT, _HOLDER, _CUSTOMERS, _LEADS, _COUNT = (_PLACES[name] for name in ("fact", "holder", *LENDERS, "count"))
BORROWED = {
    fact.id: {name: Posting._field_defaults[name] for name in fact.borrows} for fact in FACTS.values() if fact.borrows
}
"""What facts borrow of the leads that something was done with, and what is there for whoever may not read these."""
_ADDED = (
    f"({', '.join(c.name for c in cells.primary_key)}) DO UPDATE SET "
    + ", ".join(f"{name} = cells.{name} + excluded.{name}" for name in _SUMS)
)  # fmt: skip
# Postings, up to which a new rollup is filled by whoever asks for it.
_FEW = 20_000


@dataclass(frozen=True, slots=True)
class Rollup:
    """A fact summed by at most three dimensions, in hours, in days, in blocks of 32 days, or over all time."""

    fact: str
    dimensions: tuple[str, ...]
    grain: str = DAY


def bucket(grain: str) -> sa.ColumnElement[int]:
    """The bucket of a posting."""
    if grain == EVER:
        return sa.literal(0, sa.BigInteger)
    return postings.c.hour if grain == HOUR else postings.c.hour // HOURS[grain]


def claim(tx: Transaction, copy: int) -> bool:
    """Holds a copy's cells until the commit; False where somebody else does."""
    query = sa.select(copies.c.copy).where(copies.c.copy == copy)
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return tx.execute(query).first() is not None


def fresh(tx: Transaction, copy: int) -> list[int]:
    """The batches that are in no cell yet, oldest first."""
    query = sa.select(batches.c.id).where(batches.c.copy == copy).order_by(batches.c.id).limit(MOST)
    return [row[0] for row in tx.execute(query)]


def roll(tx: Transaction, copy: int, fresh: Sequence[int]) -> set[tuple[str, str]]:
    """Adds the postings of these batches to the cells, and forgets that they were fresh. Returns their facts, each with
    whose records it is of."""
    mine = (postings.c.copy == copy, postings.c.batch.in_(list(fresh)))
    rows = tx.execute(sa.select(*_READ).where(*mine).limit(_BY_HAND + 1)).all()
    few = len(rows) <= _BY_HAND
    told = rows if few else tx.execute(sa.select(postings.c.fact, postings.c.holder).distinct().where(*mine))
    moved = {(row[_FACT], row[_HOLDER]) for row in told} if few else set(map(tuple, told))
    to = kept(tx, copy, *{fact for fact, _ in moved})
    if few:
        _add_by_hand(tx, copy, rows, to)
    else:
        for number, rollup in to.items():
            _add(tx, copy, number, rollup, *mine)
    tx.execute(sa.delete(batches).where(batches.c.id.in_(list(fresh))))
    tx.execute(sa.update(copies).where(copies.c.copy == copy).values(roll_time=tx.now))
    return moved


def kept(tx: Transaction, copy: int, *facts: str) -> dict[int, Rollup]:
    """The rollups of a copy that are filled, or those of some facts, by number."""

    def ask() -> dict[int, Rollup]:
        of = [in_values(rollups.c.fact, sorted(facts), tx.dialect)] if facts else []
        return _rollups(tx, rollups.c.copy == copy, rollups.c.filled, *of)

    return tx.once(("kept", copy, *facts), ask)


def _rollups(tx: Transaction, *which: sa.ColumnElement[bool]) -> dict[int, Rollup]:
    query = sa.select(rollups.c.rollup, rollups.c.fact, rollups.c.dimensions, rollups.c.grain).where(*which)
    return {
        row.rollup: Rollup(row.fact, tuple(filter(None, row.dimensions.split(","))), row.grain)
        for row in tx.execute(query.order_by(rollups.c.rollup))
    }


def add(tx: Transaction, copy: int, wanted: Sequence[Rollup]) -> None:
    """Makes sure of these rollups. A new one is filled at once where little was posted, else by `fill`, and until then
    its figures are summed from the postings."""
    there = _rollups(tx, rollups.c.copy == copy)
    known = set(there.values())
    new = [rollup for rollup in dict.fromkeys(wanted) if rollup not in known]
    if not new:
        return
    numbered = enumerate(new, max(there, default=0) + 1)
    rows = [(copy, number, one.fact, ",".join(one.dimensions), one.grain, False) for number, one in numbered]
    insert_rows(tx.connection, rollups, ("copy", "rollup", "fact", "dimensions", "grain", "filled"), rows)
    little = sa.select(postings.c.batch).where(postings.c.copy == copy).offset(_FEW).limit(1)
    if tx.execute(little).first() is None and claim(tx, copy):
        _fill_by_hand(tx, copy)


def _fill_by_hand(tx: Transaction, copy: int) -> None:
    """Fills all rollups that are not, with all that is in the others: a new house has hundreds of them and nothing to
    sum. The caller holds the copy's cells."""
    unfilled = _rollups(tx, rollups.c.copy == copy, rollups.c.filled.is_(False))
    facts = sorted({rollup.fact for rollup in unfilled.values()})
    posted = sa.select(*_READ).where(*_summed(copy), in_values(postings.c.fact, facts, tx.dialect))
    _add_by_hand(tx, copy, tx.execute(posted).all(), unfilled)
    tx.execute(sa.update(rollups).where(rollups.c.copy == copy, rollups.c.filled.is_(False)).values(filled=True))


def fill(tx: Transaction, copy: int) -> bool:
    """Fills one rollup that is not, with all that is in the others. The caller holds the copy's cells. Returns whether
    there was one."""
    unfilled = _rollups(tx, rollups.c.copy == copy, rollups.c.filled.is_(False))
    if not unfilled:
        return False
    number, rollup = min(unfilled.items())
    _add(tx, copy, number, rollup, *_summed(copy))
    this = (rollups.c.copy == copy, rollups.c.rollup == number)
    tx.execute(sa.update(rollups).where(*this).values(filled=True))
    return True


def _summed(copy: int) -> tuple[sa.ColumnElement[bool], ...]:
    """The postings that are in the cells of the rollups that are filled."""
    fresh = sa.select(batches.c.id).where(batches.c.copy == copy)
    return postings.c.copy == copy, postings.c.batch.not_in(fresh)


def _add_by_hand(tx: Transaction, copy: int, rows: Sequence[Sequence[Any]], to: Mapping[int, Rollup]) -> None:
    """Adds a few postings to sums with one statement: two for each sum cost more than the postings."""
    hour = _PLACES["hour"]
    by_fact: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in chain(rows, _bare(rows)):
        buckets = (row[hour] // HOURS[DAY], row[hour] // HOURS[BLOCK], 0)
        of = by_fact[row[_FACT]]
        for whose in _whose(row[_HOLDER], row[_CUSTOMERS], row[_LEADS]):
            of.append((*row, *buckets, "", *whose))
    added: list[tuple[Any, ...]] = []
    for number, rollup in to.items():
        slots = (*rollup.dimensions, *("BLANK" for _ in SLOTS[len(rollup.dimensions) :]))
        of_key = ("WHOSE", rollup.grain, *slots, "currency", *(f"OF_{name}" for name in LENDERS))
        sums = _sums_by(itemgetter(*(_PLACES[name] for name in of_key)), by_fact[rollup.fact])
        added += [(copy, number, *key, *sums[key]) for key in sorted(sums) if any(sums[key])]
    insert_rows(tx.connection, cells, [c.name for c in cells.columns], added, conflict=_ADDED)


def _bare(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    """What was done with leads that are another's now, without what it borrows of them."""
    for row in rows:
        if row[_FACT] in BORROWED and row[_LEADS] != row[_HOLDER]:
            values = list(row)
            for name, there in BORROWED[row[_FACT]].items():
                values[_PLACES[name]] = there
            values[_LEADS] = f"{APART}{row[_LEADS]}"
            yield tuple(values)


def _whose(holder: str, customer: str, lead: str) -> Sequence[tuple[str, str, str]]:
    """In whose sums a posting is, everybody's and its holder's, by whose that is what lends it something."""
    if customer == lead == WHOEVER:
        return (EVERYBODY, WHOEVER, WHOEVER), (holder, WHOEVER, WHOEVER)
    found = []
    if not customer.startswith(APART) and not lead.startswith(APART):
        found.append((EVERYBODY, WHOEVER, WHOEVER))
    if f"{APART}{holder}" not in (customer, lead):  # who may see what is his may see what else is his
        found.append((holder, WHOEVER if customer == holder else customer, WHOEVER if lead == holder else lead))
    return found


def _sums_by(key_of: Callable[[Any], Any], rows: Iterable[tuple[Any, ...]]) -> dict[Any, list[int]]:
    """The count, amount and seconds of rows by their keys."""
    found: dict[Any, list[int]] = {}
    for row in rows:
        so_far = found.get(key := key_of(row))
        if so_far is None:
            found[key] = list(row[_COUNT : _COUNT + 3])
        else:
            so_far[0] += row[_COUNT]
            so_far[1] += row[_COUNT + 1]
            so_far[2] += row[_COUNT + 2]
    return found


def _add(tx: Transaction, copy: int, number: int, rollup: Rollup, *which: sa.ColumnElement[bool]) -> None:
    borrowed = BORROWED.get(rollup.fact, {})
    for everybody, bare in ((True, False), (False, False), *([(False, True)] if borrowed else [])):
        holder = sa.literal(EVERYBODY, sa.Text) if everybody else postings.c.holder
        of = {c.name: sa.literal(borrowed[c.name], c.type) if bare and c.name in borrowed else c for c in postings.c}
        keys: list[sa.ColumnElement[Any]] = [
            *(of[name] for name in rollup.dimensions),
            *(sa.literal("", sa.Text()) for _ in SLOTS[len(rollup.dimensions) :]),
        ]
        inner = (
            sa.select(
                holder.label("holder"),
                bucket(rollup.grain).label("bucket"),
                *(key.label(slot) for key, slot in zip(keys, SLOTS, strict=True)),
                postings.c.currency.label("currency"),
                *(_lends(name, everybody, bare).label(name) for name in LENDERS),
                *(of[name].label(name) for name in _SUMS),
            )
            .where(*which, postings.c.fact == rollup.fact, *(_counts(name, everybody, bare) for name in LENDERS))
            .subquery()
        )
        by = [inner.c[name] for name in ("holder", "bucket", *SLOTS, "currency", *LENDERS)]
        summed = (
            sa.select(
                sa.literal(copy), sa.literal(number), *by,
                *(sa.cast(sa.func.sum(inner.c[name]), sa.BigInteger) for name in _SUMS),
            )
            .where(sa.true())
            .group_by(*by)
            .order_by(*by)
        )  # fmt: skip
        dialect = postgresql if tx.dialect == "postgresql" else sqlite
        insert = dialect.insert(cells).from_select([c.name for c in cells.columns], summed)
        tx.execute(
            insert.on_conflict_do_update(
                index_elements=[c.name for c in cells.primary_key],
                set_={name: cells.c[name] + insert.excluded[name] for name in _SUMS},
            )
        )


def complete(name: str) -> sa.ColumnElement[bool]:
    """Postings as those see them who may see what is lent there."""
    return postings.c[name].notlike(f"{APART}%")


def _counts(name: str, everybody: bool, bare: bool) -> sa.ColumnElement[bool]:
    """Who may see what is his may see what else is his."""
    if bare:
        return postings.c[name] != postings.c.holder
    return complete(name) if everybody else postings.c[name] != _apart(postings.c.holder)


def _lends(name: str, everybody: bool, bare: bool) -> sa.ColumnElement[str]:
    if everybody:
        return sa.literal(WHOEVER, sa.Text)
    if bare and name == "lead_holder":
        return _apart(postings.c[name])
    return sa.case((postings.c[name] == postings.c.holder, WHOEVER), else_=postings.c[name])


def _apart(holder: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    return sa.literal(APART, sa.Text) + holder
