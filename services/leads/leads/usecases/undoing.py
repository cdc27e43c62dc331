"""Leads of an import taken back: those that it made are gone, those that it touched are as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chassis.transaction import Origin, Transaction
from leads.domain.imports import WORKED_ON, Job, Outcome, Result, hanging
from leads.domain.lead import Lead
from leads.domain.matching import keys
from leads.storage import leads as stored
from leads.storage import removing
from leads.usecases.rights import told
from leads.wire import events
from leads.wire.before import restored

_BACK = frozenset({Outcome.TOUCHED, Outcome.MERGED, Outcome.UPDATED})


def take_back(
    tx: Transaction, job: Job, results: Sequence[Result], held_by: Mapping[str, Sequence[str]]
) -> list[Result]:
    """Takes the rows of one block back, the last first, so that two rows of one lead end where the first began.

    A lead that this import made and somebody worked on since, or on which something hangs (`held_by`: lead to kinds),
    stays; so does a field of a known lead that somebody has changed since. All are named. What was said of a lead by
    this import goes in any case.
    """
    tx.origin = Origin(job.owner, traceparent=tx.origin.traceparent)
    touched = [result for result in results if result.outcome in _BACK]
    made = [result for result in results if result.outcome == Outcome.MADE]
    names = sorted({result.record for result in (*touched, *made)})
    held = stored.by_name(tx, names, lock=True)
    after = dict(held)
    outcome: dict[int, Result] = {}
    for index in reversed(range(len(results))):
        if results[index].outcome in _BACK:
            outcome[index] = _touch_back(tx, results[index], after)
    removing.drop_points(tx, sorted({result.record for result in touched}), job.name)
    worked = removing.worked_on(tx, [result.record for result in made], job.name) | held_by.keys()
    gone = [held[result.record] for result in made if result.record in held and result.record not in worked]
    _remove(tx, job, gone)
    left = {lead.name for lead in gone}
    back = [lead for name, lead in after.items() if lead != held[name] and name not in left]
    stored.save_facts(tx, back)
    tx.emit_all(events.changed(lead) for lead in back)
    for index, result in enumerate(results):
        if result.outcome == Outcome.MADE:
            outcome[index] = _left(result, held_by) if result.record in worked else _back(result)
    return [outcome.get(index, result) for index, result in enumerate(results)]


def _touch_back(tx: Transaction, result: Result, leads: dict[str, Lead]) -> Result:
    lead, undo = leads.get(result.record), result.undo or {}
    if lead is None:  # removed meanwhile: nothing of this row is left
        return _back(result)
    values, others = restored(lead, undo.get("was", {}))
    now = replace(lead, **values, version=lead.version + 1)
    leads[lead.name] = now
    tx.audit("lead.takenBack", lead.name, told(lead, now))
    still = keys(now.phone, now.email)
    stored.drop_keys(tx, [key for key in undo.get("keys", ()) if key not in still], [lead.name])
    other = undo.get("other", "")
    if other in leads and leads[other].review_with == lead.name:
        leads[other] = replace(leads[other], review_with="")
    elif other:
        removing.clear_review(tx, other, lead.name)
    if others:
        return _kept(result, "CHANGED_SINCE", ", ".join(others))
    return _kept(result, "RETURNED") if undo.get("returned") else _back(result)


def _remove(tx: Transaction, job: Job, gone: Sequence[Lead]) -> None:
    """Leads that are there no more, with all that hung on them."""
    removing.remove(tx, gone)
    for lead in gone:
        tx.emit(events.removed(lead, "IMPORT_UNDONE", job.name))
        tx.audit("lead.removed", lead.name, {"import": job.name})


_WHY = {
    "CHANGED_SINCE": ("changed since, and left: {}", "导入后已被修改，予以保留：{}"),
    "RETURNED": (
        "it waited for an owner again because of this row; who has it now keeps it",
        "该行使其重新进入分配，现负责人予以保留",
    ),
}


def _left(result: Result, held_by: Mapping[str, Sequence[str]]) -> Result:
    kinds = held_by.get(result.record)
    return result.stays(hanging(kinds) if kinds else WORKED_ON)


def _kept(result: Result, reason: str, fields: str = "") -> Result:
    english, chinese = (text.format(fields) for text in _WHY[reason])
    return replace(result, outcome=Outcome.KEPT, problem=[reason, english, chinese], undo=None)


def _back(result: Result) -> Result:
    return replace(result, outcome=Outcome.TAKEN_BACK, undo=None)
