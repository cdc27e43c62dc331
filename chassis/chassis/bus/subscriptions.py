"""Who listens to what, and what a message says."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TypeVar

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from chassis import ids
from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch

F = TypeVar("F", bound=Callable[..., None])
MARK = "__dealwright_subscriptions__"


@dataclass(frozen=True)
class Subscription:
    """One handler for one or more event types. `batch` > 1: the handler takes a sequence of events. `pace`: seconds
    from one delivery to the next, unless enough waits for a full one: what comes alone is handled at once, what comes
    in a stream in few transactions."""

    name: str
    types: tuple[str, ...]
    handler: Callable[..., None]
    batch: int
    pace: float = 0.0

    def queue(self, service: str) -> str:
        return f"{service}.{self.name}"


def subscriber(*events: type[Message], batch: int = 1, pace: float = 0.0) -> Callable[[F], F]:
    """Marks `handler(tx, event)`, or with `batch` `handler(tx, events)`, as listening to these event types."""

    def mark(function: F) -> F:
        types = tuple(e.DESCRIPTOR.full_name for e in events)
        setattr(function, MARK, Subscription(function.__name__, types, function, batch, pace))
        return function

    return mark


def subscriptions(module: ModuleType) -> list[Subscription]:
    """The subscribers a module declares, in the order of their lines."""
    found = [getattr(f, MARK) for _, f in inspect.getmembers(module, inspect.isfunction) if hasattr(f, MARK)]
    return sorted(found, key=lambda s: s.handler.__code__.co_firstlineno)


def decode(envelope: Envelope) -> Message:
    """The event inside. Raises DecodeError for bytes or a type that we do not know."""
    try:
        descriptor = descriptor_pool.Default().FindMessageTypeByName(envelope.type)
    except KeyError as problem:
        raise DecodeError(f"unknown event type {envelope.type!r}") from problem
    return message_factory.GetMessageClass(descriptor).FromString(envelope.data)


def unpack(body: bytes) -> list[Envelope]:
    """The envelopes of a message. Raises DecodeError for one that is no batch of events: bytes that protobuf takes for
    unknown fields, or an event without an id, would otherwise be acknowledged as nothing."""
    envelopes = list(EventBatch.FromString(body).events)
    if not envelopes or not all(ids.is_id(e.id) and e.type for e in envelopes):
        raise DecodeError("the message is no EventBatch")
    return envelopes
