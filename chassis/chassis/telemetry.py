"""Metrics, traces and logs: what those on call look at. Nothing personal goes into any of them."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Counter, Gauge, Histogram

from chassis import clock
from dealwright.bus.v1.envelope_pb2 import Envelope

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

RPC_SECONDS = Histogram(
    "dealwright_rpc_seconds", "Time to answer a call.", ("service", "method", "code"), buckets=_SECONDS
)
DENIED = Counter("dealwright_denied_total", "Calls refused for want of a right.", ("service", "method", "right"))
BATCH_SIZE = Histogram(
    "dealwright_batch_size",
    "Requests or events that shared one transaction.",
    ("service", "of"),
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000),
)
OUTBOX_DEPTH = Gauge("dealwright_outbox_depth", "Bus messages not yet published.", ("service",))
OUTBOX_AGE = Gauge("dealwright_outbox_age_seconds", "Age of the oldest unpublished bus message.", ("service",))
PUBLISHED = Counter("dealwright_published_events_total", "Events confirmed by the bus.", ("service", "type"))
QUEUE_DEPTH = Gauge(
    "dealwright_queue_messages", "Messages of up to 256 events that the broker has handed to nobody yet.", ("queue",)
)
QUEUE_HELD = Gauge(
    "dealwright_queue_held_seconds",
    "How long this process has had the oldest message not yet acknowledged.",
    ("queue",),
)
INBOX_LAG = Gauge("dealwright_inbox_lag_seconds", "Age of the event handled last.", ("queue",))
HANDLED = Counter("dealwright_handled_events_total", "Events delivered to a subscriber.", ("queue",))
HANDLE_SECONDS = Histogram(
    "dealwright_handle_seconds", "Time of a delivery's transaction.", ("queue",), buckets=_SECONDS
)
FAILING = Gauge("dealwright_failing_events", "Events waiting for another try.", ("service",))
PARKED = Gauge("dealwright_parked_events", "Events set aside after the last try.", ("service",))
FAILED = Counter(
    "dealwright_failed_parts_total",
    "What failed beside others that did not: a rule, a tile.",
    ("service", "part"),
)
UNSEALED = Gauge("dealwright_audit_unsealed_rows", "Audit rows the sealer has not reached.", ("service",))
UNSEALED_AGE = Gauge("dealwright_audit_unsealed_seconds", "Age of the oldest audit row not yet sealed.", ("service",))

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("dealwright")
_tracing = False


def _where(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Tells of an exception its types and the lines it went through, never its message: that may quote what a person
    typed or what stands in a row."""
    found = event.pop("exc_info", None)
    problem = found if isinstance(found, BaseException) else sys.exc_info()[1] if found else None
    if problem is not None:
        lines = traceback.extract_tb(problem.__traceback__)
        event["traceback"] = [f"{Path(line.filename).name}:{line.lineno} {line.name}" for line in lines[-12:]]
        causes, cause = [type(problem).__name__], problem.__cause__ or problem.__context__
        while cause is not None and len(causes) < 5:
            causes.append(type(cause).__name__)
            cause = cause.__cause__ or cause.__context__
        event["exception"] = " < ".join(causes)
    return event


def start(service: str, role: str, level: str, trace_ratio: float) -> None:
    """Sets up logs (JSON on a pipe, colours on a terminal) and, where OTEL_EXPORTER_OTLP_ENDPOINT is set, traces over
    HTTP (never gRPC: `work` processes must not load it)."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        _start_traces(service, role, trace_ratio)


def _start_traces(service: str, role: str, trace_ratio: float) -> None:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    provider = TracerProvider(
        resource=Resource.create({"service.name": f"dealwright-{service}", "service.role": role}),
        sampler=ParentBasedTraceIdRatio(trace_ratio),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    global _tracing
    _tracing = True


def tracing() -> bool:
    return _tracing


@contextmanager
def serving(service: str, method: str, traceparent: str) -> Iterator[str]:
    """A span around one call; yields the traceparent that what it causes carries."""
    if not _tracing:
        yield traceparent
        return
    parent = _propagator.extract({"traceparent": traceparent} if traceparent else {})
    with _tracer.start_as_current_span(f"{service}/{method}", context=parent, kind=SpanKind.SERVER) as span:
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        try:
            yield carrier.get("traceparent", "")
        except Exception as problem:
            span.set_status(StatusCode.ERROR, type(problem).__name__)
            raise


@contextmanager
def consuming(queue: str, envelopes: Sequence[Envelope]) -> Iterator[str]:
    """A span around a delivery: child of its first event's trace, linked to the others'. Yields its traceparent, which
    what is announced because of an event of that trace carries; empty without tracing."""
    if not _tracing:
        yield ""
        return
    contexts = {e.traceparent: _propagator.extract({"traceparent": e.traceparent}) for e in envelopes if e.traceparent}
    links = [trace.Link(trace.get_current_span(c).get_span_context()) for c in list(contexts.values())[1:64]]
    first = next(iter(contexts.values()), None)
    with _tracer.start_as_current_span(queue, context=first, kind=SpanKind.CONSUMER, links=links) as span:
        span.set_attribute("messaging.batch.message_count", len(envelopes))
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        yield carrier.get("traceparent", "")


@dataclass
class Turn:
    """One turn of a loop: what it announces carries `traceparent`; its span is told of if it was `busy`."""

    traceparent: str = ""
    busy: bool = False


@contextmanager
def turning(service: str, loop: str) -> Iterator[Turn]:
    """A span around one turn of a loop, the root of a trace. Most find nothing to do, and nobody hears of them."""
    turn = Turn()
    if not _tracing:
        yield turn
        return
    span = _tracer.start_span(f"{service} {loop}", context=Context(), kind=SpanKind.INTERNAL)
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, trace.set_span_in_context(span, Context()))
    turn.traceparent = carrier.get("traceparent", "")
    yield turn
    if turn.busy:
        span.end()  # one that never ends is never exported


_errand: ContextVar[Turn | None] = ContextVar("errand", default=None)


@contextmanager
def running(service: str, errand: str) -> Iterator[None]:
    """A span around one run of an errand, which is told of if it asked others for something."""
    with turning(service, errand) as turn:
        token = _errand.set(turn)
        try:
            yield
        finally:
            _errand.reset(token)


def carried() -> str:
    """The traceparent that an errand's call of another service carries; empty outside of errands, or of traces."""
    turn = _errand.get()
    if turn is None:
        return ""
    turn.busy = True
    return turn.traceparent


def below(traceparent: str, current: str) -> str:
    """The traceparent of what follows from an event: the current span's where that is of the event's trace."""
    return current if traceparent[3:35] == current[3:35] else traceparent


def published(service: str, kind: str, count: int) -> None:
    PUBLISHED.labels(service, kind).inc(count)


def delivered(queue: str, envelopes: Sequence[Envelope], seconds: float) -> None:
    HANDLED.labels(queue).inc(len(envelopes))
    HANDLE_SECONDS.labels(queue).observe(seconds)
    BATCH_SIZE.labels(queue.split(".", 1)[0], queue).observe(len(envelopes))
    received = envelopes[-1].receive_time
    INBOX_LAG.labels(queue).set(max(0.0, clock.now().timestamp() - received.seconds - received.nanos / 1e9))
