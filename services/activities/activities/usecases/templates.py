"""Templates of documents and mails (O27), the company's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from activities.domain import template as domain
from activities.domain.template import Template
from activities.storage.notices import templates
from activities.storage.tables import people
from activities.usecases import attachments, records
from activities.wire import notice_enums, notice_messages
from chassis import records as kept
from chassis.access import refuse_read_only
from chassis.columns import Column
from chassis.errors import Invalid, already_exists
from chassis.transaction import Transaction

RESOURCE = "templates"
_c = templates.c
KIND = kept.Kind(
    resource=RESOURCE,
    word="template",
    table=templates,
    type=Template,
    columns={
        "display_name": Column(_c.display_name, "text", order=True),
        "kind": Column(_c.kind, "enum", notice_enums.TEMPLATE_KIND),
        **{name: Column(_c[name], "time", order=True) for name in ("create_time", "update_time")},
    },
    people=people,
    shown=notice_messages.template,
    owner="",
    order="display_name",
)


def create(tx: Transaction, values: Mapping[str, Any]) -> Template:
    """It has no attachments yet: they are uploaded on it. Raises ALREADY_EXISTS for a display name that is taken."""
    refuse_read_only(tx.principal, RESOURCE, [name for name, value in values.items() if value])
    if values.get("attachments"):
        raise Invalid([("template.attachments", "are uploaded on the template first", "请先将附件上传到该模板")])
    _free(tx, values["display_name"])
    return store(tx, values)


def store(tx: Transaction, values: Mapping[str, Any]) -> Template:
    kept_values = {"version": 1, "create_time": tx.now, "update_time": tx.now, "delete_time": None}
    return kept.create(tx, KIND, Template(**{"attachments": [], **values, "name": KIND.new_name(), **kept_values}))


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> Template:
    refuse_read_only(tx.principal, RESOURCE, list(values))
    before = kept.hold(tx, KIND, name, etag)
    if values.get("display_name", before.display_name) != before.display_name:
        _free(tx, values["display_name"])
    if "attachments" in values:
        attachments.of_record(tx, values["attachments"], name, "template.attachments")
    return kept.save(tx, KIND, before, replace(before, **values))


def undelete(tx: Transaction, name: str) -> Template:
    back = kept.find(tx, KIND, name, deleted=True)
    if back.delete_time is not None:
        _free(tx, back.display_name)
    return kept.undelete(tx, KIND, name)


def rendered(tx: Transaction, name: str, record: str, today: str) -> Template:
    """With what the caller may see of a record in its places. Raises NotFound."""
    of = kept.find(tx, KIND, name)
    return domain.filled(of, {**records.shown_facts(tx, record), "today": today})


def filled(tx: Transaction, of: Template, record: str, today: str) -> Template:
    """With all that is known of a record: for mails that the company sends."""
    return domain.filled(of, {**records.facts(tx, record), "today": today})


def called(tx: Transaction, name: str) -> Template | None:
    """By its name or its display name, whoever asks."""
    query = KIND.select.where(sa.or_(_c.name == name, _c.display_name == name), _c.delete_time.is_(None))
    row = tx.execute(query.limit(1)).first()
    return Template(*row) if row else None


def none_yet(tx: Transaction) -> bool:
    """Whether nobody has made one, deleted ones included."""
    return tx.execute(sa.select(_c.name).limit(1)).first() is None


def _free(tx: Transaction, display_name: str) -> None:
    taken = sa.select(_c.name).where(_c.display_name == display_name, _c.delete_time.is_(None))
    if tx.execute(taken).first():
        raise already_exists("template.display_name", display_name)
