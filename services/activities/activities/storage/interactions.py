"""What other systems recorded."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter

import sqlalchemy as sa

from activities.domain.interaction import Interaction
from activities.storage.tables import deleted, kept, metadata, number, text
from chassis.database import Json, Moment, insert_rows
from chassis.transaction import Transaction

# In the order of domain.interaction.Interaction.
interactions = sa.Table(
    "interactions",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *map(text, ("record", "customer", "opportunity", "lead")),
    number("kind"),
    *map(text, ("system", "external_id", "title", "text")),
    sa.Column("detail", Json, nullable=False),
    sa.Column("attachments", Json, nullable=False),
    sa.Column("happen_time", Moment, nullable=False),
    *map(text, ("owner", "team")),
    *kept(),
    sa.Index("interactions_known", "system", "external_id", unique=True),
    sa.Index("interactions_happened", "happen_time", "name"),
    deleted("interactions"),
    *(sa.Index(f"interactions_of_{of}", of, "happen_time") for of in ("record", "customer", "owner")),
)
COLUMNS = tuple(field.name for field in fields(Interaction))
_row = attrgetter(*COLUMNS)


def add_once(tx: Transaction, wanted: Interaction) -> bool:
    """Whether it is new: no other has its system and external id."""
    made = insert_rows(
        tx.connection,
        interactions,
        COLUMNS,
        [_row(wanted)],
        conflict="(system, external_id) DO NOTHING",
        returning=("name",),
    )
    return bool(made)


def known_as(tx: Transaction, system: str, external_id: str) -> str:
    """The name of the one that has this id; empty for none."""
    c = interactions.c
    query = sa.select(c.name).where(c.system == system, c.external_id == external_id)
    return str(tx.execute(query).scalar() or "")
