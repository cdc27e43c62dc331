"""What a service is, and what one of its processes runs with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import sqlalchemy as sa

from chassis import clock
from chassis.access import ANONYMOUS, Principal, Tokens
from chassis.bus.subscriptions import Subscription
from chassis.database import Database
from chassis.settings import Settings, embedded_token_key
from chassis.tables import ChassisTables, attach
from chassis.transaction import Origin, OutboxRow, Transaction


@dataclass(frozen=True)
class Loop:
    """Something a service does by itself, in its `work` role: `run(tx)` in a transaction, again after `every` seconds,
    or at once when it answers True (there is more)."""

    name: str
    every: float
    run: Callable[[Transaction], bool | None]


@dataclass(frozen=True)
class Errand:
    """Something a service does by itself in its `serve` role, where it may ask peers: `run()` opens its transactions
    itself, and is called again after `every` seconds, or at once when it answers True (there is more). Every pod runs
    it: what must not be done twice at once is claimed in the database."""

    name: str
    every: float
    run: Callable[[], bool | None]


class Door(Protocol):
    """What a `serve` process answers through: the service's gRPC server, unless the service opens a door of its own."""

    @property
    def port(self) -> int: ...

    def start(self) -> object:
        """Open when it returns. Raises OSError when a port is taken."""

    def away(self) -> list[str]:
        """Names of what it cannot answer without and that is away now. Asked every two seconds, too."""

    def stop(self) -> None:
        """Finishes the calls under way, for at most `drain_seconds`."""


@dataclass(frozen=True)
class Service:
    """A service as its `main` declares it. `servicers` and `subscribers` are called in the role that needs them, so
    that `work` never imports gRPC and `serve` never imports a handler."""

    name: str
    metadata: sa.MetaData
    # Package that holds the Alembic versions, "leads.migrations".
    migrations: str
    servicers: Callable[[Runtime], Sequence[Any]]
    subscribers: Callable[[], Sequence[Subscription]] = tuple
    loops: Callable[[], Sequence[Loop]] = tuple
    errands: Callable[[Runtime], Sequence[Errand]] = lambda runtime: ()
    # Methods whose answers to request_ids are kept as long as what they made.
    kept_replies: Sequence[str] = ()
    # Full names of the events that others rebuild from: they are kept for good, the rest for `keep_days`.
    kept_events: Sequence[str] = ()
    # What it hears may wait a few seconds while others have urgent work: nobody stands at the counter for it.
    patient: bool = False
    # Runs once when `migrate` has brought the schema up: a first policy, the five roles.
    seed: Callable[[Transaction], None] | None = None
    # What `serve` opens to the world instead of the service's gRPC server.
    door: Callable[[Runtime], Door] | None = None

    @property
    def tables(self) -> ChassisTables:
        return attach(self.metadata)


@dataclass
class Runtime:
    """One process's share of a service: its settings, its database, its way to the bus."""

    service: Service
    settings: Settings
    database: Database
    tokens: Tokens
    # Told of every committed outbox row; whatever it loses, the sweep finds in the table.
    announce: Callable[[Sequence[OutboxRow]], None] = field(default=lambda rows: None)
    # Addresses of peers in this deployment, "leads" -> "127.0.0.1:40001"; empty means settings.peer().
    peers: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.service.name

    def peer_address(self, service: str) -> str:
        return self.peers.get(service) or self.settings.peer(service)

    @contextmanager
    def transaction(self, principal: Principal = ANONYMOUS, origin: Origin | None = None) -> Iterator[Transaction]:
        """Commits when the block ends, together with what was emitted; rolls back when it raises."""
        with self.database.write() as connection:
            tx = Transaction(
                connection,
                self.service.tables,
                self.name,
                clock.now(),
                principal,
                origin or Origin(principal.actor if principal is not ANONYMOUS else f"services/{self.name}"),
            )
            yield tx
            rows = tx.flush()
        if rows:
            self.announce(rows)
        tx.committed()

    @contextmanager
    def reading(self, principal: Principal = ANONYMOUS) -> Iterator[Transaction]:
        with self.database.read() as connection:
            yield Transaction(
                connection, self.service.tables, self.name, clock.now(), principal, Origin(principal.actor)
            )


def runtime(service: Service, settings: Settings) -> Runtime:
    """Opens the service's database: DEALWRIGHT_DATABASE_URL, or SQLite under the data folder."""
    url = settings.database_url or f"sqlite:///{settings.data / (service.name + '.db')}"
    key = settings.token_key.get_secret_value() or embedded_token_key(settings.data)
    return Runtime(service, settings, Database(url), Tokens(key))
