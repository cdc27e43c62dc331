"""The gRPC front door for devices: the public services under their own names, for a session's bearer token.

Bytes in, bytes out: a request is not parsed on its way, only its caller is changed to the internal token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
import grpc.aio
import structlog
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from chassis.errors import Problem
from chassis.problems import status_of
from gateway.doors.addresses import SERVICES, Method
from gateway.doors.calls import Arrival, Calls, traceparent
from gateway.doors.limits import TooMany
from gateway.doors.rest import bearer
from gateway.peers.channels import status_from
from gateway.settings import GatewaySettings

log = structlog.get_logger(__name__)
_CODES: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class _Doors(grpc.GenericRpcHandler):
    """Only what has a public address is let through; everything else is UNIMPLEMENTED."""

    def __init__(self, methods: list[Method], calls: Calls, seconds: float) -> None:
        self._handlers: dict[str, Any] = {
            m.path: grpc.unary_unary_rpc_method_handler(_passing(m, calls, seconds)) for m in methods
        }

    def service(self, handler_call_details: Any) -> Any:
        return self._handlers.get(handler_call_details.method)


def _passing(method: Method, calls: Calls, most: float) -> Any:
    async def handle(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        metadata: dict[str, Any] = dict(context.invocation_metadata() or ())
        left = context.time_remaining()
        arrival = Arrival(
            bearer(str(metadata.get("authorization", ""))),
            _host(context.peer()),
            most if left is None else min(left, most),
            traceparent(str(metadata.get("traceparent", ""))),
        )
        try:
            return await calls.call(method, request, arrival)
        except Problem as problem:
            status = status_of(problem)
            if isinstance(problem, TooMany):
                status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=problem.seconds)))
        except grpc.aio.AioRpcError as error:
            status = status_from(error)
        except Exception as error:
            log.exception("call failed", method=method.name, error=type(error).__name__)
            status = status_pb2.Status(code=13, message="an error of ours; it was logged")
        trailing = (("grpc-status-details-bin", status.SerializeToString()),) if status.details else ()
        await context.abort(_CODES[status.code], status.message, trailing_metadata=trailing)
        raise AssertionError("abort raises")

    return handle


def _host(peer: str) -> str:
    """ "ipv4:10.0.0.7:51234" to "10.0.0.7"."""
    return peer.partition(":")[2].rpartition(":")[0].strip("[]") or peer


class FrontDoor:
    """Belongs to one event loop. `start` answers the port."""

    def __init__(self, methods: list[Method], calls: Calls, settings: GatewaySettings) -> None:
        self._settings = settings
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", settings.max_message_bytes),
                ("grpc.max_send_message_length", 4 * settings.max_message_bytes),
                ("grpc.max_metadata_size", 16 * 1024),
                ("grpc.max_concurrent_streams", 1000),
                ("grpc.so_reuseport", 0),
            ]
        )
        self._server.add_generic_rpc_handlers((_Doors(methods, calls, settings.default_deadline),))
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._names = ["", *(d.full_name for descriptors in SERVICES.values() for d in descriptors)]
        if not settings.production:
            from grpc_reflection.v1alpha import reflection

            reflection.enable_server_reflection(
                [*self._names[1:], health.SERVICE_NAME, reflection.SERVICE_NAME], self._server
            )

    async def start(self) -> int:
        """Raises OSError when the port is taken."""
        settings = self._settings
        address = f"{settings.http_host}:{settings.front_door_port}"
        try:
            if settings.tls_cert and settings.tls_key:
                pair = (settings.tls_key.read_bytes(), settings.tls_cert.read_bytes())
                port = self._server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
            else:
                port = self._server.add_insecure_port(address)
        except RuntimeError as problem:
            raise OSError(f"port {settings.front_door_port} is taken") from problem
        await self._server.start()
        for name in self._names:
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return port

    async def stop(self, seconds: float) -> None:
        await self._health.enter_graceful_shutdown()
        await self._server.stop(seconds)
