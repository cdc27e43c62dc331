"""Forms on other web sites: the origins that may send them, and where a browser goes afterwards."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json

revision = "leads_0003"
down_revision = "leads_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("forms", sa.Column("allowed_origins", Json, nullable=False, server_default="[]"))
    op.add_column("forms", sa.Column("thanks_url", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("forms", "thanks_url")
    op.drop_column("forms", "allowed_origins")
