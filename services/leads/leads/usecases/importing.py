"""Rows of leads: looked at, taken in through the same use case as every capture, and taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Any

from chassis import fields
from chassis.access import claimed
from chassis.errors import NotFound
from chassis.transaction import Origin, Transaction
from leads.domain.imports import Job, OnConflict, Outcome, Result, Verdict, refusal
from leads.domain.lead import Capture, Lead
from leads.domain.matching import keys, match
from leads.domain.touch import left_over
from leads.storage import leads as stored
from leads.storage import people
from leads.usecases import rights
from leads.usecases.capture import Arrival, Captured, Passed, Trace, duplicate, take
from leads.usecases.known import standing
from leads.wire.before import changes
from leads.wire.lead_rows import Wrong

# A row's number, and its capture or what is wrong with it.
Prepared = tuple[int, Capture | None, Wrong]
_TOUCHED = {OnConflict.TOUCH: Outcome.TOUCHED, OnConflict.UPDATE: Outcome.UPDATED, OnConflict.MERGE: Outcome.MERGED}


def invalid(wrong: Wrong) -> Result:
    english = "; ".join(f"{header}: {said}" for header, said, _ in wrong)
    chinese = "；".join(f"{header}：{said}" for header, _, said in wrong)
    return refusal("INVALID", english, chinese, wrong)


def internal() -> Result:
    return refusal("INTERNAL", "an error of ours; it was logged", "系统内部错误，已记录")


def people_called(tx: Transaction, names: Sequence[str]) -> dict[str, str]:
    """Display name to person, for those who are with us; a name that two have is nobody's."""
    return people.called(tx, names)


def lead_of(tx: Transaction, phone: str) -> str:
    """The lead that is known by this phone, if the caller may see it; else ""."""
    try:
        line = fields.direct_line(phone)
        name = stored.leads_of_keys(tx, [f"phone:{line}"]).get(f"phone:{line}", "")
        return rights.find(tx, name).name if name else ""
    except (fields.FieldProblem, NotFound):
        return ""


# --- looked at ---


def preview(tx: Transaction, job: Job, rows: Sequence[Prepared], seen: MutableMapping[bytes, int]) -> list[Result]:
    """What each row would do. `seen` are the keys of the rows before, with the row that brings them; grows by these."""
    caller = claimed(job.caller)
    captures = [(number, capture) for number, capture, _ in rows if capture is not None]
    wanted = sorted({key for _, capture in captures for key in keys(capture.phone, capture.email)})
    known = {key: f"rows/{seen[short]}" for key in wanted if (short := key_hash(key)) in seen}
    held = stored.leads_of_keys(tx, wanted)
    there = stored.by_name(tx, held.values())
    known.update({key: name for key, name in held.items() if standing(there, [name])})
    matches, keyed = match(
        [capture for _, capture in captures], known, lambda i: f"rows/{captures[i][0]}", lambda i: False
    )
    for key, name in keyed.items():
        if name.startswith("rows/"):
            seen.setdefault(key_hash(key), int(name[5:]))
    readable = dict(zip(there, rights.readable(tx, [(caller, lead) for lead in there.values()]), strict=True))
    found = iter(zip(captures, matches, strict=True))
    results: list[Result] = []
    for _, capture, wrong in rows:
        if capture is None:
            results.append(invalid(wrong))
            continue
        (_, _), matched = next(found)
        results.append(_judged(capture, matched.lead, matched.created, there, readable))
    return results


def _judged(
    capture: Capture, name: str, created: bool, there: Mapping[str, Lead], readable: Mapping[str, bool]
) -> Result:
    if created:
        return Result(Verdict.CREATED)
    lead = there.get(name)
    if lead is None or not readable[name]:  # an earlier row of this file; or a lead that is not his to see
        return Result(Verdict.MATCHES, record=name)
    differences = [
        [field, _shown(getattr(lead, field)), _shown(said)]
        for field, said in (left_over(_filled(lead, capture), capture) or {}).items()
        if field not in ("tags", "skills", "custom")
    ]
    return Result(Verdict.CONFLICT if differences else Verdict.MATCHES, record=name, differences=differences)


def _filled(lead: Lead, capture: Capture) -> Lead:
    """As after a merge: what was empty is no contradiction."""
    names = [field for field, *_ in _facts(capture) if not getattr(lead, field)]
    return replace(lead, **{name: getattr(capture, name) for name in names})


def _facts(capture: Capture) -> list[tuple[str, Any]]:
    fields = ("full_name", "phone", "email", "company", "licence", "region", "industry", "category", "intent")
    return [(field, value) for field in fields if (value := getattr(capture, field))]


def _shown(value: Any) -> str:
    return str(value)[:200]


def key_hash(key: str) -> bytes:
    """Eight bytes for a key: a file of 200 000 rows is remembered in some 30 MB."""
    return hashlib.blake2b(key.encode(), digest_size=8).digest()


def remember(rows: Sequence[Prepared], results: Sequence[Result], seen: MutableMapping[bytes, int]) -> None:
    """Rows that somebody looked at before, for those that come after them."""
    for (number, capture, _), result in zip(rows, results, strict=True):
        if capture is not None and result.verdict == Verdict.CREATED:
            for key in keys(capture.phone, capture.email):
                seen.setdefault(key_hash(key), number)


# --- taken in ---


def take_in(tx: Transaction, job: Job, rows: Sequence[Prepared]) -> list[Result]:
    """Makes leads of the rows, or does to known ones what was chosen, with the importer's rights."""
    caller = claimed(job.caller)
    origin = Origin(job.owner, traceparent=tx.origin.traceparent)
    tx.origin = origin
    arrivals = [
        Arrival(capture, caller, origin, source=job.name, conflict=job.choice(number))
        for number, capture, _ in rows
        if capture is not None
    ]
    taken = iter(zip(arrivals, take(tx, arrivals), strict=True) if arrivals else ())
    return [invalid(wrong) if capture is None else _taken(*next(taken)) for _, capture, wrong in rows]


def _taken(arrival: Arrival, found: Captured | Passed) -> Result:
    if isinstance(found, Passed):
        if arrival.conflict is OnConflict.SKIP:
            return Result(Verdict.MATCHES, Outcome.SKIPPED, found.lead)
        said = duplicate()
        return refusal(said.reason, said.english, said.chinese)
    if found.created:
        return Result(Verdict.CREATED, Outcome.MADE, found.lead.name)
    outcome = _TOUCHED.get(arrival.conflict, Outcome.MERGED)
    undo = _to_undo(found.trace) if found.trace else None
    return Result(Verdict.MATCHES, outcome, found.lead.name, undo=undo)


def _to_undo(trace: Trace) -> dict[str, Any]:
    found: dict[str, Any] = {"was": changes(trace.before, trace.after)}
    if trace.keys:
        found["keys"] = list(trace.keys)
    if trace.other:
        found["other"] = trace.other
    if trace.returned:
        found["returned"] = True
    return found
