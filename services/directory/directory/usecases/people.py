"""Adding, reading and changing people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields as dataclass_fields
from typing import Any

import sqlalchemy as sa

from chassis import ids, paging
from chassis.access import Scope, refuse_read_only
from chassis.errors import Denied, Invalid, NotFound, Refused, Stale, already_exists
from chassis.fields import region
from chassis.paging import Column
from chassis.transaction import Transaction
from dealwright.directory.v1.directory_pb2 import ListPeopleRequest
from dealwright.directory.v1.directory_pb2 import Person as Message
from directory import wire
from directory.domain import rights
from directory.domain.people import LEFT, Person, changed, manager_chain_has
from directory.domain.teams import manager_of
from directory.storage import organisation, sign_in
from directory.storage import people as storage
from directory.storage.tables import people
from directory.usecases import sessions

_OF_WORK = frozenset({"presence", "open_limit", "day_limit"})

# --- who may see and change whom ---


def visible(tx: Transaction) -> sa.ColumnElement[bool]:
    """Criteria for the people whom the caller may see."""
    principal = tx.principal
    scope = principal.scope("people", "read")
    if scope is Scope.ALL:
        return sa.true()
    if scope is Scope.TEAM:
        return sa.or_(people.c.name == principal.person, people.c.team.in_(principal.teams or ("",)))
    return people.c.name == principal.person


def get(tx: Transaction, name: str, lock: bool = False) -> Person:
    """Raises NotFound where there is none that the caller may see."""
    found = storage.people_where(tx, sa.and_(people.c.name == name, visible(tx)), lock)
    if not found:
        raise NotFound(name)
    return found[0]


def require_rank(tx: Transaction, role_id: str) -> None:
    """Nobody hands out a role with rights beyond his own, nor takes over the account of one who has it."""
    role = organisation.role(tx, role_id)
    if role and rights.exceeds(role, lambda resource, verb: int(tx.principal.scope(resource, verb))):
        raise Denied("roles.write")


def require_writable(tx: Transaction, person: Person, values: Iterable[str] = ("",)) -> None:
    """Raises Denied unless the caller's right to write people covers this one, and a change of these values of Person.

    Who may take how much work a manager says of his team, whatever rights they have beside.
    """
    scope = tx.principal.require("people", "write")
    mine = person.name == tx.principal.person
    in_team = person.team in tx.principal.teams
    if not (scope is Scope.ALL or mine or (scope is Scope.TEAM and in_team)):
        raise Denied("people.write")
    if not _OF_WORK.issuperset(values):
        require_rank(tx, person.role)


# --- commands ---


def create(tx: Transaction, values: Mapping[str, Any], password_hash: str) -> Person:
    """`values` as wire.read_new_person gives them. Raises already_exists for a taken login."""
    now = tx.now
    values = {k: v for k, v in values.items() if k != "password"}
    defaults = {f.name: f.default for f in dataclass_fields(Person)}
    refuse_read_only(tx.principal, "people", _paths(k for k, v in values.items() if v != defaults[k]))
    person = Person(name=f"people/{ids.new_id()}", created_at=now, updated_at=now, **values)
    if person.state == LEFT:
        raise Invalid([("person.state", "a new person is ACTIVE", "新人员必须为在职")])
    require_writable(tx, person)
    _check_references(tx, person, tuple(values))
    if not storage.add_person(tx, person, password_hash):
        raise already_exists("login", person.login)
    _announce(tx, None, person)
    tx.audit("person.created", person.name, {"role": person.role})
    return person


def update(tx: Transaction, name: str, values: Mapping[str, Any], etag: str, password_hash: str) -> Person:
    """`values` as wire.read_person gives them. `password_hash` not empty sets the password and ends the sessions."""
    before = get(tx, name, lock=True)
    require_writable(tx, before, values)
    if etag and etag != before.etag:
        raise Stale(name)
    refuse_read_only(tx.principal, "people", _paths(values))
    after = changed(before, {k: v for k, v in values.items() if k != "password"}, tx.now)
    if after.state == LEFT and "presence" in values and values["presence"] != after.presence:
        raise _has_left()
    if after is not before:
        require_writable(tx, after, values)
        fields = [f for f in values if f != "password" and getattr(before, f) != getattr(after, f)]
        _check_references(tx, after, fields)
        if after.login and storage.login_taken(tx, after.login, name):
            raise already_exists("login", after.login)
        keep_an_administrator(tx, before, after)
        storage.save_person(tx, after)
        _announce(tx, before, after)
        tx.audit("person.changed", name, {"fields": sorted(fields)})
    if password_hash:
        storage.set_password(tx, name, password_hash)
        sessions.end_all(tx, name, but=tx.principal.session)
        sign_in.drop_tokens(tx, name)
        tx.audit("password.set", name)
    return after


def set_presence(tx: Transaction, name: str, presence: str) -> Person:
    """One's own, or another's with the right to write people."""
    mine = tx.principal.person == name
    before = storage.person(tx, name, lock=True) if mine else get(tx, name, lock=True)
    if before is None:
        raise NotFound(name)
    if not mine:
        require_writable(tx, before, ("presence",))
        refuse_read_only(tx.principal, "people", ["presence"])
    if not before.active:
        raise _has_left()
    after = changed(before, {"presence": presence}, tx.now)
    if after is not before:
        storage.save_person(tx, after)
        _announce(tx, before, after)
        tx.audit("person.presence", name, {"presence": presence})
    return after


def _paths(values: Iterable[str]) -> list[str]:
    """The fields of the message that these values belong to, which field rights speak of."""
    parts = {"open_limit": "capacity", "day_limit": "capacity", "latitude": "location", "longitude": "location"}
    return sorted({parts.get(value, value) for value in values})


def _has_left() -> Refused:
    return Refused("PERSON_LEFT", "This person has left.", "该人员已离职。")


# --- what must hold ---


def keep_an_administrator(tx: Transaction, before: Person, after: Person) -> None:
    """Raises LAST_ADMINISTRATOR when the change would leave nobody who could repair rights."""
    if before.active and (before.role != after.role or not after.active):
        # All roles are held, so that two administrators who leave at once do not both see the other.
        roles = organisation.every_role(tx, lock=True)
        others = storage.active_role_ids(tx, but=before.name)
        was = rights.administrators([*others, before.role], roles)
        if was and not rights.administrators([*others, *([after.role] if after.active else [])], roles):
            raise last_administrator()


def last_administrator() -> Refused:
    return Refused(
        "LAST_ADMINISTRATOR",
        "Nobody could administer people and roles any more.",
        "这样将没有人能够管理人员和角色。",
    )


def _check_references(tx: Transaction, person: Person, fields: tuple[str, ...] | list[str]) -> None:
    wrong: list[tuple[str, str, str]] = []

    def unknown(field: str) -> None:
        wrong.append((f"person.{field}", f"{getattr(person, field)} was not found", f"找不到 {getattr(person, field)}"))

    if "role" in fields and organisation.role(tx, person.role) is None:
        unknown("role")
    # Who comes back may have been in a team that was deleted since.
    placed = person.team and ("team" in fields or "state" in fields)
    if placed and organisation.team(tx, person.team, share=True) is None:
        unknown("team")
    if "calendar" in fields and person.calendar and organisation.calendar(tx, person.calendar, share=True) is None:
        unknown("calendar")
    if "manager" in fields and person.manager:
        manager = storage.person(tx, person.manager)
        if manager is None:
            unknown("manager")
        elif not manager.active:
            wrong.append(("person.manager", "has left", "已离职"))
        elif manager_chain_has(person.manager, person.name, storage.managers(tx)):
            wrong.append(("person.manager", "would manage himself", "不能成为自己的上级"))
    if wrong:
        raise Invalid(wrong)


def announce_new(tx: Transaction, person: Person) -> None:
    _announce(tx, None, person)


def announce_presence(tx: Transaction, before: Person, after: Person) -> None:
    _announce(tx, before, after)


def _announce(tx: Transaction, before: Person | None, after: Person) -> None:
    """State first, then what happened."""
    tx.emit(wire.person_changed(after, superior(tx, after)))
    if before is None or before.presence != after.presence:
        tx.emit(wire.presence_changed(after))
    if before is not None and before.active and not after.active:
        _leave(tx, after)


def superior(tx: Transaction, person: Person) -> str:
    """Whom reminders about this person escalate to: his own manager, or his team's."""
    if person.manager or not person.team:
        return person.manager
    return manager_of(person.team, person.name, organisation.every_team(tx))


def _leave(tx: Transaction, person: Person) -> None:
    sessions.end_all(tx, person.name)
    sign_in.drop_tokens(tx, person.name)
    tx.emit(wire.person_left(person.name, superior(tx, person)))
    tx.audit("person.left", person.name)


_LISTED = {
    "name": Column(people.c.name, "name"),
    "display_name": Column(people.c.display_name, "text", order=True),
    "login": Column(people.c.login, "text", order=True, normalise=str.lower),
    "role": Column(people.c.role, "text"),
    "team": Column(people.c.team, "name"),
    "region": Column(people.c.region, "text", normalise=region),
    "state": Column(people.c.state, "enum", enum=Message.State.DESCRIPTOR),
    "presence": Column(people.c.presence, "enum", enum=Message.Presence.DESCRIPTOR),
    "create_time": Column(people.c.created_at, "time", order=True),
}


def listing(tx: Transaction, request: ListPeopleRequest) -> tuple[list[Person], str, int]:
    """A page of the people whom the caller may see, the next page's token, and how many there are."""
    page = paging.listing(
        tx,
        sa.select(*storage.COLUMNS).where(visible(tx)),
        _LISTED,
        request,
        "create_time",
        people.c.name,
        hidden=tx.principal.grant("people").hidden,
        count=True,
    )
    return [storage.person_of(row) for row in page.rows], page.next_page_token, page.total or 0
