"""The probe service on each pair of bus and database, with one way to talk to all of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import sqlalchemy as sa
from google.protobuf.message import Message
from pydantic import SecretStr

from chassis import clock, ids, telemetry
from chassis.access import Tokens
from chassis.background import Background
from chassis.bus import publisher
from chassis.bus.delivery import replay_parked
from chassis.bus.local import LocalBus
from chassis.bus.publisher import Publisher
from chassis.database import Database
from chassis.migration import migrate
from chassis.service import Runtime
from chassis.settings import Settings
from chassis.transaction import OutboxRow
from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch
from tests.conformance.probe import handled, newest, service

KEY = "a key for tests, of more than thirty-two characters"
HERE = Path(__file__).parent
telemetry.start("probe", "test", "INFO", 0.0)  # logs as in production: one line each, nothing personal


def wait_for(question: Callable[[], Any], seconds: float = 20.0, what: str = "") -> Any:
    """The first true answer; AssertionError after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        if answer := question():
            return answer
        if time.monotonic() > until:
            said = "\n".join(p.last_words() for p in Program.running.values())
            raise AssertionError(f"not within {seconds} s: {what or question}\n{said}")
        time.sleep(0.01)


class Program:
    """One process of the probe."""

    running: ClassVar[dict[int, Program]] = {}

    def __init__(self, role: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.role, self.folder = role, folder
        self._environment = environment
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    def start(self) -> Self:
        environment = {**os.environ, "DEALWRIGHT_TOKEN_KEY": KEY, "PROBE_TRIES": str(self.folder)}
        environment |= {"PYTHONPATH": str(HERE.parents[1]), "PYTHONUNBUFFERED": "1", **self._environment}
        self.log = self.folder / f"{self.role}-{ids.new_id()}.log"
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "tests.conformance.start_probe", self.role],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        Program.running[id(self)] = self
        return self

    def said(self, word: str, seconds: float = 60.0) -> str:
        """The first line of its log with this word."""

        def line() -> str:
            if self._child is not None and self._child.poll() is not None:
                raise AssertionError(f"{self.role} ended:\n{self.log.read_text()[-4000:]}")
            return next((x for x in self.log.read_text().splitlines() if word in x), "")

        return str(wait_for(line, seconds, f"{self.role} says {word!r}"))

    def last_words(self) -> str:
        state = "" if self.alive() else " (dead)"
        return f"{self.role}{state}: {self.log.read_text()[-2000:]}"

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def stop(self, seconds: float = 20.0) -> int:
        """SIGTERM and its exit code; kills it after `seconds`."""
        assert self._child is not None
        Program.running.pop(id(self), None)
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.role} did not stop:\n{self.log.read_text()[-4000:]}") from None


class Deployment:
    """What every pair has: `runtime`, this process's share of the service."""

    name = ""

    def __init__(self, folder: Path, url: str = "", broker: str = "", service_name: str = "probe", **more: Any) -> None:
        self.folder = folder
        self.service_name = service_name
        os.environ["PROBE_TRIES"] = str(folder)
        values: dict[str, Any] = {
            "data": folder,
            "database_url": url or f"sqlite:///{folder}/probe.db",
            "broker_url": broker,
            "retry_attempts": 4,
            "retry_first_wait": 0.05,
            "retry_last_wait": 0.4,
            "publish_timeout": 5.0,
            **more,
        }
        self.settings = Settings(token_key=SecretStr(KEY), **values)
        self.environment = {f"DEALWRIGHT_{k.upper()}": str(v) for k, v in values.items()}
        self.runtime = self.new_runtime()

    @property
    def sqlite(self) -> bool:
        return self.runtime.database.is_sqlite

    def new_runtime(self) -> Runtime:
        mine = replace(service, name=self.service_name)
        return Runtime(mine, self.settings, Database(self.settings.database_url), Tokens(KEY))

    @contextmanager
    def running(self) -> Iterator[Self]:
        migrate(self.runtime)
        try:
            self.start()
            yield self
        finally:
            self.stop()
            self.runtime.database.dispose()

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    # --- events in ---

    def emit(self, *events: Message) -> None:
        """In one transaction, as a command does."""
        with self.runtime.transaction() as tx:
            tx.emit_all(events)

    def put(self, kind: str, bodies: Sequence[bytes], runtime: Runtime | None = None) -> None:
        """Outbox rows as given, each one message: how duplicates, disorder and rubbish get onto either bus."""
        runtime = runtime or self.runtime
        outbox = runtime.service.tables.outbox
        rows = [OutboxRow(ids.new_id(), kind, 1, body) for body in bodies]
        now = clock.now()
        with runtime.database.write() as connection:
            connection.execute(
                sa.insert(outbox),
                [{"id": r.id, "type": r.type, "events": 1, "body": r.body, "created_at": now} for r in rows],
            )
        runtime.announce(rows)

    def put_left_behind(self, kind: str, bodies: Sequence[bytes]) -> set[str]:
        """Outbox rows of a process that died a minute ago, before it published them. Their ids."""
        outbox = service.tables.outbox
        stamp = ids.first_id_at(clock.now().timestamp() - 60)[:13]
        rows = [(stamp + ids.new_id()[13:], content) for content in bodies]
        with self.runtime.database.write() as connection:
            connection.execute(
                sa.insert(outbox),
                [{"id": i, "type": kind, "events": 1, "body": c, "created_at": clock.now()} for i, c in rows],
            )
        return {i for i, _ in rows}

    def put_rubbish(self, kind: str, bodies: Sequence[bytes]) -> None:
        """Messages as no publisher of ours would send them."""
        self.put(kind, bodies)

    # --- what came of it ---

    def rows(self, statement: sa.Select[*tuple[Any, ...]]) -> list[Any]:
        with self.runtime.reading() as tx:
            return list(tx.execute(statement).all())

    def count(self, subscriber: str, prefix: str) -> int:
        return int(
            self.rows(
                sa.select(sa.func.count()).where(
                    handled.c.subscriber == subscriber, handled.c.subject.startswith(prefix)
                )
            )[0][0]
        )

    def subjects(self, subscriber: str, prefix: str) -> list[str]:
        return [
            r.subject
            for r in self.rows(
                sa.select(handled.c.subject)
                .where(handled.c.subscriber == subscriber, handled.c.subject.startswith(prefix))
                .order_by(handled.c.subject)
            )
        ]

    def version(self, subject: str) -> int:
        found = self.rows(sa.select(newest.c.version).where(newest.c.subject == subject))
        return int(found[0].version) if found else 0

    def failures(self, prefix: str) -> list[Any]:
        failures = service.tables.failures
        return self.rows(sa.select(failures).where(failures.c.subject.startswith(prefix)))

    def unpublished(self) -> int:
        outbox = service.tables.outbox
        return int(self.rows(sa.select(sa.func.count()).where(outbox.c.published_at.is_(None)))[0][0])

    def settle(self, seconds: float = 20.0) -> None:
        """Until every outbox row is published."""
        wait_for(lambda: self.unpublished() == 0, seconds, "the outbox empties")

    def replay(self, *event_ids: str) -> int:
        return replay_parked(self.runtime, event_ids)

    # --- what is done to it ---

    def kill_consumer(self) -> None:
        raise NotImplementedError

    def restart_consumer(self) -> None:
        raise NotImplementedError


class Local(Deployment):
    """The in-process bus. Its consumers live in this process, or in one of their own once that must be killed."""

    def __init__(self, folder: Path, url: str = "", **more: Any) -> None:
        super().__init__(folder, url, **more)
        self.name = "local bus, " + ("PostgreSQL" if url else "SQLite")
        self.program: Program | None = None

    def start(self) -> None:
        known = list(service.subscribers())
        self.bus = LocalBus(sweep_every=0.2)
        self.bus.attach(self.runtime, known)
        self.bus.start()
        self.background = Background(self.runtime, known)
        self.background.start()

    def stop(self) -> None:
        self.bus.stop()
        self.background.stop()


class Cluster(Deployment):
    """RabbitMQ and PostgreSQL: this process publishes as a `serve` process does, `work` processes handle."""

    name = "RabbitMQ, PostgreSQL"

    def __init__(self, folder: Path, url: str, broker: str, service_name: str = "probe", **more: Any) -> None:
        super().__init__(folder, url, broker, service_name, **more)
        self.workers: list[Program] = []
        self.worker_environment = {"PROBE_NAME": service_name}

    def start(self) -> None:
        publisher.declare(self.settings.broker_url, self.service_name, list(service.subscribers()))
        self.relay = Publisher(self.runtime)
        self.relay.start()
        self.add_worker(**self.worker_environment)

    def add_worker(self, **environment: str) -> Program:
        worker = Program("work", self.folder, {**self.environment, **environment}).start()
        self.workers.append(worker)
        worker.said("working")
        return worker

    def put_rubbish(self, kind: str, bodies: Sequence[bytes]) -> None:
        """Each on its own, of a content type that the worker never asked for."""
        with publisher.connection(self.settings.broker_url, 5.0) as broker:
            channel = publisher.Confirmed(broker, 5.0)
            for rubbish in bodies:
                channel.send(kind, rubbish, "text/plain")
            channel.wait()

    def stop(self) -> None:
        self.relay.stop()
        for worker in self.workers:
            worker.stop()

    def kill_consumer(self) -> None:
        self.workers[0].kill()

    def restart_consumer(self) -> None:
        if self.workers[0].alive():
            self.workers[0].kill()
        self.workers[0].start().said("working")


def envelope(event: Message, **more: Any) -> Envelope:
    now = clock.now()
    made = Envelope(
        id=ids.new_id(),
        type=event.DESCRIPTOR.full_name,
        subject=getattr(event, event.DESCRIPTOR.fields[0].name),
        data=event.SerializeToString(),
        **more,
    )
    made.time.FromDatetime(now)
    made.receive_time.FromDatetime(now)
    return made


def body(*envelopes: Envelope) -> bytes:
    return EventBatch(events=envelopes).SerializeToString()
