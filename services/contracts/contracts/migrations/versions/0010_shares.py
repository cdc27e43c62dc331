"""With whom opportunities are shared, and who drew up quotes and contracts."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "contracts_0010"
down_revision = "contracts_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("quotes", "contracts"):
        op.add_column(table, sa.Column("author", sa.Text, nullable=False, server_default=""))
    moments = (sa.Column(name, Moment, nullable=False) for name in ("end_time", "told_time"))
    for table, columns in (("collaborators", ()), ("shares", moments)):
        keys = (sa.Column(name, sa.Text, primary_key=True) for name in ("opportunity", "person"))
        op.create_table(table, *keys, *columns)
        op.create_index(f"{table}_person", table, ["person"])
