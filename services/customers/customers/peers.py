"""The other sides of a customer, asked for at once and under the caller's own rights. Nobody whom we ask calls us."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from google.protobuf.message import Message

from chassis import clock
from chassis.rpc import Call
from chassis.service import Runtime
from customers.wire.view import SIDES, Answer, Side
from dealwright.customers.v1 import view_pb2

log = structlog.get_logger(__name__)
State = view_pb2.CustomerView.Part
# Of the time that the caller still waits, what is kept for his own answer.
_KEPT_SECONDS = 0.1
_THREADS = 32


@dataclass(frozen=True)
class _Asked:
    side: Side
    future: Future[Answer]


class Peers:
    """One channel a service, one set of threads for all calls."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._channels: dict[str, grpc.Channel] = {}
        self._stubs: dict[str, Callable[..., Any]] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="customers view")

    def gather(self, call: Call[Any], names: list[str], size: int) -> Mapping[str, Answer]:
        """Each side of the customer, who goes by these names, in the time that the caller still waits."""
        until = clock.monotonic() + max(min(call.left(), self._runtime.settings.default_deadline) - _KEPT_SECONDS, 0.05)
        metadata = [("authorization", f"Bearer {self._runtime.tokens.sign(call.principal)}")]
        if call.origin.traceparent:
            metadata.append(("traceparent", call.origin.traceparent))
        asked = [
            _Asked(side, self._threads.submit(self._ask, side, side.request(names, size), tuple(metadata), until))
            for side in SIDES
        ]
        return {one.side.name: _answered(one, until) for one in asked}

    def _ask(self, side: Side, request: Message, metadata: tuple[tuple[str, str], ...], until: float) -> Answer:
        left = until - clock.monotonic()
        if left <= 0:
            return Answer(State.AWAY)
        try:
            answer = self._stub(side)(request, metadata=metadata, timeout=left)
        except grpc.RpcError as error:
            code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
            if code is grpc.StatusCode.PERMISSION_DENIED:
                return Answer(State.DENIED)
            log.warning("a side of a customer is away", side=side.name, code=code.name)
            return Answer(State.AWAY)
        return Answer(State.MORE if answer.next_page_token else State.COMPLETE, getattr(answer, side.field))

    def _stub(self, side: Side) -> Callable[..., Any]:
        if side.path in self._stubs:
            return self._stubs[side.path]
        if side.service not in self._channels:
            self._channels[side.service] = grpc.insecure_channel(
                self._runtime.peer_address(side.service),
                [
                    ("grpc.max_receive_message_length", 4 * self._runtime.settings.max_message_bytes),
                    ("grpc.initial_reconnect_backoff_ms", 100),
                    ("grpc.min_reconnect_backoff_ms", 100),
                    ("grpc.max_reconnect_backoff_ms", 2_000),
                    # Behind one name there may be many pods.
                    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
                ],
            )
        stub: Callable[..., Any] = self._channels[side.service].unary_unary(
            side.path, request_serializer=_bytes, response_deserializer=side.answer.FromString
        )
        return self._stubs.setdefault(side.path, stub)


def _answered(asked: _Asked, until: float) -> Answer:
    """What came in time; a call that waits for a thread has not."""
    try:
        return asked.future.result(max(until - clock.monotonic(), 0.0) + _KEPT_SECONDS / 2)
    except TimeoutError:
        asked.future.cancel()
        return Answer(State.AWAY)


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()
