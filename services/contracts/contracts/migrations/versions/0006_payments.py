"""Instalments, invoices, payments."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "contracts_0006"
down_revision = "contracts_0005"
branch_labels = None
depends_on = None


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _wholes(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _kept() -> "list[sa.Column[object]]":
    return [
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    ]


def _of_one() -> "sa.Column[str]":
    return sa.Column("contract", sa.Text, sa.ForeignKey("contracts.name", ondelete="CASCADE"), nullable=False)


def _deleted(table: str) -> None:
    there = sa.text("delete_time IS NOT NULL")
    op.create_index(f"{table}_deleted", table, ["delete_time"], postgresql_where=there, sqlite_where=there)


def upgrade() -> None:
    op.create_table(
        "instalments",
        sa.Column("name", sa.Text, primary_key=True),
        _of_one(),
        *_texts("customer", "title"),
        sa.Column("position", sa.Integer, nullable=False),
        *_wholes("amount", "paid"),
        *_texts("currency", "due_date"),
        sa.Column("status", sa.Integer, nullable=False),
        *_texts("owner", "overdue_told"),
        *_kept(),
    )
    op.create_index("instalments_of", "instalments", ["contract", "position"])
    op.create_index("instalments_due", "instalments", ["status", "due_date"])
    op.create_index("instalments_created", "instalments", ["create_time", "name"])
    op.create_table(
        "invoices",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("number"),
        _of_one(),
        *_texts("customer", "instalment"),
        *_wholes("amount", "tax"),
        *_texts("currency", "issue_date", "title", "tax_number", "owner"),
        sa.Column("void_time", Moment),
        *_texts("void_reason"),
        *_kept(),
    )
    op.create_index("invoices_number", "invoices", ["number"], unique=True)
    op.create_index("invoices_of", "invoices", ["contract", "create_time"])
    op.create_index("invoices_created", "invoices", ["create_time", "name"])
    _deleted("invoices")
    op.create_table(
        "payments",
        sa.Column("name", sa.Text, primary_key=True),
        _of_one(),
        *_texts("customer"),
        *_wholes("amount"),
        *_texts("currency", "pay_date", "method", "reference"),
        sa.Column("shares", Json, nullable=False),
        sa.Column("given", Json, nullable=False),
        *_wholes("unmatched"),
        sa.Column("received", sa.BigInteger),
        *_texts("received_currency", "exchange_rate", "owner", "team", "note"),
        *_kept(),
    )
    named = sa.text("reference <> ''")
    op.create_index(
        "payments_reference", "payments", ["reference"], unique=True, postgresql_where=named, sqlite_where=named
    )
    op.create_index("payments_of", "payments", ["contract", "create_time"])
    op.create_index("payments_of_customer", "payments", ["customer", "create_time"])
    op.create_index("payments_created", "payments", ["create_time", "name"])
    op.create_index("payments_paid", "payments", ["pay_date"])
    _deleted("payments")


def downgrade() -> None:
    for table in ("payments", "invoices", "instalments"):
        op.drop_table(table)
