"""The people whom the directory told of, and who may write in whose name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from activities.storage.tables import people as people_table
from chassis import people
from chassis.access import Scope
from chassis.errors import Denied, Invalid
from chassis.people import Person
from chassis.transaction import Transaction


def know(tx: Transaction, told: Sequence[Person]) -> list[Person]:
    """Keeps the newest state of each. Returns those who left."""
    return people.know(tx, people_table, told)


def active(tx: Transaction, names: Iterable[str]) -> dict[str, Person]:
    """Those of these people who are with us. Who signed in is, whether or not we have heard of him."""
    found = {one.name: one for one in people.find_all(tx, people_table, sorted(set(names))) if one.active}
    caller = tx.principal
    if caller.person and caller.person not in found:
        found[caller.person] = Person(caller.person, "", caller.team, "", caller.role, True, 0)
    return found


def unknown(wanted: Sequence[str], found: Iterable[str], field: str) -> list[tuple[str, str, str]]:
    """What is wrong where one of them is not with us: (field, English, Chinese)."""
    there = set(found)
    wrong = [name for name in wanted if name and name not in there]
    return [(field, f"{wrong[0]} is not known, or has left", f"{wrong[0]} 不存在或已离职")] if wrong else []


def require(tx: Transaction, wanted: Sequence[str], field: str) -> dict[str, Person]:
    """These people, all of them active. Raises Invalid."""
    found = active(tx, wanted)
    wrong = unknown(wanted, found, field)
    if wrong:
        raise Invalid(wrong)
    return found


def write_for(tx: Transaction, resource: str, owner: Person) -> None:
    """Raises Denied for somebody in whose name the caller may not write: others than himself only where his right
    reaches them."""
    caller = tx.principal
    scope = caller.require(resource, "write")
    if owner.name == caller.person or scope is Scope.ALL:
        return
    if scope is not Scope.TEAM or owner.team not in (caller.teams or ("",)):
        raise Denied(f"{resource}.owner.write")
