"""What is said of an opportunity's past."""

from __future__ import annotations

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import fields
from chassis.fields import FieldCheck
from dealwright.opportunities.v1 import opportunities_pb2 as pb
from opportunities.domain.history import NOTHING, Told
from opportunities.wire.reading import LONGEST_REASON, PREFIX, read_moment

MOST = 100
_LONGEST_STAGE = 63


def told(request: pb.CreateOpportunityRequest, check: FieldCheck) -> Told:
    """What happened before it was entered; nothing unless it is `historical`. What is wrong is noted: times of one that
    is not among it, save those that nobody sets otherwise and that are left aside as they are then."""
    of = request.opportunity
    if not request.historical:
        named = [("history", bool(request.history)), (f"{PREFIX}.open_time", of.HasField("open_time"))]
        for field in (field for field, said in named if said):
            check.refuse(field, "is taken with historical", "仅在补录历史（historical）时可填")
        return NOTHING
    if len(request.history) > MOST:
        check.refuse("history", f"at most {MOST}", f"最多 {MOST} 项")
        return NOTHING
    reason = check.take(f"{PREFIX}.status_reason", fields.text, of.status_reason, LONGEST_REASON, multiline=True)
    visits = tuple(
        (
            check.take(f"history.{place}.stage", fields.text, one.stage, _LONGEST_STAGE, required=True) or "",
            _moment(f"history.{place}.enter_time", one.enter_time, one.HasField("enter_time"), check),
        )
        for place, one in enumerate(request.history)
    )
    return Told(
        _moment(f"{PREFIX}.open_time", of.open_time, of.HasField("open_time"), check),
        _moment(f"{PREFIX}.close_time", of.close_time, of.HasField("close_time"), check),
        reason or "",
        visits,
    )


def _moment(field: str, stamp: Timestamp, there: bool, check: FieldCheck) -> datetime | None:
    return check.take(field, read_moment, stamp) if there else None
