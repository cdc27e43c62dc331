"""What another system recorded may be deleted, and ends after 30 days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "activities_0007"
down_revision = "activities_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    there = sa.text("delete_time IS NOT NULL")
    op.create_index("interactions_deleted", "interactions", ["delete_time"], postgresql_where=there, sqlite_where=there)
