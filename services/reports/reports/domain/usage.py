"""How Dealwright is used, and what that adds to the figures (X13): a minute's calls through one gateway, which is a
minute of whoever called each feature, and that somebody was there on a day. Each is told of once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.domain.folding import Folding, News
from reports.domain.posting import Posting


@dataclass(frozen=True, slots=True)
class Calls:
    """Rows of (person, feature, calls, failures, ten-thousandths of a second that all of them took)."""

    time: int = 0
    rows: tuple[tuple[str, str, int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Attendance:
    """A person called something on the day that began then."""

    person: str = ""
    day: int = 0


def _calls(calls: Calls, news: News) -> Calls:
    return Calls(news.values["time"], tuple(tuple(row) for row in news.values["rows"]))


def _called(calls: Calls) -> list[Posting]:
    found = []
    for person, feature, count, failures, took in calls.rows:
        one = Posting("usage.called", calls.time, count, took, "", 60 if person else 0, person, person, detail=feature)
        found.append(one)
        if failures:
            found.append(one._replace(fact="usage.failed", count=failures, amount=0, seconds=0))
    return found


def _attended(attendance: Attendance) -> list[Posting]:
    if not attendance.person:
        return []
    return [Posting("usage.attended", attendance.day, holder=attendance.person, owner=attendance.person)]


def _read_calls(plain: list[Any]) -> Calls:
    return Calls(plain[0], tuple(tuple(row) for row in plain[1]))


FOLDINGS: Mapping[str, Folding] = {
    "usage": Folding(Calls(), _calls, _called, lambda calls: [calls.time, calls.rows], _read_calls),
    "attendance": Folding(
        Attendance(),
        lambda attendance, news: Attendance(**news.values),
        _attended,
        lambda attendance: [attendance.person, attendance.day],
        lambda plain: Attendance(*plain),
    ),
}
