"""What other services tell of that belongs to opportunities: files, follow-ups, quotes, approvals, contracts, tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chassis import deciders, people, records
from chassis.deciders import Decision
from chassis.errors import Invalid, Problem
from chassis.transaction import Transaction
from opportunities.domain.opportunity import Opportunity, Warning
from opportunities.domain.related import Related, Sort
from opportunities.storage import related, warnings
from opportunities.storage.tables import deciders as deciders_table
from opportunities.storage.tables import people as people_table
from opportunities.usecases import collaborating, gates, moving, pipelines
from opportunities.usecases.days import today
from opportunities.usecases.kind import KIND
from opportunities.wire import asking

REFUSED = "STAGE_REFUSED"


@dataclass(frozen=True, slots=True)
class Logged:
    """A follow-up that is to move an opportunity to a stage (F6), and who wrote it."""

    follow_up: str
    opportunity: str
    author: str
    stage: str


def know(tx: Transaction, told: Sequence[Related]) -> None:
    """Keeps what is news, and looks what it opens: a stage that is ready, an approval that may begin; and whose part in
    it is over."""
    news = related.know(tx, [one for one in told if one.opportunity])
    collaborating.let_go(tx, news)
    mine = [one for one in news if one.sort in _OPENING]
    for name, of in sorted(records.of_names(tx, KIND, [one.opportunity for one in mine]).items()):
        papers = [one for one in mine if one.opportunity == name and one.sort == Sort.ATTACHMENT and not one.gone]
        gates.submit(tx, of, papers)
        gates.look(tx, of, today(tx))


def know_deciders(tx: Transaction, told: Sequence[Decision]) -> None:
    """Whoever decides about an opportunity reads it."""
    deciders.know(tx, deciders_table, [one for one in told if KIND.is_name(one.record)])


_OPENING = (Sort.ATTACHMENT, Sort.FOLLOW_UP, Sort.QUOTE, Sort.APPROVAL)


def move(tx: Transaction, asked: Logged) -> None:
    """Moves it as the author of a follow-up wants, if he may and the gates let it pass. A refusal is kept as a warning
    on the opportunity, and the author is told: what he wrote is never lost."""
    before = records.of_names(tx, KIND, [asked.opportunity], lock=True).get(asked.opportunity)
    if before is None or before.delete_time is not None or before.stage == asked.stage:
        return
    # What follows is his doing.
    tx.origin = replace(tx.origin, actor=asked.author)
    if not _may_move(tx, before, asked.author):
        _refuse(tx, before, asked, "its author may not move it", "记录人无权推进该商机")
        return
    try:
        moving.to_stage(tx, before, before, asked.stage, moving.Wish(today(tx)))
    except Problem as problem:
        _refuse(tx, before, asked, *_words(problem))


def _may_move(tx: Transaction, of: Opportunity, author: str) -> bool:
    """As the author's role would let him: the owner his own, who leads the owner's, an administrator any."""
    known = {one.name: one for one in people.find_all(tx, people_table, sorted({of.owner, author} - {""}))}
    who, owner = known.get(author), known.get(of.owner)
    if who is None or not who.active:
        return False
    if author == of.owner or who.role == "admin":
        return True
    return who.role == "manager" and owner is not None and (owner.manager == author or owner.team == who.team != "")


def _words(problem: Problem) -> tuple[str, str]:
    """Everything that is missing, in English and Chinese."""
    if isinstance(problem, Invalid):
        return (
            "; ".join(f"{one.field.removeprefix('opportunity.')}: {one.english}" for one in problem.violations),
            "；".join(one.chinese for one in problem.violations),
        )
    return problem.english, problem.chinese


def _refuse(tx: Transaction, of: Opportunity, asked: Logged, english: str, chinese: str) -> None:
    warnings.put(tx, Warning(of.name, REFUSED, english, chinese, asked.stage, tx.now))
    stage = pipelines.chosen(tx, of.pipeline).stage(asked.stage)
    title = stage.display_name if stage else asked.stage
    tx.emit(asking.refused(of, asked.author, title, chinese, english, asked.follow_up))
    tx.audit("opportunity.stageRefused", of.name, {"stage": asked.stage, "followUp": asked.follow_up})
