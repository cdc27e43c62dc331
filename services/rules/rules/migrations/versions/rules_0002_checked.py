"""Snapshots carry a digest; clocks that ran out are kept."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "rules_0002"
down_revision = "rules_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Those without a digest cannot be trusted; the next ones are made as the journal grows.
    op.execute("DELETE FROM snapshots")
    op.add_column("snapshots", sa.Column("digest", sa.LargeBinary, nullable=False, server_default=sa.text("''")))
    op.create_table(
        "fired_clocks",
        sa.Column("lead", sa.Text, primary_key=True),
        sa.Column("owner_version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("due", Moment, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("fired", Moment, nullable=False),
    )
