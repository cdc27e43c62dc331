"""The journal, its head and snapshots, waiting leads, ownerships with their clocks."""

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
        "ownerships",
        sa.Column("lead", sa.Text, primary_key=True),
        sa.Column("owner_version", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("decision", sa.BigInteger, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.Column("misses", sa.Integer, nullable=False, server_default="0"),
        sa.Column("contacted", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("response_due", Moment),
        sa.Column("response_fired", Moment),
        sa.Column("reclaim_due", Moment),
        sa.Column("reclaim_fired", Moment),
        sa.Column("nurture_due", Moment),
        sa.Column("nurture_fired", Moment),
        sa.Column("next_due", Moment),
    )
    op.create_index(
        "ownerships_due",
        "ownerships",
        ["next_due"],
        postgresql_where=sa.text("next_due IS NOT NULL"),
        sqlite_where=sa.text("next_due IS NOT NULL"),
    )
