"""What the rules ask for: an opportunity that lies too long is warned, and in the end lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chassis import people, records
from chassis.transaction import Transaction
from opportunities.domain.opportunity import Opportunity, Status
from opportunities.storage import touches
from opportunities.storage.tables import people as people_table
from opportunities.usecases import moving
from opportunities.usecases.kind import KIND

MARK_LOST = "MARK_LOST"
WARN = "WARN"


@dataclass(frozen=True, slots=True)
class Direction:
    """What is asked for (`action`), because nothing happened since `last_activity`; `version` is the one that the rules
    know, 0 for any. `author` is the person under whose rights the `automation` asks, empty for the company's own."""

    action: str
    opportunity: str
    author: str
    automation: str
    version: int
    last_activity: datetime | None
    english: str
    chinese: str


def act(tx: Transaction, asked: Direction) -> None:
    """Carries it out, unless something happened meanwhile: a move, a hold, a follow-up, for MARK_LOST any change.

    Nothing is lost by that: the rules hear of what happened, count anew and ask again when it is time.
    """
    if asked.action not in (MARK_LOST, WARN) or not _may(tx, asked.author):
        return
    before = records.of_names(tx, KIND, [asked.opportunity], lock=True).get(asked.opportunity)
    if before is None or before.delete_time is not None or before.status != Status.OPEN:
        return
    if asked.last_activity is None or _moved_on(tx, before, asked.last_activity):
        return
    if asked.action == MARK_LOST:
        if asked.version in (0, before.version):
            moving.lose(tx, before, before, " ".join(filter(None, (asked.chinese, asked.english))))
            tx.audit("opportunity.directed", before.name, _why(asked))
    elif before.warned_time is None:
        after = replace(before, warned_time=tx.now, warning=asked.english, warning_zh=asked.chinese)
        records.save(tx, KIND, before, after, "warned")
        tx.audit("opportunity.directed", before.name, _why(asked))


def _why(asked: Direction) -> dict[str, str]:
    return {"action": asked.action, "automation": asked.automation, "author": asked.author}


def _may(tx: Transaction, author: str) -> bool:
    """Whoever has left has no rights any more. What he needed to write such a rule was asked for when he did."""
    if not author:
        return True
    known = people.find(tx, people_table, author)
    return known is not None and known.active


def _moved_on(tx: Transaction, of: Opportunity, since: datetime) -> bool:
    touched = touches.latest(tx, [of.name]).get(of.name)
    return of.stage_time > since or (touched is not None and touched > since)


def followed_up(tx: Transaction, told: Sequence[tuple[str, datetime]]) -> None:
    """(opportunity, when it was followed up): a warning that this answers is over."""
    newest: dict[str, datetime] = {}
    for name, at in told:
        if name and (name not in newest or newest[name] < at):
            newest[name] = at
    known = records.of_names(tx, KIND, list(newest), lock=True)
    news = {name: newest[name] for name, of in known.items() if not _moved_on(tx, of, newest[name])}
    touches.keep(tx, news)
    for name in sorted(news):
        before = known[name]
        if before.warned_time is not None and before.delete_time is None:
            after = replace(before, warned_time=None, warning="", warning_zh="")
            records.save(tx, KIND, before, after, "touched")
