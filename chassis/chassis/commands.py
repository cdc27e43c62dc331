"""Carries out commands: one transaction, once per request_id, nobody answered before the commit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
import structlog
from google.protobuf.message import Message

from chassis.database import in_values, is_unavailable, may_have_committed
from chassis.errors import Problem, Refused
from chassis.rpc import Call
from chassis.service import Runtime
from chassis.transaction import Again, Transaction

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
PAUSES = (0.0, 0.05, 0.2)


def fingerprint(runtime: Runtime, request: Message) -> bytes:
    return runtime.tokens.fingerprint(request.SerializeToString(deterministic=True))


def id_of(request: Message) -> str:
    return getattr(request, "request_id", "")


def lookup(
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


def stored(
    runtime: Runtime, method: str, actor_and_ids: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[bytes, bytes]]:
    """After a no: the same request sent before may have made what this one now stumbles over ("is taken"), and then
    its answer is ours."""
    with runtime.reading() as tx:
        return lookup(tx, method, actor_and_ids)


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
    request_id = id_of(call.request)
    key = (call.principal.actor, request_id)
    pauses = iter(PAUSES)
    attempt = 0
    while True:
        try:
            with runtime.transaction(call.principal, call.origin) as tx:
                tx.fetched, tx.attempt = fetched, attempt
                if attempt and request_id and (known := lookup(tx, method, [key]).get(key)) is not None:
                    return replay(runtime, known, call.request, response_type)
                response = handler(tx, call.request)
                if request_id:
                    digest = fingerprint(runtime, call.request)
                    tx.keep_answers(method, [(*key, digest, response.SerializeToString())])
            return response
        except Again:
            attempt += 1
        except Exception as problem:
            if not is_unavailable(problem):
                if request_id and (known := stored(runtime, method, [key]).get(key)) is not None:
                    return replay(runtime, known, call.request, response_type)
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


def replay(runtime: Runtime, known: tuple[bytes, bytes], request: Message, response_type: type[Message]) -> Message:
    if bytes(known[0]) != fingerprint(runtime, request):
        raise reused_request_id()
    return response_type.FromString(known[1])
