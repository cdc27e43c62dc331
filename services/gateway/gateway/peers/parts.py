"""Sync calls to the services that offer a part of the blueprint."""

from __future__ import annotations

from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from chassis.rpc import Call
from chassis.service import Runtime
from dealwright.blueprint.v1 import blueprint_pb2
from gateway.peers.channels import options

A = TypeVar("A", bound=Message)

OWNERS = ("directory", "leads", "rules", "customers", "opportunities", "activities", "contracts", "reports")
"""The services that have settings of their own, in the order in which parts are applied."""
_SERVICE = "/dealwright.blueprint.v1.BlueprintService/"


class Parts:
    """The parts of the blueprint, asked for under the caller's own rights and within the time that he still waits.

    Raises grpc.RpcError, and TimeoutError when he has gone.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._channels: dict[str, grpc.Channel] = {}

    def get(self, owner: str, call: Call[Any]) -> blueprint_pb2.Part:
        return self._call(owner, "GetPart", blueprint_pb2.GetPartRequest(), blueprint_pb2.Part, call)

    def plan(self, owner: str, content: Struct, call: Call[Any]) -> blueprint_pb2.PlanPartResponse:
        request = blueprint_pb2.PlanPartRequest(content=content)
        return self._call(owner, "PlanPart", request, blueprint_pb2.PlanPartResponse, call)

    def apply(
        self, owner: str, content: Struct, expected_version: int, request_id: str, call: Call[Any]
    ) -> blueprint_pb2.Part:
        request = blueprint_pb2.ApplyPartRequest(
            content=content, expected_version=expected_version, request_id=request_id
        )
        return self._call(owner, "ApplyPart", request, blueprint_pb2.Part, call)

    def _call(self, owner: str, method: str, request: Message, answer: type[A], call: Call[Any]) -> A:
        left = call.left()
        if not left:
            raise TimeoutError
        settings = self._runtime.settings
        if owner not in self._channels:
            self._channels[owner] = grpc.insecure_channel(self._runtime.peer_address(owner), options(settings))
        stub = self._channels[owner].unary_unary(
            _SERVICE + method,
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        metadata = [("authorization", f"Bearer {self._runtime.tokens.sign(call.principal)}")]
        if call.origin.traceparent:
            metadata.append(("traceparent", call.origin.traceparent))
        said: A = stub(request, metadata=tuple(metadata), timeout=min(left, settings.default_deadline))
        return said
