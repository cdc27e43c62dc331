"""The rules' decisions, recorded: the last third of the hot path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chassis.transaction import Transaction
from leads.domain.lead import Kind, Lead, Status
from leads.domain.ownership import LOST, Change, Decided, Verdict, judge, why
from leads.storage import leads as stored
from leads.storage.leads import Touchpoint
from leads.usecases import ownership
from leads.wire import events


def record(tx: Transaction, decisions: Sequence[Decided]) -> None:
    """Makes owners of those decided. Announces LeadAssigned, LeadUnassigned, LeadKept, or AssignmentRefused for an
    owner that did not fit any more. A decision that was recorded before is passed over in silence."""
    left = sorted(decisions, key=lambda d: d.decision)
    while left:
        # One decision a lead at a time: a later one is judged by what the earlier left.
        turn: dict[str, Decided] = {}
        later = [d for d in left if turn.setdefault(d.lead, d) is not d]
        _record_each(tx, list(turn.values()))
        left = later


def _record_each(tx: Transaction, decisions: Sequence[Decided]) -> None:
    held = stored.by_name(tx, [d.lead for d in decisions], lock=True)
    verdicts = {d.lead: judge(held.get(d.lead), d) for d in decisions}
    changes = [
        Change(
            held[d.lead],
            d.owner,
            Status.ASSIGNED,
            tags=d.tags,
            respond_by=d.respond_by,
            escalated_to=d.owner if d.escalated else "",
        )
        if verdicts[d.lead] is Verdict.TAKE
        else Change(held[d.lead], "", Status.UNASSIGNED, d.reason, tags=d.tags)
        for d in decisions
        if verdicts[d.lead] in (Verdict.TAKE, Verdict.NOBODY)
    ]
    after = ownership.change(tx, changes)
    kept = {
        d.lead: replace(held[d.lead], status_reason=d.reason) for d in decisions if verdicts[d.lead] is Verdict.KEPT
    }
    stored.save_standing(tx, list(kept.values()))
    after.update(kept)
    points: list[Touchpoint] = []
    lost: list[tuple[Decided, Verdict]] = []
    for decided in decisions:
        verdict, now = verdicts[decided.lead], after.get(decided.lead)
        if now is not None:
            points.append(_announce(tx, held[decided.lead], now, decided))
        elif verdict in LOST or verdict is Verdict.TAKE:
            lost.append((decided, verdict if verdict in LOST else Verdict.OWNER_CHANGED))
    stored.append(tx, points)
    if lost:
        _refuse(tx, lost)


def _announce(tx: Transaction, before: Lead, now: Lead, decided: Decided) -> Touchpoint:
    actor = tx.origins.get(now.name, tx.origin).actor
    if not decided.owner and now.owner:
        tx.emit(events.kept(now, decided))
        tx.audit("lead.kept", now.name, {"reason": decided.reason, "decision": decided.decision})
        kind = Kind.KEPT
    elif now.status == Status.ASSIGNED:
        tx.emit(events.assigned(now, before.owner, "RULES", decided))
        tx.audit("lead.assigned", now.name, {"owner": now.owner, "decision": decided.decision})
        if before.owner_version:
            tx.emit(events.moved(before, now, "RULES", decided))
        if decided.escalated:
            tx.emit(events.escalated(now))
        kind = Kind.ESCALATED if decided.escalated else Kind.ASSIGNED
    else:
        tx.emit(events.unassigned(now, decided))
        tx.audit("lead.unassigned", now.name, {"reason": decided.reason, "decision": decided.decision})
        kind = Kind.UNASSIGNED
    return Touchpoint(
        lead=now.name,
        kind=kind,
        actor=actor,
        happen_time=tx.now,
        receive_time=tx.now,
        channel=now.channel,
        owner=now.owner,
        reason=why(before, decided),
        decision=decided.decision,
    )


def _refuse(tx: Transaction, lost: Sequence[tuple[Decided, Verdict]]) -> None:
    """Announces what lost, so that the turns return; not what won long ago and only comes again."""
    done = stored.recorded(tx, sorted({decided.lead for decided, _ in lost}))
    for decided, verdict in lost:
        if (decided.lead, decided.decision) not in done:
            tx.emit(events.refused(decided, verdict.value))
            tx.audit("lead.assignmentRefused", decided.lead, {"owner": decided.owner, "reason": verdict.value})
