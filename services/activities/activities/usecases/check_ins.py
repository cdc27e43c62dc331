"""Check-ins: who was where, with a photo and the customer's signature (E7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from activities.domain.check_in import CheckIn
from activities.storage.files import check_ins
from activities.storage.tables import people
from activities.usecases import attachments, records, timeline
from activities.usecases.known import ADD
from activities.wire import entries, file_events, file_messages
from chassis import records as kept
from chassis.access import Principal, refuse_read_only
from chassis.columns import Column
from chassis.errors import NotFound
from chassis.transaction import Transaction

RESOURCE = "checkIns"
_c = check_ins.c
_COLUMNS = {
    **{name: Column(_c[name], "name") for name in ("record", "customer", "owner", "team")},
    **{name: Column(_c[name], "time", order=True) for name in ("happen_time", "create_time")},
}


def _also(principal: Principal) -> sa.ColumnElement[bool]:
    return records.visible(principal, _c.record)


def _announce(tx: Transaction, before: CheckIn | None, after: CheckIn | None) -> None:
    of = after or before
    assert of is not None
    there = after is not None and after.delete_time is None
    tx.emit(file_events.check_in_changed(of, deleted=not there))
    timeline.show(tx, entries.check_in(of), there)


KIND = kept.Kind(
    resource=RESOURCE,
    word="check_in",
    table=check_ins,
    type=CheckIn,
    columns=_COLUMNS,
    people=people,
    shown=file_messages.check_in,
    spelt={"latitude": "location", "longitude": "location"},
    order="happen_time desc",
    also=_also,
    announce=_announce,
)


def create(tx: Transaction, values: Mapping[str, Any]) -> CheckIn:
    """Raises NotFound for a record out of sight, Invalid for a photo or a signature that is none of it."""
    refuse_read_only(tx.principal, RESOURCE, [name for name, value in values.items() if value])
    tx.principal.require(RESOURCE, "write")
    of = records.require(tx, values["record"], ADD)
    _prove(tx, values, values["record"])
    made = CheckIn(
        **{
            **values,
            "name": KIND.new_name(),
            "customer": of.customer,
            "happen_time": values["happen_time"] or tx.now,
            "owner": tx.principal.person,
            "team": tx.principal.team,
            "version": 1,
            "create_time": tx.now,
            "update_time": tx.now,
            "delete_time": None,
        }
    )
    kept.create(tx, KIND, made, {"record": made.record})
    tx.emit(file_events.checked_in(made), time=made.happen_time)
    return made


def find(tx: Transaction, name: str, deleted: bool = False) -> CheckIn:
    """His own, and those on records that he sees."""
    found = kept.find(tx, KIND, name, deleted)
    if found.owner != tx.principal.person and not records.may_see(tx, found.record):
        raise NotFound(name)
    return found


def page(tx: Transaction, request: Any) -> tuple[list[CheckIn], str, int | None]:
    mine = _c.owner == tx.principal.person
    return kept.page(tx, KIND, request, within=sa.or_(mine, records.visible(tx.principal, _c.record)))


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> CheckIn:
    """Writes these values. Raises Stale, Denied, Invalid for a photo or a signature that is none of its record."""
    refuse_read_only(tx.principal, RESOURCE, list(values))
    find(tx, name)
    before = kept.hold(tx, KIND, name, etag)
    if {"photo", "signature"} & values.keys():
        _prove(tx, {"photo": before.photo, "signature": before.signature, **values}, before.record)
    return kept.save(tx, KIND, before, replace(before, **values))


def delete(tx: Transaction, name: str, etag: str) -> CheckIn:
    find(tx, name)
    return kept.delete(tx, KIND, name, etag)


def undelete(tx: Transaction, name: str) -> CheckIn:
    """Raises Invalid where a picture on which it rests was deleted meanwhile."""
    found = find(tx, name, deleted=True)
    _prove(tx, {"photo": found.photo, "signature": found.signature}, found.record)
    return kept.undelete(tx, KIND, name)


def _prove(tx: Transaction, shown: Mapping[str, Any], record: str) -> None:
    attachments.pictures(tx, {f"check_in.{field}": shown[field] for field in ("photo", "signature")}, record)
