"""The tables."""

from __future__ import annotations

import sqlalchemy as sa

from chassis import deciders as deciders_copy
from chassis import numbers as counted
from chassis import people as people_copy
from chassis.database import Json, Moment

metadata = sa.MetaData()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _whole(name: str, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, Json, nullable=False)


def _of_one() -> sa.Column[str]:
    return sa.Column("opportunity", sa.Text, sa.ForeignKey("opportunities.name", ondelete="CASCADE"), nullable=False)


# In the order of domain.opportunity.Opportunity; money in ten-thousandths.
opportunities = sa.Table(
    "opportunities",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *map(_text, ("number", "title", "customer", "contact", "lead", "pipeline", "stage")),
    sa.Column("status", sa.Integer, nullable=False),
    _whole("amount", nullable=True),
    _text("currency"),
    _text("expected_close_date"),
    sa.Column("win_probability", sa.Integer, nullable=False),
    _text("need"),
    _json("products"),
    _whole("budget", nullable=True),
    *map(_text, ("budget_currency", "decision_cycle", "blocker")),
    sa.Column("importance", sa.Integer, nullable=False),
    _json("collaborators"),
    *map(_text, ("owner", "team")),
    _whole("owner_version"),
    sa.Column("custom", Json),
    *map(_text, ("position", "phone", "email", "source", "industry", "company_size", "follow_up_status")),
    _json("checklist_done"),
    sa.Column("stage_time", Moment, nullable=False),
    sa.Column("open_time", Moment),
    sa.Column("close_time", Moment),
    *map(_text, ("status_reason", "resume_stage")),
    sa.Column("warned_time", Moment),
    *(
        sa.Column(name, sa.Text, nullable=False, server_default="")
        for name in ("warning", "warning_zh", "approved_quote")
    ),
    sa.Column("quote_approve_time", Moment),
    _whole("version"),
    sa.Column("create_time", Moment, nullable=False),
    sa.Column("update_time", Moment, nullable=False),
    sa.Column("delete_time", Moment),
    sa.Index("opportunities_number", "number", unique=True),
    *(sa.Index(f"opportunities_{done}d", f"{done}_time", "name") for done in ("create", "update")),
    sa.Index("opportunities_owned", "owner", "create_time", "name"),
    sa.Index("opportunities_owned_updated", "owner", "update_time", "name"),
    sa.Index("opportunities_of_customer", "customer", "create_time"),
    sa.Index("opportunities_in_stage", "pipeline", "stage"),
    sa.Index(
        "opportunities_of_lead",
        "lead",
        postgresql_where=sa.text("lead <> ''"),
        sqlite_where=sa.text("lead <> ''"),
    ),
    sa.Index(
        "opportunities_deleted",
        "delete_time",
        postgresql_where=sa.text("delete_time IS NOT NULL"),
        sqlite_where=sa.text("delete_time IS NOT NULL"),
    ),
)

stage_changes = sa.Table(
    "stage_changes",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # UUIDv7: in the order of the moves
    _of_one(),
    *map(_text, ("from_stage", "to_stage")),
    sa.Column("from_status", sa.Integer, nullable=False),
    sa.Column("to_status", sa.Integer, nullable=False),
    sa.Column("happen_time", Moment, nullable=False),
    _text("actor"),
    sa.Column("forced", sa.Boolean, nullable=False),
    _text("reason"),
    sa.Index("stage_changes_of", "opportunity", "id"),
)

# Who may read an opportunity besides its owner: its collaborators, and those it is shared with until `end_time`.
shares = sa.Table(
    "shares",
    metadata,
    sa.Column("opportunity", sa.Text, sa.ForeignKey("opportunities.name", ondelete="CASCADE"), primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    _text("given_by"),
    sa.Column("start_time", Moment, nullable=False),
    sa.Column("end_time", Moment, nullable=False),
    sa.Index("shares_person", "person"),
    sa.Index("shares_end", "end_time"),
)

collaborators = sa.Table(
    "collaborators",
    metadata,
    sa.Column("opportunity", sa.Text, sa.ForeignKey("opportunities.name", ondelete="CASCADE"), primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    # The parts that this person or team was asked for.
    _json("asked"),
    sa.Index("collaborators_person", "person"),
)

# When each was last followed up, as `activities` told.
touches = sa.Table(
    "touches",
    metadata,
    sa.Column("opportunity", sa.Text, sa.ForeignKey("opportunities.name", ondelete="CASCADE"), primary_key=True),
    sa.Column("happen_time", Moment, nullable=False),
)

numbers = counted.table(metadata)

pipelines = sa.Table(
    "pipelines", metadata, sa.Column("id", sa.Text, primary_key=True), _json("content"), _whole("version")
)

# Customers and contacts as their service told of them; `customer` is a contact's, and of a customer the one that it was
# merged into; `owner`, `team` and `shared` say who sees a customer.
parties = sa.Table(
    "parties",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("customer"),
    sa.Column("deleted", sa.Boolean, nullable=False),
    _whole("version"),
    *map(_text, ("owner", "team")),
    sa.Column("shared", sa.Boolean, nullable=False),
)

# What other services keep of an opportunity, in the order of domain.related.Related.
related = sa.Table(
    "related",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("opportunity"),
    sa.Column("sort", sa.Integer, nullable=False),
    *map(_text, ("label", "state", "person", "team")),
    sa.Column("begin_time", Moment, nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False),
    _whole("version"),
    sa.Index("related_of", "opportunity", "begin_time"),
)

# The stages of which it was announced that nothing is missing for them.
ready_stages = sa.Table(
    "ready_stages", metadata, _of_one(), _text("stage"), sa.PrimaryKeyConstraint("opportunity", "stage")
)

# What somebody should look at, until the stage changes.
warnings = sa.Table(
    "warnings",
    metadata,
    _of_one(),
    *map(_text, ("kind", "message", "message_zh", "stage")),
    sa.Column("raise_time", Moment, nullable=False),
    sa.PrimaryKeyConstraint("opportunity", "kind"),
)

people = people_copy.table(metadata)
deciders = deciders_copy.table(metadata)
