"""The part of ContractService that is about money: instalments, invoices, payments."""

from __future__ import annotations

from chassis import records
from chassis.fields import FieldCheck
from chassis.rpc import command, query
from chassis.transaction import Transaction
from contracts.usecases import contract_sums, invoicing, paying, planning, signing
from contracts.usecases.contract_kinds import INSTALMENT, INVOICE, PAYMENT
from contracts.usecases.contract_settings import today
from contracts.wire import contract_messages as messages
from contracts.wire import contract_reading as wire
from dealwright.contracts.v1 import contracts_pb2 as pb


class Bills:
    @command
    def PlanContract(self, tx: Transaction, request: pb.PlanContractRequest) -> pb.PlanContractResponse:
        check = FieldCheck()
        given = wire.plan(request.instalments, check)
        wire.checked(request, check)
        found = planning.plan(tx, request.name, request.etag, given)
        return pb.PlanContractResponse(instalments=map(messages.instalment, found))

    @query
    def GetInstalment(self, tx: Transaction, request: pb.GetInstalmentRequest) -> pb.Instalment:
        return messages.instalment(records.find(tx, INSTALMENT, request.name))

    @query
    def ListInstalments(self, tx: Transaction, request: pb.ListInstalmentsRequest) -> pb.ListInstalmentsResponse:
        found, token, total = records.page(tx, INSTALMENT, request)
        return pb.ListInstalmentsResponse(
            instalments=map(messages.instalment, found), next_page_token=token, total_size=total or 0
        )

    @command
    def UpdateInstalment(self, tx: Transaction, request: pb.UpdateInstalmentRequest) -> pb.Instalment:
        of, check = request.instalment, FieldCheck()
        values = wire.instalment(of, wire.paths(request, of, wire.INSTALMENT_CHANGEABLE), check)
        wire.checked(request, check)
        return messages.instalment(planning.change(tx, of.name, of.etag, values))

    @command
    def ReachInstalment(self, tx: Transaction, request: pb.ReachInstalmentRequest) -> pb.Instalment:
        check = FieldCheck()
        due = check.take("due_date", wire.day, request.due_date) or ""
        wire.checked(request, check)
        return messages.instalment(signing.reach(tx, request.name, request.etag, due, today(tx)))

    # --- invoices ---

    @command
    def CreateInvoice(self, tx: Transaction, request: pb.CreateInvoiceRequest) -> pb.Invoice:
        of, check = request.invoice, FieldCheck()
        values = wire.invoice(of, wire.INVOICE_CREATED, check)
        amount, tax = wire.amount(of, "invoice", check), wire.amount(of, "invoice", check, "tax")
        wire.checked(request, check)
        return messages.invoice(invoicing.issue(tx, values, amount, tax, today(tx)))

    @query
    def GetInvoice(self, tx: Transaction, request: pb.GetInvoiceRequest) -> pb.Invoice:
        return messages.invoice(records.find(tx, INVOICE, request.name, request.show_deleted))

    @query
    def ListInvoices(self, tx: Transaction, request: pb.ListInvoicesRequest) -> pb.ListInvoicesResponse:
        found, token, total = records.page(tx, INVOICE, request)
        return pb.ListInvoicesResponse(
            invoices=map(messages.invoice, found), next_page_token=token, total_size=total or 0
        )

    @command
    def UpdateInvoice(self, tx: Transaction, request: pb.UpdateInvoiceRequest) -> pb.Invoice:
        of, check = request.invoice, FieldCheck()
        values = wire.invoice(of, wire.paths(request, of, wire.INVOICE_CHANGEABLE), check)
        wire.checked(request, check)
        return messages.invoice(invoicing.change(tx, of.name, of.etag, values))

    @command
    def VoidInvoice(self, tx: Transaction, request: pb.VoidInvoiceRequest) -> pb.Invoice:
        reason = wire.checked(request)
        return messages.invoice(invoicing.void(tx, request.name, request.etag, reason))

    @command
    def DeleteInvoice(self, tx: Transaction, request: pb.DeleteInvoiceRequest) -> pb.Invoice:
        wire.checked(request)
        return messages.invoice(invoicing.delete(tx, request.name, request.etag))

    @command
    def UndeleteInvoice(self, tx: Transaction, request: pb.UndeleteInvoiceRequest) -> pb.Invoice:
        wire.checked(request)
        return messages.invoice(invoicing.undelete(tx, request.name))

    # --- payments ---

    @command
    def CreatePayment(self, tx: Transaction, request: pb.CreatePaymentRequest) -> pb.Payment:
        of, check = request.payment, FieldCheck()
        values = wire.payment(of, wire.PAYMENT_CREATED, check)
        amount = wire.amount(of, "payment", check, signed=True)
        shares = wire.shares(of, check)
        wire.checked(request, check)
        return messages.payment(paying.record(tx, values, amount, shares, today(tx)))

    @query
    def GetPayment(self, tx: Transaction, request: pb.GetPaymentRequest) -> pb.Payment:
        return messages.payment(records.find(tx, PAYMENT, request.name, request.show_deleted))

    @query
    def ListPayments(self, tx: Transaction, request: pb.ListPaymentsRequest) -> pb.ListPaymentsResponse:
        found, token, total = records.page(tx, PAYMENT, request)
        return pb.ListPaymentsResponse(
            payments=map(messages.payment, found), next_page_token=token, total_size=total or 0
        )

    @query
    def ForecastPayments(self, tx: Transaction, request: pb.ForecastPaymentsRequest) -> pb.ForecastPaymentsResponse:
        rows = contract_sums.forecast(tx, request.filter)
        return pb.ForecastPaymentsResponse(rows=map(messages.expected, rows))

    @query
    def SummarizePayments(self, tx: Transaction, request: pb.SummarizePaymentsRequest) -> pb.SummarizePaymentsResponse:
        rows = contract_sums.received(tx, request.filter)
        return pb.SummarizePaymentsResponse(rows=map(messages.commissioned, rows))

    @command
    def UpdatePayment(self, tx: Transaction, request: pb.UpdatePaymentRequest) -> pb.Payment:
        of, check = request.payment, FieldCheck()
        values = wire.payment(of, wire.paths(request, of, wire.PAYMENT_CHANGEABLE), check)
        wire.checked(request, check)
        return messages.payment(paying.change(tx, of.name, of.etag, values, today(tx)))

    @command
    def DeletePayment(self, tx: Transaction, request: pb.DeletePaymentRequest) -> pb.Payment:
        wire.checked(request)
        return messages.payment(paying.reverse(tx, request.name, request.etag))

    @command
    def UndeletePayment(self, tx: Transaction, request: pb.UndeletePaymentRequest) -> pb.Payment:
        wire.checked(request)
        return messages.payment(paying.bring_back(tx, request.name))
