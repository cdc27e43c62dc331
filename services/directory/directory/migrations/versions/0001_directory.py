"""People, teams, roles, calendars, sessions, one-time tokens, attempts, mails."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "directory_0001"
down_revision = None
branch_labels = ("directory",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("display_name", sa.Text, nullable=False),
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
        sa.Column("heartbeat_at", Moment),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("edits", sa.BigInteger, nullable=False),
    )
    op.create_index("people_calendar", "people", ["calendar"])
    op.create_index("people_manager", "people", ["manager"])
    op.create_index("people_team", "people", ["team"])
    op.create_table(
        "teams",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("title", sa.Text, unique=True, nullable=False),
        sa.Column("parent", sa.Text, nullable=False),
        sa.Column("manager", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "roles",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("grants", Json, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "calendars",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("spans", Json, nullable=False),
        sa.Column("off_days", Json, nullable=False),
        sa.Column("work_days", Json, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "blueprint",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("token_hash", sa.Text, unique=True, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("used_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=False),
    )
    op.create_index("sessions_ends_at", "sessions", ["ends_at"])
    op.create_index("sessions_person", "sessions", ["person"])
    op.create_table(
        "password_tokens",
        sa.Column("token_hash", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
    )
    op.create_index("password_tokens_person", "password_tokens", ["person"])
    op.create_table(
        "sign_in_attempts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("login_key", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
    op.create_index("sign_in_attempts_address", "sign_in_attempts", ["address_key", "at"])
    op.create_index("sign_in_attempts_at", "sign_in_attempts", ["at"])
    op.create_index("sign_in_attempts_login", "sign_in_attempts", ["login_key", "at"])
    op.create_table(
        "mails",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_at", Moment, nullable=False),
    )
    op.create_index("mails_next_try_at", "mails", ["next_try_at"])


def downgrade() -> None:
    op.drop_table("mails")
    op.drop_table("sign_in_attempts")
    op.drop_table("password_tokens")
    op.drop_table("sessions")
    op.drop_table("blueprint")
    op.drop_table("calendars")
    op.drop_table("roles")
    op.drop_table("teams")
    op.drop_table("people")
