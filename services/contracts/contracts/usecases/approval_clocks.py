"""Approvals that wait: clocks that ring (Q12), and approvers who leave."""

from __future__ import annotations

from collections.abc import Sequence

from chassis import records
from chassis.transaction import Transaction
from contracts.domain import approval_moves
from contracts.domain.approval import Status
from contracts.domain.approval_plain import run_of
from contracts.storage import approvals as stored
from contracts.usecases import approval_world
from contracts.usecases.approval_kind import KIND, keep

_AT_ONCE = 100


def fire_due(tx: Transaction) -> bool:
    """Rings what is due; True when there may be more."""
    ringing = stored.take_due(tx, KIND.select, _AT_ONCE)
    for before in ringing:
        run = run_of(before)
        world = approval_world.world(tx, [run.flow], {run.asker, *run.involved})
        run, told = approval_moves.ring(run, world)
        keep(tx, before, run, told, "reminded")
    return len(ringing) == _AT_ONCE


def leave(tx: Transaction, persons: Sequence[str]) -> None:
    """What waits for people who left goes to their managers. Expects them to be known as gone."""
    waiting: dict[str, list[str]] = {}
    for approval, person in stored.waits_of(tx, persons):
        waiting.setdefault(approval, []).append(person)
    for before in records.of_names(tx, KIND, sorted(waiting), lock=True).values():
        if before.status != Status.PENDING.value:
            continue
        run = run_of(before)
        world = approval_world.world(tx, [run.flow], {run.asker, *run.involved})
        told = []
        for person in waiting[before.name]:
            run, news = approval_moves.leave(run, person, world)
            told.extend(news)
        keep(tx, before, run, told, "reassigned")
