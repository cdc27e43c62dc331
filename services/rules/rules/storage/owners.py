"""Leads that wait for an owner, ownerships with their clocks, and clocks that ran out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.database import in_values, insert_rows
from chassis.transaction import Transaction
from rules.domain.ownership import Clock, Ownership
from rules.storage.tables import blob, fired_clocks, ownerships, waiting_leads


def keep_waiting(tx: Transaction, events: Sequence[tuple[str, bytes]]) -> None:
    insert_rows(
        tx.connection,
        waiting_leads,
        ("lead", "event"),
        sorted(events),
        conflict='("lead") DO UPDATE SET "event" = excluded."event"',
    )


def forget_waiting(tx: Transaction, leads: Sequence[str]) -> None:
    if leads:
        tx.execute(sa.delete(waiting_leads).where(in_values(waiting_leads.c.lead, leads, tx.dialect)))


def waiting_events(tx: Transaction, leads: Sequence[str]) -> list[bytes]:
    rows = tx.execute(sa.select(waiting_leads.c.event).where(in_values(waiting_leads.c.lead, leads, tx.dialect)))
    return [blob(row[0]) for row in rows]


_STARTED = (
    *("lead", "owner_version", "owner", "decision", "confirmed"),
    *("response_due", "reclaim_due", "nurture_due", "next_due"),
)
_EVERY = tuple(column.name for column in ownerships.columns)
_REPLACE = '("lead") DO UPDATE SET ' + ", ".join(f'"{c}" = excluded."{c}"' for c in _EVERY if c != "lead")


def ownerships_of(tx: Transaction, leads: Iterable[str], lock: bool = False) -> dict[str, Ownership]:
    """What is known of these leads. `lock`: held until the transaction ends, in order of their ids."""
    query = sa.select(ownerships).where(in_values(ownerships.c.lead, sorted(set(leads)), tx.dialect))
    if lock:
        query = query.order_by(ownerships.c.lead).with_for_update()
    return {row.lead: _ownership(row) for row in tx.execute(query)}


def start_ownerships(tx: Transaction, rows: Sequence[Ownership]) -> None:
    """Writes ownerships that begin with a first decision, of leads that have no row."""
    insert_rows(
        tx.connection,
        ownerships,
        _STARTED,
        [
            (
                o.lead,
                o.version,
                o.owner,
                o.decision,
                o.confirmed,
                o.response.due,
                o.reclaim.due,
                o.nurture.due,
                o.next_due,
            )
            for o in sorted(rows, key=lambda o: o.lead)
        ],
    )


def save_ownerships(tx: Transaction, rows: Iterable[Ownership]) -> None:
    """Writes ownerships whole, over whatever was known."""
    insert_rows(
        tx.connection,
        ownerships,
        _EVERY,
        [_row(o) for o in sorted(rows, key=lambda o: o.lead)],
        conflict=_REPLACE,
    )


def claim_due(tx: Transaction, limit: int) -> list[Ownership]:
    """Ownerships with a clock that has run out, held: another process never gets the same."""
    query = (
        sa.select(ownerships)
        .where(ownerships.c.next_due <= tx.now)
        .order_by(ownerships.c.next_due)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_ownership(row) for row in tx.execute(query)]


@dataclass(frozen=True)
class FiredClock:
    """A clock that ran out: of which ownership, when it was due, and when it was found to have done so."""

    lead: str
    version: int
    kind: str
    due: datetime
    owner: str
    fired: datetime


def keep_fired(tx: Transaction, clocks: Sequence[FiredClock]) -> None:
    insert_rows(
        tx.connection,
        fired_clocks,
        ("lead", "owner_version", "kind", "due", "owner", "fired"),
        [(c.lead, c.version, c.kind, c.due, c.owner, c.fired) for c in clocks],
        conflict="DO NOTHING",
    )


def fired_of(tx: Transaction, lead: str) -> list[FiredClock]:
    """The clocks that ran out for a lead, whoever had it then, in the order in which they were due."""
    c = fired_clocks.c
    query = sa.select(c.lead, c.owner_version, c.kind, c.due, c.owner, c.fired).where(c.lead == lead)
    return [FiredClock(*row) for row in tx.execute(query.order_by(c.due, c.kind))]


def _ownership(row: Any) -> Ownership:
    return Ownership(
        row.lead,
        row.owner_version,
        row.owner,
        row.decision,
        row.confirmed,
        row.misses,
        row.contacted,
        row.closed,
        Clock(row.response_due, row.response_fired),
        Clock(row.reclaim_due, row.reclaim_fired),
        Clock(row.nurture_due, row.nurture_fired),
    )


def _row(o: Ownership) -> tuple[Any, ...]:
    return (
        *(o.lead, o.version, o.owner, o.decision, o.confirmed, o.misses, o.contacted, o.closed),
        *(o.response.due, o.response.fired, o.reclaim.due, o.reclaim.fired, o.nurture.due, o.nurture.fired),
        o.next_due,
    )
