"""Calls to the probe as a gateway would make them."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf import message_factory
from google.rpc import error_details_pb2, status_pb2

from chassis.access import Grant, Principal, Scope, Tokens
from tests.conformance.deployments import KEY
from tests.conformance.probe_servicer import DESCRIPTOR, Note, PutRequest

EVERYTHING = Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)
WRITER = Principal(person="people/writer", role="admin", grants={"notes": EVERYTHING})
SERVICE = DESCRIPTOR.services_by_name["ProbeService"]


def put(name: str, text: str = "", request_id: str = "", phone: str = "") -> Any:
    return PutRequest(request_id=request_id, note=Note(name=name, text=text, phone=phone))


class Client:
    """Calls methods by name. `token` is the bearer; by default that of `WRITER`."""

    def __init__(self, address: str, principal: Principal = WRITER) -> None:
        self.channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
        self.token = Tokens(KEY).sign(principal)
        self._methods = {m.name: m for m in SERVICE.methods}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.channel.close()

    def start(self, method: str, request: Any, timeout: float = 10.0, token: str | None = None, **metadata: str) -> Any:
        """A call under way: a grpc.Future."""
        found = self._methods[method]
        stub: Any = self.channel.unary_unary(
            f"/{SERVICE.full_name}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(found.output_type).FromString,
        )
        bearer = self.token if token is None else token
        sent = [*metadata.items(), *([("authorization", f"Bearer {bearer}")] if bearer else [])]
        return stub.future(request, timeout=timeout, metadata=tuple(sent))

    def call(self, method: str, request: Any, timeout: float = 10.0, token: str | None = None, **metadata: str) -> Any:
        return self.start(method, request, timeout, token, **metadata).result()


def code(error: grpc.RpcError) -> str:
    return str(error.code().name)


def details(error: Any) -> Mapping[str, Any]:
    """The `google.rpc` details of an error by their message's name."""
    found: dict[str, Any] = {}
    kinds = [
        error_details_pb2.ErrorInfo,
        error_details_pb2.BadRequest,
        error_details_pb2.LocalizedMessage,
    ]
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            for packed in status_pb2.Status.FromString(value).details:
                for kind in kinds:
                    message = kind()
                    if packed.Unpack(message):
                        found[kind.DESCRIPTOR.name] = message
    return found
