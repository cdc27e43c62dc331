"""The bench on a real cluster, small: that it measures what it says, and notices when it would not."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from chassis import audit
from chassis.service import runtime
from chassis.settings import Settings
from embedded.catalogue import load
from loadtests import ingest, likeness, million, population, rest, stepped, visible
from loadtests.driving import LoadFailed, drive
from loadtests.generator import Job
from loadtests.measures import SMOKE, Bench
from loadtests.million import Fresh
from loadtests.setting import House
from loadtests.watching import latencies
from loadtests.yardsticks import G64, P1
from rules.domain.chain import Record, verify

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600), pytest.mark.usefixtures("loaded")]
_ROWS = 600


@pytest.fixture(scope="module")
def loaded(house: House) -> tuple[House, Fresh]:
    """Its tables hold loaded leads."""
    fresh = million.prepare(house)
    million.load(house, fresh, _ROWS, lambda text: None)
    return house, fresh


def test_loaded_leads_are_like_those_of_the_API_and_a_planted_difference_is_found(
    loaded: tuple[House, Fresh],
) -> None:
    house, fresh = loaded
    assert likeness.compare(house, fresh, million.FIRST, _ROWS, 60) == ([], 60)
    for service, plant, undo in (
        ("leads", "update leads set company = company || 'x'", "update leads set company = left(company, -1)"),
        ("leads", "update touchpoints set kind = kind + 20", "update touchpoints set kind = kind - 20"),
        ("rules", "update ownerships set confirmed = not confirmed", "update ownerships set confirmed = not confirmed"),
    ):
        with psycopg.connect(house.cluster.databases[service], autocommit=True) as connection:
            connection.execute(plant)  # changes what is there; the 60 that come next are as they should be
            differences, _ = likeness.compare(house, fresh, million.FIRST, _ROWS, 40)
            assert len(differences) == 40, plant
            connection.execute(undo)


def test_loaded_decisions_derive_again_and_the_audit_chain_holds(house: House) -> None:
    with psycopg.connect(house.cluster.databases["rules"]) as connection:
        rows = connection.execute("select seq, body, hash from journal order by seq").fetchall()
    report = verify(Record(seq, bytes(body), bytes(digest)) for seq, body, digest in rows)
    assert (report.wrong, report.reason) == (0, "")
    assert report.decisions >= _ROWS
    leads = runtime(load("leads"), Settings(database_url=house.cluster.databases["leads"], data=house.cluster.folder))
    with leads.reading() as tx:
        verdict = audit.verify(tx)
    assert verdict.first_wrong == ""
    assert verdict.sealed >= 2 * _ROWS


def test_every_load_ends_with_its_leads_assigned_announced_and_judged(house: House) -> None:
    g64 = G64()
    p1 = P1(house.cluster.parts.postgres)
    try:
        bench = Bench(house, p1, g64, SMOKE)
        bench.rates = {"single": 100, "batch": 1000, "rest": 100, "door": 100}
        throughput = bench.throughput(["single", "batch", "door", "rest"])
        assert [f.key for f in throughput] == ["single", "batch", "door", "rest"]
        assert all(len(f.samples) == len(f.ratios) == 1 and f.ratios[0] > 0 for f in throughput)
        assert [f.verdict != "" for f in throughput] == [True, True, False, False]
        p50, p99 = bench.latency()
        assert 0 < p50.value <= p99.value
        assert bench.alone()[0].value > 0
        assert 100 < bench.certificate().value < 1000
        assert bench.memory().value > 30
        assert {f.key for f in bench.yardsticks()} == {"P1", "G64", "others"}
    finally:
        g64.stop()
        p1.drop()


def test_leads_that_were_acknowledged_and_not_recorded_fail_the_run(house: House) -> None:
    outcome = drive(Job("single", house.leads, house.token, house.numbers(20), 20))
    assert house.watcher.finished(outcome).leads == 20
    with pytest.raises(LoadFailed, match="21 leads were acknowledged"):
        house.watcher.finished(replace(outcome, leads=21))
    with pytest.raises(LoadFailed, match="never announced"):
        latencies(replace(outcome, calls=[(0.0, 0.0, "leads/none")]), {})


def test_a_known_phone_is_no_lead_and_fails_the_run(house: House) -> None:
    first = house.numbers(5)
    for number in range(first, first + 5):
        known = {**rest.capture(number), "requestId": f"before-{number}"}
        population.call(house.cluster.url, "/v1/leads:capture", known, house.population.office)
    with pytest.raises(LoadFailed, match="5 leads were refused"):
        drive(Job("batch", house.leads, house.token, first, 5, batch=3))


def test_events_are_seen_in_a_live_tile_and_taken_in_by_a_worker(house: House) -> None:
    seen = visible.measure(house, 5, 50)
    assert seen.details["eventsPerSecond"] >= 50
    assert 0 < seen.value < 30
    taken = ingest.measure(house, 2_000, 2)
    assert len(taken.samples) == 2
    assert taken.value > 10
    with psycopg.connect(house.cluster.databases["reports"], autocommit=True) as on:
        (parked,) = on.execute("select count(*) from failures").fetchone() or (1,)
    assert parked == 0
    assert population.call(house.cluster.url, "/v1/boards", token=house.population.admin)["boards"]


def test_locust_drives_the_same_path_in_steps(house: House) -> None:
    found = {f.key: f for f in stepped.run(house, stepped.Steps((3, 6), 3))}
    assert found["step 6"].value > 0
    assert {"step 6 gRPC CaptureLead", "step 6 POST /v1/leads:capture"} <= set(found)
