"""Who works on an opportunity besides its owner, and how far they are (O33, O36)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from chassis import records
from chassis.errors import Invalid
from chassis.transaction import Transaction
from opportunities.domain import related as domain
from opportunities.domain.opportunity import Opportunity, Status, Warning
from opportunities.domain.related import Part, Related, Sort
from opportunities.storage import readers, related, warnings
from opportunities.storage.tables import people as people_table
from opportunities.usecases.kind import KIND, staff
from opportunities.usecases.moving import not_open
from opportunities.wire import events

MOST = 50


def collaborate(tx: Transaction, before: Opportunity | None, after: Opportunity) -> None:
    """Collaborators see the opportunity; those who are new are announced, and a task comes of it."""
    was = [domain.key(one) for one in before.collaborators] if before else []
    now = {domain.key(one): one for one in after.collaborators}
    if sorted(was) == sorted(now):
        return
    new = [one for one in now if one not in was]
    staff(tx, [one for one in new if now[one]["person"]], "opportunity.collaborators")
    _teams(tx, [one for one in new if not now[one]["person"]], "opportunity.collaborators")
    known = readers.asked(tx, after.name)
    readers.set_collaborators(tx, after.name, {one: known.get(one, [now[one]["part"]]) for one in now})
    for one in new:
        tx.emit(events.collaborator_added(after, now[one], tx.principal.actor))


def request(
    tx: Transaction, name: str, etag: str, who: dict[str, str], detail: str, due: datetime | None
) -> Opportunity:
    """Asks `who` {"person", "part", "team"} for a part of the work. Raises Invalid, NOT_OPEN."""
    before = records.hold(tx, KIND, name, etag)
    if before.status not in (Status.OPEN, Status.AWAITING_CONFIRMATION):
        raise not_open()
    if due is not None and due <= tx.now:
        raise Invalid([("due_time", "has passed", "截止时间已过")])
    staff(tx, [one for one in (who["person"],) if one], "person")
    _teams(tx, [one for one in (who.get("team", ""),) if one], "team")
    asked, key = readers.asked(tx, name), domain.key(who)
    readers.set_collaborators(tx, name, {**asked, key: sorted({*asked.get(key, ()), who["part"]})})
    after = before
    if key not in asked:
        if len(asked) >= MOST:
            raise Invalid([("person", f"at most {MOST} collaborators", f"最多 {MOST} 名协作者")])
        after = records.save(
            tx, KIND, before, replace(before, collaborators=[*before.collaborators, who]), "collaborationRequested"
        )
    else:
        tx.audit("opportunity.collaborationRequested", name, {"person": key})
    tx.emit(events.collaborator_added(after, who, tx.principal.actor, detail, due))
    return after


def let_go(tx: Transaction, tasks: Sequence[Related]) -> None:
    """Whoever has no part left, because the last of those that he was asked for was cancelled, is no collaborator any
    more; who has done one stays."""
    ended = {one.opportunity for one in tasks if one.sort == Sort.PART and (one.gone or one.state == "CANCELLED")}
    for name, of in sorted(records.of_names(tx, KIND, sorted(ended), lock=True).items()):
        asked, work = readers.asked(tx, name), related.of(tx, [name], Sort.PART)[name]
        over = [who for who, parts in asked.items() if domain.is_over(who, parts, asked, work)]
        end(tx, of, over)


def end(tx: Transaction, of: Opportunity, gone: Sequence[str]) -> Opportunity:
    """These people and teams, of the collaborators, are none any more."""
    if not gone:
        return of
    left = {who: parts for who, parts in readers.asked(tx, of.name).items() if who not in gone}
    readers.set_collaborators(tx, of.name, left)
    staying = [one for one in of.collaborators if domain.key(one) not in gone]
    return records.save(tx, KIND, of, replace(of, collaborators=staying), "collaborationEnded")


def _teams(tx: Transaction, names: Sequence[str], field: str) -> None:
    """Raises Invalid for a team in which there is nobody."""
    p = people_table.c
    query = sa.select(p.team).where(p.team.in_(list(names)), p.active.is_(True)).distinct()
    found = set(tx.execute(query).scalars()) if names else set()
    wrong = [name for name in names if name not in found]
    if wrong:
        raise Invalid([(field, f"nobody is in {wrong[0]}", f"{wrong[0]} 没有成员")])


def seen(tx: Transaction, found: Sequence[Opportunity]) -> list[tuple[Opportunity, list[Part], list[Warning]]]:
    """Opportunities with how far their collaborators are, and what somebody should look at."""
    names = [one.name for one in found]
    tasks = related.of(tx, names, Sort.PART)
    warned = warnings.of(tx, names)
    return [(one, domain.parts(one.collaborators, one.owner, tasks[one.name]), warned[one.name]) for one in found]
