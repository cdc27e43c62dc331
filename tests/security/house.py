"""The services as they are, with people of every role in two teams, and leads of every standing."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.message import Message

from chassis import clock
from chassis.access import Principal, Tokens, peer
from chassis.embedding import Embedding
from chassis.settings import Settings
from dealwright.directory.v1 import directory_pb2 as directory
from dealwright.leads.v1 import leads_pb2 as leads
from directory.usecases import first_start
from embedded.catalogue import NAMES, load
from gateway.doors.sessions import principal_of
from leads.domain.ownership import Decided
from leads.usecases.record import record
from tests.security.matrix import ROLES

PASSWORD = "a password for tests"
# A region of one's own, so that the rules have nobody else to choose and pass over.
REGIONS = {
    **dict(zip(ROLES, ("上海", "江苏", "浙江", "山东", "四川"), strict=True)),
    "mate": "北京",
    "other": "广东",
}
_phones = itertools.count(13900000000)


def a_phone() -> str:
    return f"+86{next(_phones)}"


@dataclass(frozen=True)
class Answer:
    """`code` is the gRPC status's name; `message` the response where that is OK; `details` its trailing bytes."""

    code: str
    message: Any = None
    details: bytes = b""
    text: str = ""


class House:
    """Every service with its gRPC server, over SQLite or the databases given by service. After `settle`, nothing
    happens by itself any more."""

    def __init__(self, folder: Path, databases: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.databases = databases
        settings = Settings(data=folder, drain_seconds=0.1)
        self.embedding = Embedding([load(name) for name in NAMES], settings, databases, threads=8, loops=False)
        self.embedding.start()
        self.runtimes = self.embedding.runtimes
        self.methods: dict[str, Any] = {
            f"{name}.{servicer.descriptor.name}.{method.name}": method
            for name, runtime in self.runtimes.items()
            for servicer in runtime.service.servicers(runtime)
            for method in servicer.descriptor.methods
        }
        self._channels = {name: grpc.insecure_channel(address) for name, address in self.embedding.addresses.items()}
        self.people: dict[str, str] = {}
        self.teams: dict[str, str] = {}
        self.principals: dict[str, Principal] = {}
        self.decided: dict[str, str] = {}
        # What every lead captured from now on has besides.
        self.extra: dict[str, Any] = {}
        with self.runtimes["directory"].transaction() as tx:
            first_start.first_start(tx, PASSWORD)
        self.root = self.sign_in("admin")
        self._hire()
        self._bring()
        request = directory.CreateSessionRequest(login="other1", password=PASSWORD)
        self.session_token = self.call("directory.DirectoryService.CreateSession", request, None).message.token
        self.settle()

    @property
    def tokens(self) -> Tokens:
        return self.runtimes["directory"].tokens

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()
        self.embedding.stop()

    # --- calls ---

    def call(self, rpc: str, request: Message, token: str | None) -> Answer:
        """As somebody with this internal token; None: nobody."""
        method = self.methods[rpc]
        stub: Any = self._channels[rpc.partition(".")[0]].unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )
        metadata = [("authorization", f"Bearer {token}")] if token is not None else []
        try:
            return Answer("OK", stub(request, metadata=metadata, timeout=30))
        except grpc.RpcError as error:
            trailing: Any = error.trailing_metadata() or ()
            details = b"".join(value for key, value in trailing if key == "grpc-status-details-bin")
            return Answer(error.code().name, None, details, error.details() or "")

    def do(self, rpc: str, request: Message, who: Principal | None = None) -> Any:
        """As an administrator unless said otherwise. Raises AssertionError for a refusal."""
        answer = self.call(rpc, request, self.tokens.sign(who or self.root))
        assert answer.code == "OK", f"{rpc}: {answer.code} {answer.text}"
        return answer.message

    def sign_in(self, login: str, password: str = PASSWORD) -> Principal:
        """The principal of a new session, as the gateway makes it."""
        request = directory.CreateSessionRequest(login=login, password=password)
        session = self.call("directory.DirectoryService.CreateSession", request, None)
        assert session.code == "OK", session
        return self.resolve(session.message.token)

    def resolve(self, session_token: str) -> Principal:
        resolved = self.do(
            "directory.DirectoryService.ResolveSession",
            directory.ResolveSessionRequest(token=session_token),
            peer("gateway"),
        )
        return principal_of(resolved.principal)

    # --- people, leads ---

    def add_team(self, name: str, parent: str = "") -> str:
        team = directory.Team(display_name=name, parent=parent)
        made = self.do("directory.DirectoryService.CreateTeam", directory.CreateTeamRequest(team=team))
        return str(made.name)

    def add_person(self, login: str, role: str = "sales", **values: Any) -> str:
        person = directory.Person(login=login, display_name=login, role=role, password=PASSWORD, **values)
        made = self.do("directory.DirectoryService.CreatePerson", directory.CreatePersonRequest(person=person))
        return str(made.name)

    def capture(self, **values: Any) -> str:
        lead = leads.Lead(**{"phone": a_phone(), "full_name": "王小明", **self.extra, **values})
        return str(self.do("leads.LeadService.CaptureLead", leads.CaptureLeadRequest(lead=lead)).lead.name)

    def lead(self, name: str) -> Any:
        return self.do("leads.LeadService.GetLead", leads.GetLeadRequest(name=name))

    def fresh(self, who: str, row: str) -> str:
        """A new lead of a standing: `row` as one of matrix.LEADS, seen from the person `who`."""
        name = self.capture()
        if row == "unowned":
            return name
        owner = self.people[who if row == "own" else "other" if row == "pooled" else row]
        with self.runtimes["leads"].transaction() as tx:
            record(tx, [Decided(name, owner, 0, 1)])
        if row == "pooled":
            self.do("leads.LeadService.ReleaseLead", leads.ReleaseLeadRequest(name=name))
        return name

    def decided_for(self, who: str, row: str) -> str:
        """A lead that the rules gave to him, to his team mate, or to somebody of another team."""
        return self.decided[who if row == "own" else row]

    def person(self, who: str, row: str) -> str:
        return self.people[who if row == "own" else row]

    def _hire(self) -> None:
        self.teams = {"own": self.add_team("华东"), "other": self.add_team("华南")}
        self.teams["mate"] = self.add_team("上海组", self.teams["own"])
        for login, region in REGIONS.items():
            team = self.teams["other" if login == "other" else "mate" if login == "mate" else "own"]
            self.people[login] = self.add_person(f"{login}1", region=region, team=team, email=f"{login}@example.cn")
        self.wait()

    def _bring(self) -> None:
        """A lead for each, decided by the rules while all of them are sales people; then each gets his role."""
        self.decided = {login: self.capture(region=region) for login, region in REGIONS.items()}
        self.wait()
        for login, name in self.decided.items():
            assert self.lead(name).owner == self.people[login], login
        for role in ROLES:
            person = directory.Person(name=self.people[role], role=role)
            self.do("directory.DirectoryService.UpdatePerson", directory.UpdatePersonRequest(person=person))
        for login in REGIONS:
            self.principals[login] = self.sign_in(f"{login}1")

    def wait(self) -> None:
        """Until the bus has nothing to do."""
        until = clock.monotonic() + 30
        quiet = 0
        while quiet < 3:
            assert clock.monotonic() < until, "the bus does not come to rest"
            quiet = quiet + 1 if self.embedding.bus.idle() else 0
            time.sleep(0.03)

    def settle(self) -> None:
        self.wait()
        self.embedding.bus.stop()


@contextmanager
def open_house(folder: Path, databases: Mapping[str, str] | None = None) -> Iterator[House]:
    made = House(folder, databases)
    try:
        yield made
    finally:
        made.close()
