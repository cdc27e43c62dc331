"""Where stages stand in their way: a funnel goes by it."""

import sqlalchemy as sa
from alembic import op

revision = "reports_0002"
down_revision = "reports_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("labels", sa.Column("place", sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("labels", "place")
