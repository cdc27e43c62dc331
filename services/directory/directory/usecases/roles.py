"""Roles: five, their rights are data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chassis.errors import NotFound, Stale
from chassis.transaction import Transaction
from directory import wire
from directory.domain import rights
from directory.domain.rights import Grant, Role
from directory.storage import organisation as storage
from directory.storage import people as people_storage
from directory.usecases.people import last_administrator


def get(tx: Transaction, name: str) -> Role:
    found = storage.role(tx, name.removeprefix("roles/"))
    if found is None:
        raise NotFound(name)
    return found


def listing(tx: Transaction) -> list[Role]:
    return storage.every_role(tx)


def update(tx: Transaction, name: str, display_name: str | None, grants: Sequence[Grant] | None, etag: str) -> Role:
    """None leaves a value as it is. Raises LAST_ADMINISTRATOR when nobody could change roles any more."""
    every = storage.every_role(tx, lock=True)
    before = get(tx, name)
    if etag and etag != before.etag:
        raise Stale(name)
    shown = before.display_name if display_name is None else display_name
    rights_of = before.grants if grants is None else tuple(grants)
    after = replace(before, display_name=shown, grants=rights_of)
    require_an_administrator(tx, every, [after if r.id == after.id else r for r in every])
    return save(tx, before, shown, rights_of)


def save(tx: Transaction, before: Role, display_name: str, grants: tuple[Grant, ...]) -> Role:
    """The caller holds all roles and has made sure of an administrator."""
    after = replace(before, display_name=display_name, grants=grants)
    if after == before:
        return before
    after = replace(after, version=storage.next_settings_version(tx))
    storage.save_role(tx, after)
    tx.emit(wire.role_changed(after))
    tx.audit("role.changed", after.name, {"grants": [g.resource for g in after.grants]})
    return after


def require_an_administrator(tx: Transaction, before: Sequence[Role], after: Sequence[Role]) -> None:
    """Raises LAST_ADMINISTRATOR when no role, or nobody who works here, could change roles any more."""
    holders = people_storage.active_role_ids(tx)
    had = rights.administrators(holders, before)
    if not any(r.administers for r in after) or (had and not rights.administrators(holders, after)):
        raise last_administrator()
