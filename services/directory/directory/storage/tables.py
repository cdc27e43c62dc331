"""The tables. Names of resources are stored with their prefix."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.database import Json, Moment

metadata = sa.MetaData()

people = sa.Table(
    "people",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("display_name", sa.Text, nullable=False),
    # Empty for somebody who never signs in: NULLs do not collide.
    sa.Column("login", sa.Text, unique=True),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("manager", sa.Text, nullable=False),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("skills", Json, nullable=False),
    sa.Column("industries", Json, nullable=False),
    sa.Column("seniority", sa.Text, nullable=False),
    sa.Column("weight", sa.Integer, nullable=False),
    sa.Column("open_limit", sa.Integer),
    sa.Column("day_limit", sa.Integer),
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("presence", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("calendar", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("expects_heartbeat", sa.Boolean, nullable=False),
    sa.Column("presence_expired", sa.Boolean, nullable=False),
    # The last heartbeat that changed something, or that Redis could not take.
    sa.Column("heartbeat_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("edits", sa.BigInteger, nullable=False),
    sa.Index("people_team", "team"),
    sa.Index("people_manager", "manager"),
    sa.Index("people_calendar", "calendar"),
)

teams = sa.Table(
    "teams",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("display_name", sa.Text, nullable=False),
    # The display name as it is compared: case folded. Of a deleted one its name, which leaves the title to others.
    sa.Column("title", sa.Text, nullable=False, unique=True),
    sa.Column("parent", sa.Text, nullable=False),
    sa.Column("manager", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("delete_time", Moment),
)

roles = sa.Table(
    "roles",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("grants", Json, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

calendars = sa.Table(
    "calendars",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("spans", Json, nullable=False),
    sa.Column("off_days", Json, nullable=False),
    sa.Column("work_days", Json, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("delete_time", Moment),
)

# One row: the version of our part of the blueprint. It also numbers the versions of roles and calendars, so that a
# calendar that was ended and made again never falls behind what consumers have seen.
blueprint = sa.Table(
    "blueprint",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("used_at", Moment, nullable=False),
    # The absolute end; the idle end follows from used_at.
    sa.Column("ends_at", Moment, nullable=False),
    sa.Index("sessions_person", "person"),
    sa.Index("sessions_ends_at", "ends_at"),
)

password_tokens = sa.Table(
    "password_tokens",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("password_tokens_person", "person"),
)

# Tries that have not succeeded. Keys are hashes: a login that nobody has may be a password typed too early.
attempts = sa.Table(
    "sign_in_attempts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("login_key", sa.Text, nullable=False),
    sa.Column("address_key", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index("sign_in_attempts_login", "login_key", "at"),
    sa.Index("sign_in_attempts_address", "address_key", "at"),
    sa.Index("sign_in_attempts_at", "at"),
)

# Mails to send. The one-time token is made when a mail goes out, so that none lies here to be read.
mails = sa.Table(
    "mails",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_try_at", Moment, nullable=False),
    sa.Index("mails_next_try_at", "next_try_at"),
)
