"""Products, price lists and exchange rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import sqlalchemy as sa

from chassis.database import Json, Moment, in_values
from chassis.transaction import Transaction
from contracts.domain.shelf import ListHead, Product
from contracts.storage.tables import metadata


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _kept() -> list[sa.Column[object]]:
    """What every record has."""
    return [
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    ]


def _partial(name: str, where: str, *columns: str, unique: bool = False) -> sa.Index:
    return sa.Index(name, *columns, unique=unique, postgresql_where=sa.text(where), sqlite_where=sa.text(where))


products = sa.Table(
    "products",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *_texts("code", "display_name", "display_name_en", "unit", "category"),
    sa.Column("tax", sa.BigInteger, nullable=False),
    sa.Column("price", sa.BigInteger),
    *_texts("currency"),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("custom", Json),
    *_kept(),
    _partial("products_code", "delete_time IS NULL", "code", unique=True),
    sa.Index("products_display_name", "display_name"),
    sa.Index("products_display_name_en", "display_name_en"),
    sa.Index("products_created", "create_time", "name"),
    _partial("products_deleted", "delete_time IS NOT NULL", "delete_time"),
)

price_lists = sa.Table(
    "price_lists",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *_texts("display_name", "currency", "valid_from", "valid_until", "tier", "region"),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("prices", Json, nullable=False),
    *_kept(),
    _partial("price_lists_default", "is_default AND delete_time IS NULL", "currency", unique=True),
    sa.Index("price_lists_created", "create_time", "name"),
    _partial("price_lists_deleted", "delete_time IS NOT NULL", "delete_time"),
)

exchange_rates = sa.Table(
    "exchange_rates",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *_texts("from_currency", "to_currency", "date", "rate"),
    *_kept(),
    _partial("exchange_rates_of_day", "delete_time IS NULL", "from_currency", "to_currency", "date", unique=True),
    sa.Index("exchange_rates_date", "date", "name"),
    _partial("exchange_rates_deleted", "delete_time IS NOT NULL", "delete_time"),
)

_PRODUCT = tuple(field.name for field in fields(Product))


def products_of(tx: Transaction, names: Sequence[str]) -> dict[str, Product]:
    """Those of these names that were not deleted."""
    c = products.c
    wanted = sorted({name for name in names if name})
    query = sa.select(*(c[column] for column in _PRODUCT)).where(
        in_values(c.name, wanted, tx.dialect), c.delete_time.is_(None)
    )
    return {row[0]: Product(*row) for row in tx.execute(query)} if wanted else {}


def products_called(tx: Transaction, words: Sequence[str]) -> dict[str, Product]:
    """Those that are offered and that people call so, by the word: its resource, a code, or a name in either
    language."""
    found: dict[str, Product] = {}
    for column in (products.c.display_name_en, products.c.display_name, products.c.code, products.c.name):
        query = sa.select(*(products.c[one] for one in _PRODUCT)).where(
            in_values(column, sorted(set(words)), tx.dialect), products.c.delete_time.is_(None), products.c.active
        )
        for row in tx.execute(query.order_by(products.c.create_time.desc())) if words else ():
            product = Product(*row)
            found[getattr(product, column.name)] = product
    return found


def anything(tx: Transaction) -> bool:
    """Whether any product is offered."""
    there = sa.select(products.c.name).where(products.c.delete_time.is_(None), products.c.active)
    return tx.execute(there.limit(1)).first() is not None


def list_heads(tx: Transaction) -> list[ListHead]:
    """All price lists, without their prices."""
    c = price_lists.c
    query = sa.select(c.name, c.currency, c.valid_from, c.valid_until, c.tier, c.region, c.is_default)
    return [ListHead(*row) for row in tx.execute(query.where(c.delete_time.is_(None)))]


def prices_of(tx: Transaction, name: str) -> dict[str, int]:
    """The prices of one list by product."""
    return dict(tx.execute(sa.select(price_lists.c.prices).where(price_lists.c.name == name)).scalar() or {})


def rate_at(tx: Transaction, from_currency: str, to_currency: str, day: str) -> tuple[str, str] | None:
    """The latest rate of a day or before it, as (rate, date)."""
    c = exchange_rates.c
    query = (
        sa.select(c.rate, c.date)
        .where(c.from_currency == from_currency, c.to_currency == to_currency, c.date <= day, c.delete_time.is_(None))
        .order_by(c.date.desc())
        .limit(1)
    )
    row = tx.execute(query).first()
    return (row.rate, row.date) if row else None
