"""What is being applied of the blueprint, so that a gateway that dies between two parts leaves no half."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "gateway_0002"
down_revision = "gateway_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blueprint_applies",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("open", sa.Boolean, unique=True),
        sa.Column("undoing", sa.Boolean, nullable=False),
        sa.Column("caller", Json, nullable=False),
        sa.Column("held_until", Moment, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
    )
    op.create_table(
        "blueprint_steps",
        sa.Column("apply", sa.Text, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("before", sa.LargeBinary, nullable=False),
        sa.Column("after", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("done", sa.BigInteger),
    )


def downgrade() -> None:
    op.drop_table("blueprint_steps")
    op.drop_table("blueprint_applies")
