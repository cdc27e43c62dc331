"""What is announced of quotes."""

from __future__ import annotations

from datetime import datetime

from chassis.messages import stamp
from contracts.domain.quote import Quote
from contracts.wire.quote_messages import quote
from dealwright.contracts.v1 import events_pb2


def changed(of: Quote, gone: bool = False) -> events_pb2.QuoteChanged:
    """`gone`: for good."""
    deleted = gone or of.delete_time is not None
    return events_pb2.QuoteChanged(quote=quote(of), version=of.version + gone, deleted=deleted)


def opened(of: Quote, first: bool, at: datetime) -> events_pb2.QuoteOpened:
    return events_pb2.QuoteOpened(quote=quote(of), first=first, open_time=stamp(at))
