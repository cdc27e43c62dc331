"""Moments as protobuf timestamps."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.database import to_micros


def stamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    seconds, micros = divmod(to_micros(moment), 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1000)
