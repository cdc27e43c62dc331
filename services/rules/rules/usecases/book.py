"""The automations in force, and what they come to for what is watched."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from chassis.calendar import WorkingCalendar
from chassis.fields import FieldCheck
from chassis.parts import Part
from chassis.transaction import Transaction
from rules import storage, wire
from rules.domain import automation as kinds
from rules.domain import ladder, watching
from rules.domain.asking import Occasion, ask
from rules.domain.automation import Automation, build, to_plain
from rules.domain.automation_defaults import DEFAULTS
from rules.domain.automation_form import AutomationsInvalid, from_plain
from rules.domain.conditions import Conditions
from rules.domain.state import State
from rules.domain.watching import Watched
from rules.storage.watching import Counted
from rules.usecases.journal import known_state

KEY = "automations"
_WATCHED_BY = {
    "opportunities": (kinds.STAGE_CHANGED, kinds.OPPORTUNITY_OPENED, kinds.OPPORTUNITY_SILENT),
    "customers": (kinds.CUSTOMER_SILENT,),
    "tasks": (kinds.TASK_OPENED, kinds.TASK_OVERDUE),
}
_OF_FOLLOW_UPS = (kinds.FOLLOW_UP_LOGGED, kinds.REVISIT_DUE)


def _checked(document: Any, check: FieldCheck, path: str) -> list[dict[str, Any]]:
    try:
        return [to_plain(one) for one in from_plain(DEFAULTS if document is None else document, path)]
    except AutomationsInvalid as problem:
        check.violations.extend(problem.problems)
        return []


PART = Part("rules", storage.settings, checks={KEY: _checked}, resources={KEY: "policies"})


@dataclass(frozen=True)
class Book:
    """The document in force, ready. `version` is the document's."""

    automations: tuple[Automation, ...]
    version: int
    conditions: Conditions = field(repr=False)

    @staticmethod
    def of(automations: Iterable[Automation], version: int = 0) -> Book:
        listed = tuple(automations)
        return Book(listed, version, Conditions(listed))

    @cached_property
    def by_trigger(self) -> Mapping[str, Sequence[Automation]]:
        return {on: [one for one in self.automations if one.on == on and one.enabled] for on in kinds.TRIGGERS}

    def at_once(self, on: str) -> list[Automation]:
        return [one for one in self.by_trigger[on] if not one.after]

    def holding(self, watched: Watched) -> set[str]:
        """The ids of the automations that wait here, if for anything, and whose condition holds."""
        triggers = _WATCHED_BY.get(watched.kind, ())
        found: set[str] = set()
        for on in (*triggers, *(_OF_FOLLOW_UPS if watched.follow_up is not None else ())):
            if self.by_trigger[on]:
                found |= self.conditions.holding(on, facts_of(watched, on))
        return found


def facts_of(watched: Watched, on: str) -> dict[str, Any]:
    """What conditions and texts of this trigger see."""
    facts = {"opportunity": watched.name if watched.kind == "opportunities" else "", **watched.facts}
    if on in _OF_FOLLOW_UPS and watched.follow_up is not None:
        facts.update({key: value for key, value in watched.follow_up.facts.items() if value})
    if on == kinds.STAGE_CHANGED:
        facts.update({"toStage": facts.get("stage", "")})
    return facts


_books: weakref.WeakKeyDictionary[Any, Book] = weakref.WeakKeyDictionary()


def in_force(tx: Transaction) -> Book:
    """The document in force; read and compiled anew only when another was applied."""
    at = storage.settings.c
    version = tx.execute(sa.select(at.version).where(at.id == PART.service)).scalar() or 0
    database = tx.connection.engine.pool
    known = _books.get(database)
    if known is None or known.version != version:
        content, version = PART.read(tx)
        known = _books[database] = Book.of((build(one) for one in content[KEY]), version)
    return known


def company_hours(state: State) -> WorkingCalendar | None:
    """The company's working hours; None where it has set none: then it always works."""
    found = state.calendars.get(wire.COMPANY_CALENDAR)
    return found.hours if found is not None else None


@dataclass
class Desk:
    """One transaction's view: the document, the people and the hours, and the names that texts need."""

    tx: Transaction
    book: Book
    state: State
    _asking: list[tuple[Automation, Occasion]] = field(default_factory=list)

    @staticmethod
    def open(tx: Transaction) -> Desk:
        return Desk(tx, in_force(tx), known_state(tx).state)

    @property
    def rules_number(self) -> int:
        """Rises whenever clocks may come to something else: another document, other working hours."""
        calendar = self.state.calendars.get(wire.COMPANY_CALENDAR)
        return self.book.version + (calendar.version if calendar is not None else 0) + 1

    def save(self, changed: Iterable[Watched]) -> None:
        """Writes what is watched, with its next moment."""
        hours, now = company_hours(self.state), self.tx.now
        rows = []
        for watched in changed:
            waiting = ladder.rungs(watched, self.book.automations, self.book.holding(watched), hours)
            since = ladder.silent_since(watched, now)
            rows.append(Counted(watched, since, ladder.next_due(waiting), self.rules_number))
        storage.save_watched(self.tx, rows)

    def ask(self, automation: Automation, occasion: Occasion) -> None:
        self._asking.append((automation, occasion))

    def ask_at_once(self, on: str, occasion: Occasion) -> None:
        """What follows from an event, of the automations that do not wait."""
        automations = self.book.at_once(on)
        if automations:
            holding = self.book.conditions.holding(on, occasion.facts)
            for automation in automations:
                if automation.id in holding and watching.starts(occasion.facts, automation):
                    self.ask(automation, occasion)

    def announce(self) -> None:
        """Sends what was asked for, in this transaction. Texts name customers as people know them."""
        names = {str(occasion.facts.get("customer", "")) for _, occasion in self._asking}
        called = storage.find_watched(self.tx, sorted(name for name in names if name))
        # A loss goes first: a warning changes what it is compared with.
        for automation, occasion in sorted(self._asking, key=lambda asking: not asking[0].loses):
            known = called.get(str(occasion.facts.get("customer", "")))
            customer = str(known.facts.get("title", "")) if known is not None else ""
            for asked in ask(automation, replace(occasion, customer=customer), self.state.people, self.tx.now):
                self.tx.emit(wire.action_requested(asked))
        self._asking.clear()
