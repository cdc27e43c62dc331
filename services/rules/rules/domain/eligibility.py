"""Who may receive a lead now, and why somebody may not. Presence, hours and load are as journalled."""

from math import cos, isqrt, radians

from rules.domain.entries import Cell, LeadFacts, PersonChanged
from rules.domain.policy import Step
from rules.domain.state import NO_LOAD, Table

LEFT = "LEFT"
NOT_RECEIVING = "NOT_RECEIVING"
EXCLUDED = "EXCLUDED"
OFFLINE = "OFFLINE"
AWAY = "AWAY"
OFF_SHIFT = "OFF_SHIFT"
FULL_OPEN = "FULL_OPEN"
FULL_DAY = "FULL_DAY"
WRONG_SKILL = "WRONG_SKILL"
WRONG_INDUSTRY = "WRONG_INDUSTRY"
NOT_SENIOR = "NOT_SENIOR"
OTHER_REGION = "OTHER_REGION"
TOO_FAR = "TOO_FAR"
NOT_NEAREST = "NOT_NEAREST"
NOT_THEIR_TURN = "NOT_THEIR_TURN"
NO_PEOPLE = "NO_PEOPLE"
NOBODY_AVAILABLE = "NOBODY_AVAILABLE"

_DEGREE = 111_195  # metres of a degree of latitude on a sphere of 6 371 km
_COSINE = tuple(round(1_000_000 * cos(radians(tenth / 10))) for tenth in range(901))


def why_not(table: Table, person: PersonChanged, step: Step, needs: tuple[str, ...], named: bool = False) -> str:
    """The first reason why this person may not receive now, or "" if they may. `named`: any role may."""
    if person.state != "ACTIVE":
        return LEFT
    if not named and (person.role != "sales" or person.weight <= 0):
        return NOT_RECEIVING
    checks = step.checks
    if "presence" in checks:
        said = table.presence.get(person.person)
        if said is not None and said.presence != "ONLINE":
            return AWAY if said.presence == AWAY else OFFLINE
    if "shift" in checks and person.calendar and person.calendar in table.memo.day.closed:
        return OFF_SHIFT
    if "capacity" in checks and (person.open_limit is not None or person.day_limit is not None):
        open_leads, day, taken = table.load.get(person.person, NO_LOAD)
        if person.open_limit is not None and open_leads >= person.open_limit:
            return FULL_OPEN
        today = taken if day == table.memo.day.ordinal else 0
        if person.day_limit is not None and today >= person.day_limit:
            return FULL_DAY
    if "skill" in checks and needs and not set(needs).issubset(person.skills):
        return WRONG_SKILL
    return ""


def pool(table: Table, region: str) -> tuple[PersonChanged, ...]:
    """The region's active salespeople in order of their ids; everybody's where the region has none."""
    pools = table.memo.pools
    found = pools.get(region)
    if found is None:
        everyone = pools.get("")
        if everyone is None:
            people = table.people.values()
            members = (p for p in people if p.state == "ACTIVE" and p.role == "sales" and p.weight > 0)
            everyone = pools[""] = tuple(sorted(members, key=lambda p: p.person))
        # A lead without a region is everybody's, not only theirs who have none either.
        local = tuple(p for p in everyone if p.region == region) if region else ()
        found = local or everyone
        pools[region] = found
    return found


def needs_of(table: Table, facts: LeadFacts) -> tuple[str, ...]:
    """Skills the lead needs: its own, and those the policy asks for its category and industry."""
    asked = table.policy.skills
    if not asked:
        return facts.skills
    named = (facts.category, facts.industry)
    found = {skill for name, skills in asked if name in named for skill in skills}
    return tuple(sorted(found.union(facts.skills)))


def metres(one: Cell, other: Cell) -> int:
    """Distance between two cells in whole metres, in integers so that it never differs between machines.

    Flat-earth with the middle latitude: off by less than 1 in 1 000 up to 100 km between 70 S and 70 N.
    """
    north = abs(one[0] - other[0])
    east = abs(one[1] - other[1])
    if east > 1_800_000:
        east = 3_600_000 - east
    middle = min(abs(one[0] + other[0]) // 2_000, 900)
    x = east * _COSINE[middle]
    y = north * 1_000_000
    return isqrt(x * x + y * y) * _DEGREE // (10_000 * 1_000_000)
