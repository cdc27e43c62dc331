"""Who keeps the records that an import of another kind brings: asked under the importer's rights, or as ourselves."""

from __future__ import annotations

import threading
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from chassis.access import Principal, peer
from chassis.errors import Refused
from chassis.service import Runtime
from dealwright.activities.v1 import activities_pb2
from dealwright.api.v1 import belongings_pb2
from dealwright.customers.v1 import customers_pb2
from dealwright.opportunities.v1 import opportunities_pb2

SERVICES: dict[str, Any] = {
    "customers": customers_pb2.DESCRIPTOR.services_by_name["CustomerService"],
    "opportunities": opportunities_pb2.DESCRIPTOR.services_by_name["OpportunityService"],
    "activities": activities_pb2.DESCRIPTOR.services_by_name["ActivityService"],
}
_BELONGINGS = belongings_pb2.DESCRIPTOR.services_by_name["BelongingsService"]
_SECONDS = 60.0
_AGAIN = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.ABORTED})


class Away(Exception):
    """The service is away or too slow now: ask again later."""


class Peers:
    """One channel for each service, opened when first used."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._channels: dict[str, grpc.Channel] = {}
        self._opening = threading.Lock()

    def call(self, service: str, method: str, request: Message, caller: Principal | None, trace: str = "") -> Any:
        """The answer. `caller` None: as this service itself. Raises Away, or Refused with what the service said."""
        return self._call(service, SERVICES[service], method, request, caller, trace)

    def belongings(self, service: str, request: belongings_pb2.FindBelongingsRequest, trace: str = "") -> Any:
        """What of this service hangs on records. Raises as `call`."""
        return self._call(service, _BELONGINGS, "FindBelongings", request, None, trace)

    def _call(self, service: str, of: Any, method: str, request: Message, caller: Principal | None, trace: str) -> Any:
        descriptor = of.methods_by_name[method]
        answer = message_factory.GetMessageClass(descriptor.output_type)
        ask: Any = self._channel(service).unary_unary(
            f"/{of.full_name}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        token = self._runtime.tokens.sign(caller or peer(self._runtime.name))
        metadata = [("authorization", f"Bearer {token}"), *([("traceparent", trace)] if trace else [])]
        try:
            return ask(request, metadata=metadata, timeout=_SECONDS)
        except grpc.RpcError as error:
            if not isinstance(error, grpc.Call) or error.code() in _AGAIN:
                raise Away(service) from error
            raise _refused(error) from error

    def _channel(self, service: str) -> grpc.Channel:
        settings = self._runtime.settings
        with self._opening:
            if service not in self._channels:
                self._channels[service] = grpc.insecure_channel(
                    self._runtime.peer_address(service),
                    [
                        ("grpc.max_receive_message_length", settings.largest_answer),
                        ("grpc.max_send_message_length", settings.largest_request),
                    ],
                )
            return self._channels[service]


def _refused(error: Any) -> Refused:
    english, chinese, reason = error.details() or "", "", error.code().name
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
                    info = error_details_pb2.ErrorInfo()
                    detail.Unpack(info)
                    reason = info.reason or reason
                elif detail.Is(error_details_pb2.LocalizedMessage.DESCRIPTOR):
                    text = error_details_pb2.LocalizedMessage()
                    detail.Unpack(text)
                    chinese = text.message
    return Refused(reason, english, chinese or english)
