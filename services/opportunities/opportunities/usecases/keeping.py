"""Opportunities are opened, changed, deleted and brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from chassis import custom, people, records
from chassis.access import refuse_read_only
from chassis.database import in_values
from chassis.errors import Invalid, Refused
from chassis.numbers import following
from chassis.transaction import Transaction
from opportunities.domain.history import Visit
from opportunities.domain.opportunity import Opportunity, Status
from opportunities.domain.pipeline import Pipeline
from opportunities.domain.related import SIGNED, Sort
from opportunities.storage import parties, related
from opportunities.storage.tables import numbers, opportunities
from opportunities.storage.tables import people as people_table
from opportunities.usecases import gates, moving, pipelines
from opportunities.usecases.collaborating import collaborate
from opportunities.usecases.kind import KIND, RESOURCE, may_lead, may_own, staff
from opportunities.usecases.moving import Wish
from opportunities.wire import asking, events


def create(
    tx: Transaction,
    values: Mapping[str, Any],
    today: date,
    historical: bool,
    past: Sequence[Visit] = (),
    way: Pipeline | None = None,
) -> Opportunity:
    """Opens one in the first stage of its pipeline, with a number (O2). `values` are those that were given. `past` are
    the stages that it passed before it was entered, the one that it was opened in first; `way` its
    pipeline, where it is known already."""
    refuse_read_only(tx.principal, RESOURCE, [name for name, value in values.items() if value])
    values = standing(tx, values)
    way = way or pipelines.chosen(tx, values.get("pipeline", ""))
    stage = way.stage(values["stage"]) if values.get("stage") else way.first
    if stage is None:
        raise Invalid([("opportunity.stage", "there is no such stage", "没有这个阶段")])
    if stage is not way.first and not past:
        raise moving.NotYet(
            "JUMP", [("opportunity.stage", "a new opportunity begins in the first stage", "新商机须从第一个阶段开始")]
        )
    _check(tx, values, today, historical)
    owner = values.get("owner") or tx.principal.person
    team = ""
    if owner:
        person = staff(tx, [owner], "opportunity.owner")[owner]
        may_own(tx, person)
        team = person.team
    return store(tx, way, values, owner, team, today, confirmed=may_lead(tx.principal), past=past)


def store(
    tx: Transaction,
    way: Pipeline,
    values: Mapping[str, Any],
    owner: str,
    team: str,
    today: date,
    confirmed: bool,
    past: Sequence[Visit] = (),
) -> Opportunity:
    """Stores a new one in the first stage, whoever asks; `confirmed`: nobody else has to say yes. One with a `past`
    came through it long ago: no gate is asked, and nothing is begun because of it."""
    awaits = bool(way.confirm_by) and not confirmed and not past
    stage = past[0].stage if past else way.first
    status = Status.AWAITING_CONFIRMATION if awaits else stage.kind
    began = past[0].time if past else tx.now
    made = Opportunity(
        **{
            **_EMPTY,
            **values,
            "name": KIND.new_name(),
            "number": "",
            "pipeline": way.name,
            "stage": stage.id,
            "status": status.value,
            "win_probability": values.get("win_probability") or stage.probability,
            "status_reason": "",
            "owner": owner,
            "team": team,
            "owner_version": 1,
            "stage_time": began,
            "open_time": began if began != tx.now else None,
            "create_time": tx.now,
            "update_time": tx.now,
        }
    )
    made = replace(made, number=f"CRM-{today:%Y%m%d}-{following(tx, numbers, today.isoformat()):04}")
    opening = made
    made, moved = moving.passed(tx, way, opening, past, values.get("status_reason", ""))
    if values.get("win_probability"):
        made = replace(made, win_probability=values["win_probability"])
    records.create(tx, KIND, made, {"number": made.number})
    moving.opened(tx, opening)
    collaborate(tx, None, made)
    tx.emit(events.opened(opening, way), time=began)
    moving.tell_past(tx, way, moved)
    if awaits:
        _ask_for_confirmation(tx, made)
    if not past:
        gates.arrive(tx, made)
        gates.look(tx, made, today)
    return made


def standing(tx: Transaction, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """`values` with the customer that stands where theirs was merged (C20); it stands until the commit."""
    stands = parties.standing(tx, [values.get("customer", "")], hold=True)
    return {**values, "customer": stands[values["customer"]]} if stands else values


def follow(tx: Transaction, merged: Sequence[str]) -> None:
    """The opportunities of these customers, deleted ones too, are those' that they are part of (C20)."""
    # Held: whoever is about to merge those that stand finds what they are given here.
    ends = parties.standing(tx, merged, hold=True)
    stands = {name: end for name, end in ends.items() if end != name}
    c = opportunities.c
    theirs = sa.select(c.name).where(in_values(c.customer, sorted(stands), tx.dialect)).limit(_AT_ONCE)
    # Until there is none: what somebody was drawing up meanwhile is there when we look again.
    while names := list(tx.execute(theirs).scalars()) if stands else []:
        held = sorted(records.of_names(tx, KIND, names, lock=True).items())
        changes = [(of, replace(of, customer=stands.get(of.customer, of.customer))) for _, of in held]
        records.save_all(tx, KIND, changes, "merged")


_AT_ONCE = 200


def _ask_for_confirmation(tx: Transaction, of: Opportunity) -> None:
    """Whoever leads the owner is told that a new opportunity awaits his word (O35)."""
    owner = people.find(tx, people_table, of.owner) if of.owner else None
    if owner is not None and owner.manager:
        tx.emit(asking.awaiting(of, owner.manager))


_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("customer", "contact", "lead", "need", "decision_cycle", "blocker", "currency"), ""),
    **dict.fromkeys(("budget_currency", "expected_close_date", "position", "phone", "email", "source"), ""),
    **dict.fromkeys(("industry", "company_size", "follow_up_status", "status_reason", "resume_stage"), ""),
    **dict.fromkeys(("warning", "warning_zh", "approved_quote"), ""),
    **dict.fromkeys(("amount", "budget", "custom", "close_time", "warned_time", "quote_approve_time", "delete_time")),
    **dict.fromkeys(("open_time",)),
    "products": [],
    "collaborators": [],
    "checklist_done": [],
    "importance": 1,
    "version": 1,
}


def change(
    tx: Transaction, name: str, etag: str, values: Mapping[str, Any], historical: bool, wish: Wish
) -> Opportunity:
    """Changes fields, and with "stage" moves it. The company's own fields change key by key."""
    refuse_read_only(tx.principal, RESOURCE, list(values))
    before = records.hold(tx, KIND, name, etag)
    given = custom.laid(before.custom, standing(tx, values), "opportunity")
    changed = {key: value for key, value in given.items() if getattr(before, key) != value}
    if {"customer", "contact"} & changed.keys():
        changed = {"customer": before.customer, "contact": before.contact, **changed}
    _check(tx, changed, wish.today, historical)
    if "checklist_done" in changed:
        _check_items(pipelines.chosen(tx, before.pipeline), changed["checklist_done"])
    stage = changed.pop("stage", None)
    after = replace(before, **changed)
    collaborate(tx, before, after)
    if stage is not None:
        return moving.to_stage(tx, before, after, stage, wish)
    saved = records.save(tx, KIND, before, after)
    gates.look(tx, saved, wish.today)
    return saved


def delete(tx: Transaction, name: str, etag: str) -> Opportunity:
    """Raises CONTRACTED for one with a contract that was signed and is not void."""
    records.hold(tx, KIND, name, etag, "delete")  # who may not is told that first
    signed = [one for one in related.of(tx, [name], Sort.CONTRACT)[name] if one.state in SIGNED and not one.gone]
    if signed:
        called = signed[0].label or signed[0].name
        raise Refused("CONTRACTED", f"It has the signed contract {called}.", f"该商机已签署合同 {called}，不能删除。")
    return records.delete(tx, KIND, name, etag)


def undelete(tx: Transaction, name: str) -> Opportunity:
    """What its next stage needs is asked for anew: approvals ended when it was deleted."""
    of = records.undelete(tx, KIND, name)
    gates.arrive(tx, of)
    return of


def purge(tx: Transaction) -> bool:
    """Ends what was deleted 30 days ago, with its history."""
    return records.purge(tx, KIND)


def _check(tx: Transaction, values: Mapping[str, Any], today: date, historical: bool) -> None:
    """What only the service knows. Raises Invalid with every wrong field."""
    wrong: list[tuple[str, str, str]] = []
    day = values.get("expected_close_date")
    if day and not historical and day < today.isoformat():
        wrong.append(("opportunity.expected_close_date", "must not be before today", "不能早于今天"))
    customer, contact = values.get("customer", ""), values.get("contact", "")
    known = parties.there(tx, [name for name in (customer, contact) if name])
    # What the caller may not see is not known to him; a contact is whose its customer is.
    whose = [one for one in (customer, known.get(contact, "")) if one]
    seen = parties.readable(tx, tx.principal, whose)
    if customer and (customer not in known or customer not in seen):
        wrong.append(("opportunity.customer", "is not known", "客户不存在"))
    if contact and (contact not in known or known[contact] not in seen):
        wrong.append(("opportunity.contact", "is not known", "联系人不存在"))
    elif contact and customer and known[contact] != customer:
        wrong.append(("opportunity.contact", "is a contact of another customer", "该联系人属于其他客户"))
    if wrong:
        raise Invalid(wrong)


def _check_items(way: Pipeline, done: list[str]) -> None:
    wrong = [item for item in done if item not in way.items]
    if wrong:
        raise Invalid(
            [("opportunity.checklist_done", f"there is no item {wrong[0][:80]}", f"没有清单项 {wrong[0][:80]}")]
        )
