"""How often a first response was missed; what people may take, and whether they are there."""

import sqlalchemy as sa
from alembic import op

revision = "leads_0002"
down_revision = "leads_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("leads", sa.Column("missed_responses", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.add_column("people", sa.Column("open_limit", sa.Integer))
    op.add_column("people", sa.Column("day_limit", sa.Integer))
    op.create_table(
        "presences",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("presence", sa.Integer, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("presences")
    op.drop_column("people", "day_limit")
    op.drop_column("people", "open_limit")
    op.drop_column("leads", "missed_responses")
