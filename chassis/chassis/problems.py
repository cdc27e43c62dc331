"""A no to one row of a batch, as a message."""

from __future__ import annotations

from chassis.errors import Invalid, Problem
from dealwright.api.v1 import problem_pb2

# gRPC status names to HTTP, as the gateway answers them.
_HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 409,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


def problem(of: Problem, request_id: str = "") -> problem_pb2.Problem:
    """In English and in Chinese: the gateway answers with the one that was asked for."""
    message = problem_pb2.Problem(
        type=f"urn:dealwright:problem:{of.reason.lower().replace('_', '-')}",
        title=of.reason.replace("_", " ").capitalize(),
        status=_HTTP.get(of.code, 500),
        detail=of.english,
        detail_zh=of.chinese,
        reason=of.reason,
        request_id=request_id,
    )
    if isinstance(of, Invalid):
        for wrong in of.violations:
            message.fields.add(field=wrong.field, message=wrong.english, message_zh=wrong.chinese)
    return message
