"""Sync calls to the services that offer a part of the blueprint."""

from __future__ import annotations

from typing import TypeVar

import grpc
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from chassis.access import Principal
from chassis.service import Runtime
from chassis.transaction import Origin
from dealwright.blueprint.v1 import blueprint_pb2

A = TypeVar("A", bound=Message)

OWNERS = ("directory", "leads", "rules")
"""The services that have settings of their own, in the order in which parts are applied."""
_SERVICE = "/dealwright.blueprint.v1.BlueprintService/"


class Parts:
    """The parts of the blueprint, asked for under the caller's own rights. Raises grpc.RpcError."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._channels: dict[str, grpc.Channel] = {}

    def get(self, owner: str, principal: Principal, origin: Origin) -> blueprint_pb2.Part:
        request = blueprint_pb2.GetPartRequest()
        return self._call(owner, "GetPart", request, blueprint_pb2.Part, principal, origin)

    def plan(self, owner: str, content: Struct, principal: Principal, origin: Origin) -> blueprint_pb2.PlanPartResponse:
        request = blueprint_pb2.PlanPartRequest(content=content)
        return self._call(owner, "PlanPart", request, blueprint_pb2.PlanPartResponse, principal, origin)

    def apply(
        self, owner: str, content: Struct, expected_version: int, request_id: str, principal: Principal, origin: Origin
    ) -> blueprint_pb2.Part:
        request = blueprint_pb2.ApplyPartRequest(
            content=content, expected_version=expected_version, request_id=request_id
        )
        return self._call(owner, "ApplyPart", request, blueprint_pb2.Part, principal, origin)

    def _call(
        self, owner: str, method: str, request: Message, answer: type[A], principal: Principal, origin: Origin
    ) -> A:
        settings = self._runtime.settings
        if owner not in self._channels:
            self._channels[owner] = grpc.insecure_channel(
                self._runtime.peer_address(owner),
                options=[("grpc.max_receive_message_length", 4 * settings.max_message_bytes)],
            )
        call = self._channels[owner].unary_unary(
            _SERVICE + method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        metadata = [("authorization", f"Bearer {self._runtime.tokens.sign(principal)}")]
        if origin.traceparent:
            metadata.append(("traceparent", origin.traceparent))
        said: A = call(request, metadata=tuple(metadata), timeout=settings.default_deadline / 3)
        return said
