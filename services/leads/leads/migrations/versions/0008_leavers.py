"""When somebody left, so that what he is given after that is found."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "leads_0008"
down_revision = "leads_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("people", sa.Column("leave_time", Moment))


def downgrade() -> None:
    op.drop_column("people", "leave_time")
