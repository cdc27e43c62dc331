"""Templates, who was told of what, what goes by mail, and where to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from activities.domain.notice import Kind, MailState
from activities.storage.tables import metadata
from chassis.database import Json, Moment, in_values, insert_rows
from chassis.mail import wait
from chassis.transaction import Transaction


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


# In the order of domain.template.Template.
templates = sa.Table(
    "templates",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("display_name"),
    sa.Column("kind", sa.Integer, nullable=False),
    *map(_text, ("subject_zh", "subject_en", "body_zh", "body_en")),
    sa.Column("attachments", Json, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", Moment, nullable=False),
    sa.Column("update_time", Moment, nullable=False),
    sa.Column("delete_time", Moment),
    sa.Index("templates_called", "display_name", unique=True, **_where("delete_time IS NULL")),
    sa.Index("templates_deleted", "delete_time", **_where("delete_time IS NOT NULL")),
)

_OF_APPROVALS = f"kind IN ({Kind.APPROVAL_REQUESTED:d}, {Kind.APPROVAL_DECIDED:d})"

# In the order of domain.notice.Notice.
notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("person"),
    sa.Column("kind", sa.Integer, nullable=False),
    *map(_text, ("record", "title_zh", "title_en", "text_zh", "text_en", "actor", "key")),
    sa.Column("mail_state", sa.Integer, nullable=False),
    sa.Column("attachments", Json, nullable=False),
    sa.Column("create_time", Moment, nullable=False),
    sa.Column("read_time", Moment),
    sa.Index("notifications_key", "person", "key", unique=True),
    sa.Index("notifications_of_person", "person", "create_time", "name"),
    sa.Index("notifications_unread", "person", **_where("read_time IS NULL")),
    sa.Index("notifications_of_approval", "record", **_where(_OF_APPROVALS)),
)

# The kinds that go by mail, of who said something else than the company.
preferences = sa.Table(
    "notification_preferences",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("mail_kinds", Json, nullable=False),
)

# People's mail addresses as the directory told of them.
addresses = sa.Table(
    "addresses",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    _text("email"),
    sa.Column("version", sa.BigInteger, nullable=False),
)

# Mails to send, one for a notice at most.
mails = sa.Table(
    "mails",
    metadata,
    sa.Column("notice", sa.Text, primary_key=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_try_at", Moment, nullable=False),
    # Since when a process has it in hand; empty while it waits.
    sa.Column("sending_since", Moment),
    sa.Index("mails_next_try_at", "next_try_at"),
)


@dataclass(frozen=True, slots=True)
class Mail:
    notice: str
    created_at: datetime
    tries: int
    sending_since: datetime | None


def template_there(tx: Transaction, name: str) -> bool:
    there = sa.select(templates.c.name).where(templates.c.name == name, templates.c.delete_time.is_(None))
    return tx.execute(there).first() is not None


def know_addresses(tx: Transaction, told: Sequence[tuple[str, str, int]]) -> None:
    """Keeps the newest of each (person, e-mail, version)."""
    newest = {row[0]: row for row in sorted(told, key=lambda row: row[2])}
    insert_rows(
        tx.connection,
        addresses,
        ("person", "email", "version"),
        [newest[name] for name in sorted(newest)],
        conflict="(person) DO UPDATE SET email = excluded.email, version = excluded.version "
        "WHERE addresses.version < excluded.version",
    )


def address(tx: Transaction, person: str) -> str:
    row = tx.execute(sa.select(addresses.c.email).where(addresses.c.person == person)).first()
    return str(row[0]) if row else ""


def preferred(tx: Transaction, people: Sequence[str]) -> dict[str, list[int]]:
    """The kinds that go by mail, of those who said so themselves."""
    query = sa.select(preferences).where(in_values(preferences.c.person, sorted(set(people)), tx.dialect))
    return {row.person: list(row.mail_kinds) for row in tx.execute(query)} if people else {}


def prefer(tx: Transaction, person: str, kinds: list[int] | None) -> None:
    """None: what the company says, again."""
    tx.execute(sa.delete(preferences).where(preferences.c.person == person))
    if kinds is not None:
        insert_rows(tx.connection, preferences, ("person", "mail_kinds"), [(person, kinds)])


def queue(tx: Transaction, notices: Sequence[str]) -> None:
    rows = [(notice, tx.now, 0, tx.now) for notice in notices]
    insert_rows(tx.connection, mails, ("notice", "created_at", "tries", "next_try_at"), rows)


def due(tx: Transaction, most: int) -> list[Mail]:
    """Those whose time has come, and those that somebody has in hand for long; held until the transaction ends."""
    query = (
        sa.select(mails.c.notice, mails.c.created_at, mails.c.tries, mails.c.sending_since)
        .where(mails.c.next_try_at <= tx.now)
        .order_by(mails.c.next_try_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [Mail(*row) for row in tx.execute(query)]


def take(tx: Transaction, mail: Mail, until: datetime) -> None:
    """This process has it in hand until then."""
    taken = sa.update(mails).where(mails.c.notice == mail.notice)
    tx.execute(taken.values(tries=mail.tries + 1, next_try_at=until, sending_since=tx.now))


def put_off(tx: Transaction, mail: Mail) -> None:
    """It did not go out: it waits, longer after each try."""
    at = tx.now + wait(mail.tries)
    tx.execute(sa.update(mails).where(mails.c.notice == mail.notice).values(next_try_at=at, sending_since=None))


def settle(tx: Transaction, notice: str, state: MailState) -> None:
    """It goes by mail no more; how it ended stands on the notice."""
    tx.execute(sa.delete(mails).where(mails.c.notice == notice))
    tx.execute(sa.update(notifications).where(notifications.c.name == notice).values(mail_state=state.value))


def answered(tx: Transaction, approvals: Sequence[str]) -> list[str]:
    """Marks what was asked about those of these approvals that have ended as read; the names of what was unread. Either
    may be heard of first."""
    n, told = notifications.c, notifications.alias()
    if not approvals:
        return []
    # The kinds as literals, so that the index of approvals' notices is used.
    asked = sa.literal_column(str(Kind.APPROVAL_REQUESTED.value), sa.Integer())
    decided = sa.literal_column(str(Kind.APPROVAL_DECIDED.value), sa.Integer())
    these = in_values(told.c.record, sorted(set(approvals)), tx.dialect)
    ended = sa.select(told.c.record).where(these, told.c.kind == decided)
    unread = sa.update(notifications).where(n.record.in_(ended), n.kind == asked, n.read_time.is_(None))
    return sorted(tx.execute(unread.values(read_time=tx.now).returning(n.name)).scalars())
