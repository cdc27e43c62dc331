"""Invoices against contracts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chassis.errors import Problem
from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.contracts.v1 import events_pb2
from tests.contracts.desk import BOSS, FINANCE, LI, Desk, money, refused
from tests.contracts.papers import Papers, day


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


def test_K8_K9_an_invoice_is_issued_against_what_is_signed(papers: Papers) -> None:
    signed = papers.signed(1000)
    invoice = papers.invoice(signed, 400, tax=money(46), tax_number="91310000ma1fl0b12x", number="00012345")
    assert (invoice.number, invoice.tax_number, invoice.title) == ("00012345", "91310000MA1FL0B12X", "华东物流有限公司")
    assert (invoice.issue_date, invoice.owner, invoice.customer) == (day(), "people/li", signed.customer)
    assert papers.get(signed).invoiced.units == 400
    (event,) = papers.desk.announced(events_pb2.InvoiceIssued)
    assert event.invoice == invoice
    # One of ours, where none is given.
    assert papers.invoice(signed, 1).number == f"INV-{day().replace('-', '')}-0001"
    assert papers.get(invoice, LI) == papers.get(invoice, BOSS) == invoice
    of = pb.Invoice(name=invoice.name, title="华东物流（上海）")
    changed = papers.desk.call("UpdateInvoice", pb.UpdateInvoiceRequest(invoice=of), FINANCE)
    assert (changed.title, changed.amount.units) == ("华东物流（上海）", 400)


def test_K8_bad_invoices_are_refused_with_the_field(papers: Papers) -> None:
    draft, signed, other = papers.draw(1000), papers.signed(1000), papers.signed(10)
    with refused("NOT_SIGNED", "invoice.contract"):
        papers.invoice(draft, 1)
    with refused("OVER_INVOICED", "invoice.amount"):
        papers.invoice(signed, 1001)
    with refused("INVALID", "invoice.amount"):
        papers.invoice(signed, 0)
    with refused("INVALID", "invoice.amount"):
        papers.invoice(signed, -5)
    with refused("INVALID", "invoice.tax", "invoice.issue_date"):
        papers.invoice(signed, 10, tax=money(11), issue_date=day(1))
    with refused("INVALID", "invoice.amount", "invoice.tax"):
        papers.invoice(signed, 1, amount=money(1, currency="USD"), tax=money(1, currency="EUR"))
    with refused("INVALID", "invoice.instalment"):
        papers.invoice(signed, 1, instalment=papers.plan(other)[0].name)
    with refused("INVALID", "invoice.tax_number"):
        papers.invoice(signed, 1, tax_number="鞋")
    papers.invoice(signed, 600, number="N-1")
    with refused("ALREADY_EXISTS"):
        papers.invoice(other, 1, number="N-1")
    with refused("OVER_INVOICED", "invoice.amount"):
        papers.invoice(signed, 401)
    assert papers.get(signed).invoiced.units == 600


def test_K8_an_instalment_is_not_invoiced_beyond_what_it_is(papers: Papers) -> None:
    signed = papers.signed(900, finance_mode=pb.Contract.INSTALMENTS, instalment_count=3)
    first = papers.plan(signed)[0].name
    papers.invoice(signed, 200, instalment=first)
    with refused("OVER_INVOICED", "invoice.amount"):
        papers.invoice(signed, 101, instalment=first)
    assert papers.invoice(signed, 100, instalment=first).instalment == first


def test_K13_where_the_company_says_so_delivery_comes_first(papers: Papers) -> None:
    papers.set(contracts={"invoiceAfterDelivery": True})
    signed = papers.signed(1000)
    with refused("NOT_DELIVERED", "invoice.contract"):
        papers.invoice(signed, 1)
    papers.do("DeliverContract", signed)
    assert papers.invoice(signed, 1000).amount.units == 1000


def test_K8_a_void_or_deleted_invoice_does_not_count(papers: Papers) -> None:
    signed = papers.signed(1000)
    first, second = papers.invoice(signed, 600, number="N-1"), papers.invoice(signed, 400)
    with refused("INVALID", "reason"):
        papers.do("VoidInvoice", first, FINANCE)
    void = papers.do("VoidInvoice", first, FINANCE, reason="抬头有误")
    assert (void.void_reason, papers.get(signed).invoiced.units) == ("抬头有误", 400)
    with refused("VOID", "invoice.void_time"):
        papers.do("VoidInvoice", first, FINANCE, reason="再来")
    with refused("ALREADY_EXISTS"):
        papers.invoice(signed, 1, number="N-1")
    papers.do("DeleteInvoice", second, FINANCE)
    assert papers.get(signed).invoiced.units == 0
    papers.invoice(signed, 700)
    with refused("OVER_INVOICED", "invoice.amount"):
        papers.do("UndeleteInvoice", second, FINANCE)
    third = papers.invoice(signed, 300)
    papers.do("DeleteInvoice", third, FINANCE)
    papers.do("UndeleteInvoice", third, FINANCE)
    assert papers.get(signed).invoiced.units == 1000


def test_K8_invoices_at_once_do_not_exceed_the_contract(papers: Papers) -> None:
    signed = papers.signed(1000)

    def issue(number: int) -> bool:
        try:
            return bool(papers.invoice(signed, 100))
        except Problem as problem:
            assert problem.reason == "OVER_INVOICED"  # noqa: PT017
            return False

    with ThreadPoolExecutor(16) as workers:
        issued = sum(workers.map(issue, range(16)))
    assert (issued, papers.get(signed).invoiced.units) == (10, 1000)
