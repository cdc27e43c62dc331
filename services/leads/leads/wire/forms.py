"""Forms in and out, as messages and as the blueprint's plain data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chassis import fields
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from dealwright.leads.v1 import leads_pb2
from leads.domain.form import KEYS, Form
from leads.domain.lead import Channel
from leads.wire.capture import labels, present

_ID = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?")


def form(of: Form) -> leads_pb2.Form:
    return leads_pb2.Form(
        name=of.name,
        display_name=of.display_name,
        channel=of.channel,  # type: ignore[arg-type]
        fields=of.fields,
        required_fields=of.required_fields,
        region=of.region,
        industry=of.industry,
        tags=of.tags,
        open=of.open,
        rate_per_minute=of.rate_per_minute,
        etag=str(of.version),
    )


def form_id(value: str) -> str:
    """The last part of a form's name: lower-case letters, digits and dashes, 1 to 63."""
    if not _ID.fullmatch(value):
        raise FieldProblem(
            "must be 1 to 63 lower-case letters, digits and dashes", "须为 1 至 63 个小写字母、数字或连字符"
        )
    return value


def values(message: leads_pb2.Form, paths: list[str], check: FieldCheck, path: str = "form") -> dict[str, Any]:
    """The fields of `paths` as the domain keeps them; what is wrong is noted in `check`."""
    given = {name: getattr(message, name) for name in paths}
    return {name: check.take(f"{path}.{name}", _READERS[name], value) for name, value in given.items()}


def from_plain(name: str, plain: Any, now: datetime, check: FieldCheck) -> Form | None:
    """A form from the blueprint; what is left out is empty, and the form open. None where it is wrong."""
    path = f"forms.{name}"
    noted = len(check.violations)
    check.take(path, form_id, name)
    if not isinstance(plain, Mapping):
        check.refuse(path, "must be an object", "须为对象")
        return None
    given: dict[str, Any] = {}
    for key, value in plain.items():
        known = KEYS.get(key)
        if known is None:
            check.refuse(f"{path}.{key}", "there is no such key", "没有这个键")
        else:
            given[known] = check.take(f"{path}.{key}", _READERS[known], value)
    if len(check.violations) > noted:
        return None
    start: dict[str, Any] = dict.fromkeys(("display_name", "region", "industry"), "")
    start |= {"channel": Channel.WEB_FORM, "fields": [], "required_fields": [], "tags": []}
    start |= {"open": True, "rate_per_minute": 0}
    return Form(name=f"forms/{name}", create_time=now, version=1, **(start | given))


def _channel(value: Any) -> int:
    if isinstance(value, str) and value in Channel.__members__:
        value = Channel[value]
    if isinstance(value, bool) or not isinstance(value, int) or value not in frozenset(Channel):
        raise FieldProblem(f"{value!r} is no channel", f"{value!r} 不是有效的渠道")
    return int(value) or Channel.WEB_FORM


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _names(value: Any) -> list[str]:
    if not _is_list(value) or len(value) > 50 or not all(isinstance(one, str) for one in value):
        raise FieldProblem("must be a list of at most 50 field names", "须为最多 50 个字段名的列表")
    return list(dict.fromkeys(fields.text(one, 64) for one in value))


def _tags(value: Any) -> list[str]:
    if not _is_list(value):
        raise FieldProblem("must be a list", "须为列表")
    return labels(list(value))


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise FieldProblem("must be true or false", "须为 true 或 false")
    return value


def _rate(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise FieldProblem("must be a whole number", "须为整数")
    return int(value)


_READERS: dict[str, Any] = {
    "display_name": lambda value: fields.text(value, 128),
    "channel": _channel,
    "fields": _names,
    "required_fields": _names,
    "region": fields.region,
    "industry": lambda value: fields.text(value, 64),
    "tags": _tags,
    "open": _flag,
    "rate_per_minute": _rate,
}
FIELDS = tuple(_READERS)


def paths(request: leads_pb2.UpdateFormRequest, check: FieldCheck) -> list[str]:
    """The fields to change: the mask's, or all. Unknown ones are noted in `check`."""
    mask = list(dict.fromkeys(request.update_mask.paths))
    if not mask or mask == ["*"]:
        return list(FIELDS)
    for name in mask:
        if name not in FIELDS:
            check.refuse(f"update_mask.{name[:64]}", "cannot be changed this way", "不能通过此方法修改")
    return [name for name in mask if name in FIELDS]


def page(request: leads_pb2.ListFormsRequest) -> tuple[int, int]:
    """(first, how many): forms are few, so a page begins at a number. Raises Invalid."""
    token = request.page_token
    if token and not re.fullmatch(r"[0-9]{1,4}", token, re.ASCII):
        raise Invalid([("page_token", "is no token of this list", "不是有效的翻页标记")])
    if request.page_size < 0:
        raise Invalid([("page_size", "must not be negative", "不能为负数")])
    return int(token or 0), min(request.page_size or 100, 1000)


def refuse_foreign(of: Form, sent: leads_pb2.Lead, check: FieldCheck) -> None:
    """Notes what a visitor may not fill, and what he must and did not."""
    for field, _ in sent.ListFields():
        if field.name not in of.fields:
            check.refuse(f"lead.{field.name}", "is no field of this form", "不是该表单的字段")
    for name in of.required_fields:
        if not present(sent, name):
            check.refuse(f"lead.{name}", "is required", "必填")
