"""How each RPC about contracts and what is paid on them is asked for what is his own, a team mate's, another team's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.type.money_pb2 import Money

from chassis import ids, records
from contracts.domain.contract import Status
from contracts.domain.quote import Status as QuoteStatus
from contracts.usecases import parties
from contracts.usecases.contract_kinds import CONTRACT
from contracts.usecases.parties import Party
from contracts.usecases.quotes import QUOTES
from contracts.usecases.settings import PART
from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.contracts.v1 import quotes_pb2
from tests.security.house import House
from tests.security.matrix import PEOPLE
from tests.security.probes import Told, asks

_C = "contracts.ContractService."
_TEN = Money(currency_code="CNY", units=10)


def _customer(h: House) -> str:
    """A customer, as contracts was told of it."""
    name = f"customers/{ids.new_id()}"
    with h.runtimes["contracts"].transaction() as tx:
        parties.know(tx, [Party(name, 1, False, "华东物流")])
    return name


def _request(h: House, who: str, row: str, **fields: Any) -> pb.CreateContractRequest:
    of = pb.Contract(**{"title": "年度采购", "owner": h.person(who, row), "amount": _TEN, **fields})
    return pb.CreateContractRequest(contract=of)


def _draft(h: House, who: str, row: str, **fields: Any) -> Any:
    return h.do(_C + "CreateContract", _request(h, who, row, **fields))


def _name(h: House, who: str, row: str) -> str:
    return str(_draft(h, who, row).name)


def _approved(h: House, who: str, row: str, **fields: Any) -> str:
    """One that all have agreed to. Who has to agree, other RPCs are asked."""
    name = str(_draft(h, who, row, **fields).name)
    with h.runtimes["contracts"].transaction(h.root) as tx:
        before = records.hold(tx, CONTRACT, name)
        records.save(tx, CONTRACT, before, replace(before, status=Status.APPROVED.value))
    return name


def _signed(h: House, who: str, row: str, **fields: Any) -> str:
    name = _approved(h, who, row, **fields)
    h.do(_C + "SignContract", pb.SignContractRequest(name=name))
    return name


def _opportunity(h: House, who: str, row: str) -> str:
    """An opportunity of that person, as contracts was told of it."""
    name = f"opportunities/{ids.new_id()}"
    deal = Party(name, 1, False, "采购", h.person(who, row), customer=_customer(h), amount=100_000, currency="CNY")
    with h.runtimes["contracts"].transaction() as tx:
        parties.know(tx, [deal])
    return name


def _quote(h: House, who: str, row: str) -> str:
    of = quotes_pb2.Quote(opportunity=_opportunity(h, who, row))
    name = str(h.do("contracts.QuoteService.CreateQuote", quotes_pb2.CreateQuoteRequest(quote=of)).name)
    with h.runtimes["contracts"].transaction(h.root) as tx:
        before = records.hold(tx, QUOTES, name)
        records.save(tx, QUOTES, before, replace(before, status=QuoteStatus.APPROVED.value))
    return name


def _any(field: str) -> Told:
    return lambda h, who, row, answer: "S" if getattr(answer, field) else "U"


def _nobody_agrees(h: House) -> None:
    """Takes the flows for contracts out of the company's rules: then nobody is asked."""
    with h.runtimes["contracts"].transaction(h.root) as tx:
        content, version = PART.read(tx)
        kept = {id: flow for id, flow in content["approvalFlows"].items() if not flow["for"].startswith("contract")}
        PART.apply(tx, {"approvalFlows": kept}, version)


# --- contracts ---

asks(_C + "CreateContract", PEOPLE)(_request)
asks(_C + "ContractOpportunity", PEOPLE)(
    lambda h, who, row: pb.ContractOpportunityRequest(opportunity=_opportunity(h, who, row))
)
asks(_C + "ContractQuote", PEOPLE)(lambda h, who, row: pb.ContractQuoteRequest(quote=_quote(h, who, row)))
asks(_C + "GetContract", PEOPLE)(lambda h, who, row: pb.GetContractRequest(name=_name(h, who, row)))
asks(_C + "ListContracts", PEOPLE, _any("contracts"))(
    lambda h, who, row: pb.ListContractsRequest(filter=f"number = {_draft(h, who, row).number}")
)
asks(_C + "SummarizeContracts", PEOPLE, _any("rows"))(
    lambda h, who, row: pb.SummarizeContractsRequest(filter=f"number = {_draft(h, who, row).number}")
)


@asks(_C + "UpdateContract", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    changed = pb.Contract(name=_name(h, who, row), title="新名")
    return pb.UpdateContractRequest(contract=changed, update_mask=FieldMask(paths=["title"]))


asks(_C + "DeleteContract", PEOPLE)(lambda h, who, row: pb.DeleteContractRequest(name=_name(h, who, row)))


@asks(_C + "UndeleteContract", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _name(h, who, row)
    h.do(_C + "DeleteContract", pb.DeleteContractRequest(name=name))
    return pb.UndeleteContractRequest(name=name)


@asks(_C + "SubmitContract", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    _nobody_agrees(h)
    return pb.SubmitContractRequest(name=str(_draft(h, who, row, customer=_customer(h)).name))


asks(_C + "SignContract", PEOPLE)(lambda h, who, row: pb.SignContractRequest(name=_approved(h, who, row)))
asks(_C + "VoidContract", PEOPLE)(lambda h, who, row: pb.VoidContractRequest(name=_name(h, who, row), reason="取消"))


@asks(_C + "TransferContract", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    taker = h.person(who, "own" if row == "mate" else "mate")
    return pb.TransferContractRequest(name=_name(h, who, row), owner=taker)


asks(_C + "RenewContract", PEOPLE)(
    lambda h, who, row: pb.RenewContractRequest(name=_signed(h, who, row, expiry_date="2099-12-31"))
)


def _change(h: House, who: str, row: str) -> pb.ChangeContractRequest:
    _nobody_agrees(h)
    of = pb.Contract(terms="延期")
    return pb.ChangeContractRequest(name=_signed(h, who, row), contract=of, reason="客户要求")


asks(_C + "ChangeContract", PEOPLE)(_change)
asks(_C + "DeliverContract", PEOPLE)(lambda h, who, row: pb.DeliverContractRequest(name=_signed(h, who, row)))


@asks(_C + "PlanContract", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    half = pb.Instalment(amount=Money(currency_code="CNY", units=5))
    return pb.PlanContractRequest(name=_name(h, who, row), instalments=[half, half])


asks(_C + "ListStatusChanges", PEOPLE)(lambda h, who, row: pb.ListStatusChangesRequest(parent=_name(h, who, row)))
asks(_C + "GetContractChange", PEOPLE)(
    lambda h, who, row: pb.GetContractChangeRequest(name=h.do(_C + "ChangeContract", _change(h, who, row)).name)
)


@asks(_C + "ListContractChanges", PEOPLE, _any("contract_changes"))
def _(h: House, who: str, row: str) -> Message:
    change = h.do(_C + "ChangeContract", _change(h, who, row))
    return pb.ListContractChangesRequest(filter=f'contract = "{change.contract}"')


# --- instalments ---


def _instalment(h: House, contract: str) -> str:
    request = pb.ListInstalmentsRequest(filter=f'contract = "{contract}"')
    return str(h.do(_C + "ListInstalments", request).instalments[0].name)


asks(_C + "GetInstalment", PEOPLE)(lambda h, who, row: pb.GetInstalmentRequest(name=_instalment(h, _name(h, who, row))))
asks(_C + "ListInstalments", PEOPLE, _any("instalments"))(
    lambda h, who, row: pb.ListInstalmentsRequest(filter=f'contract = "{_name(h, who, row)}"')
)


@asks(_C + "UpdateInstalment", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    return pb.UpdateInstalmentRequest(instalment=pb.Instalment(name=_instalment(h, _name(h, who, row)), title="首付"))


@asks(_C + "ReachInstalment", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    signed = _signed(h, who, row, finance_mode=pb.Contract.MILESTONE)
    return pb.ReachInstalmentRequest(name=_instalment(h, signed))


# --- invoices ---


def _bill(h: House, who: str, row: str) -> pb.CreateInvoiceRequest:
    return pb.CreateInvoiceRequest(invoice=pb.Invoice(contract=_signed(h, who, row), amount=_TEN))


def _invoice(h: House, who: str, row: str) -> str:
    return str(h.do(_C + "CreateInvoice", _bill(h, who, row)).name)


asks(_C + "CreateInvoice", PEOPLE)(_bill)
asks(_C + "GetInvoice", PEOPLE)(lambda h, who, row: pb.GetInvoiceRequest(name=_invoice(h, who, row)))


@asks(_C + "ListInvoices", PEOPLE, _any("invoices"))
def _(h: House, who: str, row: str) -> Message:
    return pb.ListInvoicesRequest(filter=f"number = {h.do(_C + 'CreateInvoice', _bill(h, who, row)).number}")


asks(_C + "UpdateInvoice", PEOPLE)(
    lambda h, who, row: pb.UpdateInvoiceRequest(invoice=pb.Invoice(name=_invoice(h, who, row), title="新抬头"))
)
asks(_C + "VoidInvoice", PEOPLE)(lambda h, who, row: pb.VoidInvoiceRequest(name=_invoice(h, who, row), reason="作废"))
asks(_C + "DeleteInvoice", PEOPLE)(lambda h, who, row: pb.DeleteInvoiceRequest(name=_invoice(h, who, row)))


@asks(_C + "UndeleteInvoice", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _invoice(h, who, row)
    h.do(_C + "DeleteInvoice", pb.DeleteInvoiceRequest(name=name))
    return pb.UndeleteInvoiceRequest(name=name)


# --- payments ---


def _transfer(h: House, who: str, row: str) -> pb.CreatePaymentRequest:
    return pb.CreatePaymentRequest(payment=pb.Payment(contract=_signed(h, who, row), amount=_TEN))


def _payment(h: House, who: str, row: str) -> str:
    return str(h.do(_C + "CreatePayment", _transfer(h, who, row)).name)


asks(_C + "CreatePayment", PEOPLE)(_transfer)
asks(_C + "GetPayment", PEOPLE)(lambda h, who, row: pb.GetPaymentRequest(name=_payment(h, who, row)))


@asks(_C + "ListPayments", PEOPLE, _any("payments"))
def _(h: House, who: str, row: str) -> Message:
    return pb.ListPaymentsRequest(filter=f'contract = "{h.do(_C + "CreatePayment", _transfer(h, who, row)).contract}"')


asks(_C + "ForecastPayments", PEOPLE, _any("rows"))(
    lambda h, who, row: pb.ForecastPaymentsRequest(filter=f'contract = "{_signed(h, who, row)}"')
)


@asks(_C + "SummarizePayments", PEOPLE, _any("rows"))
def _(h: House, who: str, row: str) -> Message:
    paid = h.do(_C + "CreatePayment", _transfer(h, who, row))
    return pb.SummarizePaymentsRequest(filter=f'contract = "{paid.contract}"')


asks(_C + "UpdatePayment", PEOPLE)(
    lambda h, who, row: pb.UpdatePaymentRequest(payment=pb.Payment(name=_payment(h, who, row), note="首付"))
)
asks(_C + "DeletePayment", PEOPLE)(lambda h, who, row: pb.DeletePaymentRequest(name=_payment(h, who, row)))


@asks(_C + "UndeletePayment", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _payment(h, who, row)
    h.do(_C + "DeletePayment", pb.DeletePaymentRequest(name=name))
    return pb.UndeletePaymentRequest(name=name)
