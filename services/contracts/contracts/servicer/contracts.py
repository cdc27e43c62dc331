"""ContractService: contracts here, what is paid on them in `bills`."""

from __future__ import annotations

from typing import Any

from chassis import arrivals, records
from chassis.fields import FieldCheck
from chassis.rpc import Call, command, query
from chassis.service import Runtime
from chassis.transaction import Transaction
from contracts.servicer.bills import Bills
from contracts.usecases import agreeing, contract_sums, contracting, owners, parties, signing
from contracts.usecases.contract_kinds import CHANGE, CONTRACT
from contracts.usecases.contract_settings import today
from contracts.wire import contract_messages as messages
from contracts.wire import contract_reading as wire
from dealwright.contracts.v1 import contracts_pb2 as pb


def _wait(servicer: ContractServicer, call: Call[Any]) -> None:
    of = call.request.contract
    names = {of.customer, of.contact, of.opportunity, getattr(call.request, "opportunity", "")} - {""}
    arrivals.wait_for(servicer.runtime, call, names, lambda tx: len(parties.find_all(tx, sorted(names))) == len(names))


class ContractServicer(Bills):
    descriptor = pb.DESCRIPTOR.services_by_name["ContractService"]

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    @command(fetch=_wait)
    def CreateContract(self, tx: Transaction, request: pb.CreateContractRequest) -> pb.Contract:
        check = FieldCheck()
        values = wire.contract(request.contract, wire.CREATED, check)
        wire.checked(request, check)
        return messages.contract(contracting.create(tx, values, today(tx)))

    @command(fetch=_wait)
    def ContractOpportunity(self, tx: Transaction, request: pb.ContractOpportunityRequest) -> pb.Contract:
        said = _said(request)
        return messages.contract(contracting.of_opportunity(tx, request.opportunity, said, today(tx)))

    @command
    def ContractQuote(self, tx: Transaction, request: pb.ContractQuoteRequest) -> pb.Contract:
        said = _said(request)
        return messages.contract(contracting.of_quote(tx, request.quote, said, today(tx)))

    @query
    def GetContract(self, tx: Transaction, request: pb.GetContractRequest) -> pb.Contract:
        return messages.contract(records.find(tx, CONTRACT, request.name, request.show_deleted))

    @query
    def ListContracts(self, tx: Transaction, request: pb.ListContractsRequest) -> pb.ListContractsResponse:
        found, token, total = records.page(tx, CONTRACT, request)
        return pb.ListContractsResponse(
            contracts=map(messages.contract, found), next_page_token=token, total_size=total or 0
        )

    @query
    def SummarizeContracts(
        self, tx: Transaction, request: pb.SummarizeContractsRequest
    ) -> pb.SummarizeContractsResponse:
        rows = contract_sums.summarize(tx, request.filter)
        return pb.SummarizeContractsResponse(rows=[messages.summary(*row) for row in rows])

    @command(fetch=_wait)
    def UpdateContract(self, tx: Transaction, request: pb.UpdateContractRequest) -> pb.Contract:
        of, check = request.contract, FieldCheck()
        values = wire.contract(of, wire.paths(request, of, wire.CHANGEABLE), check)
        wire.checked(request, check)
        return messages.contract(contracting.change(tx, of.name, of.etag, values))

    @command
    def DeleteContract(self, tx: Transaction, request: pb.DeleteContractRequest) -> pb.Contract:
        wire.checked(request)
        return messages.contract(contracting.delete(tx, request.name, request.etag))

    @command
    def UndeleteContract(self, tx: Transaction, request: pb.UndeleteContractRequest) -> pb.Contract:
        wire.checked(request)
        return messages.contract(contracting.undelete(tx, request.name))

    @command
    def SubmitContract(self, tx: Transaction, request: pb.SubmitContractRequest) -> pb.Contract:
        wire.checked(request)
        return messages.contract(agreeing.submit(tx, request.name, request.etag))

    @command
    def SignContract(self, tx: Transaction, request: pb.SignContractRequest) -> pb.Contract:
        dates = _dates(request, "sign_date", "start_date", "expiry_date")
        signed = signing.sign(tx, request.name, request.etag, dates, today(tx), request.historical)
        return messages.contract(signed)

    @command
    def VoidContract(self, tx: Transaction, request: pb.VoidContractRequest) -> pb.Contract:
        reason = wire.checked(request)
        return messages.contract(signing.void(tx, request.name, request.etag, reason))

    @command
    def TransferContract(self, tx: Transaction, request: pb.TransferContractRequest) -> pb.Contract:
        reason = wire.checked(request)
        return messages.contract(owners.transfer(tx, request.name, request.etag, request.owner, reason))

    @command
    def RenewContract(self, tx: Transaction, request: pb.RenewContractRequest) -> pb.Contract:
        check = FieldCheck()
        amount = wire.amount(request, "", check)
        dates = _dates(request, "start_date", "expiry_date", check=check)
        return messages.contract(signing.renew(tx, request.name, request.etag, dates, amount, today(tx)))

    @command
    def ChangeContract(self, tx: Transaction, request: pb.ChangeContractRequest) -> pb.ContractChange:
        of, check = request.contract, FieldCheck()
        values = wire.contract(of, wire.paths(request, of, wire.AMENDABLE), check)
        reason = wire.checked(request, check)
        return messages.change(agreeing.ask_change(tx, request.name, request.etag, values, reason))

    @command
    def DeliverContract(self, tx: Transaction, request: pb.DeliverContractRequest) -> pb.Contract:
        dates = _dates(request, "delivery_date")
        delivered = signing.deliver(tx, request.name, request.etag, dates["delivery_date"], today(tx))
        return messages.contract(delivered)

    @query
    def ListStatusChanges(self, tx: Transaction, request: pb.ListStatusChangesRequest) -> pb.ListStatusChangesResponse:
        found, token = contract_sums.history(tx, request)
        return pb.ListStatusChangesResponse(status_changes=map(messages.status_change, found), next_page_token=token)

    @query
    def GetContractChange(self, tx: Transaction, request: pb.GetContractChangeRequest) -> pb.ContractChange:
        return messages.change(records.find(tx, CHANGE, request.name))

    @query
    def ListContractChanges(
        self, tx: Transaction, request: pb.ListContractChangesRequest
    ) -> pb.ListContractChangesResponse:
        found, token, total = records.page(tx, CHANGE, request)
        return pb.ListContractChangesResponse(
            contract_changes=map(messages.change, found), next_page_token=token, total_size=total or 0
        )


def _said(request: pb.ContractOpportunityRequest | pb.ContractQuoteRequest) -> dict[str, Any]:
    """What is said of a contract besides what it is made of. Raises Invalid."""
    of, check = request.contract, FieldCheck()
    found = wire.contract(of, [name for name in wire.SAID if getattr(of, name)], check)
    wire.checked(request, check)
    return found


def _dates(request: Any, *names: str, check: FieldCheck | None = None) -> dict[str, str]:
    """The days of a request, ISO text or empty. Raises Invalid for all that is wrong with it."""
    found = check or FieldCheck()
    dates = {name: found.take(name, wire.day, getattr(request, name)) or "" for name in names}
    wire.checked(request, found)
    return dates
