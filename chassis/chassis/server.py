"""The gRPC server of a `serve` process: sync, one thread pool, one wrapper around every method.

The wrapper reads the internal token, checks the method's access option, runs the handler as its mark says, masks
hidden fields, maps errors to statuses with `google.rpc` details, and measures.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import grpc
import structlog
from google.protobuf import message_factory
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from chassis import access, clock, rpc, telemetry
from chassis.access import ANONYMOUS, Principal
from chassis.batching import Batcher
from chassis.commands import Answer, busy, run_command
from chassis.database import is_unavailable
from chassis.errors import Denied, Invalid, Problem, unauthenticated
from chassis.problems import status_of
from chassis.service import Runtime
from chassis.transaction import Origin
from dealwright.api.v1 import access_pb2

log = structlog.get_logger(__name__)
_VERB_NAMES = {1: "read", 2: "write", 3: "delete", 4: "export"}
# A caller may ask this often whether we are alive; one that asks oftener is sent away.
PING_INTERVAL_MS = 10_000
Handler = Callable[[Any, grpc.ServicerContext], Any]


def check_access(rule: Any, principal: Principal) -> None:
    """Raises Denied or UNAUTHENTICATED where the method's access option does not admit the caller."""
    if rule.anonymous or principal.peer:
        return
    if rule.peer:
        raise Denied("peer")
    if not principal.person:
        raise unauthenticated()
    if not rule.self:
        if not rule.resource or rule.verb not in _VERB_NAMES:
            raise Denied("nobody")  # a method without a rule is for nobody, rather than for everybody
        principal.require(rule.resource, _VERB_NAMES[rule.verb])


class Server:
    """One service's gRPC server. `start()` returns the port; `stop()` drains."""

    def __init__(self, runtime: Runtime, host: str, port: int, threads: int) -> None:
        settings = runtime.settings
        self._runtime = runtime
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"{runtime.name} rpc")
        self._grpc = grpc.server(
            self._pool,
            options=[
                ("grpc.max_receive_message_length", settings.largest_request),
                ("grpc.max_send_message_length", settings.largest_answer),
                ("grpc.so_reuseport", 0),
                # Callers ask whether we are alive while they have nothing to say; by default that earns a GOAWAY.
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_ping_interval_without_data_ms", PING_INTERVAL_MS),
                # Callers look for new pods now and then, not only when an old one dies.
                ("grpc.max_connection_age_ms", 300_000),
                ("grpc.max_connection_age_grace_ms", 60_000),
            ],
        )
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        self._batchers: list[Batcher] = []
        self._under_way = 0
        self._counting = threading.Lock()
        names = [health.SERVICE_NAME]
        for servicer in runtime.service.servicers(runtime):
            names.append(servicer.descriptor.full_name)
            self._grpc.add_generic_rpc_handlers((self._handlers(servicer),))
        if not settings.production:
            from grpc_reflection.v1alpha import reflection

            reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], self._grpc)
        self._names = names
        self.port = self._grpc.add_insecure_port(f"{host}:{port}")
        if not self.port:
            raise OSError(f"port {port} is taken")

    def start(self) -> int:
        # What starting up made lives as long as the process: no call should wait while the collector looks through it.
        gc.collect()
        gc.freeze()
        self._grpc.start()
        self.set_serving(True)
        return self.port

    def set_serving(self, serving: bool) -> None:
        """What the health service answers, for this process and each of its services."""
        state = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in ["", *self._names]:
            self._health.set(name, state)

    def stop(self, drain: float) -> None:
        """NOT_SERVING at once, calls under way get `drain` seconds. Whoever watches our health is no call."""
        self._health.enter_graceful_shutdown()
        stopped = self._grpc.stop(drain)
        quiet = 0
        while not stopped.wait(0.05):
            quiet = quiet + 1 if not self._under_way else 0
            if quiet == 3:
                self._grpc.stop(None)
        for batcher in self._batchers:
            batcher.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _handlers(self, servicer: Any) -> grpc.GenericRpcHandler:
        batchers: dict[str, tuple[Batcher, rpc.BatchCommand]] = {}
        handlers: dict[str, Any] = {}
        for method in servicer.descriptor.methods:
            function: Any = getattr(servicer, method.name, None)
            mark = getattr(function, rpc.MARK, None)
            if mark is None:
                raise TypeError(f"{method.full_name} has no handler with @command, @batch_command or @query")
            if isinstance(mark, rpc.BatchCommand):
                batcher = Batcher(
                    self._runtime,
                    method.full_name,
                    function,
                    message_factory.GetMessageClass(method.output_type),
                    mark.rows or self._runtime.settings.batch_rows,
                )
                self._batchers.append(batcher)
                batchers[method.name] = (batcher, mark)
        for method in servicer.descriptor.methods:
            function = getattr(servicer, method.name)
            run = self._runner(servicer, method, function, batchers)
            handlers[method.name] = grpc.unary_unary_rpc_method_handler(
                self._wrap(method, run),
                request_deserializer=message_factory.GetMessageClass(method.input_type).FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
        return grpc.method_handlers_generic_handler(servicer.descriptor.full_name, handlers)

    def _runner(
        self, servicer: Any, method: Any, function: Any, batchers: dict[str, tuple[Batcher, rpc.BatchCommand]]
    ) -> Callable[[rpc.Call[Any], float], Message]:
        mark = getattr(function, rpc.MARK)
        runtime = self._runtime
        response_type = message_factory.GetMessageClass(method.output_type)
        if isinstance(mark, rpc.Command):

            def run_one(call: rpc.Call[Any], seconds: float) -> Message:
                fetched = mark.fetch(servicer, call) if mark.fetch else None
                return run_command(runtime, method.full_name, function, call, response_type, fetched)

            return run_one
        if isinstance(mark, rpc.BatchCommand):
            batcher = batchers[method.name][0]

            def run_shared(call: rpc.Call[Any], seconds: float) -> Message:
                item = rpc.Item(call, mark.prepare(call))
                return _result(batcher.submit([item])[0], seconds)

            return run_shared
        if isinstance(mark, rpc.BatchOf):
            batcher, inner = batchers[mark.method]
            return lambda call, seconds: _run_many(batcher, inner, mark, call, seconds)
        if isinstance(mark, rpc.Query):

            def run_query(call: rpc.Call[Any], seconds: float) -> Message:
                return _read(runtime, function, call)

            return run_query
        return lambda call, seconds: function(call)

    def _wrap(self, method: Any, run: Callable[[rpc.Call[Any], float], Message]) -> Handler:
        service, name = self._runtime.name, method.name
        rule = method.GetOptions().Extensions[access_pb2.access]
        tokens = self._runtime.tokens
        default_deadline = self._runtime.settings.default_deadline
        observe = telemetry.RPC_SECONDS

        def handle(request: Message, context: grpc.ServicerContext) -> Message | None:
            started = clock.monotonic()
            with self._counting:
                self._under_way += 1
            code = "OK"
            status: status_pb2.Status | None = None
            try:
                metadata = dict(context.invocation_metadata())
                bearer = metadata.get("authorization", "")
                principal = tokens.read(str(bearer)[7:]) if bearer else ANONYMOUS
                check_access(rule, principal)
                remaining = context.time_remaining()
                seconds = default_deadline if remaining is None else min(remaining, default_deadline)
                if seconds <= 0:  # it waited for a thread too long: its caller has gone
                    raise TimeoutError
                with telemetry.serving(service, name, str(metadata.get("traceparent", ""))) as traceparent:
                    origin = Origin(principal.actor, "", 0, traceparent)
                    address = str(metadata.get("x-client-address", ""))[:64]
                    until = clock.monotonic() + seconds
                    response = run(rpc.Call(request, principal, origin, address, until, context.is_active), seconds)
                access.mask(principal, response)
                return response
            except Problem as problem:
                code = problem.code
                if isinstance(problem, Denied):
                    telemetry.DENIED.labels(service, name, problem.right).inc()
                    log.info("denied", method=name, right=problem.right, role=principal.role)
                status = status_of(problem)
            except TimeoutError:
                code = "DEADLINE_EXCEEDED"
                status = status_pb2.Status(code=code_pb2.Code.Value(code), message="not done in time; ask again")
            except grpc.RpcError as error:  # a peer said no or was away
                code = error.code().name if hasattr(error, "code") else "UNAVAILABLE"
                status = _from_peer(error)
            except Exception as error:
                if is_unavailable(error):
                    code, status = "UNAVAILABLE", status_of(busy())
                    log.warning("database unavailable", method=name, error=type(error).__name__)
                else:
                    code = "INTERNAL"
                    status = status_pb2.Status(
                        code=code_pb2.Code.Value(code), message="an error of ours; it was logged"
                    )
                    log.exception("call failed", method=name, error=type(error).__name__)
            finally:
                with self._counting:
                    self._under_way -= 1
                observe.labels(service, name, code).observe(clock.monotonic() - started)
            if status is not None:
                context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
                context.abort(_grpc_code(status.code), status.message)
            return None

        return handle


def _read(runtime: Runtime, function: Any, call: rpc.Call[Any]) -> Message:
    """A query, and once more when the database was lost under it: reading twice harms nobody."""
    for again in (True, False):
        try:
            with runtime.reading(call.principal) as tx:
                answer: Message = function(tx, call.request)
                return answer
        except Exception as problem:
            if not (again and is_unavailable(problem)):
                raise
    raise AssertionError


def _run_many(
    batcher: Batcher, inner: rpc.BatchCommand, mark: rpc.BatchOf, call: rpc.Call[Any], seconds: float
) -> Message:
    requests = mark.split(call.request)
    if len(requests) > mark.most:
        raise Invalid([("requests", f"at most {mark.most} in one call", f"一次最多 {mark.most} 条")])
    answers: list[Answer | None] = [None] * len(requests)
    items: list[rpc.Item[Any]] = []
    places: list[int] = []
    for index, request in enumerate(requests):
        one = rpc.Call(request, call.principal, call.origin, call.address, call.deadline, call.waits)
        try:
            items.append(rpc.Item(one, inner.prepare(one)))
            places.append(index)
        except Problem as problem:
            answers[index] = problem
    for place, future in zip(places, batcher.submit(items) if items else [], strict=True):
        answers[place] = future.result(seconds)
    return mark.join([a for a in answers if a is not None])


def _result(future: Future[Answer], seconds: float) -> Message:
    answer = future.result(seconds)
    if isinstance(answer, Problem):
        raise answer
    return answer


def _from_peer(error: grpc.RpcError) -> status_pb2.Status:
    for key, value in getattr(error, "trailing_metadata", lambda: ())() or ():
        if key == "grpc-status-details-bin":
            with contextlib.suppress(DecodeError):
                return status_pb2.Status.FromString(value)
    code = error.code().value[0] if hasattr(error, "code") else 14
    return status_pb2.Status(code=code, message="another service could not answer")


_CODES = {code.value[0]: code for code in grpc.StatusCode}


def _grpc_code(number: int) -> grpc.StatusCode:
    return _CODES[number]
