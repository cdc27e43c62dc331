"""A follow-up that an import brought is known again by where it came from."""

import sqlalchemy as sa
from alembic import op

revision = "activities_0006"
down_revision = "activities_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("follow_ups", sa.Column("origin", sa.Text, nullable=False, server_default=""))
    there = sa.text("origin <> ''")
    op.create_index("follow_ups_origin", "follow_ups", ["origin"], postgresql_where=there, sqlite_where=there)
