"""What every event says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from chassis.transaction import Cause
from reports.domain.folding import News
from reports.settings import company_currency, company_zone


def micros(moment: Timestamp) -> int:
    """Microseconds since 1970; 0 for none."""
    return int(moment.seconds * 1_000_000 + moment.nanos // 1000)


def units(amount: Money) -> int:
    """Ten-thousandths."""
    return int(amount.units * 10_000) + int(amount.nanos / 100_000)


def day_of(moment: Timestamp) -> str:
    """The day of the company's clock."""
    return moment.ToDatetime(UTC).astimezone(company_zone()).date().isoformat()


def abroad(currency: str, day: str) -> str:
    """The day by whose rate an amount comes to the company's currency; "" where it needs none."""
    return day if currency not in ("", company_currency()) else ""


def blank(**fields: object) -> tuple[str, ...]:
    """Which of them have no value."""
    return tuple(name for name, value in fields.items() if not value)


def news(cause: Cause, record: str, what: str, values: Mapping[str, Any]) -> News:
    """News of a record, learnt when its service did."""
    return News(record, what, values, cause.id, micros(cause.envelope.receive_time))
