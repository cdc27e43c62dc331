"""Working calendars: the company's, and others that a person may have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from chassis import ids
from chassis.access import refuse_read_only
from chassis.errors import NotFound, Refused, Stale, already_exists
from chassis.transaction import Transaction
from directory import wire
from directory.domain.hours import COMPANY, Calendar
from directory.storage import organisation as storage


def get(tx: Transaction, name: str, lock: bool = False) -> Calendar:
    found = storage.calendar(tx, name, lock)
    if found is None:
        raise NotFound(name)
    return found


def listing(tx: Transaction) -> list[Calendar]:
    return storage.every_calendar(tx)


def name_for(calendar_id: str, display_name: str) -> str:
    """The name of a new calendar: the id asked for, else the letters of the display name, else a new one."""
    letters = re.sub("[^a-z0-9]+", "-", display_name.lower()).strip("-")[:40].strip("-")
    return f"calendars/{calendar_id or letters or ids.new_id()}"


def create(tx: Transaction, calendar: Calendar) -> Calendar:
    """Raises already_exists for a taken id."""
    made = replace(calendar, version=storage.next_settings_version(tx))
    if not storage.add_calendar(tx, made):
        raise already_exists("calendar_id", made.id)
    tx.emit(wire.calendar_changed(made))
    tx.audit("calendar.created", made.name)
    return made


def update(tx: Transaction, before: Calendar, after: Calendar, paths: Sequence[str] = (), etag: str = "") -> Calendar:
    """`before` was read with a lock; `paths` are the fields that the caller names."""
    refuse_read_only(tx.principal, "calendars", paths)
    if etag and etag != before.etag:
        raise Stale(before.name)
    after = replace(after, version=before.version)
    if after == before:
        return before
    after = replace(after, version=storage.next_settings_version(tx))
    storage.save_calendar(tx, after)
    tx.emit(wire.calendar_changed(after))
    tx.audit("calendar.changed", after.name)
    return after


def delete(tx: Transaction, name: str, etag: str = "") -> None:
    """Raises CALENDAR_IN_USE while a person has it, and for the company's."""
    before = get(tx, name, lock=True)
    if etag and etag != before.etag:
        raise Stale(name)
    if in_use(tx, name):
        raise Refused("CALENDAR_IN_USE", "The calendar is in use.", "该日历正在使用。")
    storage.delete_calendar(tx, name)
    gone = replace(before, version=storage.next_settings_version(tx))
    tx.emit(wire.calendar_changed(gone, deleted=True))
    tx.audit("calendar.deleted", name)


def in_use(tx: Transaction, name: str) -> bool:
    return name == COMPANY or storage.calendar_in_use(tx, name)
