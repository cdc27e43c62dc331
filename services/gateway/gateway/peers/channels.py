"""Calls from the gateway to the services, as bytes: nothing is parsed that only passes through."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from grpc_health.v1 import health_pb2

from chassis import clock
from chassis.settings import Settings

Metadata = Sequence[tuple[str, str]]
_AGAIN_AFTER = 0.05


def options(settings: Settings) -> list[tuple[str, Any]]:
    """What every channel to a service is opened with, from whichever thread."""
    return [
        ("grpc.max_receive_message_length", settings.largest_answer),
        ("grpc.max_send_message_length", settings.largest_request),
        ("grpc.max_metadata_size", 64 * 1024),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        # Behind one name there may be many pods.
        ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
    ]


class Channels:
    """One channel for each service, opened when first used. Belongs to one event loop."""

    def __init__(self, address: Callable[[str], str], settings: Settings) -> None:
        self._address = address
        self._options = options(settings)
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._calls: dict[str, Any] = {}

    async def call(
        self, service: str, path: str, request: bytes, metadata: Metadata, seconds: float, again: bool = False
    ) -> bytes:
        """Raises grpc.aio.AioRpcError. `again`: a read, which is asked once more when the service was not there
        (what was never sent gRPC repeats by itself; a write that may have arrived is not repeated)."""
        until = clock.monotonic() + seconds
        try:
            return await self._once(service, path, request, metadata, seconds)
        except grpc.aio.AioRpcError as error:
            left = until - clock.monotonic() - _AGAIN_AFTER
            if not again or error.code() is not grpc.StatusCode.UNAVAILABLE or left <= 0:
                raise
        await asyncio.sleep(_AGAIN_AFTER)
        return await self._once(service, path, request, metadata, left)

    async def _once(self, service: str, path: str, request: bytes, metadata: Metadata, seconds: float) -> bytes:
        call = self._calls.get(path)
        if call is None:
            call = self._calls[path] = self._channel(service).unary_unary(path)
        return bytes(await call(request, metadata=metadata, timeout=seconds))

    async def ready(self, service: str, seconds: float = 1.0) -> bool:
        """Whether the service says of itself that it serves."""
        try:
            answer: Any = await self._channel(service).unary_unary("/grpc.health.v1.Health/Check")(
                health_pb2.HealthCheckRequest().SerializeToString(), timeout=seconds
            )
        except grpc.aio.AioRpcError:
            return False
        return bool(health_pb2.HealthCheckResponse.FromString(answer).status == health_pb2.HealthCheckResponse.SERVING)

    def _channel(self, service: str) -> grpc.aio.Channel:
        if service not in self._channels:
            self._channels[service] = grpc.aio.insecure_channel(self._address(service), options=self._options)
        return self._channels[service]

    async def close(self) -> None:
        for channel in self._channels.values():
            await channel.close()


def status_from(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """The error with its details, or its bare code."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            try:
                return status_pb2.Status.FromString(value if isinstance(value, bytes) else value.encode())
            except DecodeError:
                break
    details = error.details() or ""
    code = int(error.code().value[0])
    if code == 13 and "deserializing request" in details:  # bytes that are no message: the caller's mistake
        return status_pb2.Status(code=3, message="the request is not a message of this method")
    return status_pb2.Status(code=code, message=details if code not in (2, 13, 14) else "")
