"""Facts in any order: whatever the bus brings first, loads and clocks end where `leads` is."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.rules.v1 import events_pb2
from leads.domain.lead import CLOSED, Capture, Lead, Status, start
from leads.domain.ownership import LOST, Change, Decided, Verdict, apply, bring_back, delete, judge
from leads.wire import events as told
from tests.rules.house import House, bare, furnish, open_runtime

_houses = itertools.count(1)
_numbers = itertools.count(1)


class Leads:
    """The leads service in miniature: its own judgement on decisions, its own numbers, and a bag of what it told."""

    def __init__(self, house: House, people: list[str], region: str, chance: random.Random) -> None:
        self.house, self.people, self.region, self.chance = house, people, region, chance
        self.leads: dict[int, Lead] = {}
        self.bag: list[Message] = []
        self.decided: list[events_pb2.LeadAssignmentDecided] = []
        self.recorded: set[int] = set()

    def someone(self) -> str:
        return self.chance.choice(self.people)

    def owned(self) -> list[int]:
        return [n for n, lead in self.leads.items() if lead.owner and lead.status not in CLOSED]

    def capture(self) -> None:
        number = next(_numbers)
        lead = start(Capture(region=self.region), "leads/" + format(number, "032x"), self.house.now)
        self.leads[number] = lead
        self.bag.append(self.house.captured(number, region=self.region))

    def _take(self, number: int, owner: str, status: Status, how: str, decision: int = 0) -> None:
        before = self.leads[number]
        after = self.leads[number] = apply(Change(before, f"people/{owner}" if owner else "", status), self.house.now)
        if not owner:
            self.bag.append(self.house.released(number, bare(before.owner), after.owner_version))
        elif how != "RULES" or before.owner_version:
            self.bag.append(
                self.house.moved(number, owner, after.owner_version, how, bare(before.owner), decision=decision)
            )

    def record(self, event: events_pb2.LeadAssignmentDecided) -> None:
        number = int(bare(event.lead), 16)
        lead = self.leads[number]
        if event.decision in self.recorded:
            return  # as `leads` does: what won long ago and only comes again is passed over
        verdict = judge(lead, Decided(event.lead, event.owner, event.owner_version, event.decision))
        if verdict is Verdict.TAKE:
            self.recorded.add(event.decision)
            self._take(number, bare(event.owner), Status.ASSIGNED, "RULES", event.decision)
        elif verdict in LOST:
            self.bag.append(lead_events.AssignmentRefused(lead=event.lead, owner=event.owner, decision=event.decision))

    def act(self) -> None:
        """One thing that people or clocks do."""
        number = self.chance.choice(sorted(self.leads))
        lead = self.leads[number]
        kind = self.chance.randrange(10)
        if kind == 0 and lead.status not in CLOSED:
            self._take(number, self.someone(), Status.ASSIGNED, "MANUAL")
        elif kind == 1 and lead.owner and lead.status not in CLOSED:
            self._take(number, "", Status.POOLED, "")
        elif kind == 2 and lead.status == Status.POOLED:
            self._take(number, self.someone(), Status.ASSIGNED, "CLAIM")
        elif kind == 3 and lead.owner and lead.status not in CLOSED:
            self.leads[number] = replace(lead, status=Status.QUALIFIED, deciding="")
            self.bag.append(self.house.qualified(number, bare(lead.owner), lead.owner_version))
        elif kind == 4 and lead.owner and lead.status == Status.ASSIGNED:
            self.leads[number] = replace(lead, status=Status.CONTACTED, deciding="")
            self.bag.append(self.house.contacted(number, bare(lead.owner), lead.owner_version))
        elif kind == 5 and lead.owner and lead.status == Status.ASSIGNED and not lead.deciding:
            self.leads[number] = replace(lead, deciding="FIRST_RESPONSE_MISSED")
            self._announce(number, "FIRST_RESPONSE_MISSED")
        elif kind == 6 and lead.status == Status.POOLED:
            self.leads[number] = apply(Change(lead, "", Status.WAITING), self.house.now)
            self._announce(number, "RETURNED")
        elif kind == 7 and lead.status == Status.WAITING:
            self._announce(number, "RETURNED" if lead.owners else "")
        elif kind == 8 and not lead.deleted:
            after = self.leads[number] = delete(lead, self.house.now)
            self.bag.append(told.deleted(after))
        elif kind == 9 and lead.deleted:
            there = self.chance.random() < 0.7
            after = self.leads[number] = bring_back(lead, self.house.now, owner_is_there=there)
            self.bag.append(told.undeleted(after, self.house.now))
            if after.status == Status.WAITING:
                self._announce(number, "RETURNED" if after.owners else "")

    def _announce(self, number: int, cause: str) -> None:
        lead = self.leads[number]
        missed = cause == "FIRST_RESPONSE_MISSED"
        self.bag.append(
            self.house.captured(
                number,
                region=self.region,
                cause=cause,
                owner_version=lead.owner_version,
                previous_owner=lead.owners[-1] if lead.owners else "",
                excluded=lead.owners if missed else [],
            )
        )

    def deliver(self) -> None:
        """One fact to the rules or one decision back, whichever; what the rules say goes into the other bag."""
        if self.bag and (not self.decided or self.chance.random() < 0.6):
            event = self.bag.pop(self.chance.randrange(len(self.bag)))
            self.house.tell(event)
            self.decided += self.house.announced(events_pb2.LeadAssignmentDecided)
        elif self.decided:
            self.record(self.decided.pop(self.chance.randrange(len(self.decided))))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> House:
    """One journal for all examples: each has people and leads of its own."""
    folder = tmp_path_factory.mktemp("any-order")
    runtime = open_runtime(f"sqlite:///{folder / 'rules.db'}", folder)
    furnish(runtime)
    return House(runtime)


@given(seed=st.integers(0, 10**9), people=st.integers(1, 3), limit=st.sampled_from([0, 1, 2]))
@settings(max_examples=60)
def test_L7_L18_L21_loads_and_clocks_end_where_leads_is_whatever_order_facts_come_in(
    shared: House, seed: int, people: int, limit: int
) -> None:
    chance = random.Random(seed)
    mine = next(_houses)
    names = [f"p{mine}-{n}" for n in range(people)]
    capacity = {"capacity": {"open": limit}} if limit else {}
    shared.hire(*names, region=f"r{mine}", **capacity)
    shared.announced()
    world = Leads(shared, names, f"r{mine}", chance)
    for _ in range(40):
        roll = chance.random()
        if not world.leads or roll < 0.15:
            world.capture()
        elif roll < 0.5:
            world.act()
        else:
            world.deliver()
    while world.bag or world.decided:
        world.deliver()
    truth: dict[str, int] = {}
    for number, lead in world.leads.items():
        counted = bare(lead.owner) if lead.owner and lead.status not in CLOSED else ""
        if counted:
            truth[counted] = truth.get(counted, 0) + 1
        row = shared.ownership(number)
        running = {kind for kind, _ in row.running()} if row else set()
        if counted:
            assert row is not None
            assert (row.owner, row.version) == (counted, lead.owner_version)
            assert "RECLAIM" in running
            assert ("FIRST_RESPONSE" in running) <= (lead.status == Status.ASSIGNED)
        else:
            assert not running
        assert lead.status not in CLOSED or lead.name not in shared.waiting
    assert {p: n for p, n in shared.open_leads.items() if p in names} == truth
    assert shared.verify().first_wrong_entry == 0
