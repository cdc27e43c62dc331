"""Attachments. Whoever may see a record sees its attachments; who uploaded one, or leads who did, changes and deletes
it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from activities.domain import sniffing
from activities.domain.attachment import Attachment
from activities.settings import ActivitySettings
from activities.storage.contents import Contents
from activities.storage.files import attachments, check_in_on, note_unused
from activities.storage.tables import people
from activities.usecases import records, storing, timeline
from activities.usecases.known import ADD
from activities.usecases.storing import Stored
from activities.wire import entries, file_events, file_messages
from chassis import records as kept
from chassis.access import Principal, refuse_read_only
from chassis.columns import Column
from chassis.errors import Invalid, NotFound, Refused
from chassis.fields import FieldProblem
from chassis.transaction import Transaction

RESOURCE = "attachments"
agreed = sniffing.agreed
_c = attachments.c
_COLUMNS = {
    **{name: Column(_c[name], "name") for name in ("record", "customer", "content_type", "sha256", "owner", "team")},
    "kind": Column(_c.kind, "name", order=True),
    "file_name": Column(_c.file_name, "text", order=True),
    "size_bytes": Column(_c.size_bytes, "int", order=True),
    "create_time": Column(_c.create_time, "time", order=True),
    "update_time": Column(_c.update_time, "time", order=True),
}


def _also(principal: Principal) -> sa.ColumnElement[bool]:
    return records.visible(principal, _c.record)


def _announce(tx: Transaction, before: Attachment | None, after: Attachment | None) -> None:
    of = after or before
    assert of is not None
    was, there = before is not None and before.delete_time is None, after is not None and after.delete_time is None
    tx.emit(file_events.attachment_changed(of, deleted=not there))
    timeline.show(tx, entries.attachment(of), there)
    if there and not was:
        tx.emit(file_events.attachment_added(of))
    if was and not there:
        tx.emit(file_events.attachment_removed(of))
    if after is None:
        note_unused(tx, of.sha256)


KIND = kept.Kind(
    resource=RESOURCE,
    word="attachment",
    table=attachments,
    type=Attachment,
    columns=_COLUMNS,
    people=people,
    shown=file_messages.attachment,
    also=_also,
    announce=_announce,
)


def create(tx: Transaction, values: Mapping[str, str], stored: Stored) -> Attachment:
    """`values`: record, kind, file_name, content_type as `sniffing.agreed` found them. The bytes are stored already."""
    refuse_read_only(tx.principal, RESOURCE, [name for name, value in values.items() if value])
    tx.principal.require(RESOURCE, "write")
    of = records.require(tx, values["record"], ADD)
    if of.kind == records.TEMPLATES:  # what goes with the company's mails is not everybody's to add
        tx.principal.require(records.TEMPLATES, "write")
    storing.refer(tx, stored)
    made = Attachment(
        name=KIND.new_name(),
        record=values["record"],
        customer=of.customer,
        kind=values["kind"],
        file_name=values["file_name"],
        content_type=values["content_type"],
        size_bytes=len(stored.data),
        sha256=stored.sha256,
        owner=tx.principal.person,
        team=tx.principal.team,
        version=1,
        create_time=tx.now,
        update_time=tx.now,
        delete_time=None,
    )
    return kept.create(tx, KIND, made, {"record": made.record, "kind": made.kind, "type": made.content_type})


def find(tx: Transaction, name: str, deleted: bool = False) -> Attachment:
    """Raises NotFound for one on a record that the caller may not see, too."""
    found = kept.find(tx, KIND, name, deleted)
    if not records.may_see(tx, found.record):
        raise NotFound(name)
    return found


def page(tx: Transaction, request: Any) -> tuple[list[Attachment], str, int | None]:
    return kept.page(tx, KIND, request, within=records.visible(tx.principal, _c.record))


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> Attachment:
    """Changes `kind` and `file_name`. Raises Invalid for a name of another type."""
    refuse_read_only(tx.principal, RESOURCE, list(values))
    find(tx, name)
    before = kept.hold(tx, KIND, name, etag)
    laid = dict(values)
    if "file_name" in laid:
        try:
            laid["file_name"] = sniffing.named(laid["file_name"], before.content_type)
        except FieldProblem as problem:
            raise Invalid([("attachment.file_name", problem.english, problem.chinese)]) from problem
    return kept.save(tx, KIND, before, replace(before, **laid))


def delete(tx: Transaction, name: str, etag: str) -> Attachment:
    """Raises EVIDENCE for a picture on which a check-in rests that is not deleted."""
    find(tx, name)
    kept.hold(tx, KIND, name, etag, "delete")  # who may not is told that first
    if resting := check_in_on(tx, name):
        raise Refused("EVIDENCE", f"Check-in {resting} rests on it.", f"签到 {resting} 以此为凭证，不能删除。")
    return kept.delete(tx, KIND, name, etag)


def undelete(tx: Transaction, name: str) -> Attachment:
    find(tx, name, deleted=True)
    return kept.undelete(tx, KIND, name)


def content(store: Contents, of: Attachment) -> bytes:
    """Raises CONTENT_LOST."""
    data = store.get(of.sha256)
    if data is None:
        raise Refused("CONTENT_LOST", f"The bytes of {of.name} are lost.", f"{of.name} 的内容已丢失。")
    return data


def pictures(tx: Transaction, names: Mapping[str, str], record: str) -> None:
    """Field to attachment: each must be a picture on this record, none of them twice. They stay until the commit.
    Raises Invalid."""
    found = kept.of_names(tx, KIND, list(names.values()), lock=True)
    wrong = []
    bytes_of = [found[name].sha256 for name in names.values() if name in found]
    for field, name in names.items():
        of = found.get(name)
        if of is None or of.delete_time is not None or of.record != record:
            wrong.append((field, "is no attachment of this record", "不是该记录的附件"))
        elif not of.is_picture:
            wrong.append((field, "is no picture", "不是图片"))
        elif bytes_of.count(of.sha256) > 1:
            wrong.append((field, "must be a picture of its own", "不能与其他凭证使用同一图片"))
    if wrong:
        raise Invalid(wrong)


def of_record(tx: Transaction, names: Sequence[str], record: str, field: str) -> None:
    """Each must be an attachment of this record, all of them together no larger than one may be. Raises Invalid."""
    found = kept.of_names(tx, KIND, names)
    there = [one for one in found.values() if one.delete_time is None and one.record == record]
    if len(there) < len(set(names)):
        raise Invalid([(field, "has one that is no attachment of this record", "包含不属于该记录的附件")])
    if sum(one.size_bytes for one in there) > ActivitySettings().max_upload_bytes:
        raise Invalid([(field, "are too large together", "附件总大小超过限制")])


def unfit(
    tx: Transaction, names: Sequence[str], on: Sequence[str], kinds: Sequence[str], field: str
) -> list[tuple[str, str, str]]:
    """What is wrong with these as attachments of something about one of the records `on`: (field, English, Chinese).
    `kinds`: which there may be; empty: any."""
    there = [one for one in attached(tx, names) if one.record in on]
    if len(there) < len(set(names)):
        return [(field, "has one that is no attachment of this record", "包含不属于该记录的附件")]
    if kinds and any(one.kind not in kinds for one in there):
        return [(field, f"must be of the kinds: {', '.join(kinds)}", f"附件类型须为：{'、'.join(kinds)}")]
    return []


def attached(tx: Transaction, names: Sequence[str]) -> list[Attachment]:
    """Those of these that are there, whoever asks, in their order."""
    found = kept.of_names(tx, KIND, names)
    return [found[name] for name in names if name in found and found[name].delete_time is None]
