"""What customers signed, when they were last followed up, hand-overs of opportunities and leads."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Moment

revision = "customers_0002"
down_revision = "customers_0001"
branch_labels = None
depends_on = None


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _open(*columns: str) -> None:
    text = sa.text("state = 1")
    op.drop_index("hand_overs_open", "hand_overs")
    op.create_index(
        "hand_overs_open", "hand_overs", list(columns), unique=True, postgresql_where=text, sqlite_where=text
    )


def upgrade() -> None:
    op.add_column("customers", sa.Column("vip", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("customers", sa.Column("vip_time", Moment))
    op.add_column("customers", sa.Column("signed_amount", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("customers", _text("signed_currency"))
    op.add_column("customers", sa.Column("last_follow_up_time", Moment))
    op.create_index("customers_followed_up", "customers", ["last_follow_up_time", "name"])
    op.create_index("customers_signed", "customers", ["signed_amount", "name"])
    for name in ("record", "kind", "title"):
        op.add_column("hand_overs", _text(name))
    op.add_column("hand_overs", sa.Column("version", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE hand_overs SET record = customer, kind = 'customers'")
    op.create_index("hand_overs_record", "hand_overs", ["record"])
    _open("record")
    op.create_table(
        "signed_contracts",
        sa.Column("contract", sa.Text, primary_key=True),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("counts", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("signed_contracts_customer", "signed_contracts", ["customer"])


def downgrade() -> None:
    op.drop_table("signed_contracts")
    op.execute("DELETE FROM hand_overs WHERE kind <> 'customers'")
    _open("customer")
    op.drop_index("hand_overs_record", "hand_overs")
    for name in ("version", "title", "kind", "record"):
        op.drop_column("hand_overs", name)
    for name in ("customers_signed", "customers_followed_up"):
        op.drop_index(name, "customers")
    for name in ("last_follow_up_time", "signed_currency", "signed_amount", "vip_time", "vip"):
        op.drop_column("customers", name)
