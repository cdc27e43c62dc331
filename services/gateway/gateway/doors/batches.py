"""A batch's rows, each read on its own: what is wrong with one is that row's answer and never its neighbours'.

A method is a batch when its descriptor says so: `Batch...` with repeated `requests` in, and repeated `results`, each of
which may be an `error`, out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.message import Message

from chassis.errors import Invalid, Violation
from chassis.rpc import MOST_ROWS
from dealwright.api.v1 import problem_pb2
from gateway.doors import transcoder
from gateway.doors.addresses import Match
from gateway.wire import json_reader
from gateway.wire.json_text import MOST_DEPTH, Repeated
from gateway.wire.wrong import Wrong

_PROBLEM = problem_pb2.Problem.DESCRIPTOR.full_name
# The body, its list and the row itself.
_ROW_DEPTH = MOST_DEPTH - 2


@cache
def is_batch(descriptor: Any) -> bool:
    """Whether a method's descriptor is one of many rows with an answer for each."""
    rows = descriptor.input_type.fields_by_name.get("requests")
    results = descriptor.output_type.fields_by_name.get("results")
    if not descriptor.name.startswith("Batch") or rows is None or results is None:
        return False
    if not (rows.is_repeated and results.is_repeated and rows.message_type and results.message_type):
        return False
    error = results.message_type.fields_by_name.get("error")
    return error is not None and error.message_type is not None and error.message_type.full_name == _PROBLEM


@dataclass(frozen=True)
class Rows:
    """`message` holds the rows that could be read; `wrong` says by index what is with the others."""

    message: Message
    wrong: Mapping[int, Violation]
    count: int

    @property
    def nothing_left(self) -> bool:
        return len(self.wrong) == self.count


def read(match: Match, query: str, body: Any) -> Rows:
    """The body of a batch. Raises Invalid for what is wrong with the request as a whole, too many rows included."""
    rows = body.get("requests") if isinstance(body, dict) and not isinstance(body, Repeated) else None
    if not isinstance(rows, list) or not rows:
        return Rows(transcoder.request_of(match, query, body), {}, 1)  # refused there, or by the service
    message = transcoder.request_of(match, query, {key: value for key, value in body.items() if key != "requests"})
    if len(rows) > MOST_ROWS:
        raise Invalid([("requests", f"at most {MOST_ROWS} in one call", f"一次最多 {MOST_ROWS} 条")])
    place = message.requests  # type: ignore[attr-defined]
    wrong: dict[int, Violation] = {}
    for index, row in enumerate(rows):
        try:
            json_reader.read_message(row, place.add(), _ROW_DEPTH)
        except Wrong as problem:
            del place[-1]
            wrong[index] = problem.violation()
    return Rows(message, wrong, len(rows))


def merge(plain: dict[str, Any], rows: Rows) -> None:
    """Puts the rows that could not be read where they stood among the results, as services write their errors."""
    if not rows.wrong:
        return
    answered = iter(plain["results"])
    plain["results"] = [
        {"error": _error(rows.wrong[index])} if index in rows.wrong else next(answered) for index in range(rows.count)
    ]


def _error(wrong: Violation) -> dict[str, Any]:
    whole = Invalid([wrong])
    return {
        "status": 400,
        "reason": whole.reason,
        "detail": whole.english.removeprefix(": "),
        "detailZh": whole.chinese.removeprefix(": "),
        "fields": [{"field": wrong.field, "message": wrong.english, "messageZh": wrong.chinese}],
    }
