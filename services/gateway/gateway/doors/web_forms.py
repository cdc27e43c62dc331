"""Public forms in a visitor's browser: pages of which web sites may send them, and what a page sends without scripts.

A page of another site says where it comes from (`Origin`); a form answers only the sites that it names. Who is no
browser sends no origin and is asked for none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from chassis.errors import Invalid
from dealwright.leads.v1 import leads_pb2
from gateway.doors.addresses import Match
from gateway.doors.problems import HttpProblem

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
KINDS = frozenset({URLENCODED, MULTIPART})
# Some 8 000 characters of Chinese, URL-encoded, and the rest of a form beside them.
MOST_BYTES = 256 * 1024
_MOST_FIELDS = 100
_PUBLIC = {"SubmitForm": "form", "DescribeForm": "name"}


def form_of(match: Match) -> str:
    """The form that an address is about, if everybody may use that address; else ""."""
    field = _PUBLIC.get(match.address.method.name)
    return match.values.get(field, "") if field else ""


def foreign(origin: str, host: str) -> bool:
    """Whether a page of another site asks. `host`: the request's own Host header."""
    return bool(origin) and urlsplit(origin).netloc.lower() != host.lower()


def cors(form: leads_pb2.Form, origin: str) -> dict[str, str]:
    """The headers that let the origin's page read the answer. Raises HttpProblem where the form does not name it."""
    if "*" in form.allowed_origins:
        allowed = "*"
    elif origin.lower() in form.allowed_origins:
        allowed = origin
    else:
        raise HttpProblem(
            403,
            "ORIGIN_NOT_ALLOWED",
            "This form takes nothing from pages of that site.",
            "该表单不接受来自此网站的提交。",
            {"Vary": "Origin"},
        )
    return {
        "Access-Control-Allow-Origin": allowed,
        "Access-Control-Expose-Headers": "Retry-After, X-Request-Id",
        "Vary": "Origin",
    }


def preflight(verb: str, allowed: Mapping[str, str]) -> dict[str, str]:
    """What a browser wants to know before it sends: the answer to its OPTIONS."""
    return {
        **allowed,
        "Access-Control-Allow-Methods": verb,
        "Access-Control-Allow-Headers": "Content-Type, X-Request-Id",
        "Access-Control-Max-Age": "600",
    }


def localize(description: dict[str, Any], tongue: str) -> None:
    """A form's labels in the language that was asked for, in place."""
    for field in description["fields"]:
        chinese = field.pop("labelZh", "")
        field["label"] = chinese if tongue == "zh" and chinese else field.get("label", "")


def read(content_type: str, body: bytes) -> dict[str, Any]:
    """A page's fields as the request of SubmitForm; what was left empty was not given. Raises Invalid, HttpProblem."""
    kind = content_type.partition(";")[0].strip().lower()
    pairs = _multipart(content_type, body) if kind == MULTIPART else _urlencoded(body)
    lead: dict[str, Any] = {}
    request: dict[str, Any] = {"lead": lead}
    for key, value in pairs:
        if not value:
            continue
        name = key.removeprefix("lead.")
        place = lead
        if name in ("requestId", "request_id"):
            place = request
        elif name.startswith("custom."):
            place, name = lead.setdefault("custom", {}), name.removeprefix("custom.")
        if name in place:
            raise Invalid([(key[:100], "is there twice", "重复出现")])
        place[name] = value
    return request


def _urlencoded(body: bytes) -> Sequence[tuple[str, str]]:
    try:
        text = body.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise _unreadable(URLENCODED) from None


def _multipart(content_type: str, body: bytes) -> Sequence[tuple[str, str]]:
    head = b"Content-Type: " + content_type.encode("ascii", "replace") + b"\r\n\r\n"
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    if not message.is_multipart() or message.defects:
        raise _unreadable(MULTIPART)
    pairs: list[tuple[str, str]] = []
    for part in message.iter_parts():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes) or len(pairs) == _MOST_FIELDS:
            raise _unreadable(MULTIPART)
        if content and part.get_filename() is not None:
            raise Invalid([(name[:100], "is a file, which a form does not take", "表单不接受文件")])
        try:
            pairs.append((name, content.decode()))
        except UnicodeDecodeError:
            raise _unreadable(MULTIPART) from None
    return pairs


def _unreadable(kind: str) -> Invalid:
    return Invalid([("", f"the body is not {kind} in UTF-8", f"请求正文不是 UTF-8 编码的 {kind}")])
