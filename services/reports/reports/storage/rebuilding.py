"""A copy that is made from history while another answers: how far it is, who works on it, what becomes of the old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from reports.domain.posting import Posting
from reports.storage.ledger import BUILDING, EDITION, JOINING, LIVE, OLD
from reports.storage.tables import batches, cells, copies, postings, rollups, subjects, walks

# After it answered last, what was begun with the old copy may still be under way.
REST = timedelta(seconds=60)
_FILLED = (subjects, postings, cells)
_SUMS = ("count", "amount", "seconds")
_PAIRS = 500
_MINUTE = 60


# Kinds of records that no service keeps the history of; what channels cost is our own.
UNKEPT = ("usage", "attendance", "channelCosts")


@dataclass(frozen=True, slots=True)
class Built:
    """A copy that is not finished; `compared` is the last record of which it was seen when it was learnt."""

    copy: int
    state: str
    begin_time: datetime
    compared: str = ""


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a service's history is in it."""

    place: str = ""
    events: int = 0
    passed_over: int = 0


def built(tx: Transaction, hold: bool = False) -> Built | None:
    """The copy that is being made, if it is by what records post in this edition: a process of another version leaves
    it alone. `hold`: until the commit, for itself."""
    columns = (copies.c[name] for name in Built.__slots__)
    query = sa.select(*columns).where(copies.c.state.in_((BUILDING, JOINING)), copies.c.edition == EDITION)
    row = tx.execute(query.with_for_update() if hold and tx.dialect == "postgresql" else query).first()
    return Built(*row) if row else None


def begin(tx: Transaction) -> Built:
    """A new copy, with the rollups of the one that answers; or the one that was begun already. One of an edition before
    is given up; a later one's is left to whoever began it."""
    answering = sa.select(copies.c.copy).where(copies.c.state == LIVE)
    live = tx.execute(answering.with_for_update() if tx.dialect == "postgresql" else answering).scalar_one()
    found = built(tx)
    if found is not None:
        return found
    of_before = (copies.c.state.in_((BUILDING, JOINING)), copies.c.edition < EDITION)
    tx.execute(sa.update(copies).where(*of_before).values(state=OLD, end_time=tx.now))
    number = tx.execute(sa.select(sa.func.max(copies.c.copy))).scalar_one() + 1
    tx.execute(sa.insert(copies).values(copy=number, state=BUILDING, begin_time=tx.now, edition=EDITION))
    names = ("rollup", "fact", "dimensions", "grain")
    # There is nothing in it yet that they could lack.
    kept = sa.select(sa.literal(number), *(rollups.c[name] for name in names), sa.true()).where(rollups.c.copy == live)
    tx.execute(sa.insert(rollups).from_select(("copy", *names, "filled"), kept))
    return Built(number, BUILDING, tx.now)


def held(tx: Transaction, copy: int, worker: str, until: datetime) -> bool:
    """Takes the copy for a while, or for longer, unless somebody else has it."""
    mine = sa.or_(copies.c.worker == worker, copies.c.held_until.is_(None), copies.c.held_until < tx.now)
    taken = sa.update(copies).where(copies.c.copy == copy, mine).values(worker=worker, held_until=until)
    return tx.execute(taken).rowcount == 1


def let_go(tx: Transaction, copy: int, worker: str) -> None:
    mine = (copies.c.copy == copy, copies.c.worker == worker)
    tx.execute(sa.update(copies).where(*mine).values(worker="", held_until=None))


def walked(tx: Transaction, copy: int) -> dict[str, Walk]:
    query = sa.select(walks.c.service, walks.c.place, walks.c.events, walks.c.passed_over).where(walks.c.copy == copy)
    return {row.service: Walk(row.place, row.events, row.passed_over) for row in tx.execute(query)}


def walk(tx: Transaction, copy: int, now: Mapping[str, Walk]) -> None:
    columns = ("copy", "service", "place", "events", "passed_over")
    rows = [(copy, name, one.place, one.events, one.passed_over) for name, one in sorted(now.items())]
    conflict = "(copy, service) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in columns[2:])
    insert_rows(tx.connection, walks, columns, rows, conflict=conflict)


def join(tx: Transaction, copy: int, not_after: str) -> None:
    """From now on it hears what is new; what is older is read on from there at the latest."""
    tx.execute(sa.update(copies).where(copies.c.copy == copy).values(state=JOINING))
    tx.execute(sa.update(walks).where(walks.c.copy == copy, walks.c.place > not_after).values(place=not_after))


def carry(tx: Transaction, copy: int) -> None:
    """What no service keeps is taken along: how Dealwright was used. Each of its records was told of once."""
    told, there = subjects.alias("told"), subjects.alias("there")
    ours = sa.select(copies.c.copy).where(copies.c.state == LIVE).scalar_subquery()
    missing = sa.select(told.c.name).where(
        told.c.copy == ours,
        sa.or_(*(told.c.name.startswith(f"{kind}/") for kind in UNKEPT)),
        ~sa.exists().where(there.c.copy == copy, there.c.name == told.c.name),
    )
    if tx.execute(missing.limit(1)).first() is None:
        return
    batch = tx.execute(sa.insert(batches).values(copy=copy).returning(batches.c.id)).scalar_one()
    place = sa.func.row_number().over(order_by=(postings.c.batch, postings.c.place))
    # Before features had times, a person's minute with one had none.
    untimed = sa.and_(postings.c.fact == "usage.called", postings.c.owner != "", postings.c.seconds == 0)
    fixed = {
        "copy": sa.literal(copy),
        "batch": sa.literal(batch),
        "place": sa.cast(place, sa.Integer),
        "seconds": sa.case((untimed, _MINUTE), else_=postings.c.seconds),
    }
    for table, name in ((postings, "record"), (subjects, "name")):
        columns = [fixed.get(c.name, c) for c in table.columns]
        mine = sa.select(*columns).where(table.c.copy == ours, table.c[name].in_(missing))
        tx.execute(sa.insert(table).from_select([c.name for c in table.columns], mine))


def uncompared(tx: Transaction, of: Built, most: int) -> Sequence[str]:
    """The next records of a copy, held until the commit: whoever posts to both copies holds them while he does."""
    c = subjects.c
    query = sa.select(c.name).where(c.copy == of.copy, c.name > of.compared).order_by(c.name).limit(most)
    return tx.execute(query.with_for_update() if tx.dialect == "postgresql" else query).scalars().all()


def compare(tx: Transaction, of: Built, names: Sequence[str]) -> None:
    """What was known when, of these records: where the new copy's postings of a fact add up to what the one that
    answers has, but were learnt at other moments, they were told in another order than history keeps, and the ledger
    that was true then stays. All that was posted of them is in the sums."""
    both = tx.execute(sa.select(copies.c.copy).where(copies.c.state == LIVE)).scalar_one(), of.copy
    between = of.compared, names[-1]
    wrong = _unlike(tx, both, between)
    _as_it_was(tx, both, sorted(_unlike(tx, both, between, "learn_time") - wrong))
    c, then = subjects.c, subjects.alias("then")
    before = sa.select(then.c.learn_time).where(then.c.copy == both[0], then.c.name == c.name)
    same = sorted(set(names) - {record for record, _ in wrong})
    mine = (c.copy == of.copy, in_values(c.name, same, tx.dialect), before.exists())
    tx.execute(sa.update(subjects).where(*mine).values(learn_time=before.scalar_subquery()))
    tx.execute(sa.update(copies).where(copies.c.copy == of.copy).values(compared=names[-1]))


def _unlike(tx: Transaction, both: tuple[int, int], between: tuple[str, str], *also: str) -> set[tuple[str, str]]:
    """(record, fact) of which two copies' postings do not add up to the same, by all that they are of."""
    c = postings.c
    by = [c[name] for name in ("record", *also, *(n for n in Posting._fields if n not in _SUMS))]
    sums = [sa.func.sum(sa.case((c.copy == both[0], c[name]), else_=-c[name])) for name in _SUMS]
    query = sa.select(c.record, c.fact).where(c.copy.in_(both), c.record > between[0], c.record <= between[1])
    return {(row[0], row[1]) for row in tx.execute(query.group_by(*by).having(sa.or_(*(one != 0 for one in sums))))}


def _as_it_was(tx: Transaction, both: tuple[int, int], pairs: Sequence[tuple[str, str]]) -> None:
    """Takes these records' postings of these facts over as they are. They are in the sums already: as others, which add
    up to the same."""
    c = postings.c
    for at in range(0, len(pairs), _PAIRS):
        some = sa.tuple_(c.record, c.fact).in_(pairs[at : at + _PAIRS])
        tx.execute(sa.delete(postings).where(c.copy == both[1], some))
        columns = [sa.literal(both[1]) if column.name == "copy" else column for column in c]
        mine = sa.select(*columns).where(c.copy == both[0], some)
        tx.execute(sa.insert(postings).from_select([column.name for column in c], mine))


def swap(tx: Transaction, copy: int) -> None:
    """It answers from now on."""
    tx.execute(sa.update(copies).where(copies.c.state == LIVE).values(state=OLD, end_time=tx.now))
    free = {"worker": "", "held_until": None}
    tx.execute(sa.update(copies).where(copies.c.copy == copy).values(state=LIVE, roll_time=tx.now, **free))


def drop(tx: Transaction, rows: int, rest: timedelta = REST) -> bool:
    """Takes some of what is left of an old copy away. Returns whether there may be more."""
    query = sa.select(copies.c.copy).where(copies.c.state == OLD, copies.c.end_time < tx.now - rest).limit(1)
    copy = tx.execute(query.with_for_update(skip_locked=True) if tx.dialect == "postgresql" else query).scalar()
    if copy is None:
        return False
    for table in _FILLED:
        key = [column for column in table.primary_key if column.name != "copy"]
        mine = table.c.copy == copy
        last = tx.execute(sa.select(*key).where(mine).order_by(*key).limit(1).offset(rows - 1)).first()
        some = [mine, sa.tuple_(*key) <= tuple(last)] if last else [mine]
        if tx.execute(sa.delete(table).where(*some)).rowcount and last:
            return True
    for table in (batches, rollups, walks, copies):
        tx.execute(sa.delete(table).where(table.c.copy == copy))
    return True
