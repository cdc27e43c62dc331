"""Carries out commands: one transaction, once per request_id, nobody answered before the commit."""

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
from chassis.database import in_values, is_unavailable, may_have_committed
from chassis.errors import Problem, Refused
from chassis.rpc import Call, Item
from chassis.service import Runtime
from chassis.transaction import Origin, Repeated, Transaction

log = structlog.get_logger(__name__)
Answer = Message | Problem


def reused_request_id() -> Refused:
    return Refused(
        "REQUEST_ID_REUSED",
        "This requestId was used for another request; choose a new one.",
        "该 requestId 已用于另一个请求，请更换。",
    )


def busy() -> Refused:
    return Refused("BUSY", "The database is away; try again.", "数据库暂时不可用，请稍后重试。", code="UNAVAILABLE")


def uncertain() -> Refused:
    return Refused(
        "UNCERTAIN",
        "The database went away while this was being stored; look whether it is there before you repeat it.",
        "保存时数据库中断，请先确认是否已保存，再决定是否重试。",
        code="UNAVAILABLE",
    )


def internal() -> Refused:
    return Refused("INTERNAL", "An error of ours; it was logged.", "系统内部错误，已记录。", code="INTERNAL")


# Pauses before another try when the database was lost or chose this transaction to break a deadlock.
_PAUSES = (0.0, 0.05, 0.2)


def _fingerprint(runtime: Runtime, request: Message) -> bytes:
    return runtime.tokens.fingerprint(request.SerializeToString(deterministic=True))


def _request_id(request: Message) -> str:
    return getattr(request, "request_id", "")


def _lookup(
    tx: Transaction, method: str, actor_and_ids: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[bytes, bytes]]:
    """Stored answers by (actor, request_id): (hash, response)."""
    replies = tx.tables.replies
    found = tx.execute(
        sa.select(replies.c.actor, replies.c.request_id, replies.c.request_hash, replies.c.response).where(
            replies.c.method == method,
            in_values(replies.c.request_id, [i for _, i in actor_and_ids], tx.dialect),
        )
    )
    return {(r.actor, r.request_id): (r.request_hash, r.response) for r in found}


def _stored(
    runtime: Runtime, method: str, actor_and_ids: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[bytes, bytes]]:
    """After a no: the same request sent before may have made what this one now stumbles over ("is taken"), and then
    its answer is ours."""
    with runtime.reading() as tx:
        return _lookup(tx, method, actor_and_ids)


def run_command(
    runtime: Runtime,
    method: str,
    handler: Callable[[Transaction, Any], Message],
    call: Call[Any],
    response_type: type[Message],
    fetched: Any = None,
) -> Message:
    """One call in one transaction. Raises the Problem that says no.

    A repeat is rare, so nobody looks for it first: it is noticed when its answer is stored a second time, or when it
    was refused.
    """
    request_id = _request_id(call.request)
    key = (call.principal.actor, request_id)
    pauses = iter(_PAUSES)
    repeated = False
    while True:
        try:
            with runtime.transaction(call.principal, call.origin) as tx:
                tx.fetched = fetched
                if repeated and (known := _lookup(tx, method, [key]).get(key)) is not None:
                    return _replay(runtime, known, call.request, response_type)
                response = handler(tx, call.request)
                if request_id:
                    digest = _fingerprint(runtime, call.request)
                    tx.keep_answers(method, [(*key, digest, response.SerializeToString())])
            return response
        except Repeated:
            repeated = True
        except Exception as problem:
            if not is_unavailable(problem):
                if request_id and (known := _stored(runtime, method, [key]).get(key)) is not None:
                    return _replay(runtime, known, call.request, response_type)
                raise
            # What certainly left nothing behind may run again; what may have committed, only with a request_id,
            # which then finds its answer.
            if may_have_committed(problem) and not request_id:
                raise uncertain() from problem
            pause = next(pauses, None)
            if pause is None:
                log.warning("database unavailable", method=method, error=type(problem).__name__)
                raise (uncertain() if may_have_committed(problem) else busy()) from problem
            threading.Event().wait(pause)


def _replay(runtime: Runtime, known: tuple[bytes, bytes], request: Message, response_type: type[Message]) -> Message:
    if bytes(known[0]) != _fingerprint(runtime, request):
        raise reused_request_id()
    return response_type.FromString(known[1])


@dataclass
class _Waiting:
    item: Item[Any]
    future: Future[Answer]


class Batcher:
    """Runs a `@batch_command`: whatever calls wait when the committing thread is free share its next transaction.

    Under light load a batch is one call; under heavy load commits are shared. On a database error the batch rolls
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
        self._thread = threading.Thread(target=self._work, name=f"batch {method}", daemon=True)
        self._thread.start()

    def submit(self, items: Sequence[Item[Any]]) -> list[Future[Answer]]:
        waiting = [_Waiting(item, Future()) for item in items]
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
            stopping = False
            while len(held) < self._rows:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    stopping = True
                    break
                held.extend(more)
            while held:
                batch, held = held[: self._rows], held[self._rows :]
                self._commit(batch)
            if stopping:
                return

    def _commit(self, batch: list[_Waiting]) -> None:
        pauses = iter(_PAUSES)
        repeated = False
        while batch:
            answers: Sequence[Answer | Exception]
            try:
                answers = self._attempt([w.item for w in batch], repeated)
            except Repeated:
                repeated = True
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
            if isinstance(answer, Exception) and (request_id := _request_id(w.item.call.request))
        ]
        known: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        if doubtful:
            with suppress(sa.exc.SQLAlchemyError):
                known = _stored(self._runtime, self._method, doubtful)
        for waiting, answer in zip(batch, answers, strict=True):
            call = waiting.item.call
            stored = known.get((call.principal.actor, _request_id(call.request)))
            if isinstance(answer, Exception) and stored is not None:
                try:
                    answer = _replay(self._runtime, stored, call.request, self._response_type)
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
        again = [w for w in batch if pause is not None and (not doubtful or _request_id(w.item.call.request))]
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

    def _attempt(self, items: Sequence[Item[Any]], repeated: bool) -> list[Answer]:
        """One transaction over the items; a repeat of a request_id in the batch, or stored where some are known to be
        `repeated`, takes its first answer."""
        answers: list[Answer | None] = [None] * len(items)
        keys = [(item.call.principal.actor, _request_id(item.call.request)) for item in items]
        prints = [
            _fingerprint(self._runtime, item.call.request) if key[1] else b""
            for item, key in zip(items, keys, strict=True)
        ]
        telemetry.BATCH_SIZE.labels(self._runtime.name, self._method).observe(len(items))
        with self._runtime.transaction(origin=Origin(f"services/{self._runtime.name}")) as tx:
            known = _lookup(tx, self._method, [key for key in keys if key[1]]) if repeated else {}
            first: dict[tuple[str, str], int] = {}
            chosen: list[int] = []
            for index, key in enumerate(keys):
                if key[1] and key in known:
                    try:
                        answers[index] = _replay(
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
