"""Schemathesis against the running house: what it may touch, what it counts."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.security.front import Front

# Of each operation, those that are wrong on purpose among them.
EXAMPLES = 1000 if os.environ.get("LONG") == "1" else 50
FIGURES = Path(__file__).resolve().parents[2] / "build" / "figures" / "schemathesis.json"

# Guards, each with its reason. No operation is left out.
GUARDED = {
    "DELETE /v1/sessions/current": "signs out: every example comes with a session of its own",
    "POST /v1/people/{person}:changePassword": "real names are a spare person's, never the administrator's",
    "PATCH /v1/people/{person}": "the same: he could leave, or lose his role",
    "PATCH /v1/roles/{role}": "real names are the role of nobody",
    "POST /v1/sessions": "failed sign-ins lock a login out: the limits of this house are wide",
}
# Nothing that is made up can succeed there; what is right is tested by hand elsewhere.
NEVER_FINE = {
    "POST /v1/sessions": "needs a password",
    "POST /v1/passwordResets:redeem": "needs a link",
    "POST /v1/people/{person}:changePassword": "needs the password before",
    "POST /v1/leads/{lead}:claim": "the administrator takes no leads",
    "POST /v1/tasks/{task}:claim": "the administrator is in no team",
}
_PHONES = 13100000000
_STEPS = {"steps": [{"id": "roster", "kind": "roster"}]}
# What a third of the fitting examples say instead, where what is made up hardly ever passes.
SOUND: dict[str, Callable[[int], Any]] = {
    "POST /v1/leads:capture": lambda n: {"lead": {"phone": str(_PHONES + n % 10**8)}},
    "POST /v1/leads:batchCapture": lambda n: {"requests": [{"lead": {"phone": str(_PHONES + n % 10**8)}}]},
    "POST /v1/forms/{form}:submit": lambda n: {"lead": {"phone": str(_PHONES + n % 10**8)}},
    "POST /v1/leads/{lead}:disqualify": lambda n: {"reason": f"reason {n}"},
    "POST /v1/leads/{lead}:release": lambda n: {},
    "POST /v1/leads/{lead}:reassign": lambda n: {},
    "POST /v1/forms": lambda n: {"displayName": f"form {n}", "fields": ["phone"]},
    "PATCH /v1/forms/{form}": lambda n: {"displayName": f"form {n}"},
    "POST /v1/people": lambda n: {"displayName": f"person {n}", "login": f"made-up-{n}", "role": "sales"},
    "PATCH /v1/people/{person}": lambda n: {"displayName": f"person {n}"},
    "POST /v1/teams": lambda n: {"displayName": f"team {n}"},
    "PATCH /v1/teams/{team}": lambda n: {"displayName": f"team {n}"},
    "POST /v1/calendars": lambda n: {"displayName": f"calendar {n}"},
    "PATCH /v1/calendars/{calendar}": lambda n: {"displayName": f"calendar {n}"},
    "PATCH /v1/policies/{policy}": lambda n: {"content": _STEPS | {"clocks": {"responseMinutes": 1 + n % 1000}}},
    "POST /v1/policies:simulate": lambda n: {"content": _STEPS},
    "POST /v1/people/{person}:setPresence": lambda n: {"presence": "AWAY" if n % 2 else "ONLINE"},
}
# Leads of their own: those of the others are soon closed.
UNTOUCHED = {"POST /v1/leads/{lead}:release", "POST /v1/leads/{lead}:reassign"}
SOUND_QUERIES: dict[str, Callable[[int], dict[str, Any]]] = {
    "POST /v1/forms": lambda n: {"formId": f"made-up-{n}"},
    "GET /v1/leads:summarize": lambda n: {"groupBy": ["channel", "status"][: 1 + n % 2]},
}


@dataclass
class Coverage:
    """Examples and status codes by operation ("GET /v1/leads")."""

    codes: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    refused: Counter[str] = field(default_factory=Counter)

    def note(self, label: str, status: int, negative: bool) -> None:
        self.codes[label][status] += 1
        self.refused[label] += negative

    def lines(self) -> list[str]:
        found = []
        for label in sorted(self.codes):
            codes = self.codes[label]
            each = "  ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
            found.append(f"{label:<52} {codes.total():>5} examples, {self.refused[label]:>4} wrong on purpose   {each}")
        every = sum(self.codes.values(), Counter[int]())
        found.append(
            f"figure: schemathesis hit {len(self.codes)} operations with {every.total()} examples; "
            + ", ".join(f"{count} x {code}" for code, count in sorted(every.items()))
        )
        return found

    def save(self) -> None:
        FIGURES.parent.mkdir(parents=True, exist_ok=True)
        plain: dict[str, Any] = {label: dict(codes) for label, codes in sorted(self.codes.items())}
        FIGURES.write_text(json.dumps({"operations": plain, "examples": EXAMPLES}, indent=1))


COVERAGE = Coverage()


def real_names(front: Front) -> Mapping[str, list[str]]:
    """Names that exist, by path parameter, so that examples get past NOT_FOUND; they may be changed and deleted."""

    def last(made: Any) -> str:
        return str(made["name"]).rpartition("/")[2]

    def person(login: str) -> str:
        given = {"displayName": "备用", "login": login, "role": "sales", "password": "a spare one's password"}
        return last(front.done("POST", "/v1/people", json=given))

    def lead(number: int) -> str:
        return last(
            front.done("POST", "/v1/leads:capture", json={"lead": {"phone": str(13200000000 + number)}})["lead"]
        )

    def form(number: int) -> str:
        given = {"displayName": "表", "fields": ["phone"], "open": True}
        return last(front.done("POST", f"/v1/forms?formId=example-{number}", json=given))

    def calendar(number: int) -> str:
        given = {"displayName": "历"}
        return last(front.done("POST", f"/v1/calendars?calendarId=example-{number}", json=given))

    found = {
        "person": [person("spare-one"), person("spare-two")],
        "team": [last(front.done("POST", "/v1/teams", json={"displayName": f"组{n}"})) for n in range(6)],
        "lead": [lead(n) for n in range(12)],
        "untouched": [lead(100 + n) for n in range(20)],
        "form": [form(n) for n in range(6)],
        "calendar": [*(calendar(n) for n in range(5)), "company"],
        "role": ["finance", "backoffice"],
        "policy": ["assignment"],
    }
    front.rest()
    found["ledger"] = [
        one["name"].removeprefix("ledgers/") for one in front.done("GET", "/v1/ledgers").get("ledgers", [])
    ]
    return found
