"""What gateways tell of how they are used."""

from __future__ import annotations

from google.protobuf.message import Message

from chassis.transaction import Cause
from dealwright.gateway.v1 import events_pb2
from reports.domain.folding import News
from reports.settings import company_zone
from reports.wire.news import micros, news
from reports.wire.papers import day

EVENTS: tuple[type[Message], ...] = (events_pb2.UsageCounted,)


def told(event: Message, cause: Cause) -> list[News]:
    """The calls, and that each of those who called was there on that day."""
    assert isinstance(event, events_pb2.UsageCounted)
    rows = [(row.person, row.feature, row.calls, row.failures, round(row.seconds * 10_000)) for row in event.rows]
    found = [news(cause, event.name, "counted", {"time": micros(event.begin_time), "rows": rows})]
    local = event.begin_time.ToDatetime(company_zone()).date()
    began = day(local.isoformat())
    for person in sorted({row.person for row in event.rows if row.person}):
        name = f"attendance/{person.partition('/')[2]}/{local}"
        found.append(news(cause, name, "attended", {"person": person, "day": began}))
    return found
