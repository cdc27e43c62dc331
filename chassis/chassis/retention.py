"""What a service's database forgets by itself, and what it keeps for good.

After `keep_days`: inbox rows (counted from the handling), answers to request_ids, published outbox rows. Those of
`Service.kept_events` move to the table `kept_events` instead, on PostgreSQL into a partition for each month.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import sqlalchemy as sa

from chassis import ids
from chassis.service import Service
from chassis.transaction import Transaction

# Rows that one transaction looks at: SQLite has one writer, and others wait for it.
_ROWS = 1_000
_LOCK = 0x666F7267  # any number of our own: one process at a time cleans a database
# How far a walk came: the group (a subscriber, a method), then the key within it.
Place = tuple[str, ...]


class Retention:
    """Cleans in transactions of few rows. A pass looks at each old row once, in ranges of its table's key: nothing is
    scanned, however many rows stay for good."""

    def __init__(self, service: Service, keep_days: float, rows: int = _ROWS) -> None:
        self._keep, self._rows = timedelta(days=keep_days), rows
        self._walks = [partial(walk, service) for walk in (_inbox, _replies, _outbox)]
        self._at = 0
        self._place: Place = ()

    def step(self, tx: Transaction) -> bool:
        """One transaction's share of a pass; True when there is more of it."""
        if tx.dialect == "postgresql" and not tx.execute(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))).scalar():
            return False
        place = self._walks[self._at](tx, tx.now - self._keep, self._place, self._rows)
        at = self._at if place else (self._at + 1) % len(self._walks)
        tx.after_commit(partial(self._go_on, at, place))
        return bool(place) or at != 0

    def _go_on(self, at: int, place: Place) -> None:
        self._at, self._place = at, place


def _inbox(service: Service, tx: Transaction, before: datetime, place: Place, rows: int) -> Place:
    inbox, failures = service.tables.inbox, service.tables.failures
    # Nothing is handled before it happens, so what is old enough is among the events that are.
    old = [inbox.c.event_id < _id_at(before)]
    waits = sa.exists().where(failures.c.subscriber == inbox.c.subscriber, failures.c.event_id == inbox.c.event_id)
    gone = [sa.or_(inbox.c.handled_at < before, inbox.c.handled_at.is_(None)), sa.not_(waits)]
    return _walk(tx, inbox.c.subscriber, [inbox.c.event_id], old, gone, (), place, rows)


def _replies(service: Service, tx: Transaction, before: datetime, place: Place, rows: int) -> Place:
    replies = service.tables.replies
    key = [replies.c.request_id, replies.c.actor]
    return _walk(tx, replies.c.method, key, [], [replies.c.created_at < before], service.kept_replies, place, rows)


def _outbox(service: Service, tx: Transaction, before: datetime, place: Place, rows: int) -> Place:
    outbox, kept = service.tables.outbox, service.tables.kept_events
    after = place[0] if place else ""
    found = tx.execute(
        sa.select(outbox.c.id)
        .where(outbox.c.id > after, outbox.c.id < _id_at(before))
        .order_by(outbox.c.id)
        .limit(rows)
    ).all()
    if not found:
        return ()
    window = sa.and_(outbox.c.id > after, outbox.c.id <= found[-1].id, outbox.c.published_at < before)
    mine = sa.and_(window, outbox.c.type.in_(service.kept_events))
    if service.kept_events and (moving := tx.execute(sa.select(outbox.c.id).where(mine)).all()):
        if tx.dialect == "postgresql":
            _partitions(tx, {datetime.fromtimestamp(ids.made_at(row.id), UTC) for row in moving})
        columns = [c.name for c in kept.columns]
        tx.execute(sa.insert(kept).from_select(columns, sa.select(*(outbox.c[c] for c in columns)).where(mine)))
    tx.execute(sa.delete(outbox).where(window))
    return (found[-1].id,) if len(found) == rows else ()


def _walk(
    tx: Transaction,
    group: sa.Column[str],
    key: Sequence[sa.Column[str]],
    old: Sequence[sa.ColumnElement[bool]],
    gone: Sequence[sa.ColumnElement[bool]],
    kept: Collection[str],
    place: Place,
    rows: int,
) -> Place:
    """Looks at the next `rows` of a group that are `old`, by their key, and deletes those that are to be `gone`.
    Returns how far it came, empty at the end. Groups that are `kept` are not looked into."""
    here, *after = place or ("",)
    if after:
        window = [group == here, *old, sa.tuple_(*key) > tuple(after)]
        found = tx.execute(sa.select(*key).where(*window).order_by(*key).limit(rows)).all()
        if found:
            tx.execute(sa.delete(group.table).where(*window, sa.tuple_(*key) <= tuple(found[-1]), *gone))
        if len(found) == rows:
            return (here, *found[-1])
    following: str | None = here
    while following is not None:
        following = tx.execute(sa.select(sa.func.min(group)).where(group > following)).scalar()
        if following is not None and following not in kept:
            return (following, *("" for _ in key))
    return ()


def _partitions(tx: Transaction, moments: Collection[datetime]) -> None:
    """Makes sure of the months' partitions of `kept_events`. Their bounds are ids, which are in order of time."""
    for year, month in sorted({(m.year, m.month) for m in moments}):
        name = f"kept_events_{year}_{month:02}"
        if tx.execute(sa.select(sa.func.to_regclass(name))).scalar() is None:
            first, last = (_id_at(datetime(year + n // 12, n % 12 + 1, 1, tzinfo=UTC)) for n in (month - 1, month))
            tx.execute(
                sa.text(f"CREATE TABLE {name} PARTITION OF kept_events FOR VALUES FROM ('{first}') TO ('{last}')")
            )


def _id_at(moment: datetime) -> str:
    return ids.first_id_at(moment.timestamp())
