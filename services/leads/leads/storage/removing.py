"""What an import left, taken out of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from chassis.database import in_values
from chassis.transaction import Transaction
from leads.domain.lead import Kind
from leads.storage.tables import lead_keys, leads, touchpoints

# Whoever did one of these worked on the lead, or the contact came back by another way.
_WORK = (Kind.CAPTURED, Kind.TOUCHED, Kind.CONTACTED, Kind.QUALIFIED, Kind.DISQUALIFIED, Kind.CHANGED)


def worked_on(tx: Transaction, names: Sequence[str], source: str) -> set[str]:
    """Those of the leads of which something else is told than what this import and the rules did."""
    if not names:
        return set()
    query = sa.select(touchpoints.c.lead).where(
        in_values(touchpoints.c.lead, list(names), tx.dialect),
        touchpoints.c.source != source,
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


def remove(tx: Transaction, names: Sequence[str]) -> None:
    """The leads and all that is told of them."""
    if names:
        tx.execute(sa.delete(touchpoints).where(in_values(touchpoints.c.lead, list(names), tx.dialect)))
        tx.execute(sa.delete(leads).where(in_values(leads.c.name, list(names), tx.dialect)))


def drop_keys(tx: Transaction, held: Mapping[str, str]) -> None:
    """Keys that these leads were known by, save those that are another's by now."""
    if held:
        tx.execute(
            sa.delete(lead_keys).where(
                in_values(lead_keys.c.key, sorted(held), tx.dialect),
                in_values(lead_keys.c.lead, sorted(set(held.values())), tx.dialect),
            )
        )
