"""The one place that reads the clock: everything else takes a moment as an argument or asks here."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT_ZONE = "Asia/Shanghai"


def now() -> datetime:
    """The present moment, aware, in UTC, to the microsecond."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds on a clock that never goes back; for durations and deadlines within this process."""
    return time.monotonic()


@lru_cache(maxsize=64)
def company_zone(name: str = DEFAULT_ZONE) -> ZoneInfo:
    """The IANA time zone of that name. Raises ValueError for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        # A hostile name ("../x", "", a directory such as "Asia") raises three different kinds of error.
        raise ValueError(f"unknown time zone {name!r}") from problem
