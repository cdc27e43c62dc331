"""Parts of a deal that come back: whoever sees it no more works on it no more, and its owner sees to the rest (O33)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from activities.domain.known import Known
from activities.domain.notice import Kind, Told, Words
from activities.domain.task import Task
from activities.storage import follow_ups
from activities.storage import known as stored
from activities.storage import tasks as table
from activities.storage.tables import people as people_table
from activities.usecases import notices
from activities.usecases.kinds import TASKS
from chassis import people, records
from chassis.transaction import Transaction


def ended(tx: Transaction, opportunity: str, gone: Collection[str]) -> None:
    """These people and teams do not work on it any more, or see it no more by a share: what they had still to do is the
    owner's, or where there is none his team's. Who sees it all the same, as a collaborator or by a share, goes on."""
    deal = stored.find(tx, [opportunity]).get(opportunity)
    if deal is None or not (deal.owner or deal.team):
        return
    waiting = [task for task in table.open_parts(tx, opportunity) if {task.owner, task.team} & {*gone}]
    staying = stored.collaborators_of(tx, [opportunity])[opportunity] | stored.shared_with(tx, opportunity)
    staying.add(deal.owner)
    teams = people.teams(tx, people_table, sorted({task.owner for task in waiting if task.owner}))
    back = [task for task in waiting if not _stays(task, teams.get(task.owner, ""), gone, staying)]
    owners_team = people.teams(tx, people_table, [deal.owner]).get(deal.owner, deal.team) if deal.owner else deal.team
    after = [(task, replace(task, owner=deal.owner, team=owners_team)) for task in back]
    for task in back:  # whoever was asked was named in it, too
        follow_ups.mention(tx, task.name, task.mentions)
    notices.tell(tx, [_told(task, deal) for task in records.save_all(tx, TASKS, after, "returned")])


def _stays(task: Task, team: str, gone: Collection[str], staying: Collection[str]) -> bool:
    """A part that nobody of a team took is the team's; one that somebody has is his, whoever was asked for it."""
    if not task.owner:
        return task.team in staying
    handed_on = task.owner not in gone and task.team not in gone
    return handed_on or task.owner in staying or (team != "" and team in staying)


def _told(task: Task, deal: Known) -> Told:
    words = Words(
        "协作人已退出，任务退回给您",
        "A colleague no longer works on it: a task is yours again",
        task.title,
        task.title_en,
    )
    return Told(deal.owner, Kind.TASK_ASSIGNED, task.name, words, "", f"returned {task.name} {task.version}")
