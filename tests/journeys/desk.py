"""What the journeys do over and over, each through the public API: hire people, set rules, capture, look."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.journeys.api import Api, until

PASSWORD = "journeys-of-1000-li"
_numbers = itertools.count(1)
_phones = itertools.count(13_800_000_000)


class Desk:
    """One administrator's desk. `settle` waits until every event is handled; `later` moves the house's clock."""

    def __init__(self, api: Api, settle: Callable[[], None], later: Callable[[timedelta], None]) -> None:
        self.api = api
        self.settle = settle
        self.later = later

    # --- people ---

    def hire(self, name: str, role: str = "sales", **fields: Any) -> dict[str, Any]:
        """A person who may sign in; known everywhere when this returns."""
        login = f"person{next(_numbers)}"
        person = {"displayName": name, "login": login, "password": PASSWORD, "role": role, **fields}
        made: dict[str, Any] = self.api.post("/v1/people", person)
        self.settle()
        return made

    def sign_in(self, person: dict[str, Any], tongue: str = "zh-CN") -> Api:
        return Api(self.api.url, person["login"], PASSWORD, tongue)

    def presence(self, person: dict[str, Any], presence: str) -> None:
        self.api.post(f"/v1/{person['name']}:setPresence", {"presence": presence})
        self.settle()

    # --- rules ---

    def policy(self, **changes: Any) -> dict[str, Any]:
        """Publishes the default policy with these keys of it replaced, as part of the blueprint."""
        now = self.api.get("/v1/blueprint")["content"]["policies"]["assignment"]
        content = _patch(now, {**self.default, **changes})
        answer: dict[str, Any] = self.api.post(
            "/v1/blueprint:apply", {"content": {"policies": {"assignment": content}}}
        )
        self.settle()
        return answer

    @property
    def default(self) -> dict[str, Any]:
        """The policy as a new house has it."""
        if self.api.url not in _defaults:
            _defaults[self.api.url] = self.api.get("/v1/blueprint")["content"]["policies"]["assignment"]
        return _defaults[self.api.url]

    def clocks(self, **changes: int) -> None:
        self.policy(clocks={**self.default["clocks"], **changes})

    def step(self, kind: str, **changes: Any) -> None:
        """Publishes the default policy with the step of this kind changed."""
        self.policy(steps=[{**s, **changes} if s["kind"] == kind else s for s in self.default["steps"]])

    # --- leads ---

    def capture(self, **lead: Any) -> dict[str, Any]:
        """Captures a contact and waits for its decision; the lead as it stands then."""
        if not lead.keys() & {"phone", "email"}:
            lead["phone"] = phone()
        captured = self.api.post("/v1/leads:capture", {"lead": lead})
        return self.decided(captured["lead"]["name"])

    def capture_all(self, leads: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Captures them in one call and waits for every decision."""
        requests = [{"lead": {"phone": phone(), **lead}} for lead in leads]
        results = self.api.post("/v1/leads:batchCapture", {"requests": requests})["results"]
        return [self.decided(result["lead"]["name"]) for result in results]

    def lead(self, name: str) -> dict[str, Any]:
        lead = name
        found: dict[str, Any] = self.api.get(f"/v1/{lead}")
        return found

    def decided(self, name: str) -> dict[str, Any]:
        return self.when(name, lambda lead: lead["status"] != "WAITING")

    def when(self, name: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The lead, as soon as this holds of it."""

        def look() -> dict[str, Any] | None:
            lead = self.lead(name)
            return lead if holds(lead) else None

        found: dict[str, Any] = until(look)
        return found

    def decision(self, lead: dict[str, Any]) -> dict[str, Any]:
        """The certificate of its newest decision."""
        decision: dict[str, Any] = self.api.get(f"/v1/{lead['name']}/decisions")["decisions"][0]
        return decision

    def reason(self, lead: dict[str, Any], person: dict[str, Any]) -> str:
        """Why the newest decision passed this person over; empty when it chose him."""
        candidates = {c["person"]: c for c in self.decision(lead)["candidates"]}
        return str(candidates[person["name"]].get("reason", ""))

    def chain(self, lead: dict[str, Any]) -> list[dict[str, Any]]:
        points: list[dict[str, Any]] = self.api.get(f"/v1/{lead['name']}/touchpoints")["touchpoints"]
        return points


_defaults: dict[str, dict[str, Any]] = {}


def phone() -> str:
    """A number that nobody else in these tests has."""
    return str(next(_phones))


def _patch(now: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The merge patch (RFC 7396) that makes `now` what is wanted: what a document leaves out stays."""
    changed = {
        key: _patch(now[key], value) if isinstance(value, dict) and isinstance(now.get(key), dict) else value
        for key, value in wanted.items()
    }
    return {**dict.fromkeys(now.keys() - wanted.keys()), **changed}
