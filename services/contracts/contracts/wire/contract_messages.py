"""Contracts, what is to be paid of them, what was invoiced and paid, as answers and as announcements."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.struct_pb2 import Struct

from chassis.messages import money, stamp
from chassis.money import Money, of_units
from contracts.domain.bill import Instalment, Invoice, Payment
from contracts.domain.contract import Contract, ContractChange, StatusChange
from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.contracts.v1 import events_pb2 as events

_CONTRACT = (
    *("name", "number", "title", "customer", "contact", "opportunity", "quote", "status", "finance_mode", "interval"),
    *("instalment_count", "planned_by_hand", "sign_date", "start_date", "expiry_date", "delivery_date", "owner"),
    *("team", "approval", "renews", "terms", "status_reason"),
)
_INSTALMENT = ("name", "contract", "customer", "title", "position", "due_date", "status", "owner")
_INVOICE = ("name", "number", "contract", "customer", "instalment", "issue_date", "title", "tax_number", "owner")
_PAYMENT = (
    *("name", "contract", "customer", "pay_date", "method", "reference", "exchange_rate", "owner", "team"),
    "note",
)
_CHANGE = ("name", "contract", "customer", "status", "reason", "approval", "owner", "outcome")


def contract(of: Contract) -> pb.Contract:
    message = pb.Contract(
        **{name: getattr(of, name) for name in _CONTRACT},
        amount=money(of.money(of.amount)),
        invoiced=money(of.money(of.invoiced)),
        paid=money(of.money(of.paid)),
        balance=money(of.money(of.balance)),
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
    )
    if of.custom:
        own = Struct()
        own.update(of.custom)
        message.custom.CopyFrom(own)
    return message


def instalment(of: Instalment) -> pb.Instalment:
    return pb.Instalment(
        **{name: getattr(of, name) for name in _INSTALMENT},
        amount=money(of.money(of.amount)),
        paid=money(of.money(of.paid)),
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
    )


def invoice(of: Invoice) -> pb.Invoice:
    return pb.Invoice(
        **{name: getattr(of, name) for name in _INVOICE},
        amount=money(of_units(of.amount, of.currency)),
        tax=money(of_units(of.tax, of.currency)),
        void_time=stamp(of.void_time),
        void_reason=of.void_reason,
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
    )


def payment(of: Payment) -> pb.Payment:
    shares = [
        pb.Payment.Share(instalment=str(one["instalment"]), amount=money(of_units(int(one["amount"]), of.currency)))
        for one in of.shares
    ]
    return pb.Payment(
        **{name: getattr(of, name) for name in _PAYMENT},
        amount=money(of_units(of.amount, of.currency)),
        shares=shares,
        unmatched=money(of_units(of.unmatched, of.currency)),
        received=money(of_units(of.received, of.received_currency)),
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
    )


def status_change(of: StatusChange) -> pb.StatusChange:
    return pb.StatusChange(
        name=f"{of.contract}/statuses/{of.id}",
        from_status=of.from_status,  # type: ignore[arg-type]
        to_status=of.to_status,  # type: ignore[arg-type]
        happen_time=stamp(of.happen_time),
        actor=of.actor,
        reason=of.reason,
    )


def change(of: ContractChange) -> pb.ContractChange:
    return pb.ContractChange(
        **{name: getattr(of, name) for name in _CHANGE},
        differences=[pb.ContractChange.Difference(**one) for one in of.differences],
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
        end_time=stamp(of.end_time),
    )


# --- announcements ---


def contract_changed(of: Contract, deleted: bool) -> events.ContractChanged:
    return events.ContractChanged(contract=contract(of), version=of.version, deleted=deleted)


def change_changed(of: ContractChange, deleted: bool) -> events.ContractChangeChanged:
    return events.ContractChangeChanged(change=change(of), version=of.version, deleted=deleted)


def instalment_changed(of: Instalment, deleted: bool) -> events.InstalmentChanged:
    return events.InstalmentChanged(instalment=instalment(of), version=of.version, deleted=deleted)


def invoice_changed(of: Invoice, deleted: bool) -> events.InvoiceChanged:
    return events.InvoiceChanged(invoice=invoice(of), version=of.version, deleted=deleted)


def payment_changed(of: Payment, deleted: bool) -> events.PaymentChanged:
    return events.PaymentChanged(payment=payment(of), version=of.version, deleted=deleted)


def signed(of: Contract) -> events.ContractSigned:
    return events.ContractSigned(contract=contract(of))


def expiring(of: Contract, days: int) -> events.ContractExpiring:
    return events.ContractExpiring(contract=contract(of), days=days)


def issued(of: Invoice) -> events.InvoiceIssued:
    return events.InvoiceIssued(invoice=invoice(of))


def received(of: Payment) -> events.PaymentReceived | events.PaymentRefunded:
    """What came, or was paid back."""
    return (events.PaymentReceived if of.amount > 0 else events.PaymentRefunded)(payment=payment(of))


def overdue(of: Instalment) -> events.PaymentOverdue:
    return events.PaymentOverdue(instalment=instalment(of))


def summary(status: int, currency: str, count: int, sums: Sequence[int]) -> pb.SummarizeContractsResponse.Row:
    """`sums`: amount, invoiced, paid."""
    amount, invoiced, paid = (money(of_units(units, currency)) for units in sums)
    return pb.SummarizeContractsResponse.Row(
        status=status,  # type: ignore[arg-type]
        count=count,
        amount=amount,
        invoiced=invoiced,
        paid=paid,
        balance=money(of_units(sums[0] - sums[2], currency)),
    )


def expected(row: tuple[str, int, Money | None, Money | None]) -> pb.ForecastPaymentsResponse.Row:
    """(month, how many, what is open, what of that is overdue)."""
    month, count, amount, overdue = row
    return pb.ForecastPaymentsResponse.Row(month=month, count=count, amount=money(amount), overdue=money(overdue))


def commissioned(row: tuple[str, str, str, int, Money | None]) -> pb.SummarizePaymentsResponse.Row:
    """(owner, team, month, how many, what came)."""
    owner, team, month, count, amount = row
    return pb.SummarizePaymentsResponse.Row(owner=owner, team=team, month=month, count=count, amount=money(amount))
