"""The probe's tables."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "probe_0001"
down_revision = None
branch_labels = ("probe",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handled",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("subscriber", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("traceparent", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
    op.create_index("handled_subject", "handled", ["subject"])
    op.create_table(
        "newest",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "notes",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("batch", sa.BigInteger, nullable=False),
    )
