"""How often a session, an address or a form may ask: a sliding minute, counted in Redis for all gateway pods.

Redis away: everybody may, and the log says so. Those signed in draw their permits in blocks, so that the hot path
asks Redis once in a while instead of once a call.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass

import redis.asyncio
import structlog

from chassis import clock
from chassis.cache import UNAVAILABLE
from chassis.errors import Problem, Refused

log = structlog.get_logger(__name__)
WINDOW = 60.0
_PAUSE = 5.0


class TooMany(Refused):
    """RESOURCE_EXHAUSTED, with the seconds after which another try may pass."""

    def __init__(self, seconds: int) -> None:
        super().__init__(
            "RATE_LIMITED",
            f"Too many requests; try again in {seconds} s.",
            f"请求过于频繁，请在 {seconds} 秒后重试。",
            code="RESOURCE_EXHAUSTED",
        )
        self.seconds = seconds


@dataclass
class _Drawn:
    """Permits already counted in Redis and not yet used, good for one window."""

    window: int
    left: int


class Limits:
    def __init__(self, store: redis.asyncio.Redis) -> None:
        self._store = store
        self._drawn: dict[str, _Drawn] = {}
        self._paused_until = 0.0

    async def take(self, key: str, per_minute: int) -> None:
        """One permit. Raises TooMany. `per_minute` 0: no limit."""
        if not per_minute:
            return
        now = clock.now().timestamp()
        window = int(now // WINDOW)
        mine = self._drawn.get(key)
        if mine is not None and mine.window == window and mine.left > 0:
            mine.left -= 1
            return
        if clock.monotonic() < self._paused_until:
            return
        block = max(1, min(200, per_minute // 1000))
        try:
            used, before = await self._count(key, window, block)
        except UNAVAILABLE as problem:
            self._paused_until = clock.monotonic() + _PAUSE
            log.warning("rate limits pause: Redis is away", error=type(problem).__name__)
            return
        into = now / WINDOW - window
        if used - block + before * (1 - into) >= per_minute:
            await self._give_back(key, window, block)  # who is refused is not counted: he may try again
            raise TooMany(max(1, math.ceil(WINDOW * (1 - into) if not before else WINDOW / 10)))
        if block > 1:
            if len(self._drawn) > 20_000:
                self._drawn.clear()
            self._drawn[key] = _Drawn(window, block - 1)

    async def _count(self, key: str, window: int, block: int) -> tuple[int, int]:
        """What this window and the one before have used, this block included."""
        async with self._store.pipeline(transaction=False) as pipe:
            pipe.incrby(_name(key, window), block)
            pipe.expire(_name(key, window), int(2 * WINDOW))
            pipe.get(_name(key, window - 1))
            used, _, before = await pipe.execute()
        return int(used), int(before or 0)

    async def _give_back(self, key: str, window: int, block: int) -> None:
        with contextlib.suppress(*UNAVAILABLE):
            await self._store.decrby(_name(key, window), block)


def _name(key: str, window: int) -> str:
    return f"dealwright:limit:{key}:{window}"


def retry_after(problem: Problem) -> dict[str, str]:
    return {"Retry-After": str(problem.seconds)} if isinstance(problem, TooMany) else {}
