"""Exchange rates as they were known at each time.

What was told before keeps its newest state, known since ever, until the ledger is made anew: history has the rest.
`exchange_rates` stays as it is, since processes of the version before write it.
"""

import sqlalchemy as sa
from alembic import op

revision = "reports_0003"
down_revision = "reports_0002"
branch_labels = None
depends_on = None

_TOLD = ("name", "version", "from_currency", "to_currency", "date", "rate", "gone")


def upgrade() -> None:
    op.create_table(
        "rate_states",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.Text, nullable=False, server_default="")
            for name in ("from_currency", "to_currency", "date", "rate")
        ),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("learn_time", sa.BigInteger, nullable=False),
    )
    op.create_index("rate_states_of", "rate_states", ["from_currency", "to_currency", "date"])
    told = ", ".join(_TOLD)
    op.execute(f"INSERT INTO rate_states ({told}, learn_time) SELECT {told}, 0 FROM exchange_rates")
