"""How far the deals of customers have come."""

import sqlalchemy as sa
from alembic import op

revision = "customers_0003"
down_revision = "customers_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reached_stages",
        sa.Column("record", sa.Text, primary_key=True),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("stage", sa.Integer, nullable=False),
    )
    op.create_index("reached_stages_customer", "reached_stages", ["customer"])


def downgrade() -> None:
    op.drop_table("reached_stages")
