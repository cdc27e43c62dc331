"""When an opportunity was opened that was entered afterwards."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "opportunities_0007"
down_revision = "opportunities_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("opportunities", sa.Column("open_time", Moment))


def downgrade() -> None:
    op.drop_column("opportunities", "open_time")
