"""An independent reading of the journal: eligibility, fairness, limits and ownership, from the bytes alone.

Shares no code with `rules.domain`: it reads the JSON arrays itself, counts in fractions, and works out who might
have taken each lead in the plainest way. Slow and simple on purpose; the drill runs it over real databases.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _names(text: str) -> list[str]:
    return text.split()


PERSON = _names(
    "person version role state team manager region skills industries seniority weight "
    "open_limit day_limit cell calendar at"
)
DECIDED = _names("lead owner step reason ledger position urgent at waited policy_hash policy_version")
FACTS = _names(
    "conditions region industry category channel intent skills cell said_urgent held excluded attempt owner_version"
)
OTHER = {
    "presence1": _names("person version presence at"),
    "load1": _names("person delta reason at lead ledger"),
    "withdrawn1": _names("lead reason at"),
    "returned1": _names("decision lead person ledger decided_at at"),
    "calendar1": _names("calendar version at hours"),
    "policy1": _names("version at policy"),
    "person1": PERSON,
    "d1": DECIDED + FACTS,
}
ALL_CHECKS = ["presence", "shift", "capacity", "skill"]


def read(data: bytes) -> dict[str, Any]:
    """One journal entry as a dict; `kind` is its kind."""
    kind, *values = json.loads(data)
    return {"kind": kind, **dict(zip(OTHER[kind], values, strict=False))}


def is_open(hours: Mapping[str, Any], moment: datetime) -> bool:
    """Whether the wall clock of the calendar's zone shows a minute of that day's hours."""
    local = moment.astimezone(ZoneInfo(hours["timeZone"]))
    day, weekly = local.strftime("%Y-%m-%d"), hours["weekly"]
    usual: list[str] = next((weekly[name] for name in WEEKDAYS if weekly.get(name)), [])
    spans = weekly.get(WEEKDAYS[local.weekday()]) or []
    if day in hours["offDays"]:
        spans = []
    elif day in hours["workDays"]:
        spans = hours.get("workDayHours", usual)
    shown = local.strftime("%H:%M")
    return any(span[:5] <= shown < span[6:] for span in spans)


@dataclass
class Book:
    """A ledger as the checker keeps it."""

    people: dict[str, int] = field(default_factory=dict)
    had: dict[str, int] = field(default_factory=dict)
    carried: dict[str, Fraction] = field(default_factory=dict)
    exact: bool = True
    epochs: int = 0

    def share(self, person: str) -> Fraction:
        turns = sum(self.had.values())
        return Fraction(self.people[person] * turns, sum(self.people.values())) - self.had[person]

    def credit(self, person: str) -> Fraction:
        return self.carried.get(person, Fraction(0)) + (self.share(person) if person in self.people else 0)

    def close(self) -> None:
        self.carried = {p: self.credit(p) for p in {*self.carried, *self.people}}
        self.exact = self.exact and not any(self.carried.values())
        self.people, self.had = {}, {}


@dataclass
class Findings:
    """`wrong`: every violation, with the entry's place. The rest is measured."""

    wrong: list[str] = field(default_factory=list)
    decisions: int = 0
    unassigned: int = 0
    epochs: int = 0
    worst_in_epoch: Fraction = Fraction(0)
    worst_credit: Fraction = Fraction(0)
    credits: dict[str, dict[str, Fraction]] = field(default_factory=dict)


class Checker:
    """Feed it entries in journal order; `findings` tells what is wrong."""

    def __init__(self) -> None:
        self.findings = Findings()
        self.people: dict[str, dict[str, Any]] = {}
        self.presence: dict[str, dict[str, Any]] = {}
        self.calendars: dict[str, tuple[int, dict[str, Any]]] = {}
        self.open: dict[str, int] = {}
        self.today: dict[tuple[str, int], int] = {}
        # By lead: how often it counts for whom.
        self.holds: dict[str, Counter[str]] = defaultdict(Counter)
        self.books: dict[str, Book] = {}
        self.steps: dict[str, dict[str, Any]] = {}
        self.skills: dict[str, list[str]] = {}
        self.charge_manual = False
        self.zone = ZoneInfo("Asia/Shanghai")
        self.seq = 0
        self.at = 0

    def wrong(self, text: str) -> None:
        self.findings.wrong.append(f"entry {self.seq}: {text}")

    def day(self, at: int) -> int:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(self.zone).toordinal()

    def feed(self, entry: Mapping[str, Any]) -> None:
        self.seq += 1
        if entry["at"] < self.at:
            self.wrong("time runs backwards")
        self.at = max(self.at, entry["at"])
        getattr(self, f"on_{entry['kind'][:-1]}")(entry)

    def on_policy(self, entry: Mapping[str, Any]) -> None:
        policy = entry["policy"]
        self.steps = {step["id"]: step for step in policy["steps"]}
        self.skills, self.zone = policy["skills"], ZoneInfo(policy["timeZone"])
        self.charge_manual = policy["chargeManualMoves"]

    def on_calendar(self, entry: Mapping[str, Any]) -> None:
        if self.calendars.get(entry["calendar"], (0, None))[0] < entry["version"]:
            self.calendars[entry["calendar"]] = entry["version"], entry["hours"]

    def on_person(self, entry: Mapping[str, Any]) -> None:
        known = self.people.get(entry["person"])
        if known is not None and known["version"] >= entry["version"]:
            return
        self.people[entry["person"]] = dict(entry)
        if entry["state"] == "ACTIVE" or (known is not None and known["state"] != "ACTIVE"):
            return
        for book in self.books.values():
            if entry["person"] in {*book.carried, *book.people}:
                book.close()
                left = book.carried.pop(entry["person"])
                for stays in book.carried:
                    book.carried[stays] += left / len(book.carried)

    def on_presence(self, entry: Mapping[str, Any]) -> None:
        if self.presence.get(entry["person"], {"version": 0})["version"] < entry["version"]:
            self.presence[entry["person"]] = dict(entry)

    def on_load(self, entry: Mapping[str, Any]) -> None:
        self.open[entry["person"]] = self.open.get(entry["person"], 0) + entry["delta"]
        if entry["lead"]:
            self.holds[entry["lead"]][entry["person"]] += entry["delta"]
        if entry["ledger"] and self.charge_manual:
            self.move(entry["ledger"], entry["person"], -entry["delta"])

    def on_withdrawn(self, entry: Mapping[str, Any]) -> None:
        pass

    def on_returned(self, entry: Mapping[str, Any]) -> None:
        person, day = entry["person"], self.day(entry["decided_at"])
        self.open[person] = self.open.get(person, 0) - 1
        self.today[person, day] = self.today.get((person, day), 0) - 1
        self.holds[entry["lead"]][person] -= 1
        if entry["ledger"]:
            self.move(entry["ledger"], person, 1)

    def move(self, ledger: str, person: str, leads: int) -> None:
        """Leads of credit to a person from those who share the ledger."""
        book = self.books.setdefault(ledger, Book())
        shares = dict(book.people)
        book.close()
        shares = shares or dict.fromkeys(book.carried, 1)
        for member, weight in shares.items():
            book.carried[member] -= Fraction(leads * weight, sum(shares.values()))
        if shares:
            book.carried[person] = book.carried.get(person, Fraction(0)) + leads
        book.exact = book.exact and not any(book.carried.values())

    def barred(self, key: str, entry: Mapping[str, Any], checks: list[str], named: bool) -> str:
        """Why this person may not receive this lead, "" if they may."""
        person = self.people.get(key)
        if person is None or person["state"] != "ACTIVE":
            return "has left or is unknown"
        if not named and (person["role"] != "sales" or person["weight"] <= 0):
            return "does not receive"
        if key in (entry.get("excluded") or []):
            return "already had it"
        if "presence" in checks and self.presence.get(key, {"presence": "ONLINE"})["presence"] != "ONLINE":
            return "is absent"
        calendar = self.calendars.get(person["calendar"])
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=entry["at"])
        if "shift" in checks and calendar is not None and not is_open(calendar[1], moment):
            return "is off shift"
        if "capacity" in checks:
            limit, daily = person["open_limit"], person["day_limit"]
            if limit is not None and self.open.get(key, 0) >= limit:
                return "has as many open leads as they may"
            if daily is not None and self.today.get((key, self.day(entry["at"])), 0) >= daily:
                return "has had the day's leads"
        needs = {*(entry.get("skills") or [])}
        for name in {entry.get("category"), entry.get("industry")}:
            needs.update(self.skills.get(name or "", []))
        if "skill" in checks and not needs <= set(person["skills"]):
            return "lacks a skill"
        return ""

    def on_d(self, entry: Mapping[str, Any]) -> None:
        found = self.findings
        found.decisions += 1
        lead, owner = entry["lead"], entry["owner"]
        step = self.steps.get(entry["step"], {"kind": entry["step"], "checks": ALL_CHECKS[:3]})
        dealt = step["kind"] in ("roster", "seniors", "nearest")
        roster = next((s for s in self.steps.values() if s["kind"] == "roster"), {"checks": ALL_CHECKS})
        able = self.able(entry, roster["checks"], "")
        if not owner:
            found.unassigned += 1
            if able:
                self.wrong(f"{lead} waits although {min(able)} may take it")
            return
        usual = ["presence", "shift", "capacity"] if step["kind"] == "keep_owner" else ALL_CHECKS
        checks = step.get("checks", usual)
        reason = self.barred(owner, entry, checks, named=not dealt)
        if reason:
            self.wrong(f"{lead} went to {owner}, who {reason}")
        for held in sorted(person for person, count in self.holds[lead].items() if count > 0):
            if held not in (entry.get("excluded") or []):
                self.wrong(f"{lead} has two owners, {held} and {owner}")
        self.holds[lead][owner] += 1
        if entry["ledger"]:
            if entry["position"]:
                candidates = self.able(entry, checks, step["kind"])
                self.turn(entry, candidates, whole=step["kind"] != "nearest")
            else:
                self.move(entry["ledger"], owner, -1)
        day = self.day(entry["at"])
        self.open[owner] = self.open.get(owner, 0) + 1
        self.today[owner, day] = self.today.get((owner, day), 0) + 1

    def able(self, entry: Mapping[str, Any], checks: list[str], kind: str) -> dict[str, int]:
        """Whom a roster (or seniors, or nearest) step may choose from, with their weights."""
        selling = [
            p for p in self.people.values() if (p["state"], p["role"]) == ("ACTIVE", "sales") and p["weight"] > 0
        ]
        local = [p for p in selling if entry.get("region") and p["region"] == entry["region"]]
        looked = selling if kind == "nearest" else (local or selling)
        if kind == "seniors":
            looked = [
                p
                for p in looked
                if p["seniority"] == "senior" and (not p["industries"] or entry["industry"] in p["industries"])
            ]
        if kind == "nearest" and entry["owner"] in self.people:
            looked = [p for p in looked if p["cell"] == self.people[entry["owner"]]["cell"]]
        able = [p for p in looked if not self.barred(p["person"], entry, checks, named=False)]
        return {p["person"]: p["weight"] for p in able}

    def turn(self, entry: Mapping[str, Any], candidates: dict[str, int], whole: bool) -> None:
        book = self.books.setdefault(entry["ledger"], Book())
        owner = entry["owner"]
        if owner not in candidates:
            self.wrong(f"{owner} was not among those whose turn it could be")
            return
        if whole and book.people != candidates:
            book.close()
            book.people, book.had = candidates, dict.fromkeys(candidates, 0)
            book.epochs += 1
            self.findings.epochs += 1
        elif not whole:
            return  # who stands equally near is the domain's own measure; nothing is promised across places
        book.had[owner] += 1
        if entry["position"] != sum(book.had.values()):
            self.wrong(f"position {entry['position']} is not the epoch's turn {sum(book.had.values())}")
        n = len(candidates)
        worst = max(abs(book.share(p)) for p in candidates)
        bound = 1 - Fraction(1, 2 * n - 2) if n > 1 else Fraction(0)
        if worst >= 1 or (book.exact and worst > bound):
            self.wrong(f"ledger {entry['ledger']}: somebody is {float(worst):.4f} leads from their share")
        if sum(book.credit(p) for p in {*book.carried, *candidates}):
            self.wrong(f"ledger {entry['ledger']}: credits do not sum to 0")
        self.findings.worst_in_epoch = max(self.findings.worst_in_epoch, worst)
        credit = max(abs(book.credit(p)) for p in candidates)
        self.findings.worst_credit = max(self.findings.worst_credit, credit)


def check(
    stored: Iterable[tuple[bytes, bytes]], credits: Mapping[str, Mapping[str, int]] | None = None, lead: int = 1
) -> Findings:
    """Check stored entries: (bytes, hash) in order of place. `credits`: what the service says it keeps, in
    units of 1/`lead` lead; compared with the checker's own to a millionth of a lead, and each summing to 0."""
    checker, head = Checker(), bytes(32)
    for data, stamp in stored:
        head = hashlib.sha256(head + data).digest()
        checker.feed(read(data))
        if head != stamp:
            checker.wrong("the hash chain breaks")
            break
    for key, book in checker.books.items():
        own = {p: book.credit(p) for p in {*book.carried, *book.people}}
        checker.findings.credits[key] = own
        said = (credits or {}).get(key)
        if said is None or not own:
            continue
        if sum(said.values()):
            checker.wrong(f"ledger {key}: the service's credits sum to {sum(said.values())}")
        for person in {*own, *said}:
            if abs(Fraction(said.get(person, 0), lead) - own.get(person, 0)) > Fraction(1, 1_000_000):
                checker.wrong(f"ledger {key}: {person} has {own.get(person)}, the service says {said.get(person)}")
    return checker.findings
