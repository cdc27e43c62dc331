"""Exchange rates as they were known at each time.

What was told before keeps its newest state, known since ever, until the ledger is made anew: history has the rest.
"""

import sqlalchemy as sa
from alembic import op

revision = "reports_0003"
down_revision = "reports_0002"
branch_labels = None
depends_on = None

_TOLD = ("name", "version", "from_currency", "to_currency", "date", "rate", "gone")


def upgrade() -> None:
    before = sa.table("exchange_rates", *(sa.column(name) for name in _TOLD if name != "gone"), _gone())
    told = [dict(row) for row in op.get_bind().execute(sa.select(before)).mappings()]
    op.drop_table("exchange_rates")
    rates = op.create_table(
        "exchange_rates",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.Text, nullable=False, server_default="")
            for name in ("from_currency", "to_currency", "date", "rate")
        ),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("learn_time", sa.BigInteger, nullable=False),
    )
    op.create_index("exchange_rates_of", "exchange_rates", ["from_currency", "to_currency", "date"])
    op.bulk_insert(rates, [{**row, "learn_time": 0} for row in told])


def _gone() -> "sa.ColumnClause[bool]":
    return sa.column("gone", sa.Boolean)
