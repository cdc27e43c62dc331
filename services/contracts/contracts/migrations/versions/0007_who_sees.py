"""Customers that a team shares; who sits in an approval."""

import sqlalchemy as sa
from alembic import op

revision = "contracts_0007"
down_revision = "contracts_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in (("parties", "shared"), ("approval_people", "sits")):
        op.add_column(table, sa.Column(column, sa.Boolean, nullable=False, server_default=sa.false()))
    there = sa.text("sits")
    op.create_index("approval_people_sits", "approval_people", ["person"], postgresql_where=there, sqlite_where=there)
    op.execute("UPDATE approval_people SET sits = waits")
