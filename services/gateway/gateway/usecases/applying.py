"""Carries out an apply of the blueprint: all parts or none, also when the gateway that began it dies between two.

Every part is asked under an id of this apply, so asking again is harmless: a service answers from memory what it did
already. So whoever comes later simply does it all again, and `docs/decisions/blueprint-all-or-none.md` says why.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

import grpc
import sqlalchemy as sa
import structlog
from google.protobuf.struct_pb2 import Struct

from chassis import clock, ids
from chassis.errors import Refused
from chassis.rpc import Call
from chassis.service import Runtime
from chassis.transaction import Origin
from dealwright.blueprint.v1 import blueprint_pb2
from gateway.storage import intents
from gateway.storage.intents import Apply
from gateway.storage.intents import Step as Step

log = structlog.get_logger(__name__)
Parts = dict[str, blueprint_pb2.Part]

# How long those who settle what others left may wait for one part.
_SETTLE_SECONDS = 10.0
# How much longer than its inner call an apply is held.
_SPARE_SECONDS = 5.0
# A part that breaks is asked again so often.
_TRIES = 3
# How long a reader waits for an apply under way, and how often he looks.
_PATIENCE = 2.0
_LOOK_EVERY = 0.05
_AWAY = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED")
_BROKEN = ("INTERNAL", "UNKNOWN")


class Asked(Protocol):
    """`gateway.peers.Parts`, of which this needs one call."""

    def apply(
        self, owner: str, content: Struct, expected_version: int, request_id: str, call: Call[Any]
    ) -> blueprint_pb2.Part: ...


class _No(Exception):
    """The part was not changed; `error` is what it said, or that its caller has gone."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def busy(code: str = "UNAVAILABLE") -> Refused:
    return Refused(
        "BLUEPRINT_BUSY",
        "The blueprint is being applied; try again in a moment.",
        "蓝图正在应用中，请稍后重试。",
        code=code,
    )


def unsettled() -> Refused:
    return Refused(
        "BLUEPRINT_UNSETTLED",
        "A part of the blueprint did not answer; once it does, all of it will be applied or none. Read it again then.",
        "蓝图的某一部分未响应；待其恢复后将全部应用或全部撤销，届时请重新读取。",
        code="UNAVAILABLE",
    )


def half_applied(owners: list[str]) -> Refused:
    names = ", ".join(owners)
    return Refused(
        "BLUEPRINT_HALF_APPLIED",
        f"The blueprint failed, and these parts could not be put back: {names}. Read it again before you go on.",
        f"蓝图应用失败，且以下部分未能恢复：{names}。请先重新读取再继续。",
        code="INTERNAL",
    )


class Applying:
    def __init__(self, runtime: Runtime, parts: Asked) -> None:
        self._runtime = runtime
        self._parts = parts

    def undisturbed(self, read: Callable[[], Parts], call: Call[Any]) -> Parts:
        """What `read` answers, read while nothing was being applied. Raises busy where that goes on for too long."""
        until = clock.monotonic() + min(_PATIENCE, call.left() / 2)
        while True:
            before, open_before = self._newest()
            if not open_before:
                parts = read()
                if self._newest() == (before, False):
                    return parts
            if clock.monotonic() > until:
                raise busy()
            threading.Event().wait(_LOOK_EVERY)

    def run(self, steps: list[Step], call: Call[Any]) -> Parts:
        """The changed parts. Raises what a part refused, busy, unsettled, half_applied, TimeoutError: after the first
        and the last nothing has changed."""
        apply = Apply(ids.new_id(), call.principal, tuple(steps), clock.now() + self._held(call))
        try:
            with self._runtime.transaction() as tx:
                intents.add(tx, apply)
        except sa.exc.IntegrityError as problem:
            raise busy("ABORTED") from problem
        return self._carry_out(apply, call)

    def settle(self) -> None:
        """Finishes or undoes what somebody began and nobody holds any more."""
        if not self._newest()[1]:
            return
        with self._runtime.transaction() as tx:
            apply = intents.take(tx, tx.now + timedelta(seconds=_SETTLE_SECONDS + _SPARE_SECONDS))
        if apply is None:
            return
        log.warning("settling a blueprint that was left half way", apply=apply.id, undoing=apply.undoing)
        try:
            self._carry_out(apply, _settling(apply))
        except (Refused, TimeoutError, grpc.RpcError) as problem:
            log.warning("the blueprint was not applied", apply=apply.id, problem=str(problem))

    def _newest(self) -> tuple[str, bool]:
        with self._runtime.reading() as tx:
            return intents.newest(tx)

    def _carry_out(self, apply: Apply, call: Call[Any]) -> Parts:
        refused: Exception | None = None
        changed: Parts = {}
        try:
            if not apply.undoing:
                try:
                    for step in apply.steps:
                        part = self._ask(step.owner, step.after, step.version, f"{apply.id}-{step.owner}", call)
                        changed[step.owner] = part
                        apply = self._note(intents.applied, apply, step.owner, part.version, until=self._held(call))
                except _No as no:
                    refused = no.error
                else:
                    self._note(intents.close, apply, "APPLIED")
                    return changed
                apply = self._note(intents.turn_back, apply, until=self._held(_settling(apply)))
            kept = self._put_back(apply)
            self._note(intents.close, apply, f"HALF: {', '.join(kept)}" if kept else "UNDONE")
        except intents.Lost as lost:
            raise unsettled() from lost
        except Refused as problem:
            if problem.reason == unsettled().reason:
                with suppress(intents.Lost):
                    self._note(intents.let_go, apply)
            raise
        if kept:
            log.error("a blueprint is half applied", apply=apply.id, kept=kept)
            raise half_applied(kept) from refused
        if refused is not None:
            raise refused
        return {}

    def _put_back(self, apply: Apply) -> list[str]:
        """The owners whose part could not be put back, because somebody has changed it since: his work stays."""
        kept = []
        for step in reversed(apply.steps):
            if step.done:
                try:
                    self._ask(step.owner, step.before, step.done, f"{apply.id}-{step.owner}-back", _settling(apply))
                except _No as no:
                    log.error("a blueprint part was not put back", owner=step.owner, problem=str(no))
                    kept.append(step.owner)
        return kept

    def _ask(self, owner: str, content: Struct, version: int, request_id: str, call: Call[Any]) -> blueprint_pb2.Part:
        """The part as it stands after the change. Raises _No, and unsettled where it may have been changed anyhow."""
        broken: grpc.RpcError | None = None
        for _ in range(_TRIES):
            try:
                return self._parts.apply(owner, content, version, request_id, call)
            except TimeoutError as gone:
                raise (_No(gone) if broken is None else unsettled()) from gone
            except grpc.RpcError as error:
                code = error.code().name
                if code in _AWAY:
                    raise unsettled() from error
                if code not in _BROKEN:
                    raise _No(error) from error
                broken = error
        # Had it been stored before it broke, it would have been answered from memory.
        assert broken is not None
        raise _No(broken) from broken

    def _held(self, call: Call[Any]) -> timedelta:
        """Longer than the next inner call can take."""
        return timedelta(seconds=min(call.left(), self._runtime.settings.default_deadline) + _SPARE_SECONDS)

    def _note(self, write: Callable[..., Any], apply: Apply, *values: Any, until: timedelta | None = None) -> Any:
        with self._runtime.transaction() as tx:
            held = {} if until is None else {"until": tx.now + until}
            return write(tx, apply, *values, **held)


def _settling(apply: Apply) -> Call[Any]:
    """What is begun is ended in a time of its own: its caller's may be over."""
    return Call(None, apply.caller, Origin(apply.caller.actor), deadline=clock.monotonic() + _SETTLE_SECONDS)


class Settling:
    """A thread that settles what a gateway left half way when it died, this one or another."""

    def __init__(self, applying: Applying, every: float = 1.0) -> None:
        self._applying = applying
        self._every = every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="settle blueprint", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_SETTLE_SECONDS)

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                self._applying.settle()
            except Exception as problem:  # the database is away: the next look may find it again
                log.warning("could not look for a blueprint left half way", error=type(problem).__name__)
