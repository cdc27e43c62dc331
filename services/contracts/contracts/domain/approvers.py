"""Who is asked: the lines of a node's approvers, read for one asker.

"people/…", "role:finance" (everybody who has the role), "group:legal" (an approver group of the blueprint), "manager"
(the asker's; "manager:2" is that one's, "manager:top" the last), "team-lead" (the manager of the asker's team),
"teams/…" (the manager of that team), "asker" (where fields are filled in, or people told). Each line is one seat, that
any one of its people takes; "each:group:legal" makes a seat for everybody of the group.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from contracts.domain.approval_flow import Words

ASKER, TOP, EACH = "asker", "top", "each:"
ADMINISTRATORS = "role:admin"
LONGEST_CHAIN = 20
_PERSON = r"people/[A-Za-z0-9_-]{1,64}"
_TEAM = r"teams/[A-Za-z0-9_-]{1,64}"
_ROLE = "role:(?:admin|manager|sales|backoffice|finance)"
_GROUP = "group:[a-z][a-z0-9-]{0,62}"
_KNOWN = re.compile(rf"{_PERSON}|{_TEAM}|{_ROLE}|{_GROUP}|manager(?::(?:[1-9]|1\d|top))?|team-lead")


@dataclass(frozen=True, slots=True)
class Colleague:
    """`manager` and `team` are names, or empty."""

    name: str
    role: str
    team: str = ""
    manager: str = ""
    active: bool = True
    region: str = ""


@dataclass(frozen=True, slots=True)
class Team:
    name: str
    manager: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """An approver group. Where none of `members` can be asked, the first line of `otherwise` that names somebody."""

    id: str
    display_name: Words
    members: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()


def is_line(line: object) -> bool:
    """Whether this is a line that names approvers."""
    if not isinstance(line, str):
        return False
    if line.startswith(EACH):
        inner = line.removeprefix(EACH)
        return inner.startswith(("role:", "group:")) and _KNOWN.fullmatch(inner) is not None
    return line == ASKER or _KNOWN.fullmatch(line) is not None


@dataclass(frozen=True)
class House:
    """The people that one run may meet, the approver groups, and the teams."""

    people: Mapping[str, Colleague] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)

    def is_active(self, person: str) -> bool:
        known = self.people.get(person)
        return known is not None and known.active

    def chain(self, person: str) -> list[str]:
        """The active managers above somebody, the nearest first."""
        return [one for one in self._above(person) if self.is_active(one)]

    def reports_to(self, person: str, manager: str) -> bool:
        """Whether somebody has this manager, directly or through others."""
        return manager in self._above(person)

    def _above(self, person: str) -> list[str]:
        found: list[str] = []
        above = self.people.get(person)
        while above is not None and above.manager not in ("", person, *found) and len(found) <= LONGEST_CHAIN:
            found.append(above.manager)
            above = self.people.get(above.manager)
        return found

    def _with_role(self, role: str) -> list[str]:
        return [one.name for one in self.people.values() if one.role == role]

    def _lead(self, team: str, asker: str) -> str:
        """The manager of a team; of the next one above where that is the asker himself, or nobody."""
        seen: set[str] = set()
        while team in self.teams and team not in seen:
            seen.add(team)
            known = self.teams[team]
            if known.manager and known.manager != asker and self.is_active(known.manager):
                return known.manager
            team = known.parent
        return ""

    def people_of(self, line: str, asker: str) -> tuple[str, ...]:
        """The active people whom a line names, the asker among them where it names him; sorted."""
        return tuple(sorted({one for one in self._named(line, asker) if self.is_active(one)}))

    def _named(self, line: str, asker: str) -> Iterable[str]:
        kind, _, value = line.partition(":")
        if line == ASKER:
            return [asker]
        if line.startswith("people/"):
            return [line]
        if line.startswith("teams/"):
            return [self._lead(line, asker)]
        if kind == "role":
            return self._with_role(value)
        if kind == "group":
            group = self.groups.get(value)
            return [one for member in (group.members if group else ()) for one in self._named(member, asker)]
        if kind == "manager":
            chain = self.chain(asker)
            place = len(chain) if value == TOP else int(value or 1)
            return chain[max(0, min(place, len(chain)) - 1) :][:1]
        if line == "team-lead":
            known = self.people.get(asker)
            return [self._lead(known.team, asker)] if known else []
        return []

    def seat(self, line: str, asker: str, own: bool = False, without: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Who may take a seat. Nobody approves his own request, nor does who reports to him unless he is named himself
        ("people/…"), unless `own`: others of the line do, then his manager, then whom the group names otherwise, then
        an administrator; nobody where there is none of all these. None of `without` is asked."""
        named = [one for one in self.people_of(line, asker) if one not in without]
        free = named if own else self._free(line, asker, named)
        if free:
            return tuple(free)
        if named:
            above = [one for one in self.chain(asker) if one not in without][:1]
            if above:
                return tuple(above)
        group = self._group(line)
        for further in (*(group.otherwise if group else ()), ADMINISTRATORS):
            named = [one for one in self.people_of(further, asker) if one not in without]
            free = self._free(further, asker, named)
            if free:
                return tuple(free)
        return ()

    def _group(self, line: str) -> Group | None:
        return self.groups.get(line.removeprefix("group:")) if line.startswith("group:") else None

    def _free(self, line: str, asker: str, named: Iterable[str]) -> list[str]:
        """Those whom a line names who may decide on a request."""
        group = self._group(line)
        himself = {line, *(group.members if group else ())}
        return [one for one in named if one != asker and (one in himself or not self.reports_to(one, asker))]

    def seats(
        self, lines: Iterable[str], asker: str, own: bool = False, without: frozenset[str] = frozenset()
    ) -> list[tuple[str, tuple[str, ...]]]:
        """Every seat of a node: its line, and who may take it."""
        found: list[tuple[str, tuple[str, ...]]] = []
        for line in lines:
            inner = line.removeprefix(EACH)
            everybody = [one for one in self.people_of(inner, asker) if one not in without]
            everybody = everybody if own else self._free(inner, asker, everybody)
            if line.startswith(EACH) and everybody:
                found.extend((inner, (one,)) for one in everybody)
            else:
                found.append((inner, self.seat(inner, asker, own, without)))
        return found


def meant(lines: Iterable[str], groups: Mapping[str, Group]) -> tuple[set[str], set[str], set[str]]:
    """The people, the roles and the teams that these lines name, in groups or by themselves; administrators always."""
    people, roles, teams = set[str](), {ADMINISTRATORS.partition(":")[2]}, set[str]()
    left, seen = [line.removeprefix(EACH) for line in lines], set[str]()
    while left:
        line = left.pop()
        if line in seen:
            continue
        seen.add(line)
        kind, _, value = line.partition(":")
        if line.startswith("people/"):
            people.add(line)
        elif line.startswith("teams/"):
            teams.add(line)
        elif kind == "role":
            roles.add(value)
        elif kind == "group" and value in groups:
            left.extend((*groups[value].members, *groups[value].otherwise))
    return people, roles, teams
