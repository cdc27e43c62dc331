"""Notices by the approval that they are about."""

import sqlalchemy as sa
from alembic import op

revision = "activities_0008"
down_revision = "activities_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    asked_or_ended = sa.text("kind IN (4, 6)")
    op.create_index(
        "notifications_of_approval",
        "notifications",
        ["record"],
        postgresql_where=asked_or_ended,
        sqlite_where=asked_or_ended,
    )
