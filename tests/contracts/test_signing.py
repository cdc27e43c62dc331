"""What is signed is what was approved, on a day that can be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from contracts.usecases.contract_settings import zone
from dealwright.contracts.v1 import contracts_pb2 as pb
from tests.contracts import papers as p
from tests.contracts.desk import BOSS, Desk, later, money, refused
from tests.contracts.papers import Papers, day, instalment

YEAR: dict[str, Any] = {"start_date": "2080-01-01", "expiry_date": "2080-12-31"}


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


def agreed(papers: Papers, **fields: Any) -> pb.Contract:
    made = papers.draw(1200, **fields)
    papers.do("SubmitContract", made)
    return made


def due(papers: Papers, of: Any) -> list[tuple[str, int, str]]:
    return [(one.title, one.amount.units, one.due_date) for one in papers.plan(of)]


def test_K1_Q5_signing_changes_nothing_of_what_was_approved(papers: Papers) -> None:
    made = agreed(papers, finance_mode=pb.Contract.SUBSCRIPTION, **YEAR)
    plan = due(papers, made)
    assert len(plan) == 12
    refusals: list[tuple[dict[str, Any], list[str]]] = [
        ({"expiry_date": "2099-12-31"}, ["expiry_date"]),
        ({"start_date": "2079-01-01"}, ["start_date"]),
        ({"start_date": "2079-01-01", "expiry_date": "2099-12-31"}, ["start_date", "expiry_date"]),
    ]
    for dates, fields in refusals:
        with refused("FIXED", *fields):
            papers.do("SignContract", made, **dates)
    assert (papers.get(made).status, due(papers, made)) == (p.APPROVED, plan)
    signed = papers.do("SignContract", made, **YEAR)
    assert (signed.start_date, signed.expiry_date, due(papers, made)) == (*YEAR.values(), plan)


@pytest.mark.parametrize("mode", [pb.Contract.ONE_OFF, pb.Contract.INSTALMENTS])
def test_K10_instalments_that_go_by_the_start_are_not_put_off_by_signing(mode: Any, papers: Papers) -> None:
    made = agreed(papers, finance_mode=mode)
    with refused("FIXED", "start_date"):
        papers.do("SignContract", made, start_date=day(400))
    signed = papers.do("SignContract", made, start_date=day(), expiry_date=day(700))
    assert (signed.start_date, signed.expiry_date) == (day(), day(700))
    assert papers.plan(made)[0].due_date == day()


def test_K1_signing_says_the_dates_that_were_left_open_where_no_instalment_goes_by_them(papers: Papers) -> None:
    steps = agreed(papers, finance_mode=pb.Contract.MILESTONE)
    by_hand = papers.draw(1200)
    rows = [instalment("首付", 300, day(5)), instalment("尾款", 900)]
    papers.desk.call("PlanContract", pb.PlanContractRequest(name=by_hand.name, instalments=rows), BOSS)
    papers.do("SubmitContract", by_hand)
    for made, plan in (
        (steps, due(papers, steps)),
        (by_hand, [("首付", 300, day(5)), ("尾款", 900, day())]),
    ):
        signed = papers.do("SignContract", made, start_date=day(30), expiry_date=day(400))
        assert (signed.start_date, signed.expiry_date) == (day(30), day(400))
        assert due(papers, made) == plan


def test_K10_instalments_keep_the_titles_under_which_they_were_approved(papers: Papers) -> None:
    made = papers.draw(1200, finance_mode=pb.Contract.INSTALMENTS)
    for one, title in zip(papers.plan(made), ("首付", "尾款"), strict=True):
        of = pb.Instalment(name=one.name, title=title)
        papers.desk.call("UpdateInstalment", pb.UpdateInstalmentRequest(instalment=of), BOSS)
    papers.do("SubmitContract", made)
    papers.do("SignContract", made)
    assert [title for title, _, _ in due(papers, made)] == ["首付", "尾款"]
    assert papers.plan(made)[0].due_date == day()
    assert papers.plan(made)[1].amount == money(600)


def test_K1_yesterday_is_reckoned_by_the_companys_day(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now().astimezone(zone())
    # Half past seven tomorrow morning in Shanghai: in London it is still today.
    morning = (now + timedelta(days=1)).replace(hour=7, minute=30)
    with later(morning - now, monkeypatch):
        made = agreed(papers)
        with refused("INVALID", "sign_date"):
            papers.do("SignContract", made, sign_date=day(-1))
        assert papers.do("SignContract", made, sign_date=day()).status == p.SIGNED


def test_K1_what_had_ended_by_then_is_not_signed_today(papers: Papers) -> None:
    made = agreed(papers, start_date=day(-20), expiry_date=day(-1))
    with refused("INVALID", "expiry_date"):
        papers.do("SignContract", made)
    signed = papers.do("SignContract", made, sign_date=day(-10), historical=True)
    assert (signed.status, signed.expiry_date) == (p.SIGNED, day(-1))
