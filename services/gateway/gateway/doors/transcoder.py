"""One HTTP request as the message of its RPC: variables of the address, query parameters, body."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from google.protobuf.message import Message

from chassis.errors import Invalid
from dealwright.gateway.v1 import gateway_pb2
from gateway.doors.addresses import Address, Match
from gateway.wire import well_known
from gateway.wire.json_reader import fields_of, read, read_message
from gateway.wire.json_text import MOST_DEPTH, NotJson
from gateway.wire.well_known import check_text
from gateway.wire.wrong import Wrong

_NOT_MASKED = {"etag", "name"}
_DIGITS = re.compile(r"-?[0-9]{1,20}\Z", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,3})?\Z", re.ASCII)


def request_of(match: Match, query: str, body: Any) -> Message:
    """`body` is plain data, None where nothing was sent. Raises Invalid, naming the field as the client wrote it."""
    address = match.address
    message = address.method.request()
    try:
        mask = _read_body(address, message, body)
        named = _read_query(address, message, query)
        for path, value in match.values.items():
            _bind(message, path, value)
    except Wrong as wrong:
        raise Invalid([wrong.violation()]) from None
    if mask is not None and "update_mask" not in named:
        message.update_mask.paths.extend(mask)  # type: ignore[attr-defined]
    return message


def _read_body(address: Address, message: Message, body: Any) -> list[str] | None:
    """Fills the message; answers the derived mask for a PATCH."""
    if not address.body:
        return None
    if address.body == "*":
        read({} if body is None else body, message)
        return None
    if body is None:
        raise Wrong("the request needs a body", "请求需要正文")
    part = getattr(message, address.body)
    part.SetInParent()
    read_message(body, part, MOST_DEPTH)
    if address.verb != "PATCH" or "update_mask" not in message.DESCRIPTOR.fields_by_name:
        return None
    known = fields_of(part.DESCRIPTOR)
    return [known[key].name for key in body if known[key].name not in _NOT_MASKED]


def _bind(message: Message, path: str, value: str) -> None:
    """Puts an address's variable into its field; a body that says otherwise is refused."""
    *parents, last = path.split(".")
    for name in parents:
        message = getattr(message, name)
    camel = ".".join(well_known.camel(step) for step in path.split("."))
    try:
        check_text(value)
    except Wrong as wrong:
        raise wrong.below(camel) from None
    if getattr(message, last) not in ("", value):
        raise Wrong("differs from the address", "与请求地址不一致", camel)
    setattr(message, last, value)


def _read_query(address: Address, message: Message, query: str) -> set[str]:
    """Fills what neither the address nor the body has; answers the names of the top fields given."""
    if not query:
        return set()
    try:
        pairs = parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=500)
    except (UnicodeDecodeError, ValueError):
        raise Wrong("the query is not valid URL-encoded UTF-8", "查询参数不是有效的 URL 编码") from None
    grouped: dict[str, list[str]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    taken = {variable.field for variable in address.variables}
    top: set[str] = set()
    seen: set[str] = set()
    for key, values in grouped.items():
        try:
            top.add(_read_parameter(address, message, key, values, taken, seen))
        except Wrong as wrong:
            raise wrong.below(key[:100]) from None
    return top


def _read_parameter(
    address: Address, message: Any, key: str, values: list[str], taken: set[str], seen: set[str]
) -> str:
    nowhere = Wrong("there is no such parameter", "没有该参数")
    if address.body == "*":
        raise nowhere
    path: list[str] = []
    steps = key.split(".")
    for step in steps[:-1]:
        field = fields_of(message.DESCRIPTOR).get(step)
        if field is None or field.message is None or field.repeated or field.is_map or _is_special(field.message):
            raise nowhere
        path.append(field.name)
        message = getattr(message, field.name)
    last = fields_of(message.DESCRIPTOR).get(steps[-1])
    if last is None or last.is_map:
        raise nowhere
    path.append(last.name)
    if ".".join(path) in taken or path[0] == address.body:
        raise nowhere
    if (len(values) > 1 and not last.repeated) or ".".join(path) in seen:  # page_size and pageSize are one
        raise Wrong("is there twice", "重复出现")
    seen.add(".".join(path))
    if last.repeated:
        place = getattr(message, last.name)
        if last.scalar is None:
            raise nowhere
        for value in values:
            place.append(last.scalar(_plain(message, last.name, value)))
        return path[0]
    if last.scalar is not None:
        if last.name in taken:
            raise nowhere
        setattr(message, last.name, last.scalar(_plain(message, last.name, values[0])))
    elif last.message.full_name in _IN_QUERY:
        well_known.READ[last.message.full_name](values[0], getattr(message, last.name), MOST_DEPTH)
    else:
        raise nowhere
    return path[0]


_IN_QUERY = {"google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask"}


def _is_special(descriptor: Any) -> bool:
    return descriptor.full_name in well_known.READ


def _plain(message: Message, name: str, text: str) -> Any:
    """The text of a parameter as the JSON value that it stands for."""
    field = message.DESCRIPTOR.fields_by_name[name]
    if field.cpp_type in (field.CPPTYPE_STRING, field.CPPTYPE_ENUM):
        return text
    if field.cpp_type == field.CPPTYPE_BOOL:
        return {"true": True, "false": False}.get(text, text)
    if field.cpp_type in (field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT):
        return float(text) if _DECIMAL.match(text) else text
    return int(text) if _DIGITS.match(text) else text


def json_path(address: Address, path: str) -> str:
    """A violation's path ("person.display_name") as the client wrote it: camelCase, without the body's own field.

    Keys below free data (Struct, maps) are the client's own and stay as they are.
    """
    steps = list(re.finditer(r"[^.\[\]]+|\[[^\]]*\]", path))
    descriptor: Any = address.method.descriptor.input_type
    written: list[str] = []
    for found in steps:
        step = found[0]
        if step.startswith("["):
            written.append(step)
            continue
        field = fields_of(descriptor).get(step) if descriptor is not None else None
        name = field.json_name if field else step
        descriptor = field.message if field and not field.is_map and not _is_special(field.message or _NONE) else None
        written.append(name if not written else f".{name}")
        if descriptor is None and found.end() < len(path):  # a key of the client's may have dots of its own
            written.append(path[found.end() :])
            break
    if written and address.body not in ("", "*") and steps[0][0] in (address.body, well_known.camel(address.body)):
        written = [written[1].removeprefix("."), *written[2:]] if len(written) > 1 else written
    return "".join(written)


class _None:
    full_name = ""


_NONE = _None()


def blueprint_request(plain: Any, query: str) -> Any:
    """A blueprint, sent by itself or as the request that carries it in `content`, as that request.

    Query parameters (validateOnly, etag, requestId) fill what the body does not say. Raises NotJson, Invalid.
    """
    if plain is None or not isinstance(plain, dict):
        raise NotJson("The blueprint must be an object.", "蓝图必须是对象。")
    known = fields_of(gateway_pb2.ApplyBlueprintRequest.DESCRIPTOR)
    request = plain if "content" in plain and all(key in known for key in plain) else {"content": plain}
    for key, value in parse_qsl(query, keep_blank_values=True, max_num_fields=50):
        if key not in known or known[key].name == "content":
            raise Invalid([(key[:100], "there is no such parameter", "没有该参数")])
        if {key, known[key].name, known[key].json_name} & set(request):
            raise Invalid([(key, "is there twice", "重复出现")])
        choices: dict[str, Any] = {"true": True, "false": False} if known[key].name == "validate_only" else {}
        request = {**request, key: choices.get(value, value)}
    return request
