"""When an event was handled, and the events that are kept for good."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "chassis_0002"
down_revision = "chassis_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Empty in rows of before, and of processes that know no better: those count from their event's birth.
    op.add_column("inbox", sa.Column("handled_at", Moment))
    op.create_table(
        "kept_events",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        postgresql_partition_by="RANGE (id)",
    )
