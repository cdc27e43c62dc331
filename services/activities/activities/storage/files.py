"""Attachments, the bytes that they refer to, and check-ins."""

from __future__ import annotations

import sqlalchemy as sa

from activities.storage.tables import metadata
from chassis.database import Moment, insert_rows
from chassis.transaction import Transaction


def _deleted(table: str) -> sa.Index:
    there = sa.text("delete_time IS NOT NULL")
    return sa.Index(f"{table}_deleted", "delete_time", postgresql_where=there, sqlite_where=there)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _kept() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("create_time", Moment, nullable=False),
        sa.Column("update_time", Moment, nullable=False),
        sa.Column("delete_time", Moment),
    )


# In the order of domain.attachment.Attachment.
attachments = sa.Table(
    "attachments",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *map(_text, ("record", "customer", "kind", "file_name", "content_type")),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    *map(_text, ("sha256", "owner", "team")),
    *_kept(),
    sa.Index("attachments_of_record", "record", "create_time"),
    sa.Index("attachments_of_customer", "customer", "create_time"),
    sa.Index("attachments_created", "create_time", "name"),
    sa.Index("attachments_owned", "owner", "create_time", "name"),
    sa.Index("attachments_content", "sha256"),
    _deleted("attachments"),
)

# What lies in the store because of attachments. Whoever adds or removes bytes holds the row, so that nobody removes
# what another is about to refer to.
contents = sa.Table(
    "contents",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("store_time", Moment, nullable=False),
    # Since when nothing refers to them; empty while something does.
    sa.Column("unused_time", Moment),
    sa.Index(
        "contents_unused",
        "unused_time",
        postgresql_where=sa.text("unused_time IS NOT NULL"),
        sqlite_where=sa.text("unused_time IS NOT NULL"),
    ),
)

# In the order of domain.check_in.CheckIn.
check_ins = sa.Table(
    "check_ins",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    *map(_text, ("record", "customer")),
    sa.Column("latitude", sa.Float(53), nullable=False),
    sa.Column("longitude", sa.Float(53), nullable=False),
    *map(_text, ("address", "photo", "signature", "note")),
    sa.Column("happen_time", Moment, nullable=False),
    *map(_text, ("owner", "team")),
    *_kept(),
    sa.Index("check_ins_of_record", "record", "happen_time"),
    sa.Index("check_ins_owned", "owner", "happen_time", "name"),
    sa.Index("check_ins_happened", "happen_time", "name"),
    sa.Index("check_ins_photo", "photo"),
    sa.Index("check_ins_signature", "signature"),
    _deleted("check_ins"),
)


def check_in_on(tx: Transaction, attachment: str) -> str:
    """A check-in that has this as its photo or signature and is not deleted; empty where there is none."""
    c = check_ins.c
    query = sa.select(c.name).where(sa.or_(c.photo == attachment, c.signature == attachment), c.delete_time.is_(None))
    return tx.execute(query.limit(1)).scalar() or ""


def hold_content(tx: Transaction, sha256: str) -> None:
    """These bytes are referred to from now on: held until the commit, so that no sweep removes them meanwhile."""
    insert_rows(
        tx.connection,
        contents,
        ("sha256", "store_time"),
        [(sha256, tx.now)],
        conflict="(sha256) DO UPDATE SET store_time = excluded.store_time, unused_time = NULL",
    )


def claim_orphan(tx: Transaction, sha256: str) -> bool:
    """Whether nobody has a row for these bytes; then we have, until the commit."""
    claimed = insert_rows(
        tx.connection,
        contents,
        ("sha256", "store_time"),
        [(sha256, tx.now)],
        conflict="DO NOTHING",
        returning=("sha256",),
    )
    return bool(claimed)


def note_unused(tx: Transaction, sha256: str) -> None:
    """Something that referred to these bytes is gone for good."""
    used = sa.select(attachments.c.name).where(attachments.c.sha256 == sha256).exists()
    tx.execute(sa.update(contents).where(contents.c.sha256 == sha256, ~used).values(unused_time=tx.now))


def unused(tx: Transaction, most: int) -> list[str]:
    """Bytes that nothing refers to any more, held until the commit."""
    query = sa.select(contents.c.sha256).where(contents.c.unused_time.is_not(None)).order_by(contents.c.sha256)
    if tx.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    return [row[0] for row in tx.execute(query.limit(most))]


def drop_content(tx: Transaction, sha256: str) -> None:
    tx.execute(sa.delete(contents).where(contents.c.sha256 == sha256))
