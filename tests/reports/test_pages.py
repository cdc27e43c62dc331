"""A page goes on in the answer that it is of, and in no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.errors import Invalid
from dealwright.reports.v1 import reports_pb2 as pb
from reports.storage.tables import copies
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, Desk

FIRST: Mapping[str, Any] = {"period": "2026-11", "filter": "owner = people/li", "page_size": 2}


def _house(desk: Desk) -> None:
    for n in range(7):
        deal = Deal(f"opportunities/{n}", f"2026-11-0{1 + n}T10:00", 100 * n, fields={"customer": "customers/1"})
        desk.hear(*deal.win(f"2026-11-1{n}T10:00").told)


def _records(desk: Desk, kpi: str = "average-deal", **asked: Any) -> tuple[list[str], str]:
    said = desk.call("ListRecords", pb.ListRecordsRequest(parent=f"reports/{kpi}", **asked))
    return [one.name for one in said.records], said.next_page_token


def _explained(desk: Desk, kpi: str = "average-deal", **asked: Any) -> tuple[list[str], str]:
    said = desk.call("ExplainFigure", pb.ExplainFigureRequest(name=f"reports/{kpi}", **asked))
    return [f"{one.record} {one.events}" for one in said.postings], said.next_page_token


ASK: tuple[Callable[..., tuple[list[str], str]], ...] = (_records, _explained)
OTHERS: Mapping[str, Mapping[str, Any]] = {
    "another KPI": {"kpi": "opportunities-won"},
    "another filter": {"filter": "owner = people/li AND customer = customers/1"},
    "no filter": {"filter": ""},
    "another period": {"period": "2026"},
    "another measure": {"measure": "won"},
    "a cell of it": {"group_by": ["customer"], "keys": ["customers/1"]},
}


@pytest.mark.parametrize("ask", ASK)
def test_P6_each_page_goes_on_where_the_one_before_ended(desk: Desk, ask: Callable[..., tuple[list[str], str]]) -> None:
    _house(desk)
    found, token = ask(desk, **FIRST)
    while token:
        more, token = ask(desk, **FIRST, page_token=token)
        found += more
    assert len(found) == len(set(found)) == 7


@pytest.mark.parametrize("ask", ASK)
@pytest.mark.parametrize("other", OTHERS)
def test_a_page_of_another_question_is_refused_by_its_token(
    desk: Desk, ask: Callable[..., tuple[list[str], str]], other: str
) -> None:
    _house(desk)
    _, token = ask(desk, **FIRST)
    assert token
    asked = {**FIRST, **OTHERS[other], "page_token": token}
    with pytest.raises(Invalid) as refused:
        ask(desk, **asked)
    assert [one.field for one in refused.value.violations] == ["pageToken"]
    assert ask(desk, **{**FIRST, "page_token": token})[0], "of its own it is the next page still"
    assert ask(desk, **{**FIRST, "page_token": token, "page_size": 1})[0], "pages may have another size"


def test_a_page_of_a_moment_is_none_of_now(desk: Desk) -> None:
    _house(desk)
    asked = pb.ListRecordsRequest(parent="reports/opportunities-won", period="2026-11", page_size=1)
    asked.as_of_time.FromJsonString("2026-11-20T00:00:00Z")
    asked.page_token = desk.call("ListRecords", asked).next_page_token
    assert len(desk.call("ListRecords", asked).records) == 1
    asked.ClearField("as_of_time")
    with pytest.raises(Invalid, match="pageToken"):
        desk.call("ListRecords", asked)


def test_a_page_of_what_a_kpi_counted_is_none_of_what_it_counts_since(desk: Desk) -> None:
    _house(desk)
    measure = pb.Kpi.Measure(id="won", fact="deal.won")
    kpi = pb.Kpi(display_name="Won", unit=pb.Kpi.COUNT, measures=[measure], formula="won")
    made = desk.call("CreateKpi", pb.CreateKpiRequest(kpi_id="mine", kpi=kpi))
    _, token = _records(desk, "mine", period="2026-11", page_size=1)
    made.measures[0].fact = "deal.opened"
    desk.call("UpdateKpi", pb.UpdateKpiRequest(kpi=made), ADMIN)
    with pytest.raises(Invalid, match="pageToken"):
        _records(desk, "mine", period="2026-11", page_size=1, page_token=token)


def test_entries_of_the_ledger_before_a_rebuild_are_none_of_the_one_after_it(desk: Desk) -> None:
    _house(desk)
    _, token = _explained(desk, **FIRST)
    with desk.runtime.transaction() as tx:
        tx.execute(sa.insert(copies).values(copy=2, state="LIVE", begin_time=tx.now))
        tx.execute(sa.update(copies).where(copies.c.copy == 1).values(state="OLD"))
    with pytest.raises(Invalid, match="pageToken"):
        _explained(desk, **FIRST, page_token=token)
