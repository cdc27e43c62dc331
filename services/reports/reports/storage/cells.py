"""Cells: postings summed by some dimensions and a grain of time, kept as postings come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from chassis.database import insert_rows
from chassis.transaction import Transaction
from reports.domain.posting import DIMENSIONS
from reports.storage.tables import batches, cells, copies, postings, rollups

HOUR, DAY, EVER = "HOUR", "DAY", "EVER"
EVERYBODY = "*"
SLOTS = ("d1", "d2", "d3")
_SUMS = ("count", "amount", "seconds")
MOST = 4_000
# Postings, up to which they are added up here and not by the database.
_BY_HAND = 10_000
_READ = tuple(postings.c[n] for n in ("fact", "hour", "holder", "currency", *_SUMS, *DIMENSIONS))
_BLANK = ("",) * len(SLOTS)
_ADDED = (
    f"({', '.join(c.name for c in cells.primary_key)}) DO UPDATE SET "
    + ", ".join(f"{name} = cells.{name} + excluded.{name}" for name in _SUMS)
)  # fmt: skip
# Postings, up to which a new rollup is filled by whoever asks for it.
_FEW = 20_000


@dataclass(frozen=True, slots=True)
class Rollup:
    """A fact summed by at most three dimensions, in hours, in days, or over all time."""

    fact: str
    dimensions: tuple[str, ...]
    grain: str = DAY


def bucket(grain: str) -> sa.ColumnElement[int]:
    """The bucket of a posting."""
    return {HOUR: postings.c.hour, DAY: postings.c.hour // 24, EVER: sa.literal(0, sa.BigInteger)}[grain]


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


def roll(tx: Transaction, copy: int, fresh: Sequence[int]) -> set[str]:
    """Adds the postings of these batches to the cells, and forgets that they were fresh. Returns their facts."""
    mine = (postings.c.copy == copy, postings.c.batch.in_(list(fresh)))
    rows = tx.execute(sa.select(*_READ).where(*mine).limit(_BY_HAND + 1)).all()
    few = len(rows) <= _BY_HAND
    told = rows if few else tx.execute(sa.select(postings.c.fact).distinct().where(*mine))
    facts = {row.fact for row in told}
    if few:
        _add_by_hand(tx, copy, rows)
    else:
        for number, rollup in kept(tx, copy).items():
            if rollup.fact in facts:
                _add(tx, copy, number, rollup, *mine)
    tx.execute(sa.delete(batches).where(batches.c.id.in_(list(fresh))))
    tx.execute(sa.update(copies).where(copies.c.copy == copy).values(roll_time=tx.now))
    return facts


def kept(tx: Transaction, copy: int, fact: str = "") -> dict[int, Rollup]:
    """The rollups of a copy that are filled, or those of one fact, by number."""
    return {number: rollup for number, (rollup, filled) in _there(tx, copy, fact).items() if filled}


def _there(tx: Transaction, copy: int, fact: str = "") -> dict[int, tuple[Rollup, bool]]:
    query = sa.select(rollups.c.rollup, rollups.c.fact, rollups.c.dimensions, rollups.c.grain, rollups.c.filled)
    which = [rollups.c.copy == copy, *([rollups.c.fact == fact] if fact else [])]
    return {
        row.rollup: (Rollup(row.fact, tuple(filter(None, row.dimensions.split(","))), row.grain), row.filled)
        for row in tx.execute(query.where(*which).order_by(rollups.c.rollup))
    }


def add(tx: Transaction, copy: int, wanted: Sequence[Rollup]) -> None:
    """Makes sure of these rollups. A new one is filled at once where little was posted, else by `fill`, and until then
    its figures are summed from the postings."""
    there = _there(tx, copy)
    known = {rollup for rollup, _ in there.values()}
    new = [rollup for rollup in dict.fromkeys(wanted) if rollup not in known]
    for number, rollup in enumerate(new, max(there, default=0) + 1):
        row = {"fact": rollup.fact, "dimensions": ",".join(rollup.dimensions), "grain": rollup.grain}
        tx.execute(sa.insert(rollups).values(copy=copy, rollup=number, filled=False, **row))
    little = sa.select(postings.c.batch).where(postings.c.copy == copy).offset(_FEW).limit(1)
    if new and tx.execute(little).first() is None and claim(tx, copy):
        while fill(tx, copy):
            pass


def fill(tx: Transaction, copy: int) -> bool:
    """Fills one rollup that is not, with all that is in the others. The caller holds the copy's cells. Returns whether
    there was one."""
    number, rollup = next(((n, r) for n, (r, filled) in _there(tx, copy).items() if not filled), (0, None))
    if rollup is None:
        return False
    fresh = sa.select(batches.c.id).where(batches.c.copy == copy)
    of_fact = (postings.c.copy == copy, postings.c.fact == rollup.fact, postings.c.batch.not_in(fresh))
    _add(tx, copy, number, rollup, *of_fact)
    this = (rollups.c.copy == copy, rollups.c.rollup == number)
    tx.execute(sa.update(rollups).where(*this).values(filled=True))
    return True


def _add_by_hand(tx: Transaction, copy: int, rows: Sequence[sa.Row[Any]]) -> None:
    """Adds a few postings to all sums with one statement: two for each sum cost more than the postings."""
    places = {name: place for place, name in enumerate(DIMENSIONS, len(_READ) - len(DIMENSIONS))}
    by_fact: dict[str, list[tuple[int, list[int], int]]] = defaultdict(list)
    for number, rollup in kept(tx, copy).items():
        unit = {HOUR: 1, DAY: 24, EVER: 0}[rollup.grain]
        by_fact[rollup.fact].append((number, [places[name] for name in rollup.dimensions], unit))
    sums: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        fact, hour, holder, currency, count, amount, seconds = row[: len(_READ) - len(DIMENSIONS)]
        for number, wanted, unit in by_fact.get(fact, ()):
            slots = (*[row[place] for place in wanted], *_BLANK[len(wanted) :])
            rest = (hour // unit if unit else 0, *slots, currency)
            for key in ((number, EVERYBODY, *rest), (number, holder, *rest)):
                kept_so_far = sums.get(key)
                if kept_so_far is None:
                    sums[key] = [count, amount, seconds]
                else:
                    kept_so_far[0] += count
                    kept_so_far[1] += amount
                    kept_so_far[2] += seconds
    added = [(copy, *key, *sums[key]) for key in sorted(sums) if any(sums[key])]
    insert_rows(tx.connection, cells, [c.name for c in cells.columns], added, conflict=_ADDED)


def _add(tx: Transaction, copy: int, number: int, rollup: Rollup, *which: sa.ColumnElement[bool]) -> None:
    for holder in (sa.literal(EVERYBODY, sa.Text), postings.c.holder):
        keys: list[sa.ColumnElement[Any]] = [
            *(postings.c[name] for name in rollup.dimensions),
            *(sa.literal("", sa.Text()) for _ in SLOTS[len(rollup.dimensions) :]),
        ]
        inner = (
            sa.select(
                holder.label("holder"),
                bucket(rollup.grain).label("bucket"),
                *(key.label(slot) for key, slot in zip(keys, SLOTS, strict=True)),
                postings.c.currency.label("currency"),
                *(postings.c[name].label(name) for name in _SUMS),
            )
            .where(*which, postings.c.fact == rollup.fact)
            .subquery()
        )
        by = [inner.c[name] for name in ("holder", "bucket", *SLOTS, "currency")]
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
