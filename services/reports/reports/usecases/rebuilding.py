"""The read model, made anew from what the services keep of their events, while the one there is answers.

First the new copy is made from history alone, so that what is older is learnt before what is newer and the ledger is
what was known on each day. When history is at its end the copy hears what is new as the other does, and what may have
been committed meanwhile is read once more. What the bus brought in another order than it was told in was known later
than history says: where both copies come to the same, the ledger of the one that answered stays. Then the new one
answers and the other goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from chassis import ids
from chassis.database import is_unavailable
from chassis.transaction import Transaction
from reports.domain.folding import News
from reports.storage import cells, rebuilding
from reports.storage.ledger import JOINING as JOINING
from reports.storage.rebuilding import Built
from reports.storage.rebuilding import Walk as Walk
from reports.usecases import copies, learning

log = structlog.get_logger(__name__)
# For how long a worker has the copy after each step: another goes on when it fell over.
_HELD = timedelta(seconds=60)
# A transaction that put its messages into the order of ids committed at most so much later.
_LATE = timedelta(minutes=10)
_DROPPED = 2_000
# Records that are compared by one transaction, which holds them.
_COMPARED = 500


class Lost(Exception):
    """Somebody else works on the copy by now."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one event of a service told."""

    service: str
    event: str
    news: Sequence[News]


@dataclass(frozen=True, slots=True)
class Progress:
    """`events` of history are in the copy, all until `until` (None: none yet); `passed_over` could not be taken in.
    `compared` is the last record whose times were compared."""

    state: str
    events: int
    passed_over: int
    until: datetime | None
    compared: str = ""


def begin(tx: Transaction) -> int:
    """Begins a copy unless one was begun. Returns its number."""
    return rebuilding.begin(tx).copy


def claim(tx: Transaction, worker: str) -> tuple[Built, Mapping[str, Walk]] | None:
    """The copy that is to be worked on and how far it is; None where there is none, or another works on it."""
    found = rebuilding.built(tx, hold=True)
    if found is None or not rebuilding.held(tx, found.copy, worker, tx.now + _HELD):
        return None
    return found, rebuilding.walked(tx, found.copy)


def fold(
    tx: Transaction, worker: str, copy: int, lessons: Sequence[Lesson], walks: Mapping[str, Walk]
) -> dict[str, Walk]:
    """Takes events in, and how far that is; which is returned, with what could not be taken in. Raises Lost."""
    _hold(tx, worker, copy)
    now = dict(walks)
    for service in _take(tx, copy, lessons):
        now[service] = replace(now[service], passed_over=now[service].passed_over + 1)
    rebuilding.walk(tx, copy, now)
    return now


def sum_up(tx: Transaction, worker: str, copy: int) -> bool:
    """Sums what was taken in. Returns whether there may be more. Raises Lost."""
    _hold(tx, worker, copy)
    return not _sum(tx, copy) or cells.fill(tx, copy)


def join(tx: Transaction, worker: str, copy: int) -> None:
    """The copy hears what is new from now on, and history is read again from where something may have come late.
    Raises Lost."""
    _hold(tx, worker, copy)
    rebuilding.join(tx, copy, ids.first_id_at((tx.now - _LATE).timestamp()))


def compare(tx: Transaction, worker: str, copy: int) -> bool:
    """Sees of some records when they were learnt. Returns whether there may be more. Raises Lost."""
    found = _hold(tx, worker, copy)
    names = rebuilding.uncompared(tx, found, _COMPARED)
    if names and not _sum(tx, copy):
        return True
    if names:
        rebuilding.compare(tx, found, names)
    return len(names) == _COMPARED  # those that come meanwhile are learnt by both at once


def swap(tx: Transaction, worker: str, copy: int) -> bool:
    """Answers with the copy from now on, unless much of it is not summed yet. Raises Lost."""
    _hold(tx, worker, copy)
    rebuilding.carry(tx, copy)
    if not _sum(tx, copy) or cells.fill(tx, copy):
        return False
    rebuilding.swap(tx, copy)
    return True


def drop(tx: Transaction, rest: timedelta = rebuilding.REST) -> bool:
    """Takes a bit of an old copy away. Returns whether there may be more."""
    return rebuilding.drop(tx, _DROPPED, rest)


def progress(tx: Transaction) -> Progress | None:
    """How far the copy is that is being made; None: there is none."""
    found = rebuilding.built(tx)
    if found is None:
        return None
    walks = rebuilding.walked(tx, found.copy).values()
    places = [one.place for one in walks if one.place]
    until = datetime.fromtimestamp(ids.made_at(max(places)), UTC) if places else None
    events, passed_over = sum(one.events for one in walks), sum(one.passed_over for one in walks)
    return Progress(found.state, events, passed_over, until, found.compared)


def _hold(tx: Transaction, worker: str, copy: int) -> Built:
    found = rebuilding.built(tx, hold=True)
    if found is None or found.copy != copy or not rebuilding.held(tx, copy, worker, tx.now + _HELD):
        raise Lost(str(copy))
    return found


def _sum(tx: Transaction, copy: int) -> bool:
    """Sums what was posted, as much as one transaction does. Returns whether that is all that is committed: under load
    there is always something that was posted since."""
    fresh = cells.fresh(tx, copy)
    if fresh:
        cells.roll(tx, copy, fresh)
    return len(fresh) < cells.MOST


def _take(tx: Transaction, copy: int, lessons: Sequence[Lesson]) -> list[str]:
    """All at once, or by halves where one cannot be taken in: it is parked where it came by the bus. Returns whose
    those were."""
    told = [news for lesson in lessons for news in lesson.news]
    try:
        with tx.apart():
            copies.know_rates(tx, told)
            learning.learn_into(tx, copy, told)
        return []
    except Exception as problem:
        if is_unavailable(problem):
            raise
        if len(lessons) == 1:
            log.exception("an event is passed over", id=lessons[0].event)
            return [lessons[0].service]
    half = len(lessons) // 2
    return _take(tx, copy, lessons[:half]) + _take(tx, copy, lessons[half:])
