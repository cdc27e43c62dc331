"""Concurrent calls of a `@batch_command` share one transaction; nobody is answered before the commit."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog
from google.protobuf.message import Message

from chassis import telemetry
from chassis.commands import (
    PAUSES,
    Answer,
    busy,
    fingerprint,
    id_of,
    internal,
    lookup,
    replay,
    reused_request_id,
    stored,
    uncertain,
)
from chassis.database import is_unavailable, may_have_committed
from chassis.errors import Problem
from chassis.rpc import Item
from chassis.service import Runtime
from chassis.transaction import Again, Origin, Transaction

log = structlog.get_logger(__name__)


@dataclass
class _Waiting:
    item: Item[Any]
    future: Future[Answer]


class Batcher:
    """Runs a `@batch_command`: whatever calls wait when the committing thread is free share its next transaction.

    A call that finds nobody committing or waiting commits by itself: two handovers less. Under heavy load commits are
    shared. On a database error the batch rolls
    back and reruns by halves, so that one bad row never fails its neighbours.
    """

    def __init__(
        self,
        runtime: Runtime,
        method: str,
        handler: Callable[[Transaction, Sequence[Item[Any]]], Sequence[Answer]],
        response_type: type[Message],
        rows: int,
    ) -> None:
        self._runtime = runtime
        self._method = method
        self._handler = handler
        self._response_type = response_type
        self._rows = rows
        self._queue: queue.SimpleQueue[list[_Waiting] | None] = queue.SimpleQueue()
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=f"batch {method}", daemon=True)
        self._thread.start()

    def submit(self, items: Sequence[Item[Any]]) -> list[Future[Answer]]:
        waiting = [_Waiting(item, Future()) for item in items]
        if len(waiting) <= self._rows and self._queue.empty() and self._turn.acquire(blocking=False):
            try:
                self._commit(waiting)
            finally:
                self._turn.release()
        else:
            self._queue.put(waiting)
        return [w.future for w in waiting]

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join(30)

    def _work(self) -> None:
        held: list[_Waiting] = []
        while True:
            group = self._queue.get()
            if group is None:
                return
            held.extend(group)
            with self._turn:
                stopping = self._gather(held)
                while held:
                    batch, held = held[: self._rows], held[self._rows :]
                    self._commit(batch)
            if stopping:
                return

    def _gather(self, held: list[_Waiting]) -> bool:
        """Adds what waits, up to a batch; whether the end is among it."""
        while len(held) < self._rows:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                return False
            if more is None:
                return True
            held.extend(more)
        return False

    def _commit(self, batch: list[_Waiting]) -> None:
        pauses = iter(PAUSES)
        attempt = 0
        while batch:
            answers: Sequence[Answer | Exception]
            try:
                answers = self._attempt([w.item for w in batch], attempt)
            except Again:
                attempt += 1
                continue
            except Exception as problem:
                if is_unavailable(problem):
                    batch = self._once_more(batch, problem, next(pauses, None))
                    continue
                answers = [problem]
            if len(answers) == len(batch):
                self._answer(batch, answers)
            else:
                self._halves(batch)
            return

    def _answer(self, batch: list[_Waiting], answers: Sequence[Answer | Exception]) -> None:
        """Tells each its answer, and of an error that is no answer only that there was one."""
        doubtful = [
            (w.item.call.principal.actor, request_id)
            for w, answer in zip(batch, answers, strict=True)
            if isinstance(answer, Exception) and (request_id := id_of(w.item.call.request))
        ]
        known: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        if doubtful:
            with suppress(sa.exc.SQLAlchemyError):
                known = stored(self._runtime, self._method, doubtful)
        for waiting, answer in zip(batch, answers, strict=True):
            call = waiting.item.call
            kept = known.get((call.principal.actor, id_of(call.request)))
            if isinstance(answer, Exception) and kept is not None:
                try:
                    answer = replay(self._runtime, kept, call.request, self._response_type)
                except Problem as problem:
                    answer = problem
            if not isinstance(answer, Message | Problem):
                log.error("command failed", method=self._method, exc_info=answer)
                answer = internal()
            waiting.future.set_result(answer)

    def _once_more(self, batch: list[_Waiting], problem: Exception, pause: float | None) -> list[_Waiting]:
        """Those of a batch lost with the database that may run again: all of it where nothing was stored, those with
        a request_id where that is not known. The others are told."""
        doubtful = may_have_committed(problem)
        again = [w for w in batch if pause is not None and (not doubtful or id_of(w.item.call.request))]
        if len(again) < len(batch):
            log.warning("database unavailable", method=self._method, error=type(problem).__name__)
        kept = {id(w) for w in again}
        for waiting in batch:
            if id(waiting) not in kept:
                waiting.future.set_result(uncertain() if doubtful else busy())
        if again and pause:
            threading.Event().wait(pause)
        return again

    def _halves(self, batch: list[_Waiting]) -> None:
        middle = len(batch) // 2
        self._commit(batch[:middle])
        self._commit(batch[middle:])

    def _attempt(self, items: Sequence[Item[Any]], attempt: int) -> list[Answer]:
        """One transaction over the items; a repeat of a request_id in the batch, or stored where the first
        attempt met one, takes its first answer."""
        answers: list[Answer | None] = [None] * len(items)
        keys = [(item.call.principal.actor, id_of(item.call.request)) for item in items]
        prints = [
            fingerprint(self._runtime, item.call.request) if key[1] else b""
            for item, key in zip(items, keys, strict=True)
        ]
        telemetry.BATCH_SIZE.labels(self._runtime.name, self._method).observe(len(items))
        with self._runtime.transaction(origin=Origin(f"services/{self._runtime.name}")) as tx:
            tx.attempt = attempt
            known = lookup(tx, self._method, [key for key in keys if key[1]]) if attempt else {}
            first: dict[tuple[str, str], int] = {}
            chosen: list[int] = []
            for index, key in enumerate(keys):
                if key[1] and key in known:
                    try:
                        answers[index] = replay(
                            self._runtime, known[key], items[index].call.request, self._response_type
                        )
                    except Problem as problem:
                        answers[index] = problem
                elif not key[1] or first.setdefault(key, index) == index:
                    chosen.append(index)
            if chosen:
                results = self._handler(tx, [items[i] for i in chosen])
                for index, result in zip(chosen, results, strict=True):
                    answers[index] = result
                tx.keep_answers(
                    self._method,
                    [
                        (*keys[i], prints[i], answer.SerializeToString())
                        for i in chosen
                        if keys[i][1] and isinstance(answer := answers[i], Message)
                    ],
                )
        for index, key in enumerate(keys):
            if answers[index] is None:
                same = prints[index] == prints[first[key]]
                answers[index] = answers[first[key]] if same else reused_request_id()
        return [a for a in answers if a is not None]
