"""A directory of one's own: real gRPC on a loopback port, on SQLite and, where asked, on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fakeredis
import grpc
import pytest
import sqlalchemy as sa
from google.protobuf import message_factory
from google.rpc import error_details_pb2, status_pb2

from chassis import cache
from chassis.access import Grant, Principal, Scope, Tokens, peer
from chassis.background import Background
from chassis.database import Database
from chassis.embedding import Embedding
from chassis.problems import status_of  # noqa: F401  (loads google.rpc's messages)
from chassis.service import Runtime
from chassis.settings import Settings
from dealwright.blueprint.v1 import blueprint_pb2_grpc
from dealwright.bus.v1.envelope_pb2 import EventBatch
from dealwright.directory.v1 import directory_pb2 as pb
from dealwright.directory.v1 import directory_pb2_grpc
from directory.main import service
from directory.usecases import first_start
from directory.usecases.settings import settings
from tests.migrated import Migrated
from tests.passwords import cheap

ADMIN_PASSWORD = "a long enough one"


class Said(Exception):
    """What the service answered instead: code, reason, the wrong fields."""

    def __init__(self, error: grpc.RpcError) -> None:
        self.code = error.code().name
        self.reason, self.fields = "", dict[str, str]()
        trailing: Any = error.trailing_metadata()
        for key, value in trailing or ():
            if key == "grpc-status-details-bin":
                for detail in status_pb2.Status.FromString(value).details:
                    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
                    if detail.Unpack(info):
                        self.reason = info.reason
                    if detail.Unpack(bad):
                        self.fields = {v.field: v.description for v in bad.field_violations}
        super().__init__(f"{self.code} {self.reason} {self.fields} {error.details()}")


class Caller:
    """Calls any method as one principal: `caller.GetPerson(name=...)`."""

    def __init__(self, channel: grpc.Channel, metadata: Callable[[], list[tuple[str, str]]]) -> None:
        self._stubs = (
            directory_pb2_grpc.DirectoryServiceStub(channel),
            blueprint_pb2_grpc.BlueprintServiceStub(channel),
        )
        self._metadata = metadata

    def __getattr__(self, method: str) -> Any:
        stub = next(s for s in self._stubs if hasattr(s, method))
        from dealwright.blueprint.v1 import blueprint_pb2

        file = pb if stub is self._stubs[0] else blueprint_pb2
        descriptor = next(m for s in file.DESCRIPTOR.services_by_name.values() for m in s.methods if m.name == method)
        request = message_factory.GetMessageClass(descriptor.input_type)

        def call(**values: Any) -> Any:
            try:
                return getattr(stub, method)(request(**values), metadata=self._metadata(), timeout=30)
            except grpc.RpcError as error:
                raise Said(error) from None

        return call


class House:
    """A running directory with an administrator."""

    def __init__(self, runtime: Runtime, address: str) -> None:
        self.runtime = runtime
        self.channel = grpc.insecure_channel(address)
        self.admin_token = self.nobody().CreateSession(login="admin", password=ADMIN_PASSWORD).token

    def by(self, principal: Principal | None, address: str = "") -> Caller:
        def metadata() -> list[tuple[str, str]]:
            # Signed for every call, as the gateway does it: an internal token lives for minutes.
            said = [("x-client-address", address)] if address else []
            if principal is not None:
                said.append(("authorization", f"Bearer {self.runtime.tokens.sign(principal)}"))
            return said

        return Caller(self.channel, metadata)

    def nobody(self, address: str = "") -> Caller:
        return self.by(None, address)

    def gateway(self) -> Caller:
        return self.by(peer("gateway"))

    def principal(self, token: str) -> Principal:
        """As the gateway makes it of a session's token."""
        found = self.gateway().ResolveSession(token=token).principal
        grants = {
            g.resource: Grant(
                Scope(g.read), Scope(g.write), Scope(g.delete), Scope(g.export),
                frozenset(g.hidden_fields), frozenset(g.read_only_fields),
            )
            for g in found.grants
        }  # fmt: skip
        return Principal(found.person, found.role, found.team, tuple(found.teams), grants, found.session)

    def signed_in(self, token: str) -> Caller:
        return self.by(self.principal(token))

    @property
    def admin(self) -> Caller:
        return self.signed_in(self.admin_token)

    def add(self, login: str, role: str = "sales", **values: Any) -> pb.Person:
        person: pb.Person = self.admin.CreatePerson(
            person=pb.Person(login=login, role=role, display_name=login, password=ADMIN_PASSWORD, **values)
        )
        return person

    def token(self, login: str, password: str = ADMIN_PASSWORD) -> str:
        return str(self.nobody().CreateSession(login=login, password=password).token)

    def as_login(self, login: str) -> Caller:
        return self.signed_in(self.token(login))

    def events(self, kind: str) -> list[Any]:
        """The events of a type announced so far, oldest first."""
        from chassis.bus.subscriptions import decode

        outbox = service.tables.outbox
        with self.runtime.reading() as tx:
            rows = tx.execute(
                sa.select(outbox.c.body).where(outbox.c.type == f"dealwright.directory.v1.{kind}").order_by(outbox.c.id)
            )
            return [decode(e) for row in rows for e in EventBatch.FromString(row.body).events]

    def run_loop(self, name: str) -> None:
        """One turn of a loop of the `work` role."""
        loop = next(loop for loop in service.loops() if loop.name == name)
        Background(self.runtime, [])._once(loop)

    def texts(self) -> str:
        """Everything the database holds once the bus has marked what it took, for what must not stand in it."""
        unpublished = sa.select(service.tables.outbox.c.id).where(service.tables.outbox.c.published_at.is_(None))
        for _ in range(100):
            with self.runtime.reading() as tx:
                if tx.execute(unpublished.limit(1)).first() is None:
                    break
            threading.Event().wait(0.05)
        with self.runtime.reading() as tx:
            return "\n".join(
                str(tuple(row)) for table in service.metadata.sorted_tables for row in tx.execute(sa.select(table))
            )


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    cheap(monkeypatch)
    server = fakeredis.FakeServer()
    monkeypatch.setattr(cache, "_in_process", lambda: server)
    settings.cache_clear()
    yield
    settings.cache_clear()


def _open(url: str, folder: Path) -> Runtime:
    return Runtime(service, Settings(data=folder), Database(url), Tokens("k" * 40))


MIGRATED = Migrated(_open)


def _house(folder: Path, url: str) -> Iterator[House]:
    embedding = Embedding(
        [service], Settings(data=folder, drain_seconds=0.1), {"directory": url}, threads=16, loops=False
    )
    embedding.start()
    runtime = embedding.runtimes["directory"]
    with runtime.transaction() as tx:
        first_start.first_start(tx, ADMIN_PASSWORD)
    try:
        yield House(runtime, embedding.addresses["directory"])
    finally:
        embedding.stop()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """On SQLite."""
    yield from _house(tmp_path, MIGRATED.sqlite(tmp_path))


@pytest.fixture(params=["sqlite", "postgresql"])
def any_house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """On each database."""
    if request.param == "sqlite":
        yield from _house(tmp_path, MIGRATED.sqlite(tmp_path))
    else:
        with MIGRATED.postgres(request.getfixturevalue("postgres_server"), tmp_path) as url:
            yield from _house(tmp_path, url)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "any_house-postgresql" in item.name or item.name.endswith("[postgresql]"):
            item.add_marker("cluster")
