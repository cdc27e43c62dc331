"""Templates, notifications and preferences as messages, and requests as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from activities.domain.notice import Kind, Notice
from activities.domain.template import TEXTS, Template, checked
from chassis import fields
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from chassis.messages import stamp
from dealwright.activities.v1 import events_pb2
from dealwright.activities.v1 import notices_pb2 as pb

CHANGEABLE = ("display_name", "kind", *TEXTS, "attachments")
_LONGEST_SUBJECT, _LONGEST_BODY = 300, 50_000
_MOST_ATTACHED = 20
_MOST_NAMES = 1000


def template(of: Template) -> pb.Template:
    return pb.Template(
        **{name: getattr(of, name) for name in ("name", *CHANGEABLE)},
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
    )


def rendered(of: Template) -> pb.RenderTemplateResponse:
    return pb.RenderTemplateResponse(**{name: getattr(of, name) for name in TEXTS})


def notification(of: Notice) -> pb.Notification:
    same = ("name", "record", "title_zh", "title_en", "text_zh", "text_en", "actor", "attachments")
    return pb.Notification(
        **{name: getattr(of, name) for name in same},
        kind=of.kind,  # type: ignore[arg-type]
        mail_state=int(of.mail_state),  # type: ignore[arg-type]
        create_time=stamp(of.create_time),
        read_time=stamp(of.read_time),
    )


def notified(of: Notice) -> events_pb2.Notified:
    said = events_pb2.Notified(
        notification=of.name,
        person=of.person,
        record=of.record,
        title_zh=of.title_zh,
        title_en=of.title_en,
        create_time=stamp(of.create_time),
    )
    said.kind = of.kind  # type: ignore[assignment]
    return said


def preference(kinds: Sequence[int], company: bool) -> pb.NotificationPreference:
    return pb.NotificationPreference(mail_kinds=kinds, company_default=company)  # type: ignore[arg-type]


def values(given: pb.Template, named: Sequence[str], check: FieldCheck) -> dict[str, Any]:
    """The values of these fields by the names of the columns."""
    found: dict[str, Any] = {}
    for name in named:
        value = getattr(given, name)
        path = f"template.{name}"
        if name == "display_name":
            found[name] = check.take(path, fields.text, value, 100, required=True)
        elif name == "kind":
            found[name] = check.take(path, _kind, value)
        elif name == "attachments":
            found[name] = check.take(path, _attachments, value)
        else:
            found[name] = check.take(path, _text, value, name.startswith("body"))
    return found


def _kind(value: int) -> int:
    if not 1 <= value <= 3:
        raise FieldProblem("is required: DOCUMENT, MAIL or FOLLOW_UP", "必填：DOCUMENT、MAIL 或 FOLLOW_UP")
    return value


def _text(value: str, multiline: bool) -> str:
    longest = _LONGEST_BODY if multiline else _LONGEST_SUBJECT
    return checked(fields.text(value, longest, multiline=multiline))


def _attachments(value: Sequence[str]) -> list[str]:
    if len(value) > _MOST_ATTACHED:
        raise FieldProblem(f"at most {_MOST_ATTACHED}", f"最多 {_MOST_ATTACHED} 个")
    return list(dict.fromkeys(value))


def names(given: Sequence[str]) -> list[str]:
    """Raises Invalid."""
    if len(given) > _MOST_NAMES:
        raise Invalid([("names", f"at most {_MOST_NAMES}", f"最多 {_MOST_NAMES} 个")])
    return list(given)


def preferred(given: pb.NotificationPreference) -> list[int] | None:
    """None: what the company says. Raises Invalid for a kind that there is none of."""
    if given.company_default:
        return None
    known = {kind.value for kind in Kind}
    if any(kind not in known for kind in given.mail_kinds):
        raise Invalid([("notification_preference.mail_kinds", "has a kind that there is none of", "含有无效的类型")])
    return list(given.mail_kinds)
