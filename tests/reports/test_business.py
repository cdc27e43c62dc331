"""Of the leads that were captured, those that became business: each once, however many opportunities it became."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.access import Grant, Scope
from chassis.errors import Denied
from chassis.transaction import Cause
from reports.domain import deal as deals
from reports.domain import lead as domain
from reports.domain.folding import News
from reports.wire.leads import told
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, LI, WANG, Desk, envelope, principal
from tests.reports.leads import Lead

CAPTURED = "2026-10-10T10:00"
OCTOBER: dict[str, Any] = {"period": "2026-10"}


def _lead(name: str, owner: str = "people/li", channel: str = "WEB_FORM") -> Lead:
    return Lead(f"leads/{name}", CAPTURED, channel).assign(owner, CAPTURED)


def _deal(name: str, lead: str, **more: Any) -> Deal:
    return Deal(f"opportunities/{name}", "2026-10-21T10:00", fields={"lead": f"leads/{lead}"}, **more)


def _all(*records: Lead | Deal) -> tuple[Lead | Deal, ...]:
    return records


def test_L25_B17_a_lead_with_two_opportunities_counts_once(desk: Desk) -> None:
    both = [_deal("a1", "a").win("2026-11-10T10:00"), _deal("a2", "a").win("2026-11-11T10:00")]
    desk.hear(*(told for one in _all(_lead("a"), _lead("b", channel="DOUYIN"), *both) for told in one.told))
    assert desk.figure("lead-conversion", **OCTOBER) == 0.5
    assert desk.figure("lead-win-rate", **OCTOBER) == 0.5
    assert desk.figures("lead-conversion", **OCTOBER, group_by=["channel"]) == {"WEB_FORM": 1, "DOUYIN": 0}
    assert desk.counted("lead-conversion", period="2026-10-10", group_by=["hour"]) == {"2026-10-10T10": 0.5}
    assert desk.figure("source-opportunities", **OCTOBER) == 2, "opportunities are counted by themselves"
    # One of them goes: the other makes it business still. Both: it is none.
    desk.hear(both[0].delete("2026-11-12T10:00").told[-1])
    assert desk.figure("lead-win-rate", **OCTOBER) == 0.5
    desk.hear(both[1].delete("2026-11-12T10:00").told[-1])
    assert desk.figure("lead-conversion", **OCTOBER) == desk.figure("lead-win-rate", **OCTOBER) == 0
    assert desk.figure("lead-conversion", **OCTOBER, as_of="2026-11-11T23:00") == 0.5


def test_L25_it_is_the_leads_owners_whoever_works_on_its_opportunities(desk: Desk) -> None:
    """So nobody converts more leads than he has; and nobody hears of opportunities that he may not see."""
    mine = [_lead("a"), _lead("b")]
    other = [_deal("a1", "a", owner="people/wang"), _deal("a2", "a", owner="people/wang")]
    desk.hear(*(told for one in _all(*mine, *other) for told in one.told))
    both = principal("people/both", "manager", Scope.TEAM, "teams/east", "teams/west")
    for who in (ADMIN, both):
        assert desk.figures("lead-conversion", who, **OCTOBER, group_by=["owner"]) == {"people/li": 0.5}
    assert desk.figure("lead-conversion", LI, **OCTOBER) == 0
    assert desk.figure("lead-conversion", WANG, **OCTOBER) is None


def test_P3_whoever_may_read_no_opportunity_does_not_hear_what_became_of_leads(desk: Desk) -> None:
    desk.hear(*(told for one in _all(_lead("a"), _deal("a1", "a")) for told in one.told))
    blind = replace(ADMIN, grants={**ADMIN.grants, "opportunities": Grant()})
    for kpi in ("lead-conversion", "lead-win-rate"):
        with pytest.raises(Denied, match=r"opportunities\.read"):
            desk.figure(kpi, blind, **OCTOBER)
    assert desk.figure("leads-captured", blind, **OCTOBER) == 1


@pytest.mark.parametrize("seed", range(4))
def test_L25_as_many_are_converted_as_have_an_opportunity_in_whatever_order_they_are_heard_of(
    desk: Desk, seed: int
) -> None:
    chance = random.Random(seed)
    leads = [_lead(str(n), chance.choice(("people/li", "people/wang"))) for n in range(8)]
    made, there, won = [], set(), set()
    for n in range(14):
        lead = chance.randrange(8)
        deal = _deal(str(n), str(lead))
        ending = chance.choice(("open", "won", "lost", "deleted", "elsewhere"))
        if ending == "won":
            deal.win("2026-11-02T10:00")
            won.add(lead)
        elif ending == "lost":
            deal.lose("2026-11-02T10:00")
        elif ending == "deleted":
            deal.win("2026-11-02T10:00").delete("2026-11-03T10:00")
        elif ending == "elsewhere":  # it is found to be of another lead
            lead = chance.randrange(8)
            deal.fields["lead"] = f"leads/{lead}"
            deal.give("people/zhao", "2026-11-03T10:00")
        made.append(deal)
        there |= set() if ending == "deleted" else {lead}
    told = [one for record in _all(*leads, *made) for one in record.told]
    told += chance.sample(told, len(told) // 2)
    chance.shuffle(told)
    for at in range(0, len(told), 5):
        desk.hear(*told[at : at + 5], roll=False)
    desk.roll()
    assert desk.figure("lead-conversion", **OCTOBER) == len(there) / 8
    assert desk.figure("lead-win-rate", **OCTOBER) == len(won) / 8


def _parts(names: Sequence[tuple[str, bool]]) -> list[News]:
    """What opportunities count for: one that is won first counts as open, and then that is taken back."""
    found = []
    for name, won in names:
        still, over = ("deal", name, "people/li", False), ("deal", name, "people/li", True)
        told = [(still, 1)] + ([(still, -1), (over, 1)] if won else [])
        found += [News("leads/a", "part", {"part": part, "count": count}) for part, count in told]
    return found


NAMES = st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), unique_by=lambda one: one[0], max_size=6)


@given(st.data(), NAMES)
def test_L25_a_lead_is_converted_once_or_not_at_all(data: st.DataObject, names: list[tuple[str, bool]]) -> None:
    captured = _lead("a").told[0]
    news = [*told(captured[0], Cause(envelope(*captured))), *_parts(names)]
    lead = domain.Lead()
    for one in data.draw(st.permutations(news)):
        lead = domain.fold(lead, one)
    facts = [posting.fact for posting in domain.postings(lead)]
    assert facts.count("lead.converted") == (1 if names else 0)
    assert facts.count("lead.won") == (1 if any(won for _, won in names) else 0)
    assert domain.FOLDING.read(domain.FOLDING.plain(lead)) == lead


def test_an_opportunity_counts_for_the_lead_that_it_names_while_it_is_there() -> None:
    one = deals.Deal(version=1, lead="leads/a", status=deals.OPEN, owner="people/li")
    assert deals.FOLDING.parts("opportunities/x", one) == [("leads/a", ("deal", "opportunities/x", "people/li", False))]
    for gone in (replace(one, deleted=True), replace(one, version=0), replace(one, lead="")):
        assert not deals.FOLDING.parts("opportunities/x", gone)
