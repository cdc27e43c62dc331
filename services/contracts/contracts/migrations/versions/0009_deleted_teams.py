"""Teams that were deleted are known as such."""

import sqlalchemy as sa
from alembic import op

revision = "contracts_0009"
down_revision = "contracts_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("approval_teams", sa.Column("deleted", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("approval_teams", "deleted")
