"""The services whose events the read model is made of: what they told is asked for as ourselves. The directory: what
people may do, who are sent something while they are away."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import grpc

from chassis import telemetry
from chassis.access import Grant, Principal, Scope, peer
from chassis.history import MOST, Page, Told
from chassis.service import Runtime
from dealwright.api.v1 import history_pb2
from dealwright.directory.v1 import directory_pb2

_PATH = f"/{history_pb2.DESCRIPTOR.services_by_name['HistoryService'].full_name}/ListMessages"
_RESOLVE = f"/{directory_pb2.DESCRIPTOR.services_by_name['DirectoryService'].full_name}/ResolvePerson"
_SECONDS = 30.0


class Away(Exception):
    """The service is away or too slow now: ask again later."""


class Peers:
    """One channel for each service, opened when first used."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._channels: dict[str, grpc.Channel] = {}
        self._opening = threading.Lock()

    def history(self, service: str, types: Sequence[str], after: str) -> Page:
        """A page of what a service told after a message. Raises Away."""
        ask = self._channel(service).unary_unary(
            _PATH,
            request_serializer=history_pb2.ListMessagesRequest.SerializeToString,
            response_deserializer=history_pb2.ListMessagesResponse.FromString,
        )
        request = history_pb2.ListMessagesRequest(types=types, page_size=MOST, page_token=after)
        try:
            answer = ask(request, metadata=self._ourselves(), timeout=_SECONDS)
        except grpc.RpcError as error:
            raise Away(service) from error
        return Page([Told(one.id, one.body) for one in answer.messages], bool(answer.next_page_token))

    def person(self, name: str) -> tuple[Principal, str] | None:
        """Somebody with his rights as they are now, and where mail reaches him; None for one who has left. Raises
        Away."""
        ask = self._channel("directory").unary_unary(
            _RESOLVE,
            request_serializer=directory_pb2.ResolvePersonRequest.SerializeToString,
            response_deserializer=directory_pb2.ResolvePersonResponse.FromString,
        )
        request = directory_pb2.ResolvePersonRequest(name=name)
        try:
            answer = ask(request, metadata=self._ourselves(), timeout=_SECONDS)
        except grpc.RpcError as error:
            if isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise Away("directory") from error
        return _principal(answer.principal), answer.email

    def _ourselves(self) -> tuple[tuple[str, str], ...]:
        token, trace = self._runtime.tokens.sign(peer(self._runtime.name)), telemetry.carried()
        return (("authorization", f"Bearer {token}"), *((("traceparent", trace),) if trace else ()))

    def _channel(self, service: str) -> grpc.Channel:
        with self._opening:
            if service not in self._channels:
                self._channels[service] = grpc.insecure_channel(
                    self._runtime.peer_address(service),
                    [("grpc.max_receive_message_length", 4 * self._runtime.settings.max_message_bytes)],
                )
            return self._channels[service]


def _principal(told: directory_pb2.Principal) -> Principal:
    def scope(number: int) -> Scope:
        return Scope(number) if number else Scope.NONE

    grants = {
        one.resource: Grant(
            scope(one.read),
            scope(one.write),
            scope(one.delete),
            scope(one.export),
            frozenset(one.hidden_fields),
            frozenset(one.read_only_fields),
        )
        for one in told.grants
    }
    return Principal(told.person, told.role, told.team, tuple(told.teams), grants)
