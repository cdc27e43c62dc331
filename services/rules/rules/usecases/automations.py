"""The document of automations: read, compared, applied; and rehearsed on facts that somebody makes up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from chassis.access import Scope
from chassis.errors import Denied, Invalid
from chassis.transaction import Transaction
from dealwright.rules.v1 import rules_pb2
from rules import wire
from rules.domain import automation as kinds
from rules.domain.asking import Occasion, People, ask
from rules.domain.automation import Automation, build, to_plain
from rules.domain.automation_form import AutomationsInvalid, from_plain
from rules.domain.watching import due
from rules.usecases.book import KEY as KEY
from rules.usecases.book import PART, Book, company_hours, in_force
from rules.usecases.journal import known_state

Outcome: TypeAlias = rules_pb2.PreviewAutomationsResponse.Outcome
# What an author must be allowed to, for everything that may come under his rule.
_NEEDED = {kinds.CREATE_TASK: "tasks", kinds.MARK_LOST: "opportunities", kinds.WARN: "opportunities"}
_OF_FACTS = {"string": str, "int": int, "bool": bool}


def document(tx: Transaction) -> tuple[list[dict[str, Any]], int]:
    """The automations in force as people write them, and the document's version."""
    book = in_force(tx)
    return [to_plain(one) for one in book.automations], book.version


def proposed(tx: Transaction, plain: Any) -> list[dict[str, Any]]:
    """The document as it would be stored, each automation with its author. Raises Invalid with every wrong path."""
    given = _read(plain)
    people = known_state(tx).state.people
    wrong = [
        (path, "there is no such person", "没有该人员")
        for number, automation in enumerate(given)
        for path, person in _named(automation, f"{KEY}[{number}]")
        if person not in people
    ]
    if wrong:
        raise Invalid(wrong)
    before = {one.id: one for one in in_force(tx).automations}
    claimed = [isinstance(item, Mapping) and "author" in item for item in plain]
    after = [
        replace(one, author=_author(tx.principal.person, before.get(one.id), one, said, people))
        for one, said in zip(given, claimed, strict=True)
    ]
    return [to_plain(one) for one in after]


def apply(tx: Transaction, plain: Any) -> int:
    """Puts a document in force; returns its version. Whoever changes an automation becomes its author, and must be
    allowed to do what it asks for. Raises Invalid, Stale, Denied."""
    after = proposed(tx, plain)
    before = {one.id: one for one in in_force(tx).automations}
    for one in map(build, after):
        if one != before.get(one.id):
            _allow(tx, one)
    return PART.apply(tx, {KEY: after}, in_force(tx).version)[1]


def people_named(plain: Any) -> set[str]:
    """The ids of people that a document sends to; what is not as it should be names nobody."""
    try:
        given = _read(plain)
    except Invalid:
        return set()
    return {person for automation in given for _, person in _named(automation, "")}


def _read(plain: Any) -> tuple[Automation, ...]:
    try:
        return from_plain(plain, KEY)
    except AutomationsInvalid as problem:
        raise Invalid(problem.problems) from None


def _named(automation: Automation, path: str) -> Iterator[tuple[str, str]]:
    for number, action in enumerate(automation.actions):
        for place, to in enumerate(action.to):
            if to.startswith("people/"):
                yield f"{path}.actions[{number}].to[{place}]", to.removeprefix("people/")


def _author(caller: str, before: Automation | None, after: Automation, said: bool, people: People) -> str:
    """Who changes an automation answers for it. Who applies one as it is does not, unless its author has left and the
    document does not name him."""
    if before is None or replace(after, author="") != replace(before, author=""):
        return caller
    if said or not before.author:
        return before.author
    known = people.get(wire.bare(before.author))
    return before.author if known is not None and known.state == "ACTIVE" else caller


def _allow(tx: Transaction, automation: Automation) -> None:
    """Raises Denied where the author could not do everywhere what the automation does everywhere."""
    for action in automation.actions:
        resource = _NEEDED.get(action.kind)
        if resource is not None and tx.principal.scope(resource, "write") is not Scope.ALL:
            raise Denied(f"{resource}.write")


# --- rehearsal ---


def preview(tx: Transaction, on: str, facts: Mapping[str, Any], content: Mapping[str, Any]) -> list[Outcome]:
    """Which automations of a trigger these facts start, and what they ask for. Nothing is written. Raises Invalid."""
    if on not in kinds.FACTS:
        names = ", ".join(kinds.TRIGGERS)
        raise Invalid([("on", f"must be one of {names}", f"必须是以下之一：{names}")])
    _check_facts(facts, kinds.FACTS[on])
    _check_content(content)
    book = Book.of(map(build, proposed(tx, content[KEY]))) if KEY in content else in_force(tx)
    state, outcomes = known_state(tx).state, book.conditions.outcomes(on, facts)
    found: list[Outcome] = []
    for automation in book.automations:
        if automation.on != on:
            continue
        outcome = outcomes[automation.id]
        fires = outcome is True and automation.enabled
        message = Outcome(automation=automation.id, fires=fires)
        if isinstance(outcome, str):
            message.problem = f"{outcome} · 条件无法求值"
        if automation.after:
            hours = company_hours(state) if automation.working else None
            message.working = automation.working
            message.after.FromTimedelta(automation.after.length(hours))
            if on not in (kinds.DAILY, kinds.REVISIT_DUE, kinds.TASK_OVERDUE):
                moment = due(tx.now, automation.after.length(hours), (), hours)
                assert moment is not None
                message.due_time.FromDatetime(moment)
        if fires:
            days = facts.get("daysSilent", facts.get("days", automation.after.days))
            occasion = Occasion("", "preview", facts, str(facts.get("customer", "")), int(days))
            message.actions.extend(
                rules_pb2.PreviewedAction(
                    action=asked.action,
                    person=wire.person_name(asked.person),
                    parameters=wire.struct(dict(asked.parameters)),
                    text_zh=asked.text_zh,
                    text_en=asked.text_en,
                )
                for asked in ask(automation, occasion, state.people, tx.now)
            )
        found.append(message)
    return found


def _check_facts(facts: Mapping[str, Any], schema: Mapping[str, str]) -> None:
    wrong: list[tuple[str, str, str]] = []
    for name, value in facts.items():
        kind = schema.get(name)
        if kind is None:
            known = ", ".join(sorted(schema))
            wrong.append((f"facts.{name[:64]}", f"is none of {known}", f"不在可用事实之中：{known}"))
        elif type(value) is not _OF_FACTS[kind]:
            wrong.append((f"facts.{name}", f"must be of type {kind}", f"类型必须是 {kind}"))
    if wrong:
        raise Invalid(wrong)


def _check_content(content: Mapping[str, Any]) -> None:
    wrong = [(f"content.{key[:64]}", "is not known here", "此处没有这个设置") for key in content if key != KEY]
    if wrong:
        raise Invalid(wrong)
