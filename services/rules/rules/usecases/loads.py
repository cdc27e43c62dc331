"""Open leads: what the journal counts for everybody, kept equal to what the ownerships say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from chassis.transaction import Transaction
from rules import storage
from rules.domain.assignment import turn_ledger
from rules.domain.codec import decode
from rules.domain.entries import Decided, Entry, LeadFacts, LeadWithdrawn, LoadChanged, TurnReturned
from rules.domain.ownership import Ownership
from rules.domain.state import micros
from rules.usecases.journal import Journal


def account(
    tx: Transaction,
    journal: Journal,
    known: Mapping[str, Ownership],
    leads: Iterable[str],
    reasons: Mapping[str, str],
) -> list[LeadFacts]:
    """Journals what makes everybody's open leads what the ownerships of these leads say, and takes off the waiting list
    those that need nobody any more. Returns the facts of leads that a load took off it and that still want somebody
    else: they are to be decided again."""
    wanted = sorted(set(leads))
    waiting = {lead: journal.state.waiting[lead] for lead in wanted if lead in journal.state.waiting}
    entries: list[Entry] = []
    told = histories(tx, wanted)
    for lead in wanted:
        entries += _differences(journal, lead, known.get(lead), told.get(lead, []), reasons.get(lead, ""))
    over = [lead for lead, one in waiting.items() if _needs_nobody(known.get(lead), one.facts)]
    entries += [LeadWithdrawn(lead, reasons.get(lead, "OVER"), micros(journal.now)) for lead in over]
    journal.record(entries)
    storage.forget_waiting(tx, over)
    return [w.facts for lead, w in waiting.items() if lead not in over and lead not in journal.state.waiting]


def _needs_nobody(known: Ownership | None, facts: LeadFacts) -> bool:
    if known is None or known.version < facts.owner_version:
        return False
    if known.version > facts.owner_version or known.closed:
        return True
    # The first response came after all; a person's own wish for somebody else stands.
    return bool(facts.attempt) and known.contacted


def histories(tx: Transaction, leads: Sequence[str]) -> dict[str, list[tuple[int, Entry]]]:
    """(journal number, entry) of what was counted for each lead: decisions, returned turns, loads."""
    found: dict[str, list[tuple[int, Entry]]] = {}
    for lead, record in storage.about(tx, leads, ("decided", "returned", "load")):
        found.setdefault(lead, []).append((record.seq, decode(record.data)))
    return found


def _differences(
    journal: Journal,
    lead: str,
    known: Ownership | None,
    history: Sequence[tuple[int, Entry]],
    reason: str,
) -> list[LoadChanged]:
    """What the journal must still be told of a lead: everybody's count there against what it should be."""
    returned = {entry.decision for _, entry in history if isinstance(entry, TurnReturned)}
    version = known.version if known else 0
    should: Counter[str] = Counter()
    if known is not None and known.counted:
        should[known.counted] += 1
    has: Counter[str] = Counter()
    last: Decided | None = None
    for seq, entry in history:
        if isinstance(entry, Decided):
            last = entry
            if entry.owner:
                has[entry.owner] += 1
                if seq not in returned and entry.facts.owner_version >= version:
                    should[entry.owner] += 1  # decided, and neither recorded nor refused yet
        elif isinstance(entry, TurnReturned):
            has[entry.person] -= 1
        elif isinstance(entry, LoadChanged):
            has[entry.person] += entry.delta
    ledger = ""
    if reason == "MANUAL" and journal.state.policy.charge_manual_moves and last is not None:
        ledger = turn_ledger(journal.state, last.facts, journal.now)
    at = micros(journal.now)
    return [
        LoadChanged(person, should[person] - has[person], reason, at, lead, ledger)
        for person in sorted({*should, *has})
        if should[person] != has[person]
    ]
