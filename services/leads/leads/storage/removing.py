"""What an import left or a person deleted, taken out of the tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from chassis.database import in_values
from chassis.transaction import Transaction
from leads.domain.lead import Kind, Lead
from leads.domain.matching import keys
from leads.storage.leads import drop_keys
from leads.storage.tables import COLUMNS, leads, touchpoints

# Whoever did one of these worked on the lead, or the contact came back by another way.
_WORK = (Kind.CAPTURED, Kind.TOUCHED, Kind.CONTACTED, Kind.QUALIFIED, Kind.DISQUALIFIED, Kind.CHANGED)
# Who throws a lead away, or takes it out again, did no work on it.
_NO_WORK = (Kind.DELETED, Kind.UNDELETED)


def worked_on(tx: Transaction, names: Sequence[str], source: str) -> set[str]:
    """Those of the leads of which something else is told than what this import and the rules did."""
    if not names:
        return set()
    query = sa.select(touchpoints.c.lead).where(
        in_values(touchpoints.c.lead, list(names), tx.dialect),
        touchpoints.c.source != source,
        touchpoints.c.kind.not_in([int(kind) for kind in _NO_WORK]),
        sa.or_(touchpoints.c.kind.in_([int(kind) for kind in _WORK]), touchpoints.c.actor.like("people/%")),
    )
    return set(tx.execute(query.distinct()).scalars())


def drop_points(tx: Transaction, names: Sequence[str], source: str) -> None:
    """What this import told of the leads."""
    if names:
        tx.execute(
            sa.delete(touchpoints).where(
                in_values(touchpoints.c.lead, list(names), tx.dialect), touchpoints.c.source == source
            )
        )


def clear_review(tx: Transaction, lead: str, other: str) -> None:
    """The lead is not to be looked at with that other any more."""
    tx.execute(sa.update(leads).where(leads.c.name == lead, leads.c.review_with == other).values(review_with=""))


def remove(tx: Transaction, gone: Sequence[Lead]) -> None:
    """The leads, all that is told of them, and the keys that they were known by."""
    names = [lead.name for lead in gone]
    if names:
        tx.execute(sa.delete(touchpoints).where(in_values(touchpoints.c.lead, names, tx.dialect)))
        tx.execute(sa.delete(leads).where(in_values(leads.c.name, names, tx.dialect)))
    drop_keys(tx, {key for lead in gone for key in keys(lead.phone, lead.email)}, names)


def deleted_before(tx: Transaction, then: datetime, most: int) -> list[Lead]:
    """Leads that were deleted before then, the first first, held; those that another process holds are left out."""
    query = (
        sa.select(*(leads.c[column] for column in COLUMNS))
        .where(leads.c.delete_time < then)
        .order_by(leads.c.delete_time)
        .limit(most)
    )
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return [Lead(*row) for row in tx.execute(query)]
