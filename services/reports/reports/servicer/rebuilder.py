"""What rebuilds the read model: in the `serve` role, since the services are asked for their history.

Every pod runs it, and so may the command; the copy is held for a while by one of them, and each step goes on from what
the database says. So it survives the end of any process: what was committed is known, what was not is read again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from google.protobuf.message import DecodeError

from chassis import ids
from chassis.bus.subscriptions import unpack
from chassis.history import Page
from chassis.service import Runtime
from dealwright.bus.v1.envelope_pb2 import Envelope
from reports.peers import Away, Peers
from reports.usecases import rebuilding
from reports.usecases.rebuilding import JOINING, Lesson, Lost, Walk
from reports.wire import telling

log = structlog.get_logger(__name__)
# Events that are taken in by one transaction, and transactions before what they posted is summed.
_EVENTS = 512
_BEFORE_SUMS = 16

Tell = Callable[[str, Sequence[str], str], Page]
"""A page of a service's messages of these types, after an id."""


@dataclass
class _Stream:
    """One service's history from where it was read to; `ended`: there was no more when it was asked last."""

    read: str
    rows: deque[tuple[str, list[Envelope]]] = field(default_factory=deque)
    ended: bool = False


class Rebuilder:
    """`step` does a bit of it; whether there may be more to do."""

    def __init__(self, runtime: Runtime, tell: Tell) -> None:
        self._runtime, self._tell = runtime, tell
        self._worker = ids.new_id()
        self._at: tuple[int, str] = (0, "")
        self._walks: dict[str, Walk] = {}
        self._streams: dict[str, _Stream] = {}
        self._unsummed = 0

    def step(self) -> bool:
        with self._runtime.transaction() as tx:
            claimed = rebuilding.claim(tx, self._worker)
        if claimed is None:
            with self._runtime.transaction() as tx:
                return rebuilding.drop(tx)
        copy, walks = claimed
        self._go_on_from((copy.copy, copy.state), walks)
        try:
            return self._go_on(copy.copy, copy.state)
        except Away as away:
            log.warning("the rebuild waits for a service", service=str(away))
            return False
        except Lost:
            log.info("the rebuild went on elsewhere", copy=copy.copy)
            return False

    def _go_on_from(self, at: tuple[int, str], walks: Mapping[str, Walk]) -> None:
        """Forgets what was read ahead where it is not what comes next."""
        known = {service: walks.get(service, Walk()) for service in telling.by_service()}
        if at != self._at or known != self._walks:
            self._at, self._walks = at, known
            self._streams = {service: _Stream(walk.place) for service, walk in known.items()}

    def _go_on(self, copy: int, state: str) -> bool:
        for service, kinds in telling.by_service().items():
            self._read(service, kinds)
        if any(stream.rows for stream in self._streams.values()):
            self._fold(copy)
            if self._unsummed >= _BEFORE_SUMS:
                self._sum(copy)
        elif state != JOINING:
            if not self._sum(copy):
                with self._runtime.transaction() as tx:
                    rebuilding.join(tx, self._worker, copy)
        elif not self._compare(copy):
            with self._runtime.transaction() as tx:
                if rebuilding.swap(tx, self._worker, copy):
                    log.info("the read model was rebuilt", copy=copy)
        return True

    def _read(self, service: str, kinds: Sequence[str]) -> None:
        stream = self._streams[service]
        if stream.rows or stream.ended:
            return
        page = self._tell(service, kinds, stream.read)
        for one in page.messages:
            stream.rows.append((one.id, unpack(one.body)))
            stream.read = one.id
        stream.ended = not page.more

    def _fold(self, copy: int) -> None:
        """Takes in what is oldest, of all services."""
        lessons: list[Lesson] = []
        walks = dict(self._walks)
        taken: list[_Stream] = []
        ahead = {service: deque(stream.rows) for service, stream in self._streams.items()}
        while len(lessons) < _EVENTS:
            # Where more is to be read of one, nobody knows yet what of it comes before the others'.
            if any(not rows and not self._streams[service].ended for service, rows in ahead.items()):
                break
            there = [(rows[0][0], service) for service, rows in ahead.items() if rows]
            if not there:
                break
            place, service = min(there)
            _, envelopes = ahead[service].popleft()
            taken.append(self._streams[service])
            found, wrong = _lessons(service, envelopes)
            lessons += found
            walk = walks[service]
            walks[service] = Walk(place, walk.events + len(envelopes), walk.passed_over + wrong)
        with self._runtime.transaction() as tx:
            walks = rebuilding.fold(tx, self._worker, copy, lessons, walks)
        for stream in taken:
            stream.rows.popleft()
        self._walks = walks
        self._unsummed += 1

    def _compare(self, copy: int) -> bool:
        with self._runtime.transaction() as tx:
            return rebuilding.compare(tx, self._worker, copy)

    def _sum(self, copy: int) -> bool:
        with self._runtime.transaction() as tx:
            more = rebuilding.sum_up(tx, self._worker, copy)
        self._unsummed = 0
        return more


def _lessons(service: str, envelopes: Sequence[Envelope]) -> tuple[list[Lesson], int]:
    found: list[Lesson] = []
    wrong = 0
    for envelope in envelopes:
        try:
            found.append(Lesson(service, envelope.id, telling.told(envelope)))
        except (DecodeError, ValueError, TypeError):
            log.exception("an event is passed over", id=envelope.id)
            wrong += 1
    return found, wrong


def from_peers(runtime: Runtime) -> Rebuilder:
    """One that asks the services."""
    return Rebuilder(runtime, Peers(runtime).history)
