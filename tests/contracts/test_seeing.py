"""Whose customers and deals contracts and quotes are put on, and what is left of them when the deal is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chassis.access import Grant, Scope, mask
from contracts.usecases.parties import Party
from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.contracts.v1 import quotes_pb2
from tests.contracts import quoting
from tests.contracts.desk import (
    ADMIN,
    BOSS,
    CONTACT,
    CUSTOMER,
    LI,
    OPPORTUNITY,
    WANG,
    ZHAO,
    Desk,
    principal,
    refused,
)
from tests.contracts.papers import Papers

THEIRS, THEIR_CONTACT, THEIR_DEAL = f"customers/{11:032x}", f"contacts/{12:032x}", f"opportunities/{13:032x}"


@pytest.fixture
def papers(desk: Desk) -> Papers:
    """Li's customer with a deal, and Wang's of another team."""
    made = Papers(desk)
    west: dict[str, Any] = {"owner": "people/wang", "team": "teams/west"}
    desk.know(
        Party(THEIRS, 1, False, "西部钢铁", **west),
        Party(THEIR_CONTACT, 1, False, "赵总", customer=THEIRS),
        Party(THEIR_DEAL, 1, False, "西部项目", **west, customer=THEIRS, contact=THEIR_CONTACT, number="CRM-2"),
    )
    return made


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"customer": THEIRS}, ["customer"]),
        ({"customer": "", "opportunity": THEIR_DEAL}, ["opportunity"]),
        ({"customer": "", "contact": THEIR_CONTACT}, ["contact"]),
        (
            {"customer": THEIRS, "contact": THEIR_CONTACT, "opportunity": THEIR_DEAL},
            ["customer", "contact", "opportunity"],
        ),
    ],
    ids=lambda value: "",
)
def test_K1_nobody_puts_a_contract_on_what_he_may_not_see(
    fields: dict[str, str], named: list[str], papers: Papers
) -> None:
    for who in (LI, BOSS):
        with refused("NOT_FOUND", *(f"contract.{field}" for field in named)):
            papers.draw(1, who, **fields)
    assert papers.desk.announced() == []


def test_K1_a_draft_is_not_moved_to_a_customer_that_its_writer_may_not_see(papers: Papers) -> None:
    made = papers.draw(1)
    with refused("NOT_FOUND", "contract.customer"):
        papers.change(made.name, customer=THEIRS)
    with refused("NOT_FOUND", "contract.contact"):
        papers.change(made.name, contact=THEIR_CONTACT)
    assert papers.get(made).customer == CUSTOMER
    # Whoever sees both may, and what was there before is not asked about again.
    assert papers.change(made.name, ADMIN, customer=THEIRS).customer == THEIRS
    assert papers.change(made.name, terms="月结").terms == "月结"


def test_K1_a_customer_that_the_team_shares_is_everybodys_of_the_team(papers: Papers) -> None:
    with refused("NOT_FOUND", "contract.customer"):
        papers.draw(1, ZHAO)
    papers.desk.know(Party(CUSTOMER, 2, False, "华东物流有限公司", "people/li", "teams/east", shared=True))
    assert papers.draw(1, ZHAO, contact=CONTACT).customer == CUSTOMER
    with refused("NOT_FOUND", "contract.customer"):
        papers.draw(1, WANG)


def test_K1_the_customer_of_a_contract_is_the_one_of_its_opportunity(papers: Papers) -> None:
    other = f"customers/{21:032x}"
    papers.desk.know(Party(other, 1, False, "另一客户", "people/li", "teams/east"))
    with refused("INVALID", "contract.customer"):
        papers.draw(1, customer=other, opportunity=OPPORTUNITY)
    made = papers.draw(1, customer="", opportunity=OPPORTUNITY)
    assert made.customer == CUSTOMER, "the opportunity says it"
    with refused("INVALID", "contract.customer"):
        papers.change(made.name, customer=other)


def test_Q1_a_quote_takes_no_contact_that_its_writer_may_not_see(papers: Papers) -> None:
    with refused("NOT_FOUND", "quote.contact"):
        quoting.quote(papers.desk, quoting.line(1), contact=THEIR_CONTACT)
    with refused("NOT_FOUND"):
        quoting.quote(papers.desk, quoting.line(1), opportunity=THEIR_DEAL)
    made = quoting.quote(papers.desk, quoting.line(1))
    with refused("NOT_FOUND", "quote.contact"):
        quoting.change(papers.desk, made.name, contact=THEIR_CONTACT)
    with refused("INVALID", "quote.contact"):
        quoting.change(papers.desk, made.name, ADMIN, contact=THEIR_CONTACT)
    assert quoting.get(papers.desk, made.name).contact == CONTACT


def test_Q16_whoever_only_sees_a_quote_makes_no_contract_of_it(papers: Papers) -> None:
    desk = papers.desk
    offered = quoting.act(desk, "Submit", quoting.quote(desk, quoting.line(400)).name)
    reads = replace(WANG, grants={**WANG.grants, "quotes": Grant(read=Scope.ALL)})
    with refused("DENIED"):
        desk.call("ContractQuote", pb.ContractQuoteRequest(quote=offered.name), reads)


@pytest.mark.parametrize("gone", [{"open": False}, {"deleted": True}], ids=["lost", "deleted"])
def test_Q16_a_quote_does_not_outlive_its_deal(gone: dict[str, Any], papers: Papers) -> None:
    desk = papers.desk
    draft, waiting = (quoting.quote(desk, quoting.line(400)) for _ in range(2))
    offered = quoting.act(desk, "Submit", waiting.name)
    assert offered.status == quotes_pb2.Quote.APPROVED
    desk.deal(version=2, **gone)
    with refused("NOT_OPEN"):
        quoting.act(desk, "Submit", draft.name)
    with refused("NOT_OPEN"):
        quoting.act(desk, "Accept", offered.name)
    with refused("NOT_OPEN"):
        quoting.act(desk, "Link", offered.name)
    with refused("NOT_OPEN"):
        desk.call("ContractQuote", pb.ContractQuoteRequest(quote=offered.name), LI)
    by_hand = pb.Contract(title="手工", opportunity=OPPORTUNITY, customer=CUSTOMER)
    with refused("NOT_FOUND", "contract.opportunity") if gone.get("deleted") else refused("NOT_OPEN"):
        desk.call("CreateContract", pb.CreateContractRequest(contract=by_hand), LI)
    assert quoting.get(desk, draft.name).status == quotes_pb2.Quote.DRAFT
    desk.deal(version=3)
    assert desk.call("ContractQuote", pb.ContractQuoteRequest(quote=offered.name), LI).quote == offered.name


def test_P8_the_balance_of_a_contract_is_hidden_with_its_amount(desk: Desk) -> None:
    papers = Papers(desk)
    signed = papers.signed(1000)
    papers.pay(signed, 300)
    blind = principal("people/li", "sales", Scope.OWN, hidden=frozenset({"amount"}))
    seen = papers.get(signed, blind)
    (row,) = desk.call("SummarizeContracts", pb.SummarizeContractsRequest(), blind).rows
    for one in (seen, row):
        assert one.balance.units == 700
        mask(blind, one)
        assert (one.HasField("amount"), one.HasField("balance"), one.paid.units) == (False, False, 300)
    whole = papers.get(signed)
    mask(LI, whole)
    assert whole.balance.units == 700
