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
from leads.domain.form import FIELDS as ASKABLE
from leads.domain.form import KEYS, Form
from leads.domain.lead import Channel
from leads.wire.capture import LONGEST, LONGEST_TEXT, labels, present

_Field = leads_pb2.FormDescription.Field
_ID = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?")
_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.\-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
# Browsers leave the scheme's own port out of an origin.
_DEFAULT_PORT = re.compile(r"(http://.*(?=:80$)|https://.*(?=:443$)):[0-9]+")
# No one's name before the host, and nothing that would end a header.
_WEB_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-]+(?::[0-9]{1,5})?(?:[/?#][!-~]*)?")
_MOST_ORIGINS = 50


def form(of: Form) -> leads_pb2.Form:
    packed = leads_pb2.Form(
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
        allowed_origins=of.allowed_origins,
        thanks_url=of.thanks_url,
    )
    if of.delete_time is not None:
        packed.delete_time.FromDatetime(of.delete_time)
    return packed


# Label in English and in Chinese, input and most characters of what a visitor may be asked for.
_ASKED: Mapping[str, tuple[str, str, leads_pb2.FormDescription.Field.Input.ValueType, int]] = {
    "full_name": ("Name", "姓名", _Field.TEXT, LONGEST["full_name"]),
    "phone": ("Phone", "电话", _Field.TEL, fields.LONGEST_PHONE),
    "email": ("E-mail", "邮箱", _Field.EMAIL, fields.LONGEST_EMAIL),
    "company": ("Company", "公司", _Field.TEXT, LONGEST["company"]),
    "licence": ("Unified social credit code", "统一社会信用代码", _Field.TEXT, 18),
    "region": ("Region", "地区", _Field.TEXT, 64),
    "industry": ("Industry", "行业", _Field.TEXT, LONGEST["industry"]),
    "category": ("Product of interest", "意向产品", _Field.TEXT, LONGEST["category"]),
    "text": ("Message", "留言", _Field.TEXTAREA, LONGEST_TEXT),
    "custom": ("More", "其他信息", _Field.OBJECT, 0),
}


def description(of: Form) -> leads_pb2.FormDescription:
    """What everybody may see of an open form."""
    answer = leads_pb2.FormDescription(name=of.name, display_name=of.display_name)
    for name in of.fields:
        label, label_zh, kind, longest = _ASKED[name]
        answer.fields.add(
            name=_camel(name),
            label=label,
            label_zh=label_zh,
            input=kind,
            required=name in of.required_fields,
            max_length=longest,
        )
    return answer


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


# JSON calls fields in camelCase, wherever it names them.
_SNAKE = {_camel(name): name for name in ASKABLE}


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
    start |= {"allowed_origins": [], "thanks_url": ""}
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
    return list(dict.fromkeys(_SNAKE.get(one := fields.text(name, 64), one) for name in value))


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


def _origins(value: Any) -> list[str]:
    if not _is_list(value) or len(value) > _MOST_ORIGINS:
        raise FieldProblem(f"must be a list of at most {_MOST_ORIGINS}", f"须为最多 {_MOST_ORIGINS} 项的列表")
    return list(dict.fromkeys(_origin(one) for one in value))


def _origin(value: Any) -> str:
    plain = value.strip().lower() if isinstance(value, str) else ""
    if plain != "*" and not _ORIGIN.fullmatch(plain):
        raise FieldProblem(
            "must be * or origins like https://www.example.com, without a path",
            "须为 * 或形如 https://www.example.com 的来源（不含路径）",
        )
    return _DEFAULT_PORT.sub(r"\1", plain)


def _web_address(value: Any) -> str:
    plain = value.strip() if isinstance(value, str) else " "
    if plain and not (len(plain) <= 2000 and _WEB_ADDRESS.fullmatch(plain)):
        raise FieldProblem(
            "must be a web address like https://www.example.com/thanks",
            "须为形如 https://www.example.com/thanks 的网址",
        )
    return plain


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
    "allowed_origins": _origins,
    "thanks_url": _web_address,
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
