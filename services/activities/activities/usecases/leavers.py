"""What one who left had still to do goes to whoever has the record that it is about, or to his manager (C16). While the
record itself waits to be handed over, so do the tasks about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from activities.domain.known import Known
from activities.domain.notice import Kind, Told, Words
from activities.domain.task import Task
from activities.storage import known as stored
from activities.storage import tasks as table
from activities.storage.tables import people as people_table
from activities.usecases import notices
from activities.usecases.kinds import TASKS
from chassis import people, records
from chassis.people import Person
from chassis.transaction import Transaction


def left(tx: Transaction, gone: Sequence[Person]) -> None:
    """These people left."""
    _settle(tx, table.open_of(tx, [one.name for one in gone]))


def follow(tx: Transaction, names: Sequence[str]) -> None:
    """These records, which the caller holds, may be others' now."""
    _settle(tx, table.open_of_leavers(tx, names))


def _settle(tx: Transaction, waiting: Sequence[Task]) -> None:
    heirs = heirs_of(tx, [(task.owner, task.record) for task in waiting])
    changes = []
    for task in waiting:
        heir = heirs[task.owner, task.record]
        # What comes with the ownership of a lead goes with that.
        if heir is not None and not task.is_of_lead:
            changes.append((task, replace(task, owner=heir.name, team=heir.team)))
    notices.tell(tx, [_told(tx, task) for task in records.save_all(tx, TASKS, changes, "assigned") if task.owner])


def heirs_of(tx: Transaction, of: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Person | None]:
    """Who is to do what somebody who left was to do about a record, by (leaver, record): without a name his whole team;
    None while the record waits for a new owner, or where nobody is known."""
    about = _about(tx, {record for _, record in of if record})
    leavers = _people(tx, {leaver for leaver, _ in of})
    known = _people(tx, {one.owner for one in about.values()} | {one.manager for one in leavers.values()})
    return {(leaver, record): _heir(leavers.get(leaver), about.get(record), known) for leaver, record in of}


def _heir(leaver: Person | None, about: Known | None, known: Mapping[str, Person]) -> Person | None:
    if leaver is None or (about is not None and about.owner == leaver.name):
        return None
    for name in (about.owner if about else "", leaver.manager):
        found = known.get(name)
        if found is not None and found.active:
            return found
    return Person("", "", leaver.team, "", "", True, 0) if leaver.team else None


def _about(tx: Transaction, names: set[str]) -> dict[str, Known]:
    """By record the one whose owner counts: its own, and of what has none, of a lead that became a customer, or of a
    customer that was merged, the customer's."""
    found = stored.hold(tx, sorted(names))
    through = {one.name: one.customer for one in found.values() if one.customer not in ("", one.name)}
    through = {name: of for name, of in through.items() if found[name].is_customers}
    firms = stored.find(tx, sorted(through.values()))
    return {name: firms.get(through.get(name, ""), one) for name, one in found.items()}


def _people(tx: Transaction, names: set[str]) -> dict[str, Person]:
    return {one.name: one for one in people.find_all(tx, people_table, sorted(names - {""}))}


def _told(tx: Transaction, task: Task) -> Told:
    """The same key as of any task that becomes somebody's: he is told once."""
    words = Words(
        "离职同事的任务已转给您", "A task of a colleague who left is yours", task.title, task.title_en or task.title
    )
    actor = tx.causes[0].actor if tx.causes else ""
    return Told(task.owner, Kind.TASK_ASSIGNED, task.name, words, actor, f"task {task.name}")
