"""The one replay: state = fold of all entries. Decisions are derived again, never believed."""

from collections.abc import Iterable

from rules.domain.assignment import Choice, apply, choose
from rules.domain.entries import (
    CalendarChanged,
    Decided,
    Entry,
    LeadWithdrawn,
    LoadChanged,
    PersonChanged,
    PolicyPublished,
    PresenceChanged,
    TurnReturned,
)
from rules.domain.fairness import LEAD, adjust, forget
from rules.domain.state import NO_LOAD, Memo, State, Table


class Diverged(ValueError):
    """A journalled decision is not what its own history leads to. `field` is the first that differs."""

    def __init__(self, seq: int, field: str, journalled: object, derived: object) -> None:
        self.seq, self.field, self.journalled, self.derived = seq, field, journalled, derived
        super().__init__(f"entry {seq}: {field} is {journalled!r}, history leads to {derived!r}")


def fold(state: State, entry: Entry) -> State:
    """The state after one more entry. Raises Diverged for a decision that does not re-derive."""
    return fold_all(state, (entry,))


def fold_all(state: State, entries: Iterable[Entry]) -> State:
    """The state after these entries; one copy of the state for all of them. Raises Diverged."""
    table = Table(state)
    for entry in entries:
        replay(table, entry)
    return table.freeze()


def replay(table: Table, entry: Entry) -> None:
    """Fold one entry into a table. Raises Diverged; the table must not be used after that."""
    match entry:
        case Decided():
            _decided(table, entry)  # counts itself
            return
        case PersonChanged():
            _person(table, entry)
        case PresenceChanged():
            known = table.presence.get(entry.person)
            if known is None or known.version < entry.version:
                table.presence = {**table.presence, entry.person: entry}
                table.eligibility_changed()
        case CalendarChanged():
            hours = table.calendars.get(entry.calendar)
            if hours is None or hours.version < entry.version:
                table.calendars = {**table.calendars, entry.calendar: entry}
                _forget_moment(table)
        case PolicyPublished():
            table.set_policy(entry.policy)
        case LoadChanged():
            _load(table, entry)
        case LeadWithdrawn():
            table.set_waiting(entry.lead, None)
        case TurnReturned():
            _returned(table, entry)
    table.seq += 1
    table.last = max(table.last, entry.at)


def _decided(table: Table, entry: Decided) -> None:
    table.set_moment(entry.at)
    seq = table.seq + 1
    choice = choose(table, entry.facts)
    if entry.policy_hash != table.policy.hash():
        raise Diverged(seq, "policy_hash", entry.policy_hash, table.policy.hash())
    for name in Choice.__slots__:
        if getattr(entry, name) != getattr(choice, name):
            raise Diverged(seq, name, getattr(entry, name), getattr(choice, name))
    apply(table, entry.facts, choice)


def _person(table: Table, entry: PersonChanged) -> None:
    known = table.people.get(entry.person)
    if known is not None and known.version >= entry.version:
        return
    table.people = {**table.people, entry.person: entry}
    if entry.state != "ACTIVE" and (known is None or known.state == "ACTIVE"):
        for key in [key for key, ledger in table.ledgers.items() if entry.person in ledger.credits]:
            forget(table.ledger(key), entry.person)
    table.eligibility_changed(people=True)


def _load(table: Table, entry: LoadChanged) -> None:
    open_leads, day, taken = table.load.get(entry.person, NO_LOAD)
    table.load[entry.person] = (open_leads + entry.delta, day, taken)
    if entry.lead and entry.delta > 0 and entry.lead in table.waiting:
        table.set_waiting(entry.lead, None)
    if entry.ledger and table.policy.charge_manual_moves:
        adjust(table.ledger(entry.ledger), entry.person, -entry.delta * LEAD)
    _limits_may_matter(table, entry.person)


def _returned(table: Table, entry: TurnReturned) -> None:
    table.set_moment(entry.at)
    open_leads, day, taken = table.load.get(entry.person, NO_LOAD)
    if day and table.local_day(entry.decided_at) == day:
        taken = max(0, taken - 1)
    table.load[entry.person] = (open_leads - 1, day, taken)
    if entry.ledger:
        adjust(table.ledger(entry.ledger), entry.person, LEAD)
    _limits_may_matter(table, entry.person)


def _limits_may_matter(table: Table, person: str) -> None:
    known = table.people.get(person)
    if known is None or known.open_limit is not None or known.day_limit is not None:
        table.eligibility_changed()


def _forget_moment(table: Table) -> None:
    table.memo, table.at = Memo(), -1
