"""What others told of customers, contacts and opportunities; numbers; products and quotes."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json

revision = "contracts_0002"
down_revision = "contracts_0001"
branch_labels = None
depends_on = None


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _whole(name: str, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def upgrade() -> None:
    op.create_table("numbers", sa.Column("day", sa.Text, primary_key=True), _whole("last"))
    op.create_table(
        "parties",
        sa.Column("name", sa.Text, primary_key=True),
        _whole("version"),
        sa.Column("deleted", sa.Boolean, nullable=False),
        *_texts("title", "owner", "team", "customer", "contact", "number"),
        _whole("amount", nullable=True),
        *_texts("currency"),
        sa.Column("products", Json, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        *_texts("tier", "region", "address", "phone", "email"),
    )
