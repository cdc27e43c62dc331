"""Contracts are made of opportunities and quotes, and follow one another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chassis.errors import Problem
from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.contracts.v1 import quotes_pb2
from tests.contracts import papers as p
from tests.contracts import quoting
from tests.contracts.desk import (
    BOSS,
    CONTACT,
    CUSTOMER,
    LI,
    OPPORTUNITY,
    WANG,
    ZHAO,
    Desk,
    money,
    refused,
)
from tests.contracts.papers import Papers


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


def test_K2_one_click_takes_what_the_opportunity_says(papers: Papers) -> None:
    request = pb.ContractOpportunityRequest(opportunity=OPPORTUNITY)
    made = papers.desk.call("ContractOpportunity", request, LI)
    assert (made.title, made.customer, made.contact, made.opportunity) == ("年度采购", CUSTOMER, CONTACT, OPPORTUNITY)
    assert (made.amount, made.owner, made.team) == (money(1000), "people/li", "teams/east")
    assert papers.desk.call("ContractOpportunity", request, BOSS).owner == "people/li"
    for who in (ZHAO, WANG):
        with refused("NOT_FOUND"):
            papers.desk.call("ContractOpportunity", request, who)
    papers.desk.deal(open=False, version=2)
    with refused("NOT_OPEN"):
        papers.desk.call("ContractOpportunity", request, LI)


def test_K10_a_renewal_follows_the_contract_it_renews(papers: Papers) -> None:
    first = papers.signed(1200, start_date="2026-01-01", expiry_date="2099-12-31")
    second = papers.do("RenewContract", first)
    assert (second.renews, second.status, second.amount) == (first.name, p.DRAFT, money(1200))
    assert (second.start_date, second.expiry_date) == ("2100-01-01", "2173-12-31")
    assert second.number != first.number
    assert second.customer == CUSTOMER
    with refused("RENEWED"):
        papers.do("RenewContract", first)
    papers.do("VoidContract", second, reason="谈不拢")
    third = papers.do("RenewContract", first, expiry_date="2100-12-31", amount=money(900))
    assert (third.start_date, third.expiry_date, third.amount.units) == ("2100-01-01", "2100-12-31", 900)
    with refused("NOT_SIGNED", "contract.status"):
        papers.do("RenewContract", third)
    with refused("INVALID", "expiry_date"):
        papers.do("RenewContract", papers.signed(10))


def test_Q16_the_contract_of_a_quote_says_what_the_quote_says(papers: Papers) -> None:
    desk = papers.desk
    offered = quoting.quote(desk, quoting.line(400, quantity="2"), terms="质保两年")
    request = pb.ContractQuoteRequest(quote=offered.name)
    with refused("NOT_APPROVED"):
        desk.call("ContractQuote", request, LI)
    offered = quoting.act(desk, "Submit", offered.name)
    assert offered.status == quotes_pb2.Quote.APPROVED
    for who in (ZHAO, WANG):
        with refused("NOT_FOUND"):
            desk.call("ContractQuote", request, who)
    request.contract.finance_mode = pb.Contract.INSTALMENTS
    made = desk.call("ContractQuote", request, LI)
    assert (made.quote, made.opportunity, made.customer, made.terms) == (
        offered.name, OPPORTUNITY, CUSTOMER, "质保两年"
    )  # fmt: skip
    assert made.amount == offered.total == money(800)
    assert [one.amount.units for one in papers.plan(made)] == [400, 400]
    with refused("CONTRACTED"):
        desk.call("ContractQuote", request, LI)


def test_Q16_one_quote_is_one_contract_however_often_it_is_clicked(papers: Papers) -> None:
    offered = quoting.act(papers.desk, "Submit", quoting.quote(papers.desk, quoting.line(400)).name)

    def click(_: int) -> bool:
        try:
            papers.desk.call("ContractQuote", pb.ContractQuoteRequest(quote=offered.name), LI)
        except Problem as problem:
            return problem.reason != "CONTRACTED"
        return True

    with ThreadPoolExecutor(8) as workers:
        assert sum(workers.map(click, range(8))) == 1
