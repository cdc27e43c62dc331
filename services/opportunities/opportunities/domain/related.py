"""What other services keep of an opportunity: by it gates open, collaborators' work adds up, and the chain is drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Sort(IntEnum):
    ATTACHMENT = 1
    FOLLOW_UP = 2
    QUOTE = 3
    APPROVAL = 4
    CONTRACT = 5
    # A collaborator's part of the work.
    PART = 6
    # A customer's service ticket.
    TICKET = 7


@dataclass(frozen=True, slots=True)
class Related:
    """Fields in the order of the columns. `label` is an attachment's kind, an approval's flow, a collaborator's part;
    `state` the name of its status, where it has one; `person` and `team` whoever does it."""

    name: str
    opportunity: str
    sort: int
    label: str
    state: str
    person: str
    team: str
    begin_time: datetime
    gone: bool
    version: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What gates look at of all that: how many attachments of each kind, how many follow-ups, the flows whose newest
    run ended with yes, and whether there is a quote that may be sent."""

    attachments: dict[str, int]
    follow_ups: int
    approved: frozenset[str]
    quoted: bool


NONE = Evidence({}, 0, frozenset(), False)
_SENDABLE = frozenset({"APPROVED", "ACCEPTED"})
# Contracts that hold.
SIGNED = frozenset({"SIGNED", "COMPLETED"})


def evidence(of: Iterable[Related]) -> Evidence:
    """What there is, of what is not gone."""
    there = [one for one in of if not one.gone]
    attachments: dict[str, int] = {}
    for one in there:
        if one.sort == Sort.ATTACHMENT:
            attachments[one.label] = attachments.get(one.label, 0) + 1
    newest: dict[str, Related] = {}
    for one in sorted(there, key=lambda one: (one.begin_time, one.name)):
        if one.sort == Sort.APPROVAL:
            newest[one.label] = one
    return Evidence(
        attachments,
        sum(one.sort == Sort.FOLLOW_UP for one in there),
        frozenset(flow for flow, run in newest.items() if run.state == "APPROVED"),
        any(one.sort == Sort.QUOTE and one.state in _SENDABLE for one in there),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """How far somebody is with a part of the work. `task` is empty as long as there is none."""

    person: str
    team: str
    part: str
    state: str
    task: str


def parts(collaborators: Iterable[dict[str, str]], owner: str, of: Iterable[Related]) -> list[Part]:
    """The tasks of those who work on it, oldest first, and those who have none yet (O33); what came back to its owner
    is one of them. What was cancelled, and what people did who are no collaborators any more, does not count."""
    asked = list(collaborators)
    working = {*(key(one) for one in asked), owner} - {""}
    tasks = [one for one in of if one.sort == Sort.PART and not one.gone and one.state != "CANCELLED"]
    tasks = sorted((one for one in tasks if {one.person, one.team} & working), key=lambda one: one.begin_time)
    found = [Part(one.person, one.team, one.label, one.state, one.name) for one in tasks]
    busy = {who for one in tasks for who in (one.person, one.team)}
    found += [
        Part(one["person"], one.get("team", ""), one["part"], "OPEN", "") for one in asked if key(one) not in busy
    ]
    return found


def is_over(who: str, asked: Collection[str], others: Collection[str], of: Iterable[Related]) -> bool:
    """Whether all that a collaborator was asked for was cancelled. What one of `others`, collaborators themselves, does
    of his team's is his; a part of which there is no task yet is still to come."""
    tasks = [one for one in of if one.sort == Sort.PART]
    his = [one for one in tasks if who == one.person or (who == one.team and one.person not in others)]
    none_left = all(one.gone or one.state == "CANCELLED" for one in his)
    return bool(his) and none_left and {one.label for one in his} >= set(asked)


def key(collaborator: dict[str, str]) -> str:
    """The person, or the team, that was asked."""
    return collaborator["person"] or collaborator.get("team", "")
