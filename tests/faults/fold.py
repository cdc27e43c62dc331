"""The journal's fold, read again from the bytes alone, and what is compared with it: loads, waiting leads, snapshots.

Shares nothing with the rules' own replay. The independent checker goes over the same entries beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tests.rules.checker import FACTS, Book, Checker, read

LEAD = 720_720_000_000  # the units of a snapshot's credits
_ZONE = "Asia/Shanghai"
_ASKED = ("policy_version", *FACTS)
_VERSIONED = {"person": "person", "presence": "person", "calendar": "calendar"}


@dataclass(frozen=True)
class Waits:
    """A lead that waits: what was asked of it (as in its entry), why, and since when (microseconds)."""

    asked: tuple[Any, ...]
    captured: int
    reason: str
    urgent: int
    since: int


class Fold:
    """Feed it stored entries in order. `wrong` is what the checker finds, and where the chain breaks."""

    def __init__(self) -> None:
        self.checker = Checker()
        self.seq, self.at, self.head = 0, 0, bytes(32)
        # Open leads by person, and by lead and person.
        self.open: Counter[str] = Counter()
        self.holds: dict[str, Counter[str]] = defaultdict(Counter)
        # By person: the local day of the last decision for him, and how many there were on it.
        self.day: dict[str, tuple[int, int]] = {}
        self.waiting: dict[str, Waits] = {}
        # By kind and id: the newest version's entry, as it was written.
        self.newest: dict[str, dict[str, tuple[int, str]]] = {kind: {} for kind in _VERSIONED}
        self.policy: list[Any] = []
        self.overshoot = 0
        self.broken = ""
        self._zone = ZoneInfo(_ZONE)

    @property
    def wrong(self) -> list[str]:
        return [*self.checker.findings.wrong, *([self.broken] if self.broken else [])]

    def feed(self, body: bytes, stamp: bytes) -> None:
        self.head = hashlib.sha256(self.head + body).digest()
        if self.head != stamp and not self.broken:
            self.broken = f"entry {self.seq + 1}: the hash chain breaks"
        self.seq += 1
        try:
            entry = read(body)
        except (ValueError, KeyError):
            if not self.broken:
                raise
            return  # what was edited need not be an entry any more
        self.at = max(self.at, entry["at"])
        self.checker.feed(entry)
        kind = entry["kind"][:-1]
        if kind in _VERSIONED:
            key = entry[_VERSIONED[kind]]
            known = self.newest[kind].get(key)
            if known is None or known[0] < entry["version"]:
                self.newest[kind][key] = entry["version"], body.decode()
        elif kind == "policy":
            self.policy = [entry["version"], entry["policy"]]
            self._zone = ZoneInfo(entry["policy"]["timeZone"])
        elif kind == "withdrawn":
            self.waiting.pop(entry["lead"], None)
        else:
            {"d": self._decided, "load": self._load, "returned": self._returned}[kind](entry)

    def limit(self, person: str) -> int | None:
        """How many open leads he may have, None without a limit."""
        known = self.newest["person"].get(person)
        return read(known[1].encode())["open_limit"] if known else None

    def presence(self, person: str) -> str:
        known = self.newest["presence"].get(person)
        return str(read(known[1].encode())["presence"]) if known else "ONLINE"

    def _counts(self, person: str, lead: str, delta: int) -> None:
        self.open[person] += delta
        if lead:
            self.holds[lead][person] += delta
        limit = self.limit(person) if delta > 0 else None
        if limit is not None:
            self.overshoot = max(self.overshoot, self.open[person] - limit)

    def _local_day(self, at: int) -> int:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(self._zone).toordinal()

    def _decided(self, entry: Mapping[str, Any]) -> None:
        lead, owner, today = entry["lead"], entry["owner"], self._local_day(entry["at"])
        if not owner:
            since = self.waiting[lead].since if lead in self.waiting else entry["at"]
            asked, captured = _asked(entry), entry["at"] - entry["waited"]
            self.waiting[lead] = Waits(asked, captured, entry["reason"], entry["urgent"], since)
            return
        self.waiting.pop(lead, None)
        day, taken = self.day.get(owner, (0, 0))
        self.day[owner] = today, taken + 1 if day == today else 1
        self._counts(owner, lead, 1)

    def _load(self, entry: Mapping[str, Any]) -> None:
        if entry["delta"] > 0:
            self.waiting.pop(entry["lead"], None)
        self._counts(entry["person"], entry["lead"], entry["delta"])

    def _returned(self, entry: Mapping[str, Any]) -> None:
        person = entry["person"]
        day, taken = self.day.get(person, (0, 0))
        if day and day == self._local_day(entry["decided_at"]):
            self.day[person] = day, max(0, taken - 1)
        self._counts(person, entry["lead"], -1)


def _asked(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """The facts that were decided about; empty ones at the end of an entry are not written."""
    return tuple(json.dumps(entry.get(name) or None) for name in _ASKED)


def folded(journal: Iterable[Any], snapshots: Iterable[Any]) -> tuple[Fold, list[str]]:
    """The fold of rows with `body` and `hash`, and what is wrong with the snapshots (`seq`, `hash`, `state`,
    `digest`) that lie on its way."""
    fold, wrong = Fold(), []
    kept = {row.seq: row for row in snapshots}
    for row in journal:
        fold.feed(bytes(row.body), bytes(row.hash))
        if fold.seq in kept:
            wrong += [f"SNAPSHOT at {fold.seq}: {text}" for text in against(fold, kept.pop(fold.seq))]
    wrong += [f"SNAPSHOT at {seq}: the journal ends before" for seq in kept]
    return fold, wrong


def against(fold: Fold, row: Any) -> list[str]:
    """What a stored snapshot says otherwise than the fold of the same entries."""
    head, data = bytes(row.hash), bytes(row.state)
    if head != fold.head:
        return ["it is of another journal"]
    if hashlib.sha256(head + data).digest() != bytes(row.digest):
        return ["its digest does not fit"]
    kind, seq, last, policy, people, presence, calendars, load, ledgers, waiting = json.loads(data)
    if kind != "state2":
        return [f"its format is {kind}"]
    said: list[tuple[str, Any, Any]] = [("seq", seq, fold.seq), ("the last moment", last, fold.at)]
    if fold.policy:
        version, _, plain = json.loads(policy)[1:]
        said.append(("the policy", [version, plain], fold.policy))
    for name, told in (("person", people), ("presence", presence), ("calendar", calendars)):
        said.append((f"each {name}", told, {key: text for key, (_, text) in fold.newest[name].items()}))
    touched = {person: [count, *fold.day.get(person, (0, 0))] for person, count in fold.open.items()}
    said.append(("loads", load, touched))
    said.append(("the waiting list", {key: _waits(*told) for key, told in waiting.items()}, fold.waiting))
    wrong = [f"{what} is {told!r:.300}, the journal comes to {own!r:.300}" for what, told, own in said if told != own]
    for key, ledger in ledgers.items():
        wrong += [f"ledger {key}: {text}" for text in _ledger(ledger, fold.checker.books.get(key, Book()))]
    missing = {key for key, book in fold.checker.books.items() if book.people} - set(ledgers)
    return wrong + [f"ledger {key} is missing" for key in sorted(missing)]


def _waits(text: str, reason: str, urgent: bool, since: int) -> Waits:
    entry = read(text.encode())
    return Waits(_asked(entry), entry["at"] - entry["waited"], reason, int(urgent), since)


def _ledger(ledger: list[Any], book: Book) -> list[str]:
    """Credits now, to a millionth of a lead, and their sum."""
    credits, people, weights, taken, turns, *_ = ledger
    found = []
    if sum(credits.values()):
        found.append(f"credits sum to {sum(credits.values())}")
    now = {person: Fraction(units, LEAD) for person, units in credits.items()}
    for person, weight, had in zip(people, weights, taken, strict=True):
        now[person] = now.get(person, Fraction(0)) + Fraction(weight * turns, sum(weights)) - had
    for person in {*now, *book.carried, *book.people}:
        if abs(now.get(person, Fraction(0)) - book.credit(person)) > Fraction(1, 1_000_000):
            found.append(f"{person} has {float(now.get(person, 0))}, the journal gives {float(book.credit(person))}")
    return found
