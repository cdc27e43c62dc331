"""Leads that were deleted: when, and what they come back to."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "leads_0007"
down_revision = "leads_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("leads", sa.Column("delete_time", Moment))
    op.add_column("leads", sa.Column("status_before", sa.Integer))
    there = sa.text("delete_time IS NOT NULL")
    op.create_index("leads_deleted", "leads", ["delete_time"], postgresql_where=there, sqlite_where=there)


def downgrade() -> None:
    op.drop_index("leads_deleted", "leads")
    op.drop_column("leads", "status_before")
    op.drop_column("leads", "delete_time")
