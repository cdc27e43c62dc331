"""The last quote that was approved of an opportunity, and when."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "opportunities_0006"
down_revision = "opportunities_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("opportunities", sa.Column("approved_quote", sa.Text, nullable=False, server_default=""))
    op.add_column("opportunities", sa.Column("quote_approve_time", Moment))


def downgrade() -> None:
    op.drop_column("opportunities", "quote_approve_time")
    op.drop_column("opportunities", "approved_quote")
