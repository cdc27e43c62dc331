"""What a new system holds: five roles, a calendar that is always open; embedded, also who may sign in first."""

from __future__ import annotations

from dataclasses import replace

from chassis import ids
from chassis.transaction import Transaction
from directory import wire
from directory.domain import rights
from directory.domain.hours import COMPANY, Calendar
from directory.domain.people import Person
from directory.storage import organisation
from directory.storage import people as storage
from directory.usecases import people
from directory.usecases.passwords import hashed
from directory.usecases.settings import settings


def seed(tx: Transaction) -> None:
    """The five roles and the company's calendar, where they are missing. Harmless when repeated."""
    known = {role.id for role in organisation.every_role(tx)}
    missing = [role for role in rights.default_roles() if role.id not in known]
    if missing:
        version = organisation.next_settings_version(tx)
        added = organisation.add_roles(tx, [replace(role, version=version) for role in missing])
        for role in missing:
            if role.id in added:
                tx.emit(wire.role_changed(replace(role, version=version)))
                tx.audit("role.created", role.name)
    if organisation.calendar(tx, COMPANY) is None:
        calendar = Calendar(COMPANY, "公司 Company", settings().company_time_zone)
        calendar = replace(calendar, version=organisation.next_settings_version(tx))
        if organisation.add_calendar(tx, calendar):
            tx.emit(wire.calendar_changed(calendar))
            tx.audit("calendar.created", COMPANY)


def needed(tx: Transaction) -> bool:
    """Whether nobody is there yet, so that `first_start` has something to do."""
    return not storage.any_person(tx)


def first_start(tx: Transaction, admin_password: str) -> bool:
    """Adds the person `admin` and one sample salesperson to a system without people; whether it did.

    Raises Invalid for a password under 10 characters.
    """
    if not needed(tx):
        return False
    password_hash = hashed(wire.checked_password(admin_password, "DEALWRIGHT_ADMIN_PASSWORD"))
    for login, display_name, role, stored in (
        ("admin", "管理员 Administrator", rights.ADMIN, password_hash),
        ("sample", "示例销售 Sample", rights.SALES, ""),
    ):
        person = Person(f"people/{ids.new_id()}", display_name, login, role, created_at=tx.now, updated_at=tx.now)
        if storage.add_person(tx, person, stored):
            people.announce_new(tx, person)
            tx.audit("person.created", person.name, {"role": role})
    return True
