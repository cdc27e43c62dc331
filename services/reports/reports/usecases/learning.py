"""News of records, folded into what is known of them; what changes of the figures is posted to the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from chassis import clock
from chassis.transaction import Transaction
from reports.domain import rate
from reports.domain.folding import Folding, News
from reports.domain.foldings import FOLDINGS
from reports.domain.posting import HOUR, Posting, differences
from reports.settings import company_zone
from reports.storage import ledger
from reports.storage.ledger import Entry, Subject

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# By whose name what tells it is found: an instalment's contract is where a deal's lead is.
_TELLERS = {"customer": ("customers",), "lead": ("leads", "contracts")}


def learn(tx: Transaction, told: Sequence[News]) -> None:
    """Takes news in any order, each as often as it comes."""
    for copy in ledger.filled(tx):
        learn_into(tx, copy, told)


def learn_into(tx: Transaction, copy: int, told: Sequence[News]) -> None:
    """The same for one copy."""
    if told:
        _Learning(tx, copy, {one.record for one in told}).run(told)


def hour_of(moment: int, zone: ZoneInfo) -> int:
    """The hour of the zone's clock since 1970 in which a moment (microseconds) lies."""
    quarter = moment // (HOUR // 4)
    return (moment + _offset(quarter, zone)) // HOUR


@lru_cache(maxsize=65_536)
def _offset(quarter: int, zone: ZoneInfo) -> int:
    there = (_EPOCH + timedelta(microseconds=quarter * (HOUR // 4))).astimezone(zone).utcoffset()
    return (there or timedelta()) // timedelta(microseconds=1)


class _Learning:
    """One transaction's news for one copy. Records are held in the order of their names, those that tell more of them
    after them: two that meet in the opposite order find each other by the database's own means and are tried again."""

    def __init__(self, tx: Transaction, copy: int, names: Iterable[str]) -> None:
        self.tx, self.copy = tx, copy
        self.zone = company_zone()
        self.subjects: dict[str, Subject] = {}
        self.states: dict[str, Any] = {}
        self.posted: dict[str, list[Posting]] = {}
        self.told: dict[str, Mapping[str, Any]] = {}
        self.entries: list[Entry] = []
        self.changed: set[str] = set()
        # Of this second: what each record was told that was new, and what was known of it before.
        self.heard: dict[str, list[News]] = {}
        self.before: dict[str, Any] = {}
        self.listening: dict[str, set[str]] = {}
        self.hold(names)

    def hold(self, names: Iterable[str]) -> None:
        wanted = sorted({name for name in names if name and name not in self.subjects and _folding(name)})
        for name, subject in ledger.hold(self.tx, self.copy, wanted).items():
            folding = FOLDINGS[_kind(name)]
            state = folding.new if subject.state is None else folding.read(subject.state)
            self.subjects[name], self.states[name] = subject, state
            self.posted[name] = list(folding.postings(state))
            self.told[name] = folding.tells(state)

    def run(self, told: Sequence[News]) -> None:
        """Second by second, as it was learnt: what is read again later, in other batches, is posted in the same
        seconds as when it was new."""
        for link, kinds in _TELLERS.items():
            tellers = sorted({one.record for one in told if _kind(one.record) in kinds})
            self.listening |= ledger.told_by(self.tx, self.copy, link, tellers)
        told = sorted(told, key=_moment)
        self.foresee(told)
        for _, heard in groupby(told, key=_second):
            self.learn(list(heard))
        ledger.keep(self.tx, self.copy, {name: self.written(name) for name in self.changed})
        ledger.append(self.tx, self.copy, self.entries)

    def foresee(self, told: Sequence[News]) -> None:
        """Holds what this news will lead to at once: each second would ask for its own."""
        states, others = dict(self.states), set[str]()
        for one in told:
            folding = FOLDINGS.get(_kind(one.record))
            if folding and not folding.alone and one.record in states:
                states[one.record] = state = folding.fold(states[one.record], one)
                others |= {*map(_teller, folding.links(state)), *(name for name, _ in folding.parts(one.record, state))}
        self.hold(others)

    def learn(self, told: Sequence[News]) -> None:
        """What is told within a second, most of it of the same doing (a lead is captured and assigned), is known at
        once: each record posts what comes of all of it."""
        of: dict[str, list[News]] = {}
        for one in told:
            if one.record in self.subjects:
                of.setdefault(one.record, []).append(one)
        for heard in of.values():
            self.take(*heard)
        # What they tell of others that others did not know.
        for name in list(self.heard):
            before, now = self.told[name], self.tells(name)
            if now != before:
                self.told[name] = now
                self.pass_on(name, before, now, self.heard[name][-1])
        self.pass_parts()
        self.post()

    def pass_on(self, name: str, before: Mapping[str, Any], now: Mapping[str, Any], because: News) -> None:
        others = set(self.listening.get(name, ()))
        if _kind(name) == "rates":  # many want one of these, each of its day
            others |= ledger.turned_by(self.tx, self.copy, name, *rate.changed(before, now))
        self.hold(others)
        for other in sorted(others):
            # What is stored may be of before: it may belong to another by what was told just now.
            linked = FOLDINGS[_kind(other)].links(self.states[other])
            if name in map(_teller, linked):
                self.take(because._replace(record=other, what=_word(name), values=now))

    def pass_parts(self) -> None:
        """What records count for with others. A record is held until the commit, so whoever it counts for hears of each
        change of that once, and in whatever order changes of several come, they add up to the same."""
        while self.before:
            before, self.before = self.before, {}
            parts: list[News] = []
            for name, state in before.items():
                folding = FOLDINGS[_kind(name)]
                was, is_now = folding.parts(name, state), folding.parts(name, self.states[name])
                if was != is_now:
                    changed = Counter(is_now)
                    changed.subtract(Counter(was))
                    because = self.heard[name][-1]
                    parts += [
                        because._replace(record=other, what="part", values={"part": part, "count": count})
                        for (other, part), count in changed.items()
                        if count
                    ]
            self.hold(one.record for one in parts)
            for one in parts:
                if one.record in self.subjects:
                    self.take(one)

    def tells(self, name: str) -> Mapping[str, Any]:
        return FOLDINGS[_kind(name)].tells(self.states[name])

    def take(self, *told: News) -> None:
        """Folds in what is told of a record."""
        name = told[0].record
        folding: Folding = FOLDINGS[_kind(name)]
        before = state = self.states[name]
        new = []
        for one in told:
            was, state = state, folding.fold(state, one)
            if state != was:
                new.append(one)
        if not new:
            return
        state = self.belonging(state, folding.links(before), new[-1])
        for whose in filter(None, map(_teller, folding.links(state))):
            self.listening.setdefault(whose, set()).add(name)
        self.before.setdefault(name, before)
        self.heard.setdefault(name, []).extend(new)
        self.states[name] = state

    def post(self) -> None:
        """Posts what comes of what was heard, and of which events."""
        heard, self.heard = self.heard, {}
        for name, news in heard.items():
            subject, now = self.subjects[name], list(FOLDINGS[_kind(name)].postings(self.states[name]))
            learnt = max(subject.learn_time, *(one.time for one in news))
            events = " ".join(dict.fromkeys(one.event for one in news))
            for posting in differences(self.posted[name], now):
                hour = hour_of(posting.happen_time, self.zone)
                self.entries.append(Entry(name, events, learnt, hour, posting))
            self.posted[name] = now
            self.subjects[name] = subject._replace(learn_time=learnt)
            self.changed.add(name)

    def belonging(self, state: Any, before: Sequence[str], news: News) -> Any:
        """With what those tell of it that it newly belongs to, as far as they are known: they tell what changes."""
        folding = FOLDINGS[_kind(news.record)]
        links = folding.links(state)
        others = [_teller(other) if other != was else "" for other, was in zip(links, before, strict=True)]
        self.hold(others)
        for other in others:
            if other in self.subjects:
                state = folding.fold(state, news._replace(what=_word(other), values=self.tells(other)))
        return state

    def written(self, name: str) -> Subject:
        """As it is kept: once for all that was heard of it."""
        folding, state = FOLDINGS[_kind(name)], self.states[name]
        learnt = self.subjects[name].learn_time
        return Subject(name, *folding.links(state), folding.holder(state), learnt, folding.plain(state))


def _moment(news: News) -> int:
    return news.time


def _second(news: News) -> int:
    return news.time // 1_000_000


def _kind(name: str) -> str:
    return name.partition("/")[0]


def _word(name: str) -> str:
    """What those that it tells something call it: "customer", "lead"."""
    return _kind(name).removesuffix("s")


def _teller(link: str) -> str:
    """What tells it: that of a rate says of which day it is wanted."""
    return link.rpartition("/")[0] if link.startswith("rates/") else link


def _folding(name: str) -> bool:
    return _kind(name) in FOLDINGS


def now_micros() -> int:
    """The present moment in microseconds since 1970."""
    return (clock.now() - _EPOCH) // timedelta(microseconds=1)
