"""What was done about a customer is found by the customer."""

import sqlalchemy as sa
from alembic import op

revision = "reports_0003"
down_revision = "reports_0002"
branch_labels = None
depends_on = None

_THESE = sa.text("fact = 'activity.followed_up'")


def upgrade() -> None:
    op.create_index(
        "postings_of_follow_ups", "postings", ["copy", "customer"], postgresql_where=_THESE, sqlite_where=_THESE
    )


def downgrade() -> None:
    op.drop_index("postings_of_follow_ups", "postings")
