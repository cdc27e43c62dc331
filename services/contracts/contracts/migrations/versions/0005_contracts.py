"""Contracts, what became of them, changes that wait for agreement."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "contracts_0005"
down_revision = "contracts_0004"
branch_labels = None
depends_on = None


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _wholes(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _smalls(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


def _kept() -> "list[sa.Column[object]]":
    return [
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    ]


def _of_one() -> "sa.Column[str]":
    return sa.Column("contract", sa.Text, sa.ForeignKey("contracts.name", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "contracts",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("number", "title", "customer", "contact", "opportunity", "quote"),
        *_smalls("status"),
        *_wholes("amount"),
        *_texts("currency"),
        *_smalls("finance_mode", "interval", "instalment_count"),
        sa.Column("planned_by_hand", sa.Boolean, nullable=False),
        *_texts("sign_date", "start_date", "expiry_date", "delivery_date", "owner", "team", "approval", "renews"),
        *_texts("terms"),
        *_wholes("invoiced", "paid"),
        sa.Column("custom", Json),
        *_texts("status_reason", "expiry_told"),
        *_kept(),
    )
    op.create_index("contracts_number", "contracts", ["number"], unique=True)
    op.create_index("contracts_created", "contracts", ["create_time", "name"])
    op.create_index("contracts_owned", "contracts", ["owner", "create_time", "name"])
    op.create_index("contracts_of_customer", "contracts", ["customer", "create_time"])
    op.create_index("contracts_of_opportunity", "contracts", ["opportunity"])
    op.create_index("contracts_of_quote", "contracts", ["quote"])
    op.create_index("contracts_renewing", "contracts", ["renews"])
    op.create_index("contracts_expiring", "contracts", ["status", "expiry_date"])
    there = sa.text("delete_time IS NOT NULL")
    op.create_index("contracts_deleted", "contracts", ["delete_time"], postgresql_where=there, sqlite_where=there)
    op.create_table(
        "status_changes",
        sa.Column("id", sa.Text, primary_key=True),
        _of_one(),
        *_smalls("from_status", "to_status"),
        sa.Column("happen_time", Moment, nullable=False),
        *_texts("actor", "reason"),
    )
    op.create_index("status_changes_of", "status_changes", ["contract", "id"])
    op.create_table(
        "contract_changes",
        sa.Column("name", sa.Text, primary_key=True),
        _of_one(),
        *_texts("customer"),
        *_smalls("status"),
        *_texts("reason"),
        sa.Column("content", Json, nullable=False),
        sa.Column("differences", Json, nullable=False),
        *_texts("approval", "owner", "outcome"),
        sa.Column("end_time", Moment),
        *_kept(),
    )
    op.create_index("contract_changes_of", "contract_changes", ["contract", "create_time"])
    op.create_index("contract_changes_created", "contract_changes", ["create_time", "name"])


def downgrade() -> None:
    for table in ("contract_changes", "status_changes", "contracts"):
        op.drop_table(table)
