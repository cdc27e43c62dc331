"""Working calendars: the company's, and others that a person may have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from chassis import ids
from chassis.access import refuse_read_only
from chassis.errors import NotFound, Refused, Stale, already_exists, not_deleted
from chassis.records import KEPT_DELETED
from chassis.transaction import Transaction
from directory import wire
from directory.domain.hours import COMPANY, Calendar
from directory.storage import organisation as storage


def get(tx: Transaction, name: str, lock: bool = False, deleted: bool = False) -> Calendar:
    """`deleted`: one that was deleted will do, too."""
    found = storage.calendar(tx, name, lock, deleted=deleted)
    if found is None:
        raise NotFound(name)
    return found


def listing(tx: Transaction, deleted: bool = False) -> list[Calendar]:
    return storage.every_calendar(tx, deleted=deleted)


def name_for(calendar_id: str, display_name: str) -> str:
    """The name of a new calendar: the id asked for, else the letters of the display name, else a new one."""
    letters = re.sub("[^a-z0-9]+", "-", display_name.lower()).strip("-")[:40].strip("-")
    return f"calendars/{calendar_id or letters or ids.new_id()}"


def create(tx: Transaction, calendar: Calendar) -> Calendar:
    """Raises already_exists for a taken id."""
    made = replace(calendar, version=storage.next_settings_version(tx))
    if not storage.add_calendar(tx, made):
        known = storage.calendar(tx, made.name)
        raise already_exists("calendar_id", made.id, deleted=known is None)
    tx.emit(wire.calendar_changed(made))
    tx.audit("calendar.created", made.name)
    return made


def update(tx: Transaction, before: Calendar, after: Calendar, paths: Sequence[str] = (), etag: str = "") -> Calendar:
    """`before` was read with a lock; one that was deleted comes back. `paths` are the fields that the caller names."""
    refuse_read_only(tx.principal, "calendars", paths)
    if etag and etag != before.etag:
        raise Stale(before.name)
    after = replace(after, version=before.version)
    if after == before:
        return before
    return _save(tx, after, "calendar.changed")


def delete(tx: Transaction, name: str, etag: str = "") -> Calendar:
    """For 30 days it can be brought back. Raises CALENDAR_IN_USE while a person has it, and for the company's."""
    before = get(tx, name, lock=True)
    if etag and etag != before.etag:
        raise Stale(name)
    if in_use(tx, name):
        raise Refused("CALENDAR_IN_USE", "The calendar is in use.", "该日历正在使用。")
    return _save(tx, replace(before, delete_time=tx.now), "calendar.deleted")


def undelete(tx: Transaction, name: str) -> Calendar:
    """Raises NotFound after 30 days, NOT_DELETED for one that is there."""
    before = get(tx, name, lock=True, deleted=True)
    if before.delete_time is None:
        raise not_deleted(name)
    return _save(tx, replace(before, delete_time=None), "calendar.undeleted")


def purge(tx: Transaction) -> bool:
    """Ends what was deleted 30 days ago for good; there is no more of it then."""
    for name in storage.end_calendars(tx, tx.now - KEPT_DELETED):
        tx.audit("calendar.purged", name)
    return False


def _save(tx: Transaction, calendar: Calendar, action: str) -> Calendar:
    after = replace(calendar, version=storage.next_settings_version(tx))
    storage.save_calendar(tx, after)
    tx.emit(wire.calendar_changed(after))
    tx.audit(action, after.name)
    return after


def in_use(tx: Transaction, name: str) -> bool:
    return name == COMPANY or storage.calendar_in_use(tx, name)
