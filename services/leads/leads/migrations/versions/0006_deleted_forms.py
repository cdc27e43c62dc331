"""Forms that were deleted stay for 30 days."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "leads_0006"
down_revision = "leads_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("forms", sa.Column("delete_time", Moment))


def downgrade() -> None:
    op.drop_column("forms", "delete_time")
