"""Leads, their keys and their touchpoints, in sets: a constant number of statements whatever the number of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from chassis import ids
from chassis.database import in_values, insert_rows, update_rows
from chassis.transaction import Transaction
from leads.domain.lead import Kind, Lead, Status
from leads.storage.tables import COLUMNS, OF_DELETED, lead_keys, leads, touchpoints

_NEW = tuple(column for column in COLUMNS if column not in OF_DELETED)
_values = attrgetter(*_NEW)
_EVERY = [leads.c[column] for column in COLUMNS]
# What a person or a further capture may change; never the owner, and never the status.
_FACTS = (
    *("full_name", "phone", "email", "company", "licence", "region", "industry", "category", "channel", "intent"),
    *("text", "latitude", "longitude", "tags", "skills", "custom"),
    *("capture_time", "last_activity_time", "review_with", "version"),
)
_facts = attrgetter("name", *_FACTS)
_STANDING = (
    *("status", "status_reason", "status_time", "deciding", "respond_by", "first_response_time"),
    *("last_activity_time", "escalated_to", "missed_responses", "version"),
)
_standing = attrgetter("name", "owner_version", *_STANDING)


def insert(tx: Transaction, new: Sequence[Lead]) -> None:
    tx.insert_at_end(leads, _NEW, [_values(lead) for lead in new])


def in_hand(tx: Transaction, owners: Sequence[str], since: datetime | None = None) -> list[Lead]:
    """What these people have and have not finished; `since` when it must have been given to them, if that matters."""
    if not owners:
        return []
    is_open = leads.c.status.in_([sa.literal_column(str(int(s))) for s in (Status.ASSIGNED, Status.CONTACTED)])
    query = sa.select(*_EVERY).where(in_values(leads.c.owner, sorted(owners), tx.dialect), leads.c.owner != "", is_open)
    if since is not None:
        query = query.where(leads.c.assign_time >= since)
    return [Lead(*row) for row in tx.execute(query.order_by(leads.c.name))]


def by_name(tx: Transaction, names: Iterable[str], lock: bool = False) -> dict[str, Lead]:
    """The leads of these names. `lock` holds them until the commit, taken in the order of their names."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    query = sa.select(*_EVERY).where(in_values(leads.c.name, wanted, tx.dialect))
    if lock and tx.dialect == "postgresql":
        query = query.order_by(leads.c.name).with_for_update()
    return {row[0]: Lead(*row) for row in tx.execute(query)}


def save_facts(tx: Transaction, changed: Sequence[Lead]) -> None:
    """Writes what was captured or corrected of leads that the caller holds locked."""
    rows = [_facts(lead) for lead in sorted(changed, key=attrgetter("name"))]
    update_rows(tx.connection, leads, ("name",), _FACTS, rows)


def save_standing(tx: Transaction, changed: Sequence[Lead]) -> None:
    """Writes status and clocks of leads that the caller holds locked, within one ownership."""
    rows = [_standing(lead) for lead in sorted(changed, key=attrgetter("name"))]
    update_rows(tx.connection, leads, ("name", "owner_version"), _STANDING, rows)


def save_deletion(tx: Transaction, lead: Lead) -> None:
    """Writes when a lead that the caller holds was deleted, and what it was."""
    marks = {column: getattr(lead, column) for column in OF_DELETED}
    tx.execute(sa.update(leads).where(leads.c.name == lead.name).values(**marks))


def waiting_since(tx: Transaction, before: datetime, most: int) -> list[Lead]:
    """Waiting leads last announced before then, oldest first, held; those that another process holds are left out."""
    query = (
        sa.select(*_EVERY)
        .where(leads.c.status == sa.literal_column(str(int(Status.WAITING))), leads.c.status_time < before)
        .order_by(leads.c.status_time)
        .limit(most)
    )
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return [Lead(*row) for row in tx.execute(query)]


# --- keys ---


def leads_of_keys(tx: Transaction, keys: Sequence[str]) -> dict[str, str]:
    """Key to lead, for those that are known."""
    if not keys:
        return {}
    query = sa.select(lead_keys.c.key, lead_keys.c.lead).where(in_values(lead_keys.c.key, keys, tx.dialect))
    return {row[0]: row[1] for row in tx.execute(query)}


def take_keys(tx: Transaction, wanted: Mapping[str, str], hoping: bool = False) -> dict[str, str]:
    """Gives keys that nobody has to their leads, in sorted order. Returns the others with the lead that has them; on
    PostgreSQL that waits for the commit of whoever takes the same key now. `hoping`: where the transaction may run
    again they are taken for free, and it is seen at its end whether they were."""
    if not wanted:
        return {}
    if hoping and tx.hopeful and tx.dialect != "sqlite":
        tx.insert_at_end(lead_keys, ("key", "lead"), sorted(wanted.items()))
        return {}
    if tx.dialect == "sqlite":  # the one writer: nobody comes between, and a look costs no round trip
        known = leads_of_keys(tx, list(wanted))
        rows = [w for w in sorted(wanted.items()) if w[0] not in known]
        insert_rows(tx.connection, lead_keys, ("key", "lead"), rows)
        return known
    rows = sorted(wanted.items())
    taken = insert_rows(tx.connection, lead_keys, ("key", "lead"), rows, conflict="DO NOTHING", returning=("key",))
    lost = wanted.keys() - {row[0] for row in taken}
    return leads_of_keys(tx, sorted(lost)) if lost else {}


def move_keys(tx: Transaction, moved: Mapping[str, str]) -> None:
    """Points keys that this transaction took at other leads."""
    update_rows(tx.connection, lead_keys, ("key",), ("lead",), sorted(moved.items()))


def free_keys(tx: Transaction, keys: Sequence[str]) -> None:
    """Gives back keys that this transaction took and does not need."""
    if keys:
        tx.execute(sa.delete(lead_keys).where(in_values(lead_keys.c.key, keys, tx.dialect)))


def drop_keys(tx: Transaction, keys: Collection[str], of: Collection[str]) -> None:
    """These leads are not known by these keys any more; those that are another's by now stay."""
    if keys and of:
        tx.execute(
            sa.delete(lead_keys).where(
                in_values(lead_keys.c.key, sorted(keys), tx.dialect),
                in_values(lead_keys.c.lead, sorted(of), tx.dialect),
            )
        )


# --- touchpoints ---


@dataclass(frozen=True, slots=True)
class Touchpoint:
    """One link of a lead's event chain. Fields in the order of the columns."""

    lead: str
    kind: Kind
    actor: str
    happen_time: datetime
    receive_time: datetime
    channel: int = 0
    text: str = ""
    owner: str = ""
    reason: str = ""
    latitude: float | None = None
    longitude: float | None = None
    decision: int | None = None
    brought: Mapping[str, Any] | None = None
    source: str = ""


_POINT = (
    *("lead", "kind", "actor", "happen_time", "receive_time", "channel", "text", "owner", "reason"),
    *("latitude", "longitude", "decision", "brought", "source"),
)
_point = attrgetter(*_POINT)


def append(tx: Transaction, points: Sequence[Touchpoint]) -> None:
    """Adds to the chains; ids rise in the order given."""
    rows = [(*_point(point), new) for point, new in zip(points, ids.new_ids(len(points)), strict=True)]
    tx.insert_at_end(touchpoints, (*_POINT, "id"), rows)


def released_since(tx: Transaction, names: Sequence[str], since: datetime) -> set[str]:
    """Those of the leads that their owner gave back, or lost to the pool, since then."""
    query = sa.select(touchpoints.c.lead).where(
        in_values(touchpoints.c.lead, names, tx.dialect),
        touchpoints.c.kind == int(Kind.RELEASED),
        touchpoints.c.happen_time > since,
    )
    return {row[0] for row in tx.execute(query)}


def recorded(tx: Transaction, names: Sequence[str]) -> set[tuple[str, int]]:
    """(lead, journal number) of the decisions that were ever recorded for these leads."""
    query = sa.select(touchpoints.c.lead, touchpoints.c.decision).where(
        in_values(touchpoints.c.lead, names, tx.dialect), touchpoints.c.decision.is_not(None)
    )
    return {(row[0], row[1]) for row in tx.execute(query)}
