"""Our part of the blueprint: roles and calendars, read, compared and applied as one."""

from __future__ import annotations

from dataclasses import replace

from google.protobuf.struct_pb2 import Struct

from chassis.errors import Invalid, Stale
from chassis.transaction import Transaction
from dealwright.blueprint.v1 import blueprint_pb2
from directory.domain.hours import Calendar
from directory.domain.rights import Role
from directory.storage import organisation as storage
from directory.usecases import calendars, roles
from directory.usecases.settings import settings
from directory.wire import part as wire


def part(tx: Transaction) -> blueprint_pb2.Part:
    content = wire.plain(storage.every_role(tx), storage.every_calendar(tx))
    return wire.message(content, storage.settings_version(tx))


def _read(
    tx: Transaction, content: Struct, old_roles: list[Role], old_calendars: list[Calendar]
) -> tuple[list[Role], list[Calendar]]:
    """How both stand after the part. Calendars that it leaves out are deleted, those that it names come back if they
    were; roles stay. Raises Invalid."""
    wanted = wire.read(content, settings().company_time_zone)
    new_roles, new_calendars = old_roles, old_calendars
    if wanted.roles is not None:
        asked = wanted.roles
        new_roles = [
            replace(r, display_name=asked[r.id][0], grants=asked[r.id][1]) if r.id in asked else r for r in old_roles
        ]
    if wanted.calendars is not None:
        new_calendars = sorted(wanted.calendars.values(), key=lambda c: c.name)
        kept = {c.name for c in new_calendars}
        wrong = [
            (f"calendars.{c.id}", "is in use and cannot be left out", "正在使用，不能省略")
            for c in old_calendars
            if c.name not in kept and calendars.in_use(tx, c.name)
        ]
        if wrong:
            raise Invalid(wrong)
    return new_roles, new_calendars


def plan(tx: Transaction, content: Struct) -> blueprint_pb2.PlanPartResponse:
    """What would change; nothing is written."""
    old_roles, old_calendars = storage.every_role(tx), storage.every_calendar(tx)
    new_roles, new_calendars = _read(tx, content, old_roles, old_calendars)
    roles.require_an_administrator(tx, old_roles, new_roles)
    return blueprint_pb2.PlanPartResponse(
        changes=wire.changes(wire.plain(old_roles, old_calendars), wire.plain(new_roles, new_calendars)),
        version=storage.settings_version(tx),
    )


def apply(tx: Transaction, content: Struct, expected_version: int) -> blueprint_pb2.Part:
    """All of it or nothing. Raises Stale when the part changed since it was read, Denied for what the caller could
    not change by its own method either: nobody gets the rights of another role by way of the blueprint."""
    old_roles = storage.every_role(tx, lock=True)
    known = {c.name: c for c in storage.every_calendar(tx, lock=True, deleted=True)}
    old_calendars = [c for c in known.values() if c.delete_time is None]
    if storage.settings_version(tx) != expected_version:
        raise Stale("blueprint")
    new_roles, new_calendars = _read(tx, content, old_roles, old_calendars)
    roles.require_an_administrator(tx, old_roles, new_roles)
    if new_roles != old_roles:
        tx.principal.require("roles", "write")
    if {c.name: c for c in new_calendars} != {c.name: c for c in old_calendars}:
        tx.principal.require("calendars", "write")
    for before, after in zip(old_roles, new_roles, strict=True):
        roles.save(tx, before, after.display_name, after.grants)
    for calendar in new_calendars:
        if calendar.name in known:
            calendars.update(tx, known.pop(calendar.name), calendar)
        else:
            calendars.create(tx, calendar)
    for left_out in known.values():
        if left_out.delete_time is None:
            calendars.delete(tx, left_out.name)
    return part(tx)
