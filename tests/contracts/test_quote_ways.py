"""Quotes are submitted, approved, revised and accepted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chassis import clock
from dealwright.contracts.v1 import approvals_pb2, events_pb2
from dealwright.contracts.v1 import quotes_pb2 as pb
from tests.contracts.desk import ADMIN, BOSS, CUSTOMER, FINANCE, Desk, later, money, refused
from tests.contracts.quoting import Line, act, approve, change, decide, get, line, listed, product, quote

TODAY = datetime.now(UTC).astimezone(clock.company_zone()).date()
DRAFT, SUBMITTED, APPROVED = pb.Quote.DRAFT, pb.Quote.SUBMITTED, pb.Quote.APPROVED


def test_Q17_a_customers_quotes_are_found_in_all_their_versions(desk: Desk) -> None:
    desk.deal()
    first = quote(desk, line(100))
    approve(desk, first.name)
    second = act(desk, "Revise", first.name, etag=get(desk, first.name).etag)
    assert (second.number, second.revision, second.status, second.lines) == (first.number, 2, DRAFT, first.lines)
    assert (second.approval, get(desk, first.name).status) == ("", pb.Quote.REPLACED)
    other = quote(desk, line(900))
    assert set(listed(desk, filter=f'customer = "{CUSTOMER}"')) == {first.name, second.name, other.name}
    assert listed(desk, filter=f"number = {first.number}", order_by="revision desc") == [second.name, first.name]
    assert listed(desk, filter="total >= 500.5") == [other.name]
    assert listed(desk, filter="status = REPLACED") == [first.name]
    assert listed(desk, filter='owner = "people/zhao"') == []
    with refused("NOT_DECIDED"):
        act(desk, "Revise", second.name)
    with refused("NOT_DECIDED"):
        act(desk, "Revise", first.name)


def test_Q2_Q4_a_quote_is_approved_and_its_seller_learns_of_it(desk: Desk) -> None:
    desk.deal()
    made = quote(desk, line(100), discount_percent="15")
    asked = act(desk, "Submit", made.name)
    assert (asked.status, asked.approval.startswith("approvals/")) == (SUBMITTED, True)
    with refused("NOT_DRAFT"):
        act(desk, "Submit", made.name)
    with refused("UNDER_APPROVAL"):
        act(desk, "Delete", made.name, ADMIN)
    with refused("NOT_APPROVED"):
        act(desk, "Accept", made.name)
    desk.announced()
    decide(desk, asked.approval, BOSS)
    assert [told.quote.status for told in desk.announced(events_pb2.QuoteChanged)] == [APPROVED]
    accepted = act(desk, "Accept", made.name)
    assert accepted.status == pb.Quote.ACCEPTED


def test_Q3_a_discount_over_fifteen_percent_needs_the_finance_director_too(desk: Desk) -> None:
    desk.deal()
    made = quote(desk, line(100), discount_percent="15.01")
    approval = act(desk, "Submit", made.name).approval
    decide(desk, approval, BOSS)
    assert get(desk, made.name).status == SUBMITTED
    decide(desk, approval, FINANCE)
    assert get(desk, made.name).status == APPROVED


def test_Q3_neither_does_a_price_below_the_list_get_past_the_finance_director(desk: Desk) -> None:
    desk.deal()
    made = quote(desk, Line(product=product(desk, price=100).name, unit_price=money(80)))
    assert (made.discount_percent, made.total_discount_percent) == ("0", "20")
    approval = act(desk, "Submit", made.name).approval
    decide(desk, approval, BOSS)
    assert get(desk, made.name).status == SUBMITTED
    decide(desk, approval, FINANCE)
    assert get(desk, made.name).status == APPROVED


def test_Q2_a_quote_that_was_sent_back_or_taken_back_is_changed_and_asked_for_again(desk: Desk) -> None:
    desk.deal()
    made = quote(desk, line(100))
    decide(desk, act(desk, "Submit", made.name).approval, BOSS, verdict="RETURN")
    assert get(desk, made.name).status == pb.Quote.RETURNED
    change(desk, made.name, lines=[line(200)])
    withdrawn = act(desk, "Submit", made.name).approval
    desk.call("WithdrawApproval", approvals_pb2.WithdrawApprovalRequest(name=withdrawn))
    assert get(desk, made.name).status == pb.Quote.RETURNED
    decide(desk, act(desk, "Submit", made.name).approval, BOSS, verdict="REJECT")
    assert get(desk, made.name).status == pb.Quote.REJECTED
    assert act(desk, "Revise", made.name).total == money(200)


def test_Q1_what_comes_to_nothing_or_is_over_is_not_submitted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.deal()
    with refused("EMPTY"):
        act(desk, "Submit", quote(desk, line(0)).name)
    made = quote(desk, line(1), valid_until=TODAY.isoformat())
    with later(timedelta(days=1), monkeypatch), refused("EXPIRED"):
        act(desk, "Submit", made.name)
    approve(desk, made.name)
    with later(timedelta(days=1), monkeypatch), refused("EXPIRED"):
        act(desk, "Accept", made.name)
