"""Opportunities are opened, changed, given to others, deleted and brought back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from chassis import custom, records
from chassis.access import refuse_read_only
from chassis.errors import Invalid, Stale
from chassis.fields import FieldProblem
from chassis.numbers import following
from chassis.transaction import Transaction
from opportunities.domain.opportunity import Opportunity, Status
from opportunities.domain.pipeline import Pipeline
from opportunities.storage import parties, readers
from opportunities.storage.tables import numbers
from opportunities.usecases import moving, pipelines
from opportunities.usecases.kind import KIND, RESOURCE, leading, may_own, staff
from opportunities.usecases.moving import Wish
from opportunities.wire import events


def create(tx: Transaction, values: Mapping[str, Any], today: date, historical: bool) -> Opportunity:
    """Opens one in the first stage of its pipeline, with a number (O2). `values` are those that were given."""
    refuse_read_only(tx.principal, RESOURCE, [name for name, value in values.items() if value])
    way = pipelines.chosen(tx, values.get("pipeline", ""))
    stage = way.stage(values["stage"]) if values.get("stage") else way.first
    if stage is None:
        raise Invalid([("opportunity.stage", "there is no such stage", "没有这个阶段")])
    if stage is not way.first:
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
    made = Opportunity(
        **{
            **_EMPTY,
            **values,
            "name": KIND.new_name(),
            "number": "",
            "pipeline": way.name,
            "stage": stage.id,
            "status": Status.OPEN.value,
            "win_probability": values.get("win_probability") or stage.probability,
            "owner": owner,
            "team": team,
            "owner_version": 1,
            "stage_time": tx.now,
            "create_time": tx.now,
            "update_time": tx.now,
        }
    )
    made = replace(made, number=f"CRM-{today:%Y%m%d}-{following(tx, numbers, today.isoformat()):04}")
    records.create(tx, KIND, made, {"number": made.number})
    moving.opened(tx, made)
    _collaborate(tx, None, made)
    tx.emit(events.opened(made))
    return made


_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("customer", "contact", "lead", "need", "decision_cycle", "blocker", "currency"), ""),
    **dict.fromkeys(("budget_currency", "expected_close_date", "position", "phone", "email", "source"), ""),
    **dict.fromkeys(("industry", "company_size", "follow_up_status", "status_reason", "resume_stage"), ""),
    **dict.fromkeys(("warning", "warning_zh"), ""),
    **dict.fromkeys(("amount", "budget", "custom", "close_time", "warned_time", "delete_time")),
    "products": [],
    "collaborators": [],
    "checklist_done": [],
    "importance": 1,
    "version": 1,
}


def change(
    tx: Transaction, name: str, etag: str, values: Mapping[str, Any], historical: bool, wish: Wish
) -> Opportunity:
    """Changes fields, and with "stage" moves it. Keys like "custom.size" change one of the company's own."""
    refuse_read_only(tx.principal, RESOURCE, list(values))
    before = records.hold(tx, KIND, name, etag)
    given = dict(values)
    own = {key.partition(".")[2]: given.pop(key) for key in list(given) if key.startswith("custom.")}
    if own:
        try:
            given["custom"] = custom.patched(given.get("custom", before.custom) or {}, own) or None
        except FieldProblem as problem:
            raise Invalid([("opportunity.custom", problem.english, problem.chinese)]) from None
    changed = {key: value for key, value in given.items() if getattr(before, key) != value}
    if {"customer", "contact"} & changed.keys():
        changed = {"customer": before.customer, "contact": before.contact, **changed}
    _check(tx, changed, wish.today, historical)
    if "checklist_done" in changed:
        _check_items(pipelines.chosen(tx, before.pipeline), changed["checklist_done"])
    stage = changed.pop("stage", None)
    after = replace(before, **changed)
    _collaborate(tx, before, after)
    if stage is not None:
        return moving.to_stage(tx, before, after, stage, wish)
    return records.save(tx, KIND, before, after)


def transfer(tx: Transaction, name: str, etag: str, owner: str, known: int, reason: str) -> Opportunity:
    """The one place where an owner changes: a compare-and-set on `known`, the version of the owner, and on the row's.

    Raises Stale when somebody else gave it away first, Denied for who may not lead.
    """
    before = records.hold(tx, KIND, name, etag)
    leading(tx)
    person = staff(tx, [owner], "owner")[owner]
    may_own(tx, person)
    if known and known != before.owner_version:
        raise Stale(name)
    if owner == before.owner:
        return before
    after = replace(before, owner=owner, team=person.team, owner_version=before.owner_version + 1)
    saved = records.save(tx, KIND, before, after, "transferred")
    tx.audit("opportunity.owner", name, {"from": before.owner, "to": owner, "because": bool(reason)})
    return saved


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
    if customer and customer not in known:
        wrong.append(("opportunity.customer", "is not known", "客户不存在"))
    if contact and contact not in known:
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


def _collaborate(tx: Transaction, before: Opportunity | None, after: Opportunity) -> None:
    """Collaborators see the opportunity (O33); those who are new are announced."""
    was = [one["person"] for one in before.collaborators] if before else []
    now = {one["person"]: one["part"] for one in after.collaborators}
    if sorted(was) == sorted(now):
        return
    new = [person for person in now if person not in was]
    staff(tx, new, "opportunity.collaborators")
    readers.set_collaborators(tx, after.name, list(now))
    for person in new:
        tx.emit(events.collaborator_added(after, person, now[person]))
