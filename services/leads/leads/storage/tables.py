"""The tables. Each index costs every capture, so a list has one only where it would otherwise read the whole table."""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa

from chassis.database import Json, Moment
from leads.domain.imports import UNDER_WAY, Job
from leads.domain.lead import Lead, Status

metadata = sa.MetaData()


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _partial(name: str, where: str, *columns: str) -> sa.Index:
    return sa.Index(name, *columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


leads = sa.Table(
    "leads",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # UUIDv7: in order of arrival
    _text("full_name"),
    _text("phone"),
    _text("email"),
    _text("company"),
    _text("licence"),
    _text("region"),
    _text("industry"),
    _text("category"),
    sa.Column("channel", sa.Integer, nullable=False),
    sa.Column("intent", sa.Integer, nullable=False),
    _text("text"),
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("capture_time", Moment, nullable=False),
    sa.Column("receive_time", Moment, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    _text("status_reason"),
    sa.Column("status_time", Moment, nullable=False),
    _text("owner"),
    sa.Column("owner_version", sa.BigInteger, nullable=False),
    sa.Column("owners", Json, nullable=False),
    _text("deciding"),
    sa.Column("tags", Json, nullable=False),
    sa.Column("skills", Json, nullable=False),
    sa.Column("custom", Json),
    sa.Column("assign_time", Moment),
    sa.Column("respond_by", Moment),
    sa.Column("first_response_time", Moment),
    sa.Column("last_activity_time", Moment, nullable=False),
    _text("escalated_to"),
    _text("review_with"),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("missed_responses", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("delete_time", Moment),
    sa.Column("status_before", sa.Integer),
    # The default list, newest first.
    sa.Index("leads_captured", "capture_time", "name"),
    # One's own leads.
    _partial("leads_owned", "owner <> ''", "owner", "capture_time"),
    # Few at a time: what the watchdog looks through, and what may be claimed.
    _partial("leads_waiting", f"status = {Status.WAITING:d}", "status_time"),
    _partial("leads_pooled", f"status = {Status.POOLED:d}", "capture_time"),
    # What is to be ended for good.
    _partial("leads_deleted", "delete_time IS NOT NULL", "delete_time"),
)
COLUMNS = tuple(field.name for field in dataclasses.fields(Lead))
# What a new lead has none of: an insert does without.
OF_DELETED = ("delete_time", "status_before")

# One row per phone or e-mail: the unique key that makes two processes agree on one lead (I1).
lead_keys = sa.Table(
    "lead_keys",
    metadata,
    # "phone:+8613812345678", "phone:+862162345678;ext=801", "email:a@b.cn"; by code point, so that an index finds all
    # extensions of a number.
    sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=True),
    _text("lead"),
)

touchpoints = sa.Table(
    "touchpoints",
    metadata,
    sa.Column("lead", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Integer, nullable=False),
    sa.Column("channel", sa.Integer, nullable=False),
    _text("text"),
    _text("actor"),
    _text("owner"),
    _text("reason"),
    sa.Column("happen_time", Moment, nullable=False),
    sa.Column("receive_time", Moment, nullable=False),
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("decision", sa.BigInteger),  # the journal number that was recorded
    sa.Column("brought", Json),  # what a capture said and the lead did not take, by the capture's field names
    sa.Column("source", sa.Text, nullable=False, server_default=""),  # the import that it came with
)

# How many leads each person took from the pool on each day of the company's time zone.
lead_claims = sa.Table(
    "lead_claims",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),  # "2026-10-01"
    sa.Column("claims", sa.Integer, nullable=False),
)

# Our copy of the directory's people, fed by PersonChanged.
people = sa.Table(
    "people",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("display_name"),
    _text("team"),
    _text("manager"),
    _text("role"),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("open_limit", sa.Integer),  # none: as many as come
    sa.Column("day_limit", sa.Integer),
    sa.Column("leave_time", Moment),  # the last time
)

# Whether they are there, by the newest of PersonChanged and PresenceChanged.
presences = sa.Table(
    "presences",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("presence", sa.Integer, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

forms = sa.Table(
    "forms",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("display_name"),
    sa.Column("channel", sa.Integer, nullable=False),
    sa.Column("fields", Json, nullable=False),
    sa.Column("required_fields", Json, nullable=False),
    _text("region"),
    _text("industry"),
    sa.Column("tags", Json, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("rate_per_minute", sa.Integer, nullable=False),
    sa.Column("create_time", Moment, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("allowed_origins", Json, nullable=False, server_default="[]"),
    sa.Column("thanks_url", sa.Text, nullable=False, server_default=""),
    sa.Column("delete_time", Moment),
)

# One row, "leads": the settings, and the version of this service's part of the blueprint.
lead_settings = sa.Table(
    "lead_settings",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("content", Json, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

imports = sa.Table(
    "imports",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("owner"),
    _text("team"),
    sa.Column("caller", Json, nullable=False),
    sa.Column("kind", sa.Integer, nullable=False),
    sa.Column("state", sa.Integer, nullable=False),
    _text("file_name"),
    sa.Column("size", sa.BigInteger, nullable=False),
    _text("digest"),
    _text("fingerprint"),
    _text("format"),
    _text("encoding"),
    _text("delimiter"),
    sa.Column("columns", Json, nullable=False),
    sa.Column("mapping", Json, nullable=False),
    sa.Column("on_conflict", sa.Integer, nullable=False),
    sa.Column("choices", Json, nullable=False),
    sa.Column("historical", sa.Boolean, nullable=False),
    sa.Column("validate_only", sa.Boolean, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("block", sa.Integer, nullable=False),
    sa.Column("counts", Json, nullable=False),
    sa.Column("kept", Json, nullable=False),
    sa.Column("problem", Json),
    sa.Column("lease", Moment),
    sa.Column("create_time", Moment, nullable=False),
    sa.Column("update_time", Moment, nullable=False),
    sa.Column("start_time", Moment),
    sa.Column("end_time", Moment),
    sa.Column("delete_time", Moment),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Index("imports_created", "create_time", "name"),
    _partial("imports_under_way", f"state IN ({', '.join(str(int(s)) for s in sorted(UNDER_WAY))})", "update_time"),
)
JOB_COLUMNS = tuple(field.name for field in dataclasses.fields(Job))

# A double click imports once: which import brought a file, by whom and in which way.
import_once = sa.Table(
    "import_once",
    metadata,
    sa.Column("fingerprint", sa.Text, primary_key=True),
    _text("job"),
)

# A file as it came, until it is read.
import_parts = sa.Table(
    "import_parts",
    metadata,
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

# Its rows, some hundred in each, and what became of them: JSON, compressed.
import_rows = sa.Table(
    "import_rows",
    metadata,
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("rows", sa.LargeBinary, nullable=False),
    sa.Column("results", sa.LargeBinary),
)
