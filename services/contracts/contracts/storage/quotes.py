"""Quotes, and the links by which customers open them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime

import sqlalchemy as sa

from chassis.database import Json, Moment, in_values, insert_rows
from chassis.transaction import Transaction
from contracts.storage.tables import metadata


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _whole(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


# In the order of domain.quote.Quote; money and percents in ten-thousandths.
quotes = sa.Table(
    "quotes",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *_texts("number"),
    sa.Column("revision", sa.Integer, nullable=False),
    *_texts("opportunity", "customer", "contact"),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("lines", Json, nullable=False),
    *_texts("currency"),
    *_whole("discount", "list_total", "subtotal", "net_total", "tax_total", "total", "total_discount"),
    *_texts("valid_until", "terms", "price_list", "owner", "team"),
    sa.Column("author", sa.Text, nullable=False, server_default=""),
    *_texts("approval"),
    sa.Column("first_open_time", Moment),
    sa.Column("open_count", sa.Integer, nullable=False),
    sa.Column("custom", Json),
    *_whole("version"),
    sa.Column("create_time", Moment, nullable=False),
    sa.Column("update_time", Moment, nullable=False),
    sa.Column("delete_time", Moment),
    sa.Index("quotes_number", "number", "revision", unique=True),
    sa.Index("quotes_created", "create_time", "name"),
    sa.Index("quotes_owned", "owner", "create_time", "name"),
    sa.Index("quotes_of_opportunity", "opportunity", "create_time"),
    sa.Index("quotes_of_customer", "customer", "create_time"),
    sa.Index(
        "quotes_deleted",
        "delete_time",
        postgresql_where=sa.text("delete_time IS NOT NULL"),
        sqlite_where=sa.text("delete_time IS NOT NULL"),
    ),
)

# `digest` is the SHA-256 of the token in the address: whoever reads the table opens no quote.
quote_links = sa.Table(
    "quote_links",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    *_texts("digest"),
    sa.Column("quote", sa.Text, sa.ForeignKey("quotes.name", ondelete="CASCADE"), nullable=False),
    sa.Column("expire_time", Moment, nullable=False),
    *_texts("made_by"),
    sa.Column("create_time", Moment, nullable=False),
    sa.Index("quote_links_digest", "digest", unique=True),
    sa.Index("quote_links_quote", "quote"),
)


@dataclass(frozen=True, slots=True)
class Link:
    """Fields in the order of the columns."""

    id: str
    digest: str
    quote: str
    expire_time: datetime
    made_by: str
    create_time: datetime


_LINK = tuple(field.name for field in fields(Link))
_LINKS = sa.select(*(quote_links.c[column] for column in _LINK))


def add_link(tx: Transaction, link: Link) -> None:
    insert_rows(tx.connection, quote_links, _LINK, [astuple(link)])


def link_of(tx: Transaction, quote: str) -> Link | None:
    """The link that stands."""
    row = tx.execute(_LINKS.where(quote_links.c.quote == quote, quote_links.c.expire_time > tx.now)).first()
    return Link(*row) if row else None


def link_with(tx: Transaction, digest: str) -> Link | None:
    row = tx.execute(_LINKS.where(quote_links.c.digest == digest, quote_links.c.expire_time > tx.now)).first()
    return Link(*row) if row else None


def drop_links(tx: Transaction, quote: str) -> bool:
    """Whether one stood."""
    gone = sa.delete(quote_links).where(quote_links.c.quote == quote).returning(quote_links.c.expire_time)
    return any(row[0] > tx.now for row in tx.execute(gone).all())


def names_of_opportunities(tx: Transaction, opportunities: Sequence[str]) -> list[str]:
    """The quotes of these opportunities, deleted ones too."""
    wanted = sorted(set(opportunities))
    query = sa.select(quotes.c.name).where(in_values(quotes.c.opportunity, wanted, tx.dialect))
    return list(tx.execute(query).scalars()) if wanted else []


def count_opening(tx: Transaction, name: str) -> int:
    """One more. How many there are now."""
    more = sa.update(quotes).where(quotes.c.name == name).values(open_count=quotes.c.open_count + 1)
    return int(tx.execute(more.returning(quotes.c.open_count)).scalar_one())
