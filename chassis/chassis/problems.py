"""A no as a message: to a call, and to one row of a batch."""

from __future__ import annotations

from google.protobuf import any_pb2, json_format
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Value
from google.rpc import code_pb2, error_details_pb2, status_pb2

from chassis.errors import Changed, Problem, Stale
from chassis.messages import stamp
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
    for wrong in of.violations:
        message.fields.add(field=wrong.field, message=wrong.english, message_zh=wrong.chinese)
    if isinstance(of, Stale):
        message.etag = of.etag
        message.fields.extend(map(_changed, of.changes))
    return message


def status_of(problem: Problem) -> status_pb2.Status:
    """The error model on the wire: BadRequest for fields, ErrorInfo for the reason, LocalizedMessage for Chinese,
    Changes for what was changed meanwhile."""
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=problem.reason, domain="dealwright"),
        error_details_pb2.LocalizedMessage(locale="zh-CN", message=problem.chinese),
    ]
    if problem.violations:
        details.append(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=v.field,
                        description=v.english,
                        localized_message=error_details_pb2.LocalizedMessage(locale="zh-CN", message=v.chinese),
                    )
                    for v in problem.violations
                ]
            )
        )
    if isinstance(problem, Stale):
        details.append(problem_pb2.Changes(etag=problem.etag, fields=map(_changed, problem.changes)))
    status = status_pb2.Status(code=code_pb2.Code.Value(problem.code), message=problem.english)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def _changed(one: Changed) -> problem_pb2.Problem.Field:
    return problem_pb2.Problem.Field(
        field=one.field,
        message="was changed meanwhile",
        message_zh="已被修改",
        value=None if one.too_long else json_format.ParseDict(one.value, Value()),
        actor=one.actor,
        change_time=stamp(one.time),
    )
