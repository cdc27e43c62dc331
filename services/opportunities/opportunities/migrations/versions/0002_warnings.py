"""Warnings on opportunities, and when each was last followed up."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "opportunities_0002"
down_revision = "opportunities_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("opportunities", sa.Column("warned_time", Moment))
    op.add_column("opportunities", sa.Column("warning", sa.Text, nullable=False, server_default=""))
    op.add_column("opportunities", sa.Column("warning_zh", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "touches",
        sa.Column("opportunity", sa.Text, sa.ForeignKey("opportunities.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("happen_time", Moment, nullable=False),
    )
