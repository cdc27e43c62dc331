"""Instalments of contracts: planned, changed, reached, overdue, to come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.usecases import contract_clocks
from dealwright.contracts.v1 import contracts_pb2 as pb
from dealwright.contracts.v1 import events_pb2
from tests.contracts import papers as p
from tests.contracts.desk import BOSS, FINANCE, LI, ZHAO, Desk, later, money, refused
from tests.contracts.papers import Papers, day, instalment

THREE: dict[str, Any] = {"finance_mode": pb.Contract.INSTALMENTS, "instalment_count": 3}


@pytest.fixture
def papers(desk: Desk) -> Papers:
    return Papers(desk)


def test_K10_each_finance_mode_has_its_plan(papers: Papers) -> None:
    one = papers.signed(900)
    three = papers.signed(900, **THREE, start_date="2026-12-31")
    year = papers.signed(1200, finance_mode=pb.Contract.SUBSCRIPTION, start_date="2027-01-01", expiry_date="2027-12-31")
    quarters = papers.draw(
        1200, finance_mode=pb.Contract.SUBSCRIPTION, interval=pb.Contract.QUARTER, start_date="2027-01-01",
        expiry_date="2027-12-31",
    )  # fmt: skip
    steps = papers.signed(900, finance_mode=pb.Contract.MILESTONE)
    found = {of.name: [(i.amount.units, i.due_date) for i in papers.plan(of)] for of in (one, three, quarters, steps)}
    assert found[one.name] == [(900, day())]
    assert found[three.name] == [(300, "2026-12-31"), (300, "2027-01-31"), (300, "2027-02-28")]
    assert [(i.amount.units, i.due_date[:7]) for i in papers.plan(year)] == [
        (100, f"2027-{month:02}") for month in range(1, 13)
    ]
    assert found[quarters.name] == [(300, f"2027-{month}-01") for month in ("01", "04", "07", "10")]
    assert found[steps.name] == [(450, ""), (450, "")]


def test_K10_a_plan_is_written_by_hand_and_comes_to_the_amount(papers: Papers) -> None:
    made = papers.draw(1000)

    def write(*rows: pb.Instalment, who: Any = LI) -> list[tuple[str, int]]:
        request = pb.PlanContractRequest(name=made.name, instalments=rows)
        answer = papers.desk.call("PlanContract", request, who)
        return [(one.title, one.amount.units) for one in answer.instalments]

    with refused("INVALID", "instalments"):
        write(instalment("首付", 300), instalment("尾款", 600))
    with refused("INVALID", "instalments[1].amount"):
        write(instalment("首付", 1000), instalment("尾款", 0))
    with refused("INVALID", "instalments[0].amount"):
        write(instalment("首付", 1000, currency="USD"))
    assert write(instalment("首付", 300, day(5)), instalment("尾款", 700)) == [("首付", 300), ("尾款", 700)]
    # It stays in proportion, and keeps its dates.
    changed = papers.change(made.name, amount=money(2000))
    assert changed.planned_by_hand
    assert [(one.title, one.amount.units, one.due_date) for one in papers.plan(made)] == [
        ("首付", 600, day(5)),
        ("尾款", 1400, ""),
    ]
    last = papers.plan(made)[1]
    of = pb.Instalment(name=last.name, due_date=day(40), title="验收款")
    moved = papers.desk.call("UpdateInstalment", pb.UpdateInstalmentRequest(instalment=of), LI)
    assert (moved.title, moved.due_date, moved.amount.units) == ("验收款", day(40), 1400)
    papers.do("SubmitContract", made)
    papers.do("SignContract", made)
    with refused("FIXED"):
        of.due_date = day(41)
        papers.desk.call("UpdateInstalment", pb.UpdateInstalmentRequest(instalment=of), LI)
    assert [one.due_date for one in papers.plan(made)] == [day(5), day(40)]


def test_K10_a_milestone_is_due_when_it_is_reached_and_takes_what_came_before(papers: Papers) -> None:
    signed = papers.signed(1000, finance_mode=pb.Contract.MILESTONE)
    first, second = papers.plan(signed)
    papers.pay(signed, 300)
    assert papers.paid(signed) == [(500, 0, p.OPEN), (500, 0, p.OPEN)]
    reached = papers.do("ReachInstalment", first)
    assert (reached.due_date, reached.paid.units, reached.status) == (day(), 300, p.PARTLY)
    with refused("NOT_A_MILESTONE"):
        papers.do("ReachInstalment", first)
    with refused("INVALID", "due_date"):
        papers.do("ReachInstalment", second, due_date=day(-1))
    with refused("NOT_SIGNED", "instalment.contract"):
        papers.do("ReachInstalment", papers.plan(papers.draw(10, finance_mode=pb.Contract.MILESTONE))[0])
    assert (papers.get(signed).paid.units, papers.get(signed).balance.units) == (300, 700)


def test_K6_what_is_late_is_overdue_and_told_once(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    papers.set(contracts={"graceDays": 2})
    signed = papers.signed(900, **THREE)
    papers.draw(900, **THREE)
    papers.pay(signed, 100)

    def told() -> list[int]:
        with papers.desk.runtime.transaction() as tx:
            contract_clocks.mark_overdue(tx)
        return [event.instalment.position for event in papers.desk.announced(events_pb2.PaymentOverdue)]

    with later(timedelta(days=2), monkeypatch):
        assert told() == []
    with later(timedelta(days=3), monkeypatch):
        assert told() == [1]
        assert told() == []
        assert papers.paid(signed)[0] == (300, 100, p.OVERDUE)
        wanted = pb.ListInstalmentsRequest(filter="status = OVERDUE")
        assert [i.contract for i in papers.desk.call("ListInstalments", wanted, LI).instalments] == [signed.name]
        paid = papers.pay(signed, 200)
        assert papers.paid(signed)[0] == (300, 300, p.PAID)
        papers.do("DeletePayment", paid, FINANCE)
        assert papers.paid(signed)[0] == (300, 100, p.OVERDUE)
        assert told() == []
    with later(timedelta(days=100), monkeypatch):
        assert told() == [2, 3]


def test_K7_the_forecast_is_what_is_open_by_month(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    papers.signed(900, **THREE, start_date="2027-01-10")
    first = papers.signed(900, **THREE, start_date="2027-02-10")
    papers.signed(500, finance_mode=pb.Contract.MILESTONE)
    papers.signed(70, BOSS, start_date="2027-02-01", owner="people/zhao")
    papers.draw(5000)
    papers.pay(first, 400)

    def forecast(who: Any, filter: str = "") -> list[tuple[str, int, int, int]]:
        rows = papers.desk.call("ForecastPayments", pb.ForecastPaymentsRequest(filter=filter), who).rows
        return [(row.month, row.count, row.amount.units, row.overdue.units) for row in rows]

    assert forecast(FINANCE) == [
        ("2027-01", 1, 300, 0), ("2027-02", 2, 370, 0), ("2027-03", 2, 500, 0), ("2027-04", 1, 300, 0), ("", 2, 500, 0)
    ]  # fmt: skip
    assert forecast(ZHAO) == [("2027-02", 1, 70, 0)]
    assert forecast(LI, 'due_date >= "2027-04-01"') == [("2027-04", 1, 300, 0)]
    with later(timedelta(days=75), monkeypatch):
        with papers.desk.runtime.transaction() as tx:
            contract_clocks.mark_overdue(tx)
        assert forecast(LI)[0] == ("2027-01", 1, 300, 300)


def test_K6_K7_what_came_and_no_instalment_took_is_not_to_come_again(papers: Papers) -> None:
    desk = papers.desk
    steps = papers.signed(80_000, finance_mode=pb.Contract.MILESTONE, instalment_count=4)
    papers.signed(500, start_date="2027-02-01")

    def forecast(filter: str = "") -> dict[str, tuple[int, float]]:
        rows = desk.call("ForecastPayments", pb.ForecastPaymentsRequest(filter=filter), FINANCE).rows
        return {row.month: (row.count, row.amount.units + row.amount.nanos / 1e9) for row in rows}

    def agrees() -> bool:
        balance = papers.get(steps).balance
        mine = f'contract = "{steps.name}"'
        still = float(balance.units + balance.nanos / 1e9)
        return sum(amount for _, amount in forecast(mine).values()) == still

    assert forecast() == {"2027-02": (1, 500), "": (4, 80_000)}
    paid = papers.pay(steps, 1000, 140_000_000)
    assert papers.get(paid).unmatched.units == 1000, "no milestone has come that could take it"
    assert forecast() == {"2027-02": (1, 500), "": (4, 78_999.86)}
    assert agrees()
    # It is the next milestone's, whoever asks for which.
    first, second = papers.plan(steps)[:2]
    assert forecast(f'title = "{first.title}"')[""] == (1, 18_999.86)
    assert forecast(f"due_date = '' AND position > {first.position}")[""] == (3, 60_000)
    papers.pay(steps, 24_000)
    assert agrees()
    assert forecast(f"due_date = '' AND position <= {second.position}")[""] == (1, 14_999.86)
    # When it comes it takes what is its own.
    papers.do("ReachInstalment", first, LI)
    assert agrees()
    papers.do("DeletePayment", paid, FINANCE)
    assert forecast()[""] == (3, 56_000)
    assert agrees()
