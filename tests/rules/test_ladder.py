"""The ladder of owners who let the first response pass, and the clocks that ran out on the way."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.access import Grant, Principal, Scope, peer
from chassis.errors import NotFound
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules.domain import ownership as owning
from rules.domain.ownership import Clock, Dues, Ownership
from rules.domain.policy import default_policy, to_plain
from rules.servicer import RuleServicer
from rules.usecases import clocks
from tests.rules.house import MONDAY, House, bare, lead, open_runtime

ADMIN = peer("test")


def let_pass(house: House, number: int, version: int, *owners: str) -> events_pb2.LeadAssignmentDecided:
    """The last of these owners does not respond; what is decided then, and recorded by `leads`."""
    house.pass_time(minutes=120)
    assert [(e.action, bare(e.person)) for e in house.fire()] == [("REASSIGN", owners[-1])]
    house.announced()
    house.missed(number, version, *owners)
    decided: events_pb2.LeadAssignmentDecided
    (decided,) = house.announced(events_pb2.LeadAssignmentDecided)
    house.tell(
        house.moved(
            number,
            bare(decided.owner),
            version + 1,
            "RULES",
            owners[-1],
            decision=decided.decision,
            respond_by=decided.respond_by,
        )
    )
    return decided


def test_R20_a_ladder_of_three_colleagues_counts_every_miss_before_the_manager(house: House) -> None:
    clocks_ = to_plain(default_policy())["clocks"]
    house.publish(clocks={**clocks_, "reassignments": 3})
    house.hire("boss", role="manager")
    house.hire("a", "b", "c", "d", "e", manager="people/boss")
    owners = house.capture(1)
    told = []
    for version in range(1, 5):
        decided = let_pass(house, 1, version, *owners)
        owners.append(bare(decided.owner))
        told.append((bare(decided.owner), decided.reason))
        ownership = house.ownership(1)
        assert ownership is not None
        assert (ownership.owner, ownership.misses) == (owners[-1], version)
        house.tell(  # said twice, it counts once
            house.moved(1, owners[-1], version + 1, "RULES", owners[-2], decision=decided.decision)
        )
        assert house.ownership(1) == ownership
    assert told == [*((p, "NO_RESPONSE") for p in "bcd"), ("boss", "ESCALATED")]
    with house.reading(ADMIN) as tx:
        request = rules_pb2.ListDecisionsRequest(parent=lead(1))
        decisions = RuleServicer(house.runtime).ListDecisions(tx, request).decisions
    assert [d.reason for d in decisions] == ["ESCALATED", *["NO_RESPONSE"] * 3, ""]
    house.assert_sound()


def test_R20_a_manager_who_does_not_respond_either_has_a_manager_above_him(house: House) -> None:
    house.hire("top", role="manager")
    house.hire("boss", role="manager", manager="people/top")
    house.hire("a", "b", manager="people/boss")
    owners = house.capture(1)
    for version, expected in enumerate(["b", "boss", "top"], 1):
        decided = let_pass(house, 1, version, *owners)
        owners.append(bare(decided.owner))
        assert owners[-1] == expected
        assert decided.HasField("respond_by")
    house.pass_time(minutes=120)
    assert [(e.action, bare(e.person)) for e in house.fire()] == [("NOTIFY", "top")]
    assert house.open_leads == {"top": 1}


def test_R20_misses_are_remembered_by_what_rules_decide_and_forgotten_by_what_people_do() -> None:
    missed = Ownership("x", 2, "a", 7, misses=1, response=Clock(MONDAY, MONDAY))
    dues = Dues(MONDAY, MONDAY)
    decided = owning.began(missed, "x", 3, "b", 9, False, dues)
    assert decided is not None
    assert decided.misses == 2
    again = owning.began(decided, "x", 3, "b", 9, False, dues)
    assert again is not None
    assert again.misses == 2
    by_hand = owning.began(missed, "x", 3, "b", 0, False, dues)
    assert by_hand is not None
    assert by_hand.misses == 0


def timers(house: House, principal: Principal = ADMIN, number: int = 1) -> list[rules_pb2.Timer]:
    with house.reading(principal) as tx:
        request = rules_pb2.ListTimersRequest(parent=lead(number))
        return list(RuleServicer(house.runtime).ListTimers(tx, request).timers)


def test_L18_a_clock_that_ran_out_stays_listed_when_somebody_else_has_the_lead(house: House) -> None:
    house.hire("a", team="teams/east")
    house.hire("b", team="teams/west")
    house.capture(1)
    start = house.now
    let_pass(house, 1, 1, "a")
    found = [(t.name, bare(t.owner), t.owner_version, t.HasField("fire_time")) for t in timers(house)]
    key = bare(lead(1))
    assert found == [
        (f"timers/{key}-FIRST_RESPONSE-1", "a", 1, True),
        (f"timers/{key}-FIRST_RESPONSE-2", "b", 2, False),
        (f"timers/{key}-RECLAIM-2", "b", 2, False),
    ]
    fired = timers(house)[0]
    assert fired.fire_time.ToMicroseconds() == fired.due_time.ToMicroseconds() == (
        (start.timestamp() + 7200) * 1_000_000
    )  # fmt: skip

    def who(person: str, scope: Scope, *teams: str) -> Principal:
        return Principal(f"people/{person}", "sales", "", teams, {"leads": Grant(scope, scope)})

    assert [bare(t.owner) for t in timers(house, who("a", Scope.OWN))] == ["a"]
    assert {bare(t.owner) for t in timers(house, who("b", Scope.OWN))} == {"b"}
    assert {bare(t.owner) for t in timers(house, who("boss", Scope.TEAM, "teams/east"))} == {"a"}
    with pytest.raises(NotFound):
        timers(house, who("c", Scope.OWN))
    # In the pool: nobody's clock runs, and the one that put it there is told.
    house.pass_time(days=14)
    house.fire()
    house.tell(house.released(1, "b", 3))
    assert [(t.owner_version, rules_pb2.Timer.Kind.Name(t.kind)) for t in timers(house)] == [
        (1, "FIRST_RESPONSE"),
        (2, "FIRST_RESPONSE"),
        (2, "RECLAIM"),
    ]
    assert all(t.HasField("fire_time") for t in timers(house))
    assert timers(house, number=2) == []


def test_L20_a_colleague_who_had_the_lead_before_sees_why_he_takes_no_part_in_the_epoch(house: House) -> None:
    house.hire("a", "b", "c", weight=2)
    house.capture(1)
    let_pass(house, 1, 1, "a")
    with house.reading(ADMIN) as tx:
        request = rules_pb2.GetLedgerRequest(name="ledgers/roster")
        name = RuleServicer(house.runtime).ListLedgers(tx, rules_pb2.ListLedgersRequest()).ledgers[0].name
        request.name = name
        rows = RuleServicer(house.runtime).GetLedger(tx, request).rows
    assert {bare(r.person): (r.weight, r.reason) for r in rows} == {"a": (2, "EXCLUDED"), "b": (2, ""), "c": (2, "")}
    house.capture(2)
    with house.reading(ADMIN) as tx:
        rows = RuleServicer(house.runtime).GetLedger(tx, request).rows
    assert {r.reason for r in rows} == {""}
    house.assert_sound()


@pytest.mark.cluster
def test_a_fact_that_comes_while_a_clock_fires_waits_for_it_and_loses_nothing(
    rules_postgres: str, tmp_path: Path
) -> None:
    """Two processes: one fires the reminder and has not committed yet, the other hears of the first response."""
    house, other = (House(open_runtime(rules_postgres, tmp_path)) for _ in range(2))
    house.hire("a")
    house.capture(1, intent="LOW")
    house.pass_time(days=3)
    other.now = house.now
    contact = threading.Thread(target=lambda: other.tell(other.contacted(1, "a", 1)))
    with house.transaction() as tx:
        clocks.fire_due(tx)
        contact.start()
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        end = time.monotonic() + 10
        while not tx.execute(sa.text(blocked)).scalar_one():
            assert time.monotonic() < end
            time.sleep(0.02)
    contact.join()
    ownership = house.ownership(1)
    assert ownership is not None
    assert (ownership.contacted, ownership.nurture.fired) == (True, house.now)
    assert house.fire() == []
    for each in (house, other):
        each.runtime.database.dispose()
