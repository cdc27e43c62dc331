"""How a servicer's methods are declared. No gRPC in here: the server reads the marks.

class LeadServicer:
    descriptor = leads_pb2.DESCRIPTOR.services_by_name["LeadService"]

    @batch_command(prepare=wire.capture)        # concurrent calls share one transaction
    def CaptureLead(self, tx, items): ...
    @batch_of("CaptureLead", split=..., join=...)  # one call that brings many
    def BatchCaptureLeads(self): ...
    @command                                    # one call, one transaction, once per request_id
    def QualifyLead(self, tx, request): ...
    @query
    def ListLeads(self, tx, request): ...
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from google.protobuf.message import Message

from chassis import clock
from chassis.access import Principal
from chassis.errors import Problem
from chassis.transaction import Origin

R = TypeVar("R", bound=Message)
V = TypeVar("V")
F = TypeVar("F", bound=Callable[..., Any])

MARK = "__dealwright_rpc__"


@dataclass(frozen=True)
class Call(Generic[R]):
    """One request with who makes it."""

    request: R
    principal: Principal
    origin: Origin
    # Where the person sits, as the gateway says in `x-client-address`; empty when nobody said.
    address: str = ""
    # When the caller stops waiting, on the monotonic clock, and whether he has gone before that.
    deadline: float = math.inf
    waits: Callable[[], bool] = lambda: True

    def left(self) -> float:
        """Seconds that the caller still waits, 0 when he has gone. Peers who are asked for this call get no more."""
        return max(self.deadline - clock.monotonic(), 0.0) if self.waits() else 0.0


@dataclass(frozen=True)
class Item(Generic[V]):
    """One request of a batch: the call, and what `prepare` made of it."""

    call: Call[Any]
    value: V


@dataclass(frozen=True)
class Command:
    """`fetch(servicer, call)`, if given, reads from peers before the transaction opens; its result is `tx.fetched`."""

    fetch: Callable[[Any, Call[Any]], Any] | None = None


@dataclass(frozen=True)
class BatchCommand:
    prepare: Callable[[Call[Any]], Any]
    rows: int | None


@dataclass(frozen=True)
class BatchOf:
    method: str
    split: Callable[[Any], Sequence[Message]]
    join: Callable[[Sequence[Message | Problem]], Message]
    most: int


@dataclass(frozen=True)
class Query:
    pass


@dataclass(frozen=True)
class Outside:
    """Runs outside any transaction with `(call)`: for what only asks peers or the bus."""


@overload
def command(function: F) -> F: ...
@overload
def command(*, fetch: Callable[[Any, Call[Any]], Any]) -> Callable[[F], F]: ...
def command(function: F | None = None, *, fetch: Callable[[Any, Call[Any]], Any] | None = None) -> Any:
    """`(self, tx, request) -> response`: one transaction; a repeated request_id gets the first answer."""

    def mark(f: F) -> F:
        setattr(f, MARK, Command(fetch))
        return f

    return mark(function) if function is not None else mark


def batch_command(*, prepare: Callable[[Call[Any]], Any], rows: int | None = None) -> Callable[[F], F]:
    """`(self, tx, items: Sequence[Item]) -> Sequence[response | Problem]`: concurrent calls share one transaction.

    `prepare(call)` validates and checks rights in the caller's thread; what it raises never reaches the batch.
    """

    def mark(f: F) -> F:
        setattr(f, MARK, BatchCommand(prepare, rows))
        return f

    return mark


MOST_ROWS = 1000


def batch_of(
    method: str,
    *,
    split: Callable[[Any], Sequence[Message]],
    join: Callable[[Sequence[Message | Problem]], Message],
    most: int = MOST_ROWS,
) -> Callable[[F], F]:
    """One call that brings many requests of a `@batch_command`: one result or one error for each."""

    def mark(f: F) -> F:
        setattr(f, MARK, BatchOf(method, split, join, most))
        return f

    return mark


def query(function: F) -> F:
    """`(self, tx, request) -> response`: reads only."""
    setattr(function, MARK, Query())
    return function


def outside(function: F) -> F:
    """`(self, call) -> response`: no transaction."""
    setattr(function, MARK, Outside())
    return function
