"""One click is one paper; what can be there once comes back once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chassis.errors import Problem
from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.contracts.v1 import quotes_pb2
from tests.contracts import papers as p
from tests.contracts import quoting
from tests.contracts.desk import ADMIN, BOSS, LI, OPPORTUNITY, Desk, money, refused
from tests.contracts.papers import Papers


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


def contract(papers: Papers, who: Any = LI, **said: Any) -> pb.Contract:
    request = pb.ContractOpportunityRequest(opportunity=OPPORTUNITY, contract=pb.Contract(**said))
    made: pb.Contract = papers.desk.call("ContractOpportunity", request, who)
    return made


def quote(papers: Papers, who: Any = LI) -> quotes_pb2.Quote:
    request = quotes_pb2.QuoteOpportunityRequest(opportunity=OPPORTUNITY)
    made: quotes_pb2.Quote = papers.desk.call("QuoteOpportunity", request, who)
    return made


def contract_of(papers: Papers, name: str) -> pb.Contract:
    made: pb.Contract = papers.desk.call("ContractQuote", pb.ContractQuoteRequest(quote=name), LI)
    return made


@pytest.mark.parametrize("click", [contract, quote])
def test_K2_Q1_a_double_click_makes_one(click: Callable[[Papers], Any], papers: Papers) -> None:
    with ThreadPoolExecutor(8) as workers:
        made = list(workers.map(lambda _: click(papers), range(8)))
    assert len({one.name for one in made}) == 1
    assert all(one == made[0] for one in made)


def test_K2_a_second_contract_is_made_once_the_first_is_worked_on(papers: Papers) -> None:
    first = contract(papers)
    other = contract(papers, BOSS)
    assert other.name != first.name, "somebody else drew it up"
    assert contract(papers, title="二期").name != first.name, "it says something else"
    assert contract(papers) == first
    papers.change(first.name, terms="款到发货")
    papers.change(first.name, mask="terms")  # says what it said, and is somebody's work all the same
    second = contract(papers)
    assert second.name != first.name
    papers.do("SubmitContract", second)
    third = contract(papers)
    assert third.name not in (first.name, second.name, other.name)
    papers.do("DeleteContract", third, BOSS)
    fourth = contract(papers)
    assert fourth.name != third.name
    papers.desk.deal(amount=20_000_000, currency="CNY", version=2)
    fifth = contract(papers)
    assert (fifth.name != fourth.name, fifth.amount) == (True, money(2000))


def test_Q1_a_second_quote_is_made_once_the_first_is_worked_on(papers: Papers) -> None:
    first = quote(papers)
    assert quote(papers) == first
    assert quote(papers, BOSS).name != first.name
    quoting.change(papers.desk, first.name, terms="预付")
    second = quote(papers)
    assert second.name != first.name
    quoting.act(papers.desk, "Submit", second.name)
    assert quote(papers).name != second.name


def test_K2_Q16_a_deal_whose_quote_has_a_contract_gets_no_second_for_the_whole(papers: Papers) -> None:
    offered = quoting.act(papers.desk, "Submit", quote(papers).name)
    made = contract_of(papers, offered.name)
    with refused("CONTRACTED") as problem:
        contract(papers)
    for text in (problem.value.english, problem.value.chinese):
        assert made.number in text
        assert "POST /v1/contracts" in text
    assert papers.draw(opportunity=OPPORTUNITY, title="培训").amount == money(1000)
    papers.do("VoidContract", made, reason="重开")
    assert contract(papers).amount == money(1000)


def test_Q16_a_quotes_contract_comes_back_unless_it_has_another(papers: Papers) -> None:
    offered = quoting.act(papers.desk, "Submit", quote(papers).name)
    first = contract_of(papers, offered.name)
    papers.do("DeleteContract", first, BOSS)
    second = contract_of(papers, offered.name)
    with refused("CONTRACTED") as problem:
        papers.do("UndeleteContract", first, BOSS)
    assert second.number in problem.value.english
    papers.do("VoidContract", second, reason="重开")
    assert papers.do("UndeleteContract", first, BOSS).status == p.DRAFT
    with refused("NOT_DELETED"):
        papers.do("UndeleteContract", first, BOSS)


def test_K10_a_renewal_comes_back_unless_there_is_another(papers: Papers) -> None:
    signed = papers.signed(1200, start_date="2026-01-01", expiry_date="2099-12-31")
    first = papers.do("RenewContract", signed)
    papers.do("DeleteContract", first, BOSS)
    second = papers.do("RenewContract", signed)
    with refused("RENEWED"):
        papers.do("UndeleteContract", first, BOSS)
    papers.do("DeleteContract", second, BOSS)
    assert papers.do("UndeleteContract", first, BOSS).renews == signed.name


def test_Q16_what_comes_back_and_what_is_made_at_once_are_one_contract(papers: Papers) -> None:
    offered = quoting.act(papers.desk, "Submit", quote(papers).name)
    for _ in range(4):
        first = contract_of(papers, offered.name)
        papers.do("DeleteContract", first, BOSS)
        reasons: list[str] = []

        def either(back: bool, first: Any = first, reasons: list[str] = reasons) -> None:
            try:
                papers.do("UndeleteContract", first, BOSS) if back else contract_of(papers, offered.name)
            except Problem as problem:
                reasons.append(problem.reason)

        with ThreadPoolExecutor(2) as workers:
            list(workers.map(either, (True, False)))
        assert reasons == ["CONTRACTED"]
        wanted = pb.ListContractsRequest(filter=f'quote = "{offered.name}" AND status = DRAFT')
        (left,) = papers.desk.call("ListContracts", wanted, ADMIN).contracts
        papers.do("VoidContract", left, reason="重开")
