"""Follow-ups are logged, one or many at a time, corrected, deleted and brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from activities.domain import follow_up_form
from activities.domain.follow_up import SKEW, FollowUp, Outcome, Wanted
from activities.domain.known import FOLLOWED, OPPORTUNITIES, Known, kind_of, parties
from activities.storage import follow_ups as table
from activities.storage import known as stored
from activities.usecases import attachments, automatic, known, latest, mentions, settings, staff, timeline
from activities.usecases.kinds import FOLLOW_UPS
from activities.usecases.met import Met
from activities.wire import entries, events, messages
from chassis import bringing, custom, records
from chassis.access import refuse_read_only
from chassis.bringing import Brought, Way
from chassis.database import insert_rows
from chassis.errors import Denied, Invalid, NotFound, Problem
from chassis.people import Person
from chassis.transaction import Transaction
from dealwright.api.v1.bringing_pb2 import TakenBack

_RESOURCE = FOLLOW_UPS.resource
_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("customer", "opportunity", "lead", "summary", "next_plan", "next_owner", "owner", "team"), ""),
    **dict.fromkeys(("next_time", "custom")),
    "method": 0,
    "outcome": 0,
    "attachments": [],
    "mentions": [],
    "version": 1,
}


def create(tx: Transaction, wanted: Wanted) -> FollowUp:
    """Logs one. Raises NotFound for a record out of reach, Invalid, Denied."""
    (made,) = create_all(tx, [wanted])
    if isinstance(made, Problem):
        raise made
    return made.record


def create_all(tx: Transaction, wanted: Sequence[Wanted]) -> list[Brought[FollowUp] | Problem]:
    """Logs many: each is stored, or was before, or has its own no."""
    values = [one.values for one in wanted]
    seen = known.seen(tx, [one["record"] for one in values], known.ADD)
    named = {p for one in values for p in (one.get("owner"), one.get("next_owner"), *one.get("mentions", ())) if p}
    people = staff.active(tx, named)
    leads_on = known.seen(tx, [one.values["record"] for one in wanted if one.to_stage], "write")
    rules = settings.document(tx, "followUps")
    met = Met(tx, wanted, seen.keys())
    made: list[Brought[FollowUp] | Problem] = []
    logged: list[tuple[FollowUp, Wanted]] = []
    for one in wanted:
        try:
            _check(tx, one, seen, people, rules, leads_on)
        except (Invalid, Denied, NotFound) as problem:
            made.append(problem)
            continue
        if there := met.find(one):
            made.append(Brought(there, bringing.SKIPPED))
            continue
        new = _new(tx, one, people)
        met.add(new)
        logged.append((new, one))
        made.append(Brought(new, bringing.CREATED))
    stored_now = _store(tx, logged, list(seen.values()))
    return [
        one if isinstance(one, Problem) else replace(one, record=stored_now.get(one.record.name, one.record))
        for one in made
    ]


def tried(tx: Transaction, wanted: Sequence[Wanted]) -> list[Brought[FollowUp] | Problem]:
    """What would become of them; nothing is stored."""
    return bringing.tried(tx, lambda: create_all(tx, wanted))


def take_back(tx: Transaction, taken: Sequence[TakenBack]) -> list[str]:
    """Ends for good those that an import brought; answers those that somebody changed since, which stay."""
    held = records.of_names(tx, FOLLOW_UPS, [one.name for one in taken])
    kept = bringing.take_back(tx, WAY, taken, "")
    for gone in (of for name, of in held.items() if name not in kept):
        _followed(tx, None, replace(gone, delete_time=tx.now))
    return kept


# What its record belongs to may become another's; nobody worked on it then.
WAY = Way(
    FOLLOW_UPS,
    messages.follow_up,
    lambda tx, now, fields: now,
    derived=frozenset({"customer", "opportunity", "lead", "team"}),
)


def _check(
    tx: Transaction,
    one: Wanted,
    seen: Mapping[str, Known],
    people: Mapping[str, Person],
    rules: Mapping[str, Any],
    writable: Mapping[str, Known],
) -> None:
    values = one.values
    refuse_read_only(tx.principal, _RESOURCE, [name for name, value in values.items() if value])
    wrong: list[tuple[str, str, str]] = []
    if values["record"] not in seen:
        raise NotFound(values["record"])
    if not latest.is_followed(values["record"]):
        followed = ", ".join(FOLLOWED)
        wrong.append(("follow_up.record", f"must be among: {followed}", f"须属于：{followed}"))
    if one.historical and not values.get("happen_time"):
        wrong.append(("follow_up.happen_time", "is required with historical", "补录历史时必填"))
    wrong += _to_come(tx, values)
    for name in ("owner", "next_owner"):
        wrong += staff.unknown([values.get(name, "")], people, f"follow_up.{name}")
    wrong += staff.unknown(values.get("mentions", ()), people, "follow_up.mentions")
    if values.get("attachments"):
        wrong += _unfit(tx, values["attachments"], seen[values["record"]], rules)
    if not one.historical:
        wrong += follow_up_form.missing(rules, values)
    if one.to_stage and (kind_of(values["record"]) != OPPORTUNITIES or one.historical):
        wrong.append(("to_stage", "is for a new follow-up on an opportunity", "仅适用于商机的新跟进"))
    if wrong:
        raise Invalid(wrong)
    if one.to_stage and values["record"] not in writable:
        raise Denied("opportunities.write")
    if values.get("owner"):
        staff.write_for(tx, _RESOURCE, people[values["owner"]])


def _unfit(
    tx: Transaction, names: Sequence[str], record: Known, rules: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    return attachments.unfit(tx, names, parties(record), rules["attachmentKinds"], "follow_up.attachments")


def _to_come(tx: Transaction, values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    happened = values.get("happen_time")
    late = happened is not None and happened > tx.now + SKEW
    return [("follow_up.happen_time", "must not be to come", "不能晚于现在")] if late else []


def _new(tx: Transaction, one: Wanted, people: Mapping[str, Person]) -> FollowUp:
    values = {**_EMPTY, **one.values}
    owner = values["owner"] or tx.principal.person
    kept = {**values, "origin": one.origin, "owner": owner, "team": people[owner].team if owner else ""}
    if kept["outcome"] == Outcome.REVISIT and not one.historical:
        kept["next_owner"] = kept["next_owner"] or owner
    kept["happen_time"] = kept.get("happen_time") or tx.now
    return FollowUp(name=FOLLOW_UPS.new_name(), create_time=tx.now, update_time=tx.now, **kept)


def _store(tx: Transaction, logged: Sequence[tuple[FollowUp, Wanted]], about: Sequence[Known]) -> dict[str, FollowUp]:
    """Stores them with all that follows from them; as they are then, by name."""
    if not logged:
        return {}
    held = stored.hold(tx, latest.parties(about))
    filled = [(placed(one, held[one.record]), wanted) for one, wanted in logged]
    new = [one for one, _ in filled]
    # What a record belongs to may have changed since the look at it.
    held |= stored.hold(tx, [name for one in new for name in _parties(one) if name not in held])
    rows = [tuple(getattr(one, name) for name in FOLLOW_UPS.names) for one in new]
    insert_rows(tx.connection, table.follow_ups, FOLLOW_UPS.names, rows)
    latest.gained(tx, held, new)
    timeline.put(tx, [entries.follow_up(one) for one in new])
    for one, wanted in filled:
        tx.audit("followUp.created", one.name, {"record": one.record, "historical": wanted.historical})
        FOLLOW_UPS.announce(tx, None, one)
        tx.emit(events.follow_up_logged(one, wanted.to_stage), time=one.happen_time)
        if not wanted.historical:
            mentions.named(tx, one.name, one.mentions, one.record, one.summary)
        elif one.mentions:
            table.mention_all(tx, [(one.name, person) for person in one.mentions])
    automatic.revisits(tx, [one for one, wanted in filled if not wanted.historical])
    return {one.name: one for one in new}


def placed(one: Any, record: Known) -> Any:
    """With the customer, the opportunity and the lead that its record is or belongs to."""
    return replace(one, customer=record.customer, opportunity=record.opportunity, lead=record.lead)


def _parties(one: FollowUp) -> list[str]:
    return [name for name in (one.record, one.customer, one.opportunity, one.lead) if name]


def update(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> FollowUp:
    """Writes these values, of the company's own fields key by key. Raises Stale, Invalid, Denied."""
    refuse_read_only(tx.principal, _RESOURCE, list(values))
    before = records.hold(tx, FOLLOW_UPS, name, etag)
    after = replace(before, **custom.laid(before.custom, values, "follow_up"))
    wrong = [*_to_come(tx, values)]
    people = staff.active(tx, [p for p in (after.next_owner, *after.mentions) if p])
    if "next_owner" in values:
        wrong += staff.unknown([after.next_owner], people, "follow_up.next_owner")
    if "mentions" in values:
        wrong += staff.unknown(after.mentions, people, "follow_up.mentions")
    rules = settings.document(tx, "followUps")
    if values.get("attachments"):
        wrong += _unfit(tx, after.attachments, stored.hold(tx, [after.record])[after.record], rules)
    # What lacked what the template wants before, an import, may go on without.
    lacked = {field for field, _, _ in follow_up_form.missing(rules, _plain(before))}
    wrong += [one for one in follow_up_form.missing(rules, _plain(after)) if one[0] not in lacked]
    if wrong:
        raise Invalid(wrong)
    saved = records.save(tx, FOLLOW_UPS, before, after)
    if saved is not before:
        mentions.changed(tx, name, before.mentions, saved.mentions, saved.record, saved.summary)
        _followed(tx, before, saved)
    return saved


def _plain(one: FollowUp) -> dict[str, Any]:
    return {name: getattr(one, name) for name in FOLLOW_UPS.names}


def delete(tx: Transaction, name: str, etag: str) -> FollowUp:
    gone = records.delete(tx, FOLLOW_UPS, name, etag)
    _followed(tx, None, gone)
    return gone


def undelete(tx: Transaction, name: str) -> FollowUp:
    back = records.undelete(tx, FOLLOW_UPS, name)
    _followed(tx, None, back)
    return back


def _followed(tx: Transaction, before: FollowUp | None, now: FollowUp) -> None:
    """The timeline, the last follow-up and the visit to come say what the follow-up says now."""
    timeline.show(tx, entries.follow_up(now), now.delete_time is None)
    if before is None or before.happen_time != now.happen_time:
        latest.changed(tx, now)
    automatic.revisit_changed(tx, now)
