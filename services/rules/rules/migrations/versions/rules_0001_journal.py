"""The journal, its head and snapshots, waiting leads, timers."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "rules_0001"
down_revision = None
branch_labels = ("rules",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_index("journal_subject", "journal", ["subject", "seq"])
    op.create_table(
        "journal_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "snapshots",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "waiting_leads",
        sa.Column("lead", sa.Text, primary_key=True),
        sa.Column("event", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "timers",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("owner_version", sa.BigInteger, nullable=False),
        sa.Column("set_at", Moment, nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("fired_at", Moment),
        sa.Column("open", sa.Boolean, nullable=False),
    )
    op.create_index("timers_due", "timers", ["due_at"], postgresql_where=sa.text("open"), sqlite_where=sa.text("open"))
