"""Leads, customers, what is done for them and what channels cost are the same when the read model is made anew."""

from __future__ import annotations

from typing import Any

from dealwright.leads.v1.leads_pb2 import Channel
from dealwright.reports.v1 import costs_pb2
from reports.servicer.costs import CostServicer
from reports.servicer.rebuilder import Rebuilder
from reports.storage import ledger
from tests.reports.deals import Deal
from tests.reports.desk import Desk, money
from tests.reports.leads import Lead
from tests.reports.people import Told, contract, customer, follow_up, task
from tests.reports.test_rebuilding import History, _begin, _cells, _envelopes, _live, _to_the_end

KPIS = (
    *(("ctre", "channel"), ("acknowledge-time", "owner"), ("leads-open", "detail"), ("lead-win-rate", "channel")),
    *(("rfm", "detail"), ("customer-coverage", "owner"), ("customers", "region"), ("tasks-done", "detail")),
    *(("won-amount", "region"), ("roi", "channel"), ("follow-ups", "channel")),
)
DAYS = tuple(f"2026-11-{day:02}T23:59" for day in (2, 5, 9, 13))


def _on(day: int, hour: int = 10) -> str:
    return f"2026-11-{day:02}T{hour:02}:00"


def _story() -> list[Told]:
    """Leads of two channels; customers that move, are followed up and buy; a deal that changes its customer."""
    leads = []
    for n in range(6):
        lead = Lead(f"leads/{n}", _on(1), ("WEB_FORM", "TRADE_SHOW")[n % 2], heard=_on(1 + n % 2, 15))
        lead.assign("people/li", _on(3, 8)).contact(_on(3, 9 + n))
        if n % 3 == 0:
            lead.release(_on(4)).again(_on(5), "REASSIGNED").assign("people/zhao", _on(6)).contact(_on(7))
        if n == 4:
            lead.correct(_on(8), "西南").delete(_on(9)).undelete(_on(10))
        leads.append(lead)
    made = [
        Deal(f"opportunities/{n}", _on(4), 10_000 * (n + 1), fields={"lead": f"leads/{n}", "customer": "customers/a"})
        for n in range(3)
    ]
    moved = made[0].win(_on(8))
    moved.fields["customer"] = "customers/b"
    moved.give("people/wang", _on(11))
    made[1].win(_on(9))
    done: list[Told] = [
        customer("customers/a", _on(2), region="华东", tier="B"),
        customer("customers/b", _on(2), region="华北"),
        customer("customers/a", _on(10), 2, region="华南", tier="A"),
        contract("contracts/a", "customers/a", "2026-11-10", 25_000, opportunity="opportunities/1"),
        follow_up("followUps/1", _on(5), customer="customers/a", lead="leads/1", method="CALL"),
        follow_up("followUps/2", _on(6), customer="customers/b", method="VISIT"),
        (follow_up("followUps/2", _on(6), 2, True, customer="customers/b", method="VISIT")[0], _on(12)),
        task("tasks/1", due=_on(9), when=_on(3)),
        task("tasks/1", due=_on(9), done=_on(12), version=2),
    ]
    return [*(told for lead in leads for told in lead.told), *(told for deal in made for told in deal.told), *done]


def _then(desk: Desk) -> dict[Any, Any]:
    """What was known at the end of each day."""
    return {
        (kpi, day): {
            key: value for key, value in desk.figures(kpi, as_of=day, period="2026", group_by=[group]).items() if value
        }
        for kpi, group in KPIS
        for day in (*DAYS, "")
    }


def test_B17_B29_B37_leads_customers_and_purchases_are_made_anew_as_they_were(desk: Desk) -> None:
    desk.also(CostServicer())
    for channel, cost in (("WEB_FORM", 900), ("TRADE_SHOW", 4000)):
        of = costs_pb2.ChannelCost(channel=Channel.Value(channel), month="2026-11", amount=money(cost))
        desk.call("CreateChannelCost", costs_pb2.CreateChannelCostRequest(channel_cost=of))
    history = History()
    _live(desk, _envelopes(_story(), history))
    before, then = _cells(desk), _then(desk)
    for kpi, _ in KPIS:
        assert then[kpi, ""], kpi
    copy = _begin(desk)
    _to_the_end(desk, Rebuilder(desk.runtime, history.page))
    with desk.runtime.reading() as tx:
        assert ledger.live(tx) == copy
    assert _cells(desk) == before
    assert _then(desk) == then
