"""Teams form a tree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Team:
    """`parent` is "teams/..." or empty; `manager` "people/..." or empty; `delete_time` None while it is there."""

    name: str
    display_name: str
    parent: str = ""
    manager: str = ""
    version: int = 1
    delete_time: datetime | None = None

    @property
    def etag(self) -> str:
        return str(self.version)


def below(roots: Iterable[str], teams: Iterable[Team]) -> tuple[str, ...]:
    """The roots and every team under them, sorted. Ends even on a tree with a circle in it."""
    children: dict[str, list[str]] = {}
    for team in teams:
        children.setdefault(team.parent, []).append(team.name)
    found: set[str] = set()
    waiting = [root for root in roots if root]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(children.get(name, ()))
    return tuple(sorted(found))


def covered(person: str, team: str, teams: Iterable[Team]) -> tuple[str, ...]:
    """The teams whose rows the scope TEAM covers: one's own and those one manages, each with all below it."""
    every = tuple(teams)
    return below([team, *(t.name for t in every if t.manager == person)], every)


def manager_of(team: str, person: str, teams: Iterable[Team]) -> str:
    """Who manages a member of `team`: the team's manager, or that of the nearest team above it which has one other
    than the person himself; "" without any."""
    every = {t.name: t for t in teams}
    seen: set[str] = set()
    while team in every and team not in seen:
        seen.add(team)
        if every[team].manager not in ("", person):
            return every[team].manager
        team = every[team].parent
    return ""


def makes_circle(team: str, parent: str, teams: Iterable[Team]) -> bool:
    """Whether `team` under `parent` would be above itself."""
    return parent in below([team], teams)
