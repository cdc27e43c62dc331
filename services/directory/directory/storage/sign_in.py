"""Rows of sessions, one-time tokens, sign-in attempts and mails. Secrets are stored as SHA-256 alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis import ids
from chassis.database import insert_rows
from chassis.transaction import Transaction
from directory.storage.tables import attempts, mails, password_tokens, sessions


def digest(secret: str) -> str:
    """SHA-256 in hex. Enough for secrets of 32 random bytes, which nobody can guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# --- sessions ---


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    person: str
    used_at: datetime
    ends_at: datetime


def add_session(tx: Transaction, session: Session, token: str) -> None:
    tx.execute(
        sa.insert(sessions).values(
            id=session.id,
            token_hash=digest(token),
            person=session.person,
            created_at=tx.now,
            used_at=session.used_at,
            ends_at=session.ends_at,
        )
    )


def _session(tx: Transaction, criteria: sa.ColumnElement[bool]) -> Session | None:
    row = tx.execute(
        sa.select(sessions.c.id, sessions.c.person, sessions.c.used_at, sessions.c.ends_at).where(criteria)
    ).first()
    return Session(row.id, row.person, row.used_at, row.ends_at) if row else None


def session_of_token(tx: Transaction, token: str) -> Session | None:
    return _session(tx, sessions.c.token_hash == digest(token))


def session(tx: Transaction, id: str) -> Session | None:
    return _session(tx, sessions.c.id == id)


def touch_session(tx: Transaction, id: str) -> None:
    tx.execute(sa.update(sessions).where(sessions.c.id == id).values(used_at=tx.now))


def end_session(tx: Transaction, id: str) -> bool:
    return bool(tx.execute(sa.delete(sessions).where(sessions.c.id == id)).rowcount)


def end_sessions(tx: Transaction, person: str, but: str = "") -> int:
    return int(tx.execute(sa.delete(sessions).where(sessions.c.person == person, sessions.c.id != but)).rowcount)


# --- one-time tokens ---


def add_token(tx: Transaction, token: str, person: str, kind: str, expires_at: datetime) -> None:
    tx.execute(
        sa.insert(password_tokens).values(token_hash=digest(token), person=person, kind=kind, expires_at=expires_at)
    )


def token_expiry(tx: Transaction, token: str) -> datetime | None:
    found = tx.execute(sa.select(password_tokens.c.expires_at).where(password_tokens.c.token_hash == digest(token)))
    return found.scalar()


def person_of_token(tx: Transaction, token: str) -> str | None:
    """Whose token it is, if it has not expired."""
    row = tx.execute(
        sa.select(password_tokens.c.person).where(
            password_tokens.c.token_hash == digest(token), password_tokens.c.expires_at > tx.now
        )
    ).first()
    return str(row.person) if row else None


def spend_token(tx: Transaction, token: str) -> str | None:
    """Takes the token away: of two who redeem it at once, one gets the person."""
    row = tx.execute(
        sa.delete(password_tokens)
        .where(password_tokens.c.token_hash == digest(token), password_tokens.c.expires_at > tx.now)
        .returning(password_tokens.c.person)
    ).first()
    return str(row.person) if row else None


def drop_tokens(tx: Transaction, person: str) -> None:
    tx.execute(sa.delete(password_tokens).where(password_tokens.c.person == person))


# --- attempts ---


def hold(tx: Transaction, *keys: str) -> None:
    """Lets transactions about the same keys through one after the other. SQLite has one writer anyway."""
    if tx.dialect == "postgresql":
        for number in sorted(int(key[:15], 16) for key in keys):
            tx.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def count_attempts(
    tx: Transaction, since: datetime, login_key: str | None = None, address_key: str | None = None
) -> int:
    """Those of the login, of the address, or of both where both are given; "" is the address that nobody said."""
    given = ((attempts.c.login_key, login_key), (attempts.c.address_key, address_key))
    mine = [column == key for column, key in given if key is not None]
    return int(tx.execute(sa.select(sa.func.count()).where(*mine, attempts.c.at > since)).scalar_one())


def add_attempt(tx: Transaction, login_key: str, address_key: str) -> str:
    id = ids.new_id()
    tx.execute(sa.insert(attempts).values(id=id, login_key=login_key, address_key=address_key, at=tx.now))
    return id


def forget_attempts(tx: Transaction, login_key: str, address_key: str | None = None, id: str = "") -> None:
    """Those of the login, from one address or from all, and the one of that id."""
    mine = attempts.c.login_key == login_key
    if address_key is not None:
        mine = sa.and_(mine, attempts.c.address_key == address_key)
    tx.execute(sa.delete(attempts).where(sa.or_(mine, attempts.c.id == id)))


# --- mails ---


@dataclass(frozen=True, slots=True)
class Mail:
    id: str
    person: str
    kind: str
    tries: int
    created_at: datetime


def add_mail(tx: Transaction, id: str, person: str, kind: str) -> None:
    """Nothing when a mail of that id waits already."""
    insert_rows(
        tx.connection,
        mails,
        ("id", "person", "kind", "created_at", "tries", "next_try_at"),
        [(id, person, kind, tx.now, 0, tx.now)],
        conflict="DO NOTHING",
    )


def due_mails(tx: Transaction, limit: int) -> list[Mail]:
    """The oldest that are due, held until the transaction ends."""
    rows = tx.execute(
        sa.select(mails)
        .where(mails.c.next_try_at <= tx.now)
        .order_by(mails.c.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Mail(row.id, row.person, row.kind, row.tries, row.created_at) for row in rows]


def put_off_mail(tx: Transaction, mail: Mail, until: datetime) -> None:
    tx.execute(sa.update(mails).where(mails.c.id == mail.id).values(tries=mail.tries + 1, next_try_at=until))


def drop_mails(tx: Transaction, ids: list[str]) -> None:
    if ids:
        tx.execute(sa.delete(mails).where(mails.c.id.in_(ids)))


def drop_expired(tx: Transaction, idle_since: datetime, attempts_since: datetime) -> int:
    """Deletes sessions, tokens and attempts that no longer count."""
    deleted: Any = 0
    deleted += tx.execute(
        sa.delete(sessions).where(sa.or_(sessions.c.ends_at <= tx.now, sessions.c.used_at <= idle_since))
    ).rowcount
    deleted += tx.execute(sa.delete(password_tokens).where(password_tokens.c.expires_at <= tx.now)).rowcount
    deleted += tx.execute(sa.delete(attempts).where(attempts.c.at <= attempts_since)).rowcount
    return int(deleted)
