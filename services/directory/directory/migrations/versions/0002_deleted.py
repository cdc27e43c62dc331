"""Teams and calendars that were deleted stay for 30 days."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "directory_0002"
down_revision = "directory_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("teams", "calendars"):
        op.add_column(table, sa.Column("delete_time", Moment))


def downgrade() -> None:
    for table in ("teams", "calendars"):
        op.drop_column(table, "delete_time")
