"""One database per service: SQLite embedded, PostgreSQL in the cluster, the same statements on both.

SQLite runs with WAL and synchronous=FULL, one write connection behind a fair queue, readers on their own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from chassis.kinds import Json, Moment, to_micros
from chassis.rows import COMMITTING, Insert, in_values, insert_rows, insert_together, update_rows

__all__ = [
    "Database",
    "Insert",
    "Json",
    "Moment",
    "in_values",
    "insert_rows",
    "insert_together",
    "is_unavailable",
    "may_have_committed",
    "to_micros",
    "update_rows",
]


class FairLock:
    """A lock that is given in the order it was asked for (threading.Lock promises none)."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(self, *error: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False


class Database:
    """The service's own database.

    `write()` yields a connection inside a transaction that commits when the block ends and rolls back when it
    raises; `read()` yields a connection outside any transaction, for queries alone. An error that leaves `write()`
    before its commit was sent left nothing behind; one of the commit itself may have (see `may_have_committed`).
    """

    def __init__(self, url: str | URL, pool_size: int = 8) -> None:
        self.url = make_url(url)
        if self.url.drivername in ("postgresql", "postgres"):
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._lock = FairLock()
        if self.is_sqlite:
            if self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = sa.create_engine(
                self.url,
                connect_args={"check_same_thread": False, "timeout": 30},
                pool_size=pool_size,
                max_overflow=64,
                hide_parameters=True,
            )
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = sa.create_engine(
                self.url,
                pool_size=pool_size,
                max_overflow=16,
                pool_use_lifo=True,
                # What a statement was given may be personal: it stays out of errors, and so out of logs.
                hide_parameters=True,
                connect_args={
                    "connect_timeout": 10,
                    "prepare_threshold": 3,
                    # A host that vanished without a word is noticed within half a minute.
                    "keepalives_idle": 15,
                    "keepalives_interval": 5,
                    "tcp_user_timeout": 30_000,
                    # A process that died inside a transaction must not hold its locks over us.
                    # A generic plan is made for tables as they were: on young ones a scan of everything, for hours.
                    "options": "-c lock_timeout=20s -c idle_in_transaction_session_timeout=60s "
                    "-c plan_cache_mode=force_custom_plan -c random_page_cost=1.1",
                },
            )
            sa.event.listen(self.engine, "checkout", _replace_if_closed)
        self._write_engine = self.engine.execution_options(dealwright_write=True)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        with self._lock if self.is_sqlite else nullcontext(), self._write_engine.connect() as connection:
            transaction = connection.begin()
            try:
                yield connection
            except BaseException:
                # A lost connection cannot roll back, and the first error is the one to tell.
                with suppress(sa.exc.DBAPIError):
                    transaction.rollback()
                raise
            try:
                transaction.commit()
            except Exception as problem:
                problem.__dict__[COMMITTING] = True
                raise

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        if self.is_sqlite:
            with self.engine.connect() as connection:
                yield connection
        else:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                yield connection

    def dispose(self) -> None:
        self.engine.dispose()


def may_have_committed(error: BaseException) -> bool:
    """Whether the error came out of a commit whose answer was lost: only the database knows."""
    return is_unavailable(error) and COMMITTING in error.__dict__


def _replace_if_closed(raw: Any, record: object, proxy: object) -> None:
    """After a restart of the database its pooled connections are replaced, not handed out. Asks the socket alone: no
    round trip, unlike a ping."""
    try:
        raw.pgconn.consume_input()
    except Exception as problem:  # psycopg's; not imported here, so that SQLite alone does not load it
        raise sa.exc.DisconnectionError from problem


def _prepare_sqlite(raw: Any, record: object) -> None:
    raw.isolation_level = None  # we say BEGIN ourselves, so that a writer takes its lock at once
    cursor = raw.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA temp_store=MEMORY")
    cursor.execute("PRAGMA cache_size=-16000")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get("dealwright_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def is_unavailable(error: BaseException) -> bool:
    """Whether the database is away or asks to try again (a lost connection, a deadlock), as against a bad statement."""
    if isinstance(error, sa.exc.DBAPIError):
        if error.connection_invalidated:
            return True
        state = getattr(error.orig, "sqlstate", None)
        if state is not None:
            # 08 connection, 40 rollback (deadlock, serialization), 53 resources, 55P03 lock, 57P shutdown
            return bool(state[:2] in ("08", "40", "53") or state in ("55P03", "57P01", "57P02", "57P03"))
        if isinstance(error, sa.exc.OperationalError):
            text = str(error.orig).lower()
            if "sqlite" in type(error.orig).__module__:
                return "locked" in text or "busy" in text
            return True
    return isinstance(error, sa.exc.TimeoutError | ConnectionError)
