"""Tasks that no person wrote: of a visit to come, a new lead, a part of a deal, a rule. The same origin makes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from activities.domain.follow_up import FollowUp, Outcome
from activities.domain.known import Known
from activities.domain.task import Automatic, Owned, Status, Task, TaskKind
from activities.storage import known as stored
from activities.storage import tasks as table
from activities.storage.tables import people as people_table
from activities.usecases import leavers, mentions, settings
from activities.usecases.kinds import TASKS
from chassis import people, records
from chassis.people import Person
from chassis.transaction import Transaction


def add(
    tx: Transaction, wanted: Sequence[Automatic], held: Mapping[str, Known] | None = None, over: str | None = None
) -> list[Task]:
    """Makes those of them that there were not yet. `held`: the records that they are about, if the caller has them.
    What is for somebody who left is his who does the rest of what he had to do. With `over`, the reason, they are
    cancelled from the beginning."""
    if not wanted:
        return []
    if held is None:
        held = stored.hold(tx, [one.record for one in wanted if one.record])
    known = {one.name: one for one in people.find_all(tx, people_table, sorted({one.owner for one in wanted}))}
    if gone := [one for one in wanted if one.owner in known and not known[one.owner].active]:
        heirs = leavers.heirs_of(tx, [(one.owner, one.record) for one in gone])
        known |= {one.owner: heir for one in gone if (heir := heirs[one.owner, one.record])}
    every = [_task(tx, one, held.get(one.record), known.get(one.owner)) for one in wanted]
    if over is not None:
        every = [replace(one, status=Status.CANCELLED, result=over) for one in every]
    made = table.add_once(tx, every)
    for one in made:
        tx.audit("task.created", one.name, {"origin": one.origin})
        TASKS.announce(tx, None, one)
    return made


def _task(tx: Transaction, one: Automatic, record: Known | None, owner: Person | None) -> Task:
    return Task(
        name=TASKS.new_name(),
        kind=one.kind,
        title=one.title,
        title_en=one.title_en,
        detail=one.detail,
        status=Status.OPEN,
        record=one.record,
        customer=record.customer if record else "",
        opportunity=record.opportunity if record else "",
        parent="",
        owner=owner.name if owner else one.owner,
        team=owner.team if owner else one.team,
        creator=one.creator or f"services/{tx.service}",
        due_time=one.due_time,
        part=one.part,
        deliverable=one.deliverable,
        mentions=[],
        attachments=[],
        done_time=None,
        result="",
        custom=None,
        origin=one.origin,
        version=1,
        create_time=tx.now,
        update_time=tx.now,
    )


def finish(tx: Transaction, before: Task, status: Status, result: str = "") -> Task:
    """Ends a task that the caller holds: it is cancelled, or something else tells that it is done."""
    return finish_all(tx, [before], status, result)[0]


def finish_all(tx: Transaction, tasks: Sequence[Task], status: Status, result: str = "") -> list[Task]:
    done = status is Status.DONE
    changes = [
        (task, replace(task, status=status, result=result or task.result, done_time=tx.now if done else None))
        for task in tasks
    ]
    return records.save_all(tx, TASKS, changes, "completed" if done else "cancelled")


# --- a visit to come (F7) ---


# Why the task of a visit is cancelled by itself.
_NO_REVISIT = "跟进已删除或不再需要回访 The follow-up was deleted, or asks for no visit any more"


def revisits(tx: Transaction, logged: Sequence[FollowUp]) -> None:
    add(tx, [_revisit(one) for one in logged if _wants_revisit(one)])


def _wants_revisit(one: FollowUp) -> bool:
    return one.outcome == Outcome.REVISIT and one.next_time is not None and one.delete_time is None


def _revisit(one: FollowUp) -> Automatic:
    about = one.next_plan or one.summary
    return Automatic(
        origin=f"revisit/{one.name}",
        title=f"回访：{about[:100]}" if about else "回访",
        title_en=f"Follow up again: {about[:100]}" if about else "Follow up again",
        owner=one.next_owner or one.owner,
        record=one.record,
        kind=TaskKind.REVISIT,
        detail=one.next_plan,
        due_time=one.next_time,
        creator=one.owner,
    )


def revisit_changed(tx: Transaction, one: FollowUp) -> None:
    """The task of a follow-up that was changed, deleted or brought back."""
    origin = f"revisit/{one.name}"
    known = table.of_origins(tx, [origin]).get(origin)
    if known is None:
        revisits(tx, [one])
        return
    if not _wants_revisit(one):
        if not known.is_closed:
            finish(tx, known, Status.CANCELLED, _NO_REVISIT)
        return
    wanted = _task(tx, _revisit(one), None, None)
    # What a person closed stays so.
    back = known.status == Status.CANCELLED and known.result == _NO_REVISIT
    if back or not known.is_closed:
        teams = people.teams(tx, people_table, [wanted.owner])
        same = {name: getattr(wanted, name) for name in ("title", "title_en", "detail", "due_time", "owner")}
        if back:
            same.update(status=Status.OPEN, result="")
        after = replace(known, **same, team=teams.get(wanted.owner, known.team))
        records.save(tx, TASKS, known, after, "reopened" if back else "changed")


# --- a new lead (L12, L20) ---


def leads_owned(tx: Transaction, owned: Sequence[Owned], leads: Mapping[str, Known]) -> None:
    """Whoever has the lead now gets a task, and nobody else has one any more. `leads` are as they are now, held."""
    rules = settings.document(tx, "tasks")
    if rules["leadTask"]:
        now = [one for one in owned if _stands(one, leads[one.lead])]
        add(tx, [_lead_task(one, rules["leadHours"]) for one in now], leads)
    before = [(one.lead, version) for one in owned for version in (one.owner_version - 2, one.owner_version - 1)]
    settle_leads(tx, before, Status.CANCELLED)


def _stands(one: Owned, lead: Known) -> bool:
    """Whether the ownership is the present one, and nobody was in touch yet."""
    return lead.version == one.owner_version > lead.answered and not lead.deleted


def _lead_origin(lead: str, owner_version: int) -> str:
    return f"{lead}/{owner_version}"


def _lead_task(one: Owned, hours: int) -> Automatic:
    zh, en = one.words(hours)
    return Automatic(
        origin=_lead_origin(one.lead, one.owner_version),
        title=zh,
        title_en=en,
        owner=one.owner,
        record=one.lead,
        due_time=one.due(hours),
    )


def leads_due(tx: Transaction, clocks: Sequence[tuple[str, int, datetime]]) -> None:
    """(lead, owner version, until when to respond): the clock of an ownership became known after it began."""
    due = {_lead_origin(lead, version): time for lead, version, time in clocks}
    waiting = [(origin, task) for origin, task in table.of_origins(tx, list(due)).items() if not task.is_closed]
    records.save_all(tx, TASKS, [(task, replace(task, due_time=due[origin])) for origin, task in waiting])


def settle_leads(tx: Transaction, ended: Sequence[tuple[str, int]], status: Status) -> None:
    """Ends the open tasks of these ownerships (lead, owner version)."""
    found = table.of_origins(tx, [_lead_origin(lead, version) for lead, version in ended if version > 0])
    finish_all(tx, [task for task in found.values() if not task.is_closed], status)


def forget(tx: Transaction, record: str) -> None:
    """What the system wanted done about a record is gone with it."""
    for task in table.on_record(tx, record):
        table.remove(tx, task.name)
        tx.audit("task.purged", task.name)
        TASKS.announce(tx, task, None)


# --- asked for by others ---


def requested(tx: Transaction, wanted: Automatic, mention: Sequence[str] = ()) -> None:
    """A task that another service asks for; a collaborator's has its due time from the company's settings unless it
    brings one, and asking again for a part that was cancelled, or came back to the deal's owner, makes it his again."""
    if wanted.kind == TaskKind.COLLABORATION and wanted.due_time is None:
        days = settings.document(tx, "tasks")["collaborationDays"]
        wanted = replace(wanted, due_time=tx.now + timedelta(days=days))
    made = add(tx, [wanted])
    for one in made:
        mentions.named(tx, one.name, list(mention), one.record, one.title)
    if not made and wanted.kind == TaskKind.COLLABORATION:
        _asked_again(tx, wanted)


def taken_back(tx: Transaction, wanted: Automatic, result: str) -> None:
    """Whoever asked for it does not want it any more, in whatever order we hear of the two: a task of which we hear
    afterwards is cancelled already."""
    add(tx, [wanted], over=result)
    known = table.of_origins(tx, [wanted.origin]).get(wanted.origin)
    if known is not None and not known.is_closed:
        finish(tx, known, Status.CANCELLED, result)


def _asked_again(tx: Transaction, wanted: Automatic) -> None:
    before = table.of_origins(tx, [wanted.origin]).get(wanted.origin)
    if before is None or before.is_done:
        return
    cancelled = before.status == Status.CANCELLED
    deal = stored.find(tx, [wanted.record]).get(wanted.record)
    came_back = deal is not None and before.owner == deal.owner != wanted.owner
    if cancelled or came_back:
        anew = {name: getattr(wanted, name) for name in ("detail", "deliverable", "due_time", "creator", "owner")}
        teams = people.teams(tx, people_table, [wanted.owner]) if wanted.owner else {}
        after = replace(before, status=Status.OPEN, result="", team=teams.get(wanted.owner, wanted.team), **anew)
        records.save(tx, TASKS, before, after, "reopened" if cancelled else "assigned")
