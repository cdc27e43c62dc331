"""What an automation asks for: of whom, and in which words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rules.domain.automation import CREATE_TASK, MARK_LOST, TO_OPPORTUNITY, Action, Automation
from rules.domain.entries import PersonChanged

People = Mapping[str, PersonChanged]
"""By id."""
MOST_RECIPIENTS = 200
_LONGEST_TITLE = 200
_PLACEHOLDER = re.compile(r"\{(number|title|days|after|customer)\}")


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why an automation asks now. `key` tells this occasion from every other; `facts` are what conditions saw, with
    `parts` (a collaborator's part -> ids of people) and `opportunity` where there is one; `customer` is the name that
    people read; `days` those that have passed; `since`: when anything last happened."""

    subject: str
    key: str
    facts: Mapping[str, Any]
    customer: str = ""
    days: int = 0
    version: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for one person (an id, "" for nobody in particular); as ActionRequested has it."""

    subject: str
    action: str
    person: str
    parameters: Mapping[str, Any]
    text_zh: str
    text_en: str
    author: str
    origin: str
    automation: str


def ask(automation: Automation, occasion: Occasion, people: People, now: datetime) -> list[Asked]:
    """What it asks for. Where nobody is there to be asked, nothing is."""
    found: list[Asked] = []
    waited = automation.after.days or automation.after.hours // 24 or occasion.days
    for number, action in enumerate(automation.actions):
        to = [""] if action.kind in TO_OPPORTUNITY else recipients(action.to, occasion.facts, people)
        words = _Words(occasion, waited)
        for person in to:
            origin = f"automations/{automation.id}/{number}/{occasion.key}/{person}".rstrip("/")
            short = action.kind == CREATE_TASK  # a task's text is its detail
            found.append(
                Asked(
                    subject=occasion.subject,
                    action=action.kind,
                    person=person,
                    parameters=_parameters(automation.on, action, occasion, words, now, origin),
                    text_zh=("" if short else words.say(action.text_zh)) or words.title(action.title_zh),
                    text_en=("" if short else words.say(action.text_en)) or words.title(action.title_en),
                    author=automation.author,
                    origin=origin,
                    automation=automation.id,
                )
            )
    return found


class _Words:
    def __init__(self, occasion: Occasion, after: int) -> None:
        self._values = {
            "number": str(occasion.facts.get("number", "")),
            "title": str(occasion.facts.get("title", "")) or occasion.customer,
            "days": str(occasion.days),
            "after": str(after),
            "customer": occasion.customer,
        }

    def say(self, text: str) -> str:
        """The text with its placeholders filled, in one pass: what a title holds is never one."""
        return _PLACEHOLDER.sub(lambda found: self._values[found[1]], text)

    def title(self, text: str) -> str:
        return self.say(text)[:_LONGEST_TITLE]


def _parameters(
    on: str, action: Action, occasion: Occasion, words: _Words, now: datetime, origin: str
) -> dict[str, Any]:
    since = occasion.since.isoformat() if occasion.since is not None else ""
    if action.kind == MARK_LOST:
        return {"version": occasion.version, "last_activity": since}
    if action.kind in TO_OPPORTUNITY:
        return {"last_activity": since, "days": occasion.days}
    facts = occasion.facts
    found: dict[str, Any] = {key: facts.get(key, "") for key in ("customer", "opportunity")}
    found["record"] = facts.get("about") or facts.get("contract", "")
    head = "title" if action.kind == CREATE_TASK else "subject"
    found[f"{head}_zh"], found[f"{head}_en"] = words.title(action.title_zh), words.title(action.title_en)
    chinese, english = words.say(action.text_zh), words.say(action.text_en)
    if action.kind == CREATE_TASK:
        found.update(kind=action.task_kind, origin=origin, detail="\n".join(filter(None, (chinese, english))))
        if action.due_hours:
            found["due_time"] = (now + timedelta(hours=action.due_hours)).isoformat()
    else:
        found.update(text_zh=chinese, text_en=english, on=on, contract=facts.get("contract", ""))
    if action.template:
        found["template"] = action.template
    return found


def recipients(to: Sequence[str], facts: Mapping[str, Any], people: People) -> list[str]:
    """The ids of those who are meant and work here, each once. An owner who has left is his manager."""
    owner = _bare(facts.get("owner", ""))
    team = _bare(facts.get("team", ""))
    found: dict[str, None] = {}
    for one in to:
        if one == "owner":
            named = [_present(owner, people)]
        elif one == "manager":
            named = [_manager(owner, people)]
        elif one == "team":
            named = [id for id, p in sorted(people.items()) if team and p.team == team]
        elif one.startswith("roles/"):
            named = [id for id, p in sorted(people.items()) if p.role == _bare(one)]
        elif one.startswith("part:"):
            named = _with_part(one.removeprefix("part:"), facts.get("parts", {})) or [_present(owner, people)]
        else:
            named = [_bare(one)]
        found.update(dict.fromkeys(id for id in named if id in people and people[id].state == "ACTIVE"))
    return list(found)[:MOST_RECIPIENTS]


def _present(person: str, people: People) -> str:
    known = people.get(person)
    return person if known is None or known.state == "ACTIVE" else known.manager


def _manager(person: str, people: People) -> str:
    known = people.get(person)
    return known.manager if known is not None else ""


def _with_part(wanted: str, parts: Mapping[str, Sequence[str]]) -> list[str]:
    names = {name.strip().casefold() for name in wanted.split("|")}
    return [_bare(person) for part, named in parts.items() if part.strip().casefold() in names for person in named]


def _bare(name: str) -> str:
    return name.rpartition("/")[2]
