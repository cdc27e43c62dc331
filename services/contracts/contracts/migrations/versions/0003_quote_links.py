"""Quote links."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "contracts_0003"
down_revision = "contracts_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quote_links",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("quote", sa.Text, sa.ForeignKey("quotes.name", ondelete="CASCADE"), nullable=False),
        sa.Column("expire_time", Moment, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
    )
    op.create_index("quote_links_digest", "quote_links", ["digest"], unique=True)
    op.create_index("quote_links_quote", "quote_links", ["quote"])
