"""Exchange rates and roles as others told of them; what was signed in other currencies."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json

revision = "customers_0004"
down_revision = "customers_0003"
branch_labels = None
depends_on = None


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def upgrade() -> None:
    op.add_column("customers", sa.Column("uncounted", Json, nullable=False, server_default="{}"))
    op.add_column("customers", sa.Column("vip_tasks", sa.Integer, nullable=False, server_default="0"))
    op.add_column("signed_contracts", _text("sign_date"))
    op.add_column("signed_contracts", _text("number"))
    op.create_index("signed_contracts_in", "signed_contracts", ["currency", "sign_date"])
    op.create_table(
        "exchange_rates",
        sa.Column("name", sa.Text, primary_key=True),
        *(_text(name) for name in ("from_currency", "to_currency", "date", "rate")),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("exchange_rates_of_pair", "exchange_rates", ["from_currency", "to_currency", "date"])
    op.create_table(
        "roles",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("writes", Json, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for name in ("roles", "exchange_rates"):
        op.drop_table(name)
    op.drop_index("signed_contracts_in", "signed_contracts")
    for name in ("number", "sign_date"):
        op.drop_column("signed_contracts", name)
    for name in ("vip_tasks", "uncounted"):
        op.drop_column("customers", name)
