"""Several processes on one PostgreSQL: one journal, no deadlock, nothing counted twice."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from dealwright.rules.v1 import events_pb2
from rules import usecases
from rules.domain.entries import Decided
from rules.usecases import clocks
from tests.rules.house import House, bare, lead, open_runtime

PROCESSES = 3
ROUNDS = 25


@pytest.mark.cluster
def test_processes_that_decide_contact_move_and_fire_at_once_never_block_each_other_for_good(
    rules_postgres: str, tmp_path: Path
) -> None:
    """Every thread is a process of its own: its own connections, its own kept state."""
    houses = [House(open_runtime(rules_postgres, tmp_path)) for _ in range(2 * PROCESSES)]
    people = [f"p{n:02}" for n in range(12)]
    houses[0].hire(*people, capacity={"open": 200})
    for each in houses:
        each.now = houses[0].now
        each.versions = 1000
    problems: list[BaseException] = []
    owned: list[tuple[int, str]] = []
    begin = threading.Barrier(2 * PROCESSES)

    def decide(house: House, place: int) -> None:
        for round_ in range(ROUNDS):
            first = (place * ROUNDS + round_) * 20
            events = [house.captured(n, intent="LOW") for n in range(first, first + 20)]
            house.tell(*reversed(events) if round_ % 2 else events)
            # A second delivery by another process, in another order.
            houses[(place + 1) % PROCESSES].tell(*random.sample(events, 20))
            for n in range(first, first + 20):
                row = house.ownership(n)
                assert row is not None
                owned.append((n, row.owner))

    def disturb(house: House, place: int) -> None:
        chance = random.Random(place)
        for round_ in range(ROUNDS * 2):
            some = chance.sample(owned, min(len(owned), 8))
            if some:
                house.tell(*(house.contacted(n, owner, 1) for n, owner in some))
                house.tell(*(house.moved(n, chance.choice(people), 2, "MANUAL", owner) for n, owner in some[:3]))
            if round_ % 5 == 0:
                person = house.person(chance.choice(people), capacity={"open": 200})
                person.version += place * 100_000
                house.tell(person)
            house.now = house.now.replace(microsecond=0)
            house.pass_time(days=1 if round_ == ROUNDS else 0)
            with house.transaction() as tx:
                clocks.fire_due(tx)
            with house.transaction() as tx:
                usecases.drain_waiting(tx)

    def run(work: Callable[[House, int], None], house: House, place: int) -> None:
        begin.wait()
        try:
            work(house, place)
        except BaseException as problem:
            problems.append(problem)

    threads = [
        threading.Thread(target=run, args=(decide if n < PROCESSES else disturb, houses[n], n))
        for n in range(2 * PROCESSES)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    house = houses[0]
    assert house.verify().first_wrong_entry == 0
    leads = range(PROCESSES * ROUNDS * 20)
    decided = Counter(e.facts.lead for e in house.entries() if isinstance(e, Decided) and e.owner)
    assert decided == {bare(lead(n)): 1 for n in leads}
    rows = [house.ownership(n) for n in leads]
    assert house.open_leads == dict(Counter(row.counted for row in rows if row))
    house._seen = 0
    fired = Counter((e.subject, e.owner_version, e.kind) for e in house.announced(events_pb2.TimerFired))
    assert fired
    assert set(fired.values()) == {1}
    for each in houses:
        each.runtime.database.dispose()
