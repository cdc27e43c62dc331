"""What somebody closed or signed counts for him, whoever has it since; what is open, and money to come, for who has
it."""

from __future__ import annotations

import random
from collections.abc import Sequence

from google.protobuf.message import Message

from chassis.access import Principal, Scope
from dealwright.contracts.v1 import contracts_pb2
from dealwright.reports.v1 import reports_pb2 as pb
from dealwright.reports.v1 import targets_pb2
from reports.servicer.targets import TargetServicer
from tests.reports.deals import OPEN, Deal
from tests.reports.desk import ADMIN, BOSS, LI, WANG, ZHAO, Desk, principal
from tests.reports.test_money import contract, instalment

OCTOBER, BEFORE, LATEST = "2026-10", "2026-11-10T10:00", "2026-12-31T10:00"
WEST = principal("people/west", "manager", Scope.TEAM, "teams/west")


def _deals() -> list[Deal]:
    """All of Li's, closed in October; in November they are Wang's, but for the last."""
    won = Deal("opportunities/won", "2026-10-02T10:00", 1000, fields={"products": ["products/a", "products/b"]})
    lost = Deal("opportunities/lost", "2026-10-02T10:00", 300)
    theirs = [won.move("need", "2026-10-03T10:00").win("2026-10-20T10:00"), lost.lose("2026-10-21T10:00")]
    for deal in theirs:
        deal.give("people/wang", "2026-11-15T10:00")
    return [*theirs, Deal("opportunities/kept", "2026-10-05T10:00", 50).win("2026-10-22T10:00")]


def _told(deals: Sequence[Deal]) -> list[tuple[Message, str]]:
    return [told for deal in deals for told in deal.told]


def _by_owner(desk: Desk, kpi: str, who: Principal = ADMIN, **asked: str) -> dict[str, float]:
    """The same out of the sums that are kept and out of the postings."""
    found = desk.counted(kpi, who, group_by=["owner"], **{"period": OCTOBER, **asked})
    assert desk.counted(kpi, who, LATEST, group_by=["owner"], **{"period": OCTOBER, **asked}) == found
    return found


def test_B12_B13_what_was_closed_counts_for_him_and_his_team_whose_it_was_then_whoever_has_it_since(desk: Desk) -> None:
    desk.hear(*_told(_deals()))
    for kpi, counted in (
        ("won-amount", 1050), ("opportunities-won", 2), ("opportunities-lost", 1), ("lost-amount", 300),
        ("win-rate", 2 / 3), ("average-cycle", (18 + 17) / 2), ("product-amount", 1000),
    ):  # fmt: skip
        assert _by_owner(desk, kpi) == {"people/li": counted}, kpi
    assert desk.counted("won-amount", period=OCTOBER, group_by=["team"]) == {"teams/east": 1050}
    assert desk.counted("won-amount", period=OCTOBER, group_by=["manager"]) == {"people/boss": 1050}
    # Nobody's conversion has what another won, and the funnel goes by the same people.
    assert _by_owner(desk, "conversion") == {"people/li": 2 / 3}
    assert _by_owner(desk, "stage-entered") == {"people/li": 4}


def test_B16_the_targets_of_a_closed_month_stay_as_they_were_reached(desk: Desk) -> None:
    desk.also(TargetServicer())
    for person in ("people/li", "people/wang"):
        target = targets_pb2.Target(kpi="kpis/won-amount", period=OCTOBER, person=person, value="1000")
        desk.call("CreateTarget", targets_pb2.CreateTargetRequest(target=target))
    desk.hear(*_told(_deals()))
    rows = desk.report("won-amount", period=OCTOBER, group_by=["owner"]).rows
    reached = {row.keys[0]: row.attainment for row in rows}
    assert reached == {"people/li": 1.05, "people/wang": 0}


def test_B13_what_is_open_counts_for_who_has_it_and_once_it_is_closed_again_for_who_closed_it_then(desk: Desk) -> None:
    deal = Deal("opportunities/a", "2026-10-02T10:00", 1000).win("2026-10-20T10:00").give("people/zhao", BEFORE)
    desk.hear(*deal.told)
    assert _by_owner(desk, "won-amount") == {"people/li": 1000}
    deal.move("need", "2026-11-12T10:00", OPEN)
    desk.hear(*deal.told)
    assert _by_owner(desk, "won-amount") == {}
    assert _by_owner(desk, "open-amount", period="") == {"people/zhao": 1000}
    deal.win("2026-11-14T10:00").give("people/wang", "2026-11-16T10:00")
    desk.hear(*deal.told)
    assert _by_owner(desk, "won-amount", period="2026-11") == {"people/zhao": 1000}
    assert _by_owner(desk, "opportunities-opened") == {"people/zhao": 1}


def test_B14_a_contract_counts_for_whose_it_was_when_it_was_signed_and_its_money_to_come_for_who_has_it(
    desk: Desk,
) -> None:
    signed = contract("a", 5000, version=3)
    completed = contract("a", 5000, contracts_pb2.Contract.COMPLETED, 4)
    given = contract("a", 5000, contracts_pb2.Contract.COMPLETED, 5)
    draft = contract("a", 5000, contracts_pb2.Contract.APPROVED, 2)
    draft.contract.owner, given.contract.owner = "people/zhao", "people/wang"
    due, theirs = instalment("a", "2026-12-10", 900), instalment("a", "2026-12-10", 900, version=2)
    theirs.instalment.owner = "people/wang"
    desk.hear((given, BEFORE), (draft, BEFORE), (due, BEFORE))
    desk.hear((completed, BEFORE), (theirs, BEFORE), (signed, BEFORE), (signed, BEFORE), (draft, BEFORE))
    for kpi, counted in (("signed-amount", 5000), ("contracts-signed", 1)):
        assert _by_owner(desk, kpi, period="2026-11") == {"people/li": counted}, kpi
    assert _by_owner(desk, "payments-expected", period="2026-12") == {"people/wang": 900}
    assert _by_owner(desk, "outstanding-amount", period="") == {"people/wang": 900}


def test_the_order_and_the_number_of_times_in_which_it_is_told_make_no_difference(desk: Desk) -> None:
    told = _told(_deals())
    chance = random.Random(11)
    shuffled = chance.sample(told, len(told))
    for at in range(0, len(shuffled), 2):
        desk.hear(*shuffled[at : at + 2], *shuffled[:1])
    assert _by_owner(desk, "won-amount") == {"people/li": 1050}
    assert _by_owner(desk, "lost-amount") == {"people/li": 300}


def test_P6_but_it_is_seen_by_those_alone_who_see_the_record_now(desk: Desk) -> None:
    desk.hear(*_told(_deals()))
    for who, counted in ((ADMIN, 1050), (BOSS, 50), (LI, 50), (ZHAO, 0), (WANG, 1000), (WEST, 1000)):
        for as_of in ("", LATEST):
            assert (desk.figure("won-amount", who, as_of, period=OCTOBER) or 0) == counted, who.person
        request = pb.ListRecordsRequest(parent="reports/won-amount", period=OCTOBER)
        names = {one.name.partition("/")[2] for one in desk.call("ListRecords", request, who).records}
        assert names == {1050: {"won", "kept"}, 1000: {"won"}, 50: {"kept"}, 0: set()}[counted]
    # Whose it was is told with it, as its history does.
    assert _by_owner(desk, "won-amount", WANG) == {"people/li": 1000}
    assert _by_owner(desk, "won-amount", LI) == {"people/li": 50}
