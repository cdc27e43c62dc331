"""What contracts, instalments, invoices and payments tell."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message

from chassis.transaction import Cause
from dealwright.contracts.v1 import contracts_pb2, events_pb2
from reports.domain.folding import News
from reports.settings import company_zone
from reports.wire.news import abroad, news, units

_IN_FORCE = (contracts_pb2.Contract.SIGNED, contracts_pb2.Contract.COMPLETED)


EVENTS: tuple[type[Message], ...] = (
    events_pb2.ContractChanged,
    events_pb2.InstalmentChanged,
    events_pb2.InvoiceChanged,
    events_pb2.PaymentChanged,
)


def told(event: Message, cause: Cause) -> list[News]:
    """News of a paper."""
    if isinstance(event, events_pb2.ContractChanged):
        of = event.contract
        values = {
            "time": day(of.sign_date),
            "end_time": day(of.expiry_date),
            "paid": 0,
            "counts": of.status in _IN_FORCE,
            "opportunity": of.opportunity,
            "detail": contracts_pb2.Contract.FinanceMode.Name(of.finance_mode) if of.finance_mode else "",
            "abroad": abroad(of.amount.currency_code, of.sign_date),
        }
        return [_state(of, event, cause, values)]
    if isinstance(event, events_pb2.InstalmentChanged):
        due = event.instalment
        values = {"time": day(due.due_date), "paid": units(due.paid), "contract": due.contract}
        return [_state(due, event, cause, values, due.status != contracts_pb2.Instalment.CANCELLED)]
    if isinstance(event, events_pb2.InvoiceChanged):
        bill = event.invoice
        return [_state(bill, event, cause, {"time": day(bill.issue_date)}, not bill.HasField("void_time"))]
    if isinstance(event, events_pb2.PaymentChanged):
        paid = event.payment
        return [_state(paid, event, cause, {"time": day(paid.pay_date), "detail": paid.method})]
    raise TypeError(type(event).__name__)


def day(text: str) -> int:
    """The moment, in microseconds, at which a day of the company's clock begins; 0 for none."""
    if not text:
        return 0
    return int(datetime.fromisoformat(text).replace(tzinfo=company_zone()).astimezone(UTC).timestamp()) * 1_000_000


def _state(of: Any, event: Any, cause: Cause, more: dict[str, Any], counts: bool = True) -> News:
    values = {
        "version": event.version,
        "deleted": event.deleted or of.HasField("delete_time"),
        "owner": of.owner,
        "customer": of.customer,
        "end_time": 0,
        "amount": units(of.amount),
        "paid": 0,
        "currency": of.amount.currency_code,
        "counts": counts,
        "detail": "",
        "opportunity": "",
        "abroad": "",
        "contract": "",
        **more,
    }
    return news(cause, of.name, "state", values)
