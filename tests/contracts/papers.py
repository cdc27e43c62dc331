"""Contracts on a desk: drawn up, approved, signed, invoiced, paid."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from chassis import clock
from chassis.access import Principal, peer
from contracts.usecases import contract_settings
from contracts.usecases.settings import PART
from dealwright.contracts.v1 import contracts_pb2 as pb
from tests.contracts.desk import ADMIN, CUSTOMER, FINANCE, LI, Desk, money

DRAFT, SUBMITTED, APPROVED = pb.Contract.DRAFT, pb.Contract.SUBMITTED, pb.Contract.APPROVED
SIGNED, VOID, COMPLETED = pb.Contract.SIGNED, pb.Contract.VOID, pb.Contract.COMPLETED
REJECTED, RETURNED = pb.Contract.REJECTED, pb.Contract.RETURNED
OPEN, PARTLY, PAID = pb.Instalment.OPEN, pb.Instalment.PARTLY_PAID, pb.Instalment.PAID
OVERDUE, CANCELLED = pb.Instalment.OVERDUE, pb.Instalment.CANCELLED


def today() -> date:
    return clock.now().astimezone(contract_settings.zone()).date()


def day(ahead: int = 0) -> str:
    """So many days from today, as contracts write it."""
    return (today() + timedelta(days=ahead)).isoformat()


class Papers:
    """What people do with contracts, one line each."""

    def __init__(self, desk: Desk, free: bool = True) -> None:
        self.desk = desk
        desk.deal(amount=10_000_000, currency="CNY")
        if free:
            self.set(approvalFlows={})  # nobody has to agree

    def set(self, **documents: Any) -> None:
        """What the company sets."""
        with self.desk.runtime.transaction(peer("gateway")) as tx:
            PART.apply(tx, documents, PART.read(tx)[1])

    def draw(self, units: int = 1000, who: Principal = LI, **fields: Any) -> pb.Contract:
        of = pb.Contract(**{"title": "年度采购", "customer": CUSTOMER, "amount": money(units), **fields})
        made: pb.Contract = self.desk.call("CreateContract", pb.CreateContractRequest(contract=of), who)
        return made

    def change(self, name: str, who: Principal = LI, mask: str = "", etag: str = "", **fields: Any) -> pb.Contract:
        of = pb.Contract(name=name, etag=etag, **fields)
        paths = mask.split(",") if mask else list(fields)
        request = pb.UpdateContractRequest(contract=of, update_mask=FieldMask(paths=paths))
        changed: pb.Contract = self.desk.call("UpdateContract", request, who)
        return changed

    def do(self, verb: str, of: Any, who: Principal = LI, **fields: Any) -> Any:
        """A verb of its own: "SignContract", "ReachInstalment", "DeletePayment", ..."""
        return self.desk.call(verb, getattr(pb, f"{verb}Request")(name=of.name, **fields), who)

    def signed(self, units: int = 1000, who: Principal = LI, dates: Any = None, **fields: Any) -> pb.Contract:
        """Drawn up, agreed to by the rules as they are, signed today."""
        made = self.draw(units, who, **fields)
        self.do("SubmitContract", made, who)
        found: pb.Contract = self.do("SignContract", made, who, **(dates or {}))
        return found

    def ask(self, contract: Any, reason: str = "客户追加", who: Principal = LI, **fields: Any) -> pb.ContractChange:
        """Asks for a change of a signed contract."""
        request = pb.ChangeContractRequest(name=contract.name, contract=pb.Contract(**fields), reason=reason)
        asked: pb.ContractChange = self.desk.call("ChangeContract", request, who)
        return asked

    def pay(self, contract: Any, units: int, nanos: int = 0, who: Principal = FINANCE, **fields: Any) -> pb.Payment:
        currency = fields.pop("currency", "CNY")
        of = pb.Payment(contract=contract.name, amount=money(units, nanos, currency), **fields)
        paid: pb.Payment = self.desk.call("CreatePayment", pb.CreatePaymentRequest(payment=of), who)
        return paid

    def invoice(self, contract: Any, units: int, who: Principal = FINANCE, **fields: Any) -> pb.Invoice:
        of = pb.Invoice(**{"contract": contract.name, "amount": money(units), **fields})
        issued: pb.Invoice = self.desk.call("CreateInvoice", pb.CreateInvoiceRequest(invoice=of), who)
        return issued

    def get(self, of: Any, who: Principal = ADMIN) -> Any:
        """The record as it is now."""
        kind = {"contracts": "Contract", "instalments": "Instalment", "invoices": "Invoice", "payments": "Payment"}
        noun = kind.get(of.name.partition("/")[0], "ContractChange")
        request: Message = getattr(pb, f"Get{noun}Request")(name=of.name)
        return self.desk.call(f"Get{noun}", request, who)

    def plan(self, contract: Any, who: Principal = ADMIN) -> list[pb.Instalment]:
        """The instalments of a contract in order."""
        request = pb.ListInstalmentsRequest(filter=f'contract = "{contract.name}"', order_by="position", page_size=500)
        return list(self.desk.call("ListInstalments", request, who).instalments)

    def paid(self, contract: Any) -> list[tuple[int, int, int]]:
        """(amount, paid, status) of each instalment."""
        return [(one.amount.units, one.paid.units, one.status) for one in self.plan(contract)]

    def history(self, contract: Any) -> list[int]:
        answer = self.desk.call("ListStatusChanges", pb.ListStatusChangesRequest(parent=contract.name), ADMIN)
        return [one.to_status for one in answer.status_changes]


def instalment(title: str, units: int, due: str = "", **more: Any) -> pb.Instalment:
    return pb.Instalment(title=title, amount=money(units, **more), due_date=due)
