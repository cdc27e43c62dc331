"""Moments as protobuf timestamps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Those that a datetime can hold: the years 1 to 9999.
_FIRST, _LAST = -62135596800, 253402300799


def stamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    since = moment - _EPOCH
    return Timestamp(seconds=since.days * 86400 + since.seconds, nanos=since.microseconds * 1000)


def moment(stamp: Timestamp) -> datetime | None:
    """The moment to the microsecond; None for one beyond what a datetime can hold."""
    if not _FIRST <= stamp.seconds <= _LAST or not 0 <= stamp.nanos < 1_000_000_000:
        return None
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)
