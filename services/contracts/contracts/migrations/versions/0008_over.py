"""Which opportunities were lost, and why an approval was withdrawn by itself."""

import sqlalchemy as sa
from alembic import op

revision = "contracts_0008"
down_revision = "contracts_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("parties", sa.Column("lost", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("approvals", sa.Column("end_reason", sa.Integer, nullable=False, server_default="0"))
    pending = sa.text("status = 1")
    op.create_index("approvals_of_deal", "approvals", ["opportunity"], postgresql_where=pending, sqlite_where=pending)
