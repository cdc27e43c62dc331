"""What others told of customers, contacts and opportunities; numbers; products and quotes."""

import sqlalchemy as sa
from alembic import op

from chassis.database import Json, Moment

revision = "contracts_0002"
down_revision = "contracts_0001"
branch_labels = None
depends_on = None


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _whole(name: str, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _kept() -> "list[sa.Column[object]]":
    return [
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    ]


def _partial(name: str, table: str, columns: "list[str]", where: str, unique: bool = False) -> None:
    there = sa.text(where)
    op.create_index(name, table, columns, unique=unique, postgresql_where=there, sqlite_where=there)


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
    op.create_table(
        "products",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("code", "display_name", "display_name_en", "unit", "category"),
        _whole("tax"),
        _whole("price", nullable=True),
        *_texts("currency"),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("custom", Json),
        *_kept(),
    )
    _partial("products_code", "products", ["code"], "delete_time IS NULL", unique=True)
    op.create_index("products_display_name", "products", ["display_name"])
    op.create_index("products_display_name_en", "products", ["display_name_en"])
    op.create_index("products_created", "products", ["create_time", "name"])
    _partial("products_deleted", "products", ["delete_time"], "delete_time IS NOT NULL")
    op.create_table(
        "price_lists",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("display_name", "currency", "valid_from", "valid_until", "tier", "region"),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("prices", Json, nullable=False),
        *_kept(),
    )
    _partial("price_lists_default", "price_lists", ["currency"], "is_default AND delete_time IS NULL", unique=True)
    op.create_index("price_lists_created", "price_lists", ["create_time", "name"])
    _partial("price_lists_deleted", "price_lists", ["delete_time"], "delete_time IS NOT NULL")
    op.create_table(
        "exchange_rates",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("from_currency", "to_currency", "date", "rate"),
        *_kept(),
    )
    pair = ["from_currency", "to_currency", "date"]
    _partial("exchange_rates_of_day", "exchange_rates", pair, "delete_time IS NULL", unique=True)
    op.create_index("exchange_rates_date", "exchange_rates", ["date", "name"])
    _partial("exchange_rates_deleted", "exchange_rates", ["delete_time"], "delete_time IS NOT NULL")
    op.create_table(
        "quotes",
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("number"),
        sa.Column("revision", sa.Integer, nullable=False),
        *_texts("opportunity", "customer", "contact"),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("lines", Json, nullable=False),
        *_texts("currency"),
        *map(_whole, ("discount", "list_total", "subtotal", "net_total", "tax_total", "total", "total_discount")),
        *_texts("valid_until", "terms", "price_list", "owner", "team", "approval"),
        sa.Column("first_open_time", Moment),
        sa.Column("open_count", sa.Integer, nullable=False),
        sa.Column("custom", Json),
        *_kept(),
    )
    op.create_index("quotes_number", "quotes", ["number", "revision"], unique=True)
    op.create_index("quotes_created", "quotes", ["create_time", "name"])
    op.create_index("quotes_owned", "quotes", ["owner", "create_time", "name"])
    op.create_index("quotes_of_opportunity", "quotes", ["opportunity", "create_time"])
    op.create_index("quotes_of_customer", "quotes", ["customer", "create_time"])
    _partial("quotes_deleted", "quotes", ["delete_time"], "delete_time IS NOT NULL")
