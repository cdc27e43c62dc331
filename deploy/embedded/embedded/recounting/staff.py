"""Who people are: what figures are grouped by that is known of their owners now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedded.owners import Owners

OF_OWNERS = ("manager", "team", "owner_region")


def staff(owners: Owners) -> dict[str, dict[str, str]]:
    """OF_OWNERS of each person."""
    teams = {team.name: team for team in owners.all("directory", "ListTeams", show_deleted=True)}
    return {
        person.name: {
            "manager": person.manager or _leader(person, teams),
            "team": person.team,
            "owner_region": person.region,
        }
        for person in owners.all("directory", "ListPeople")
    }


def _leader(person: Any, teams: Mapping[str, Any]) -> str:
    """Whoever manages the team of one who has no manager of his own, or else the nearest above it; not himself."""
    above = person.team
    for _ in range(len(teams)):
        team = teams.get(above)
        if team is None:
            break
        if team.manager not in ("", person.name):
            return str(team.manager)
        above = team.parent
    return ""
