"""Leads deleted, brought back within 30 days, and ended for good (AIP-164)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from chassis.errors import NotFound, Refused
from chassis.records import KEPT_DELETED
from chassis.transaction import Transaction
from leads.domain.lead import Kind, Lead, Status
from leads.domain.matching import keys
from leads.domain.ownership import bring_back
from leads.domain.ownership import delete as deleted
from leads.storage import leads as stored
from leads.storage import people, removing
from leads.usecases import known, ownership, waiting
from leads.usecases.rights import reach, refuse_stale
from leads.usecases.working import note
from leads.wire import events


def delete(tx: Transaction, name: str, etag: str) -> Lead:
    """Deletes a lead; for 30 days it can be brought back. Raises NotFound for one that is deleted already, Denied,
    Stale."""
    _hold(tx, name, lambda lead: [lead.review_with])
    lead = reach(tx, name, "delete")
    if lead.deleted:
        raise NotFound(name)
    refuse_stale(tx, lead, etag)
    after = ownership.write_one(tx, lead, deleted(lead, tx.now))
    stored.save_deletion(tx, after)
    _hand_on_keys(tx, after)
    tx.emit(events.deleted(after))
    note(tx, Kind.DELETED, lead, after)
    return after


def _hold(tx: Transaction, name: str, others: Callable[[Lead], Iterable[str]]) -> None:
    """Locks the lead and those that it may meet in the order of their names, as captures do."""
    lead = stored.by_name(tx, [name]).get(name)
    if lead is not None:
        stored.by_name(tx, [name, *others(lead)], lock=True)


def _hand_on_keys(tx: Transaction, lead: Lead) -> None:
    """What both were known by is the other's now, where two were to be looked at together and one goes."""
    other = stored.by_name(tx, [lead.review_with], lock=True).get(lead.review_with)
    if other is None or other.deleted:
        return
    shared = set(keys(lead.phone, lead.email)) & set(keys(other.phone, other.email))
    stored.drop_keys(tx, shared, [lead.name])
    stored.take_keys(tx, dict.fromkeys(shared, other.name))
    removing.clear_review(tx, other.name, lead.name)


def undelete(tx: Transaction, name: str) -> Lead:
    """Brings a deleted lead back. Raises NotFound after 30 days, Denied, NOT_DELETED for one that is there."""
    _hold(tx, name, lambda lead: stored.leads_of_keys(tx, keys(lead.phone, lead.email)).values())
    lead = reach(tx, name, "delete")
    if not lead.deleted:
        raise Refused("NOT_DELETED", f"{name} is not deleted.", f"{name} 未被删除。")
    active = people.standing(tx, [lead.owner]).get(lead.owner, ("", True))[1]
    after = ownership.write_one(tx, lead, bring_back(lead, tx.now, active))
    stored.save_deletion(tx, after)
    after = _know_again(tx, after)
    tx.emit(events.undeleted(after, tx.now))
    if after.status == Status.WAITING:
        tx.emit_all(waiting.repeated(tx, [after]))
    note(tx, Kind.UNDELETED, lead, after)
    return after


def _know_again(tx: Transaction, lead: Lead) -> Lead:
    """The lead is known by its phone and e-mail again. Whoever is known by one of them meanwhile stays so, and a person
    is to look at the two."""
    taken = known.take(tx, keys(lead.phone, lead.email), lead.name)
    if not taken:
        return lead
    others = stored.by_name(tx, taken.values(), lock=True)
    after = replace(lead, review_with=next(iter(taken.values())))
    marked = [replace(other, review_with=lead.name) for other in others.values() if not other.review_with]
    stored.save_facts(tx, [after, *marked])
    return after


def purge(tx: Transaction, most: int = 200) -> bool:
    """Ends what was deleted 30 days ago for good. Returns whether there may be more."""
    gone = removing.deleted_before(tx, tx.now - KEPT_DELETED, most)
    removing.remove(tx, gone)
    for lead in gone:
        tx.emit(events.removed(lead, "DELETED"))
        tx.audit("lead.purged", lead.name)
    return len(gone) == most
