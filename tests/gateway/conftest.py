"""A gateway with both doors open in front of small services that speak the real protos over real gRPC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
import sqlalchemy as sa
from google.protobuf import empty_pb2

from chassis.access import Principal, Tokens
from chassis.bus.local import LocalBus
from chassis.database import Database
from chassis.errors import Invalid, NotFound, Refused, Stale, unauthenticated
from chassis.migration import migrate
from chassis.rpc import Call, outside
from chassis.server import Server
from chassis.service import Runtime, Service
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.directory.v1 import directory_pb2
from dealwright.leads.v1 import leads_pb2
from gateway.doors.addresses import SERVICES
from gateway.doors.serving import Gateway
from gateway.main import serve, service
from gateway.settings import GatewaySettings
from gateway.storage.tables import blueprint_applies, blueprint_steps

Handler = Callable[[Call[Any]], Any]
KEY = "k" * 48
SCOPES: Any = {"NONE": 1, "OWN": 2, "TEAM": 3, "ALL": 4}
RIGHTS = {
    "admin": dict.fromkeys(("leads", "people", "teams", "policies", "blueprint", "forms"), ("ALL", "ALL", "ALL")),
    "manager": {"leads": ("TEAM", "TEAM", "NONE"), "people": ("ALL", "NONE", "NONE")},
    "sales": {"leads": ("OWN", "OWN", "NONE"), "people": ("ALL", "NONE", "NONE")},
    "finance": {"people": ("ALL", "NONE", "NONE")},
}


def principal_message(token: str) -> directory_pb2.Principal:
    """Tokens of this world read "role/person/team"."""
    role, person, team = token.split("/")
    return directory_pb2.Principal(
        person=f"people/{person}",
        role=role,
        team=f"teams/{team}",
        teams=[f"teams/{team}"],
        session=f"sessions/{person}",
        grants=[
            directory_pb2.Grant(resource=r, read=SCOPES[g[0]], write=SCOPES[g[1]], delete=SCOPES[g[2]])
            for r, g in RIGHTS[role].items()
        ],
    )


class World:
    """`on(method, handler)` says what a service does; `seen` holds the calls that reached one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.handlers: dict[str, Handler] = {}
        self.seen: list[tuple[str, Any, Principal]] = []
        self.ended: set[str] = set()
        self.parts: dict[str, blueprint_pb2.Part] = {}
        self.answered: dict[tuple[str, str], blueprint_pb2.Part] = {}
        self.tokens = Tokens(KEY)
        self.addresses: dict[str, str] = {}
        self._servers: list[Server] = []
        descriptors = {name: every for name, every in SERVICES.items() if name != "gateway"}
        settings = GatewaySettings(data=folder, token_key=KEY, drain_seconds=0.5)  # type: ignore[arg-type]
        blueprint = blueprint_pb2.DESCRIPTOR.services_by_name["BlueprintService"]
        for name, every in descriptors.items():
            mine = Service(
                name,
                sa.MetaData(),
                "gateway.migrations",
                servicers=lambda runtime, every=every, n=name: [  # type: ignore[misc]
                    *(self._servicer(d, "") for d in every),
                    self._servicer(blueprint, n),
                ],
            )
            runtime = Runtime(mine, settings, Database(f"sqlite:///{folder / name}.db"), self.tokens)
            server = Server(runtime, "127.0.0.1", 0, 16)
            server.start()
            self._servers.append(server)
            self.addresses[name] = f"127.0.0.1:{server.port}"
        self.runtime = Runtime(
            service, settings, Database(f"sqlite:///{folder / 'gateway'}.db"), self.tokens, peers=self.addresses
        )
        migrate(self.runtime)
        self.bus = LocalBus(sweep_every=0.2)
        self.bus.attach(self.runtime, service.subscribers())
        self.bus.start()
        self.reset()

    def _servicer(self, descriptor: Any, part_of: str) -> Any:
        def method(name: str) -> Any:
            @outside
            def handle(this: Any, call: Call[Any]) -> Any:
                key = f"{part_of}.{name}" if part_of else name
                self.seen.append((key, call.request, call.principal))
                if key not in self.handlers:
                    raise NotFound(getattr(call.request, "name", "") or name)
                return self.handlers[key](call)

            return handle

        return type(
            "Servicer", (), {"descriptor": descriptor, **{m.name: method(m.name) for m in descriptor.methods}}
        )()

    def open(self, **changes: Any) -> Gateway:
        """One more gateway, with other settings."""
        values = {"data": self.folder, "token_key": KEY, "http_port": 0, "front_door_port": 0, "drain_seconds": 0.5}
        return serve(self.runtime, GatewaySettings(**{**values, **changes}))

    def on(self, method: str, handler: Handler) -> None:
        self.handlers[method] = handler

    def calls(self, method: str) -> list[tuple[Any, Principal]]:
        return [(request, principal) for name, request, principal in self.seen if name == method]

    def reset(self) -> None:
        self.handlers.clear()
        self.seen.clear()
        self.ended.clear()
        self.answered.clear()
        with self.runtime.transaction() as tx:
            for table in (blueprint_steps, blueprint_applies):
                tx.execute(sa.delete(table))

        def resolve(call: Call[Any]) -> directory_pb2.ResolveSessionResponse:
            token = call.request.token
            if token.count("/") != 2 or token in self.ended:
                raise unauthenticated()
            answer = directory_pb2.ResolveSessionResponse(principal=principal_message(token))
            answer.cache_for.seconds = 5
            return answer

        def sign_out(call: Call[Any]) -> empty_pb2.Empty:
            self.ended.add(f"{call.principal.role}/{call.principal.person[7:]}/{call.principal.team[6:]}")
            return empty_pb2.Empty()

        self.on("ResolveSession", resolve)
        self.on("DeleteSession", sign_out)
        self.on("CaptureLead", capture)
        contents: list[tuple[str, Any]] = [
            ("directory", {"calendars": {"company": {"offDays": ["2026-10-01"]}}, "roles": {"sales": "OWN"}}),
            ("leads", {"forms": {"booth": {"open": True}}}),
            ("rules", {"policies": {"assignment": {"steps": []}}}),
            # Nobody has set anything of theirs.
            ("customers", {}),
            ("opportunities", {}),
            ("activities", {}),
            ("contracts", {}),
            ("reports", {}),
        ]
        for owner, content in contents:
            self.parts[owner] = blueprint_pb2.Part(version=1 if content else 0)
            self.parts[owner].content.update(content)
            self.on(f"{owner}.GetPart", lambda call, owner=owner: self.parts[owner])  # type: ignore[misc]
            self.on(f"{owner}.PlanPart", lambda call, owner=owner: self._plan(owner, call.request))  # type: ignore[misc]
            self.on(f"{owner}.ApplyPart", lambda call, owner=owner: self._apply(owner, call.request))  # type: ignore[misc]

    def _plan(self, owner: str, request: Any) -> blueprint_pb2.PlanPartResponse:
        now = self.parts[owner]
        changed = [k for k in request.content.fields if request.content.fields[k] != now.content.fields[k]]
        for key in changed:
            if "wrong" in str(request.content.fields[key]):
                raise Invalid([(f"{key}.wrong_key", "is wrong", "不对")])
        return blueprint_pb2.PlanPartResponse(
            changes=[blueprint_pb2.Change(path=key, before="{}", after="{}") for key in changed], version=now.version
        )

    def _apply(self, owner: str, request: Any) -> blueprint_pb2.Part:
        """As every service does: a repeated request_id gets the first answer."""
        key = (owner, request.request_id)
        if key not in self.answered:
            if request.expected_version != self.parts[owner].version:
                raise Stale("blueprint")
            made = blueprint_pb2.Part(content=request.content, version=request.expected_version + 1)
            self.parts[owner] = self.answered[key] = made
        return self.answered[key]

    def close(self) -> None:
        self.bus.stop()
        for server in self._servers:
            server.stop(0.5)
        self.runtime.database.dispose()


def capture(call: Call[Any]) -> leads_pb2.CaptureLeadResponse:
    lead = call.request.lead
    if not lead.phone and not lead.email:
        raise Invalid([("lead.full_name", "give a phone or an e-mail", "请填写电话或邮箱")])
    if lead.full_name == "duplicate":
        raise Refused("DUPLICATE", "It is known already.", "该线索已存在。")
    answer = leads_pb2.CaptureLeadResponse(lead=lead, outcome=leads_pb2.CaptureLeadResponse.CREATED)
    answer.lead.name = "leads/1"
    return answer


class Client:
    """HTTP as one person, English unless told otherwise."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Accept-Language"] = "en"
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, verb: str, path: str, **given: Any) -> requests.Response:
        return self.session.request(verb, self.url + path, timeout=20, **given)


@pytest.fixture(scope="session")
def shared_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("gateway"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def shared_gateway(shared_world: World) -> Iterator[Gateway]:
    opened = shared_world.open(address_rate=0, sign_in_rate=0, form_rate=0, link_rate=0, feed_heartbeat=0.3)
    yield opened
    opened.stop()


@pytest.fixture
def world(shared_world: World) -> World:
    shared_world.reset()
    return shared_world


@pytest.fixture
def gateway(world: World, shared_gateway: Gateway) -> Gateway:
    return shared_gateway


@pytest.fixture
def client(gateway: Gateway) -> Callable[..., Client]:
    return lambda token="": Client(gateway.url, token)


@pytest.fixture
def admin(gateway: Gateway) -> Client:
    return Client(gateway.url, "admin/root/head")


@pytest.fixture
def client_at() -> Callable[[str, str], Client]:
    return Client


@pytest.fixture
def channel(gateway: Gateway) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{gateway.grpc_port}") as opened:
        yield opened


@pytest.fixture
def many() -> Iterator[futures.ThreadPoolExecutor]:
    with futures.ThreadPoolExecutor(16) as pool:
        yield pool
