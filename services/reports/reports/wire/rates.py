"""What contracts tells of exchange rates, for records that are compared by what they come to."""

from __future__ import annotations

from google.protobuf.message import Message

from chassis.transaction import Cause
from dealwright.contracts.v1 import events_pb2
from reports.domain.folding import News
from reports.settings import company_currency
from reports.wire.news import news

EVENTS: tuple[type[Message], ...] = (events_pb2.ExchangeRateChanged,)


def told(event: Message, cause: Cause) -> list[News]:
    """News of the rates of a currency; of one between two others nothing."""
    if not isinstance(event, events_pb2.ExchangeRateChanged):
        raise TypeError(type(event).__name__)
    of = event.exchange_rate
    home, pair = company_currency(), (of.from_currency, of.to_currency)
    if home not in pair:
        return []
    straight = of.to_currency == home
    said = {
        "name": of.name,
        "version": event.version,
        "gone": event.deleted,
        "straight": straight,
        "date": of.date,
        "rate": of.rate,
    }
    return [news(cause, f"rates/{of.from_currency if straight else of.to_currency}", "told", said)]
