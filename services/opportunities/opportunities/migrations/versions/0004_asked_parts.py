"""What each collaborator was asked for."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json

revision = "opportunities_0004"
down_revision = "opportunities_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("collaborators", sa.Column("asked", Json, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("collaborators", "asked")
