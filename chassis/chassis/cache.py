"""Redis for what may be lost: rate limits, heartbeats, live fan-out. Redis never decides anything.

Without a URL both clients speak to one fakeredis inside this process, so that `work` and `serve` see the same data.
"""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

import redis
import redis.asyncio

UNAVAILABLE = (redis.ConnectionError, redis.TimeoutError, OSError)
"""What a client raises while the server is away."""
_SECONDS = 2.0


_first = Lock()


@cache
def _made() -> Any:
    import fakeredis

    return fakeredis.FakeServer()


def _in_process() -> Any:
    # `cache` lets two threads make one each: what one service told, the others would never hear.
    with _first:
        return _made()


def client(url: str = "", *, server: Any = None) -> redis.Redis:
    """A sync client that answers text. `server`: a FakeServer of one's own (tests)."""
    if url:
        return redis.Redis.from_url(
            url, decode_responses=True, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
        )
    import fakeredis

    made: redis.Redis = fakeredis.FakeRedis(server=server or _in_process(), decode_responses=True)
    return made


def async_client(url: str = "", *, server: Any = None) -> redis.asyncio.Redis:
    """The same for the gateway. Belongs to the event loop that first uses it."""
    if url:
        return redis.asyncio.Redis.from_url(
            url, decode_responses=True, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
        )
    import fakeredis

    made: redis.asyncio.Redis = fakeredis.FakeAsyncRedis(server=server or _in_process(), decode_responses=True)
    return made
