"""The live feed: one task per process reads the Redis stream, many connections hear what their caller may see.

Each pod reads the whole stream itself. A connection that cannot keep up is cut; it resumes by Last-Event-ID.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from chassis.access import Principal, Scope
from chassis.cache import UNAVAILABLE
from gateway.settings import GatewaySettings
from gateway.usecases.stream import PERSONAL, SESSIONS

log = structlog.get_logger(__name__)
_ID = re.compile(r"(\d{1,15})-(\d{1,10})\Z", re.ASCII)
_BLOCK_MILLISECONDS = 1000
# What events call a field of their resource otherwise, by the field's own name.
_SPELLED: Mapping[str, frozenset[str]] = {
    "owner": frozenset({"owner", "owners", "previous_owner", "person", "manager", "excluded"}),
    "escalated_to": frozenset({"manager"}),
}


def position(entry_id: str) -> tuple[int, int]:
    """A stream id in its order. Raises ValueError for what is none."""
    found = _ID.match(entry_id)
    if found is None:
        raise ValueError(f"not a feed id: {entry_id[:40]!r}")
    return int(found[1]), int(found[2])


@dataclass(frozen=True)
class Entry:
    """One event of the stream. `people` are those concerned, `teams` theirs; `data` is JSON text."""

    id: str
    type: str
    subject: str
    resource: str
    people: tuple[str, ...]
    teams: tuple[str, ...]
    time: str
    data: Mapping[str, Any]
    notice: Mapping[str, str]
    verb: str = "read"
    nobodys: bool = False

    @staticmethod
    def of(entry_id: str, fields: Mapping[str, str]) -> Entry:
        return Entry(
            entry_id,
            fields["type"],
            fields["subject"],
            fields["resource"],
            tuple(filter(None, fields["people"].split(","))),
            tuple(filter(None, fields["teams"].split(","))),
            fields["time"],
            json.loads(fields["data"]),
            {"zh": fields.get("notice_zh", ""), "en": fields.get("notice_en", "")},
            fields.get("verb", "read"),
            bool(fields.get("nobodys")),
        )


def may_see(principal: Principal, entry: Entry) -> bool:
    if entry.resource == PERSONAL:
        return bool(principal.person) and principal.person in entry.people
    scope = principal.scope(entry.resource, entry.verb)
    if scope is Scope.NONE:
        return False
    if scope is Scope.ALL or principal.person in entry.people:
        return True
    return scope is Scope.TEAM and (entry.nobodys or any(team in principal.teams for team in entry.teams))


def shown(principal: Principal, entry: Entry, tongue: str) -> dict[str, Any]:
    """What the caller reads of an event: without the fields that his role never sees."""
    hidden = {name for field in principal.grant(entry.resource).hidden for name in _SPELLED.get(field, {field})}
    plain: dict[str, Any] = {
        "type": entry.type,
        "subject": entry.subject,
        "time": entry.time,
        "data": {key: value for key, value in entry.data.items() if _snake(key) not in hidden},
    }
    if entry.notice[tongue] and entry.people[:1] == (principal.person,):
        plain["notice"] = entry.notice[tongue]
    return plain


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)


class Connection:
    """One listener. `principal` may be renewed while it lasts."""

    def __init__(self, principal: Principal, most: int) -> None:
        self.principal = principal
        self.cut = False
        # Whether the caller is to be looked at anew before he hears more.
        self.doubted = False
        self._queue: asyncio.Queue[Entry | None] = asyncio.Queue(most)

    def offer(self, entry: Entry) -> None:
        if self.cut or not may_see(self.principal, entry):
            return
        try:
            self._queue.put_nowait(entry)
        except asyncio.QueueFull:
            self.cut = True

    def doubt(self) -> None:
        self.doubted = True
        self._wake()

    def close(self) -> None:
        self.cut = True
        self._wake()

    def _wake(self) -> None:
        if not self._queue.full():
            self._queue.put_nowait(None)

    async def next(self, seconds: float) -> Entry | None:
        """The next event, or None when there was none in time."""
        try:
            return await asyncio.wait_for(self._queue.get(), seconds)
        except TimeoutError:
            return None


class Feed:
    """`forget` is told of the people whose sessions are not what they were (nobody: everybody's)."""

    def __init__(self, store: Any, settings: GatewaySettings, forget: Callable[[Collection[str]], None]) -> None:
        self._store = store
        self._forget = forget
        self._stream = settings.feed_stream
        self._waiting = settings.feed_waiting
        self._connections: set[Connection] = set()
        self._task: asyncio.Task[None] | None = None
        self.closed = False

    @property
    def connections(self) -> int:
        return len(self._connections)

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._read())

    async def stop(self) -> None:
        self.closed = True
        for connection in list(self._connections):
            connection.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def connect(self, principal: Principal) -> Connection:
        connection = Connection(principal, self._waiting)
        self._connections.add(connection)
        return connection

    def leave(self, connection: Connection) -> None:
        self._connections.discard(connection)

    async def since(self, last: str) -> AsyncIterator[Entry | None]:
        """The entries after `last`, as far as the stream goes now; None first when some may be lost."""
        first = await self._store.xrange(self._stream, count=1)
        if not first or position(last) < position(first[0][0]):
            yield None
        while True:
            page = await self._store.xrange(self._stream, min=f"({last}", count=500)
            for entry_id, fields in page:
                if fields["resource"] != SESSIONS:
                    yield Entry.of(entry_id, fields)
                last = entry_id
            if len(page) < 500:
                return

    async def _read(self) -> None:
        last = ""
        paused = False
        while True:
            try:
                if not last:
                    newest = await self._store.xrevrange(self._stream, count=1)
                    last = newest[0][0] if newest else "0-0"
                answer = await self._store.xread({self._stream: last}, count=500, block=_BLOCK_MILLISECONDS)
                paused = False
            except UNAVAILABLE as problem:
                if not paused:
                    log.warning("the feed pauses: Redis is away", error=type(problem).__name__)
                paused = True
                await asyncio.sleep(1.0)
                continue
            for entry_id, fields in _entries(answer):
                last = entry_id
                if fields["resource"] == SESSIONS:
                    self._drop(fields["people"])
                elif self._connections:
                    entry = Entry.of(entry_id, fields)
                    for connection in self._connections:
                        connection.offer(entry)

    def _drop(self, joined: str) -> None:
        people = frozenset(filter(None, joined.split(",")))
        self._forget(people)
        for connection in self._connections:
            if not people or connection.principal.person in people:
                connection.doubt()


def _entries(answer: Any) -> list[tuple[str, Mapping[str, str]]]:
    """The entries of an XREAD of one stream: RESP2 answers pairs, RESP3 a map."""
    if not answer:
        return []
    found = next(iter(answer.values())) if isinstance(answer, dict) else answer[0][1]
    if found and isinstance(found[0], list) and found[0] and isinstance(found[0][0], list | tuple):
        found = found[0]
    return [(entry_id, fields) for entry_id, fields in found]
