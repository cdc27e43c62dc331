"""Of the same group and span all together are told of, and each team."""

import sqlalchemy as sa
from alembic import op

revision = "reports_0005"
down_revision = "reports_0004"
branch_labels = None
depends_on = None

_ONE = "alerts_one"


def upgrade() -> None:
    with op.batch_alter_table("alerts") as alerts:
        alerts.add_column(sa.Column("team", sa.Text, nullable=False, server_default=""))
        alerts.drop_constraint(_ONE)
        alerts.create_unique_constraint(_ONE, ["rule", "key", "team", "begin_date"])


def downgrade() -> None:
    op.execute("DELETE FROM alerts WHERE team <> ''")
    with op.batch_alter_table("alerts") as alerts:
        alerts.drop_constraint(_ONE)
        alerts.create_unique_constraint(_ONE, ["rule", "key", "begin_date"])
        alerts.drop_column("team")
