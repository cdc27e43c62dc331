"""What others keep of an opportunity, stages that are ready, warnings; who sees a customer."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "opportunities_0003"
down_revision = "opportunities_0002"
branch_labels = None
depends_on = None


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _of_one() -> "sa.Column[str]":
    key = sa.ForeignKey("opportunities.name", ondelete="CASCADE")
    return sa.Column("opportunity", sa.Text, key, nullable=False)


def upgrade() -> None:
    for name in ("owner", "team"):
        op.add_column("parties", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("parties", sa.Column("shared", sa.Boolean, nullable=False, server_default=sa.false()))
    of_lead = sa.text("lead <> ''")
    op.create_index("opportunities_of_lead", "opportunities", ["lead"], postgresql_where=of_lead, sqlite_where=of_lead)
    op.create_table(
        "related",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("opportunity"),
        sa.Column("sort", sa.Integer, nullable=False),
        *_texts("label", "state", "person", "team"),
        sa.Column("begin_time", Moment, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("related_of", "related", ["opportunity", "begin_time"])
    op.create_table("ready_stages", _of_one(), *_texts("stage"), sa.PrimaryKeyConstraint("opportunity", "stage"))
    op.create_table(
        "warnings",
        _of_one(),
        *_texts("kind", "message", "message_zh", "stage"),
        sa.Column("raise_time", Moment, nullable=False),
        sa.PrimaryKeyConstraint("opportunity", "kind"),
    )


def downgrade() -> None:
    for table in ("warnings", "ready_stages", "related"):
        op.drop_table(table)
    op.drop_index("opportunities_of_lead", "opportunities")
    for name in ("shared", "team", "owner"):
        op.drop_column("parties", name)
