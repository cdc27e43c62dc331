"""What is wrong, as people and programs read it: RFC 9457, in the language that was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2

from chassis.errors import Problem
from chassis.problems import status_of
from dealwright.api.v1 import problem_pb2
from gateway.wire import json_writer
from gateway.wire.well_known import camel

MEDIA_TYPE = "application/problem+json"

HTTP_STATUS: Mapping[str, int] = {
    "OK": 200,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 409,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
TITLES: Mapping[int, tuple[str, str]] = {
    400: ("The request is wrong", "请求有误"),
    401: ("Sign in first", "请先登录"),
    403: ("Not allowed", "没有权限"),
    404: ("Not found", "未找到"),
    405: ("Not possible here", "不支持的操作"),
    408: ("Too slow", "请求超时"),
    409: ("Not possible now", "当前状态不允许"),
    413: ("Too large", "请求过大"),
    415: ("Unknown format", "不支持的格式"),
    429: ("Too many requests", "请求过于频繁"),
    499: ("The caller went away", "调用方已离开"),
    500: ("An error of ours", "系统错误"),
    501: ("Not offered", "未提供"),
    503: ("Not reachable now", "暂时不可用"),
    504: ("Not done in time", "处理超时"),
}
_GENERIC: Mapping[int, tuple[str, str]] = {
    400: ("The request is wrong.", "请求有误。"),
    500: ("An error of ours; it was logged.", "系统内部错误，已记录。"),
    503: ("The service is not reachable now; try again.", "服务暂时不可用，请稍后重试。"),
    504: ("It was not done in time; try again.", "未能及时完成，请重试。"),
}


class HttpProblem(Exception):
    """What only HTTP can get wrong: an address, a verb, a media type, a size."""

    def __init__(
        self, status: int, reason: str, english: str, chinese: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(english)
        self.status = status
        self.reason = reason
        self.english = english
        self.chinese = chinese
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Told:
    """A problem ready to be sent. `headers` are those beside the content type."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


def language(accept: str) -> str:
    """ "zh" or "en", from Accept-Language: the one with the higher weight, the first of equals, English of none."""
    best, weight = "en", 0.0
    for choice in accept.split(",")[:20]:
        found = re.match(r"\s*(zh|en)(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*\Z", choice, re.IGNORECASE)
        if found and float(found[2] or 1) > weight:
            best, weight = found[1].lower(), float(found[2] or 1)
    return best


def build(
    status: int, reason: str, texts: tuple[str, str], tongue: str, request_id: str, fields: list[dict[str, Any]]
) -> dict[str, Any]:
    pick = 1 if tongue == "zh" else 0
    titles = TITLES.get(status, TITLES[500])
    return {
        "type": "urn:dealwright:problem:" + reason.lower().replace("_", "-"),
        "title": titles[pick],
        "status": status,
        "detail": texts[pick],
        "reason": reason,
        "fields": fields,
        "requestId": request_id,
    }


def of_http(problem: HttpProblem, tongue: str, request_id: str) -> Told:
    texts = (problem.english, problem.chinese)
    return Told(problem.status, build(problem.status, problem.reason, texts, tongue, request_id, []), problem.headers)


def of_problem(problem: Problem, tongue: str, request_id: str, to_path: Callable[[str], str] = str) -> Told:
    return of_status(status_of(problem), tongue, request_id, to_path)


def of_status(status: status_pb2.Status, tongue: str, request_id: str, to_path: Callable[[str], str] = str) -> Told:
    """A gRPC error with its details. `to_path` turns a field's path into the one the client wrote."""
    name = code_pb2.Code.Name(status.code) if status.code in code_pb2.Code.values() else "UNKNOWN"
    http = HTTP_STATUS[name]
    if http in (500, 503, 504) and not status.details:
        english, chinese = _GENERIC[http]
    else:
        english = status.message or TITLES.get(http, TITLES[500])[0]
        chinese = TITLES.get(http, TITLES[500])[1]
    reason, headers, fields = name, dict[str, str](), list[dict[str, Any]]()
    changes = problem_pb2.Changes()
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            reason = _unpacked(detail, error_details_pb2.ErrorInfo()).reason or reason
        elif detail.Is(error_details_pb2.LocalizedMessage.DESCRIPTOR):
            text = _unpacked(detail, error_details_pb2.LocalizedMessage())
            chinese = text.message if text.locale.startswith("zh") and text.message else chinese
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            fields = [
                _field(v, tongue, to_path) for v in _unpacked(detail, error_details_pb2.BadRequest()).field_violations
            ]
        elif detail.Is(problem_pb2.Changes.DESCRIPTOR):
            changes = _unpacked(detail, changes)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            headers["Retry-After"] = str(max(1, _unpacked(detail, error_details_pb2.RetryInfo()).retry_delay.seconds))
    if fields:  # the path as the client wrote it, in the detail too
        english = chinese = f"{fields[0]['field']}: {fields[0]['message']}".removeprefix(": ")
    fields += [_said(json_writer.write(one), tongue, _of_record) for one in changes.fields]
    if http in (429, 503):
        headers.setdefault("Retry-After", "1")
    if http == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = build(http, reason, (english, chinese), tongue, request_id, fields)
    return Told(http, {**body, "etag": changes.etag} if changes.etag else body, headers)


def _unpacked(detail: Any, into: Any) -> Any:
    try:
        detail.Unpack(into)
    except DecodeError:
        into.Clear()
    return into


def _field(violation: Any, tongue: str, to_path: Callable[[str], str]) -> dict[str, str]:
    chinese = violation.localized_message.message
    message = chinese if tongue == "zh" and chinese else violation.description
    return {"field": to_path(violation.field), "message": message}


def _said(one: Mapping[str, Any], tongue: str, to_path: Callable[[str], str]) -> dict[str, Any]:
    """A field of a problem as it came from a service, in the language that was asked for."""
    message = (one.get("messageZh") if tongue == "zh" else None) or one.get("message", "")
    more = {name: one[name] for name in ("value", "actor", "changeTime") if name in one}
    return {"field": to_path(one.get("field", "")), "message": message, **more}


def _of_record(path: str) -> str:
    """A field of the record itself, as the client knows it; a key of the company's own fields stays as it is."""
    field, dot, key = path.partition(".")
    return camel(field) + dot + key


def localize_rows(plain: Any, tongue: str, request_id: str, to_path: Callable[[int, str], str]) -> None:
    """Completes the errors of a batch's rows, in place: both languages become the one asked for."""
    for index, row in enumerate(plain.get("results") or ()):
        error = row.get("error")
        if not error:
            continue
        reason = error.get("reason") or "INVALID"
        status = error.get("status") or (400 if reason == "INVALID" else 409)
        fields = [_said(one, tongue, partial(to_path, index)) for one in error.get("fields", ())]
        english = error.get("detail") or TITLES.get(status, TITLES[500])[0]
        texts = (english, error.get("detailZh") or english)
        if fields:
            said = f"{fields[0]['field']}: {fields[0]['message']}".removeprefix(": ")
            texts = (said, said)
        row["error"] = build(status, reason, texts, tongue, error.get("requestId") or request_id, fields)


def in_tongue(plain: Any, tongue: str) -> None:
    """Of messages that came in both languages the one that was asked for, in place."""
    if isinstance(plain, list):
        for one in plain:
            in_tongue(one, tongue)
    elif isinstance(plain, dict):
        chinese = plain.pop("messageZh", "")
        if chinese and tongue == "zh":
            plain["message"] = chinese
        for one in plain.values():
            if isinstance(one, list | dict):
                in_tongue(one, tongue)
