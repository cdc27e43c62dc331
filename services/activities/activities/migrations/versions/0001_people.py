"""Our copy of people, and what a company sets."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json

revision = "activities_0001"
down_revision = None
branch_labels = ("activities",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("name", sa.Text, primary_key=True),
        *(sa.Column(column, sa.Text, nullable=False) for column in ("display_name", "team", "manager", "role")),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("people_team", "people", ["team"])
    op.create_table(
        "settings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("content", Json, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
