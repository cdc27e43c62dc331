"""The office on a real cluster, small: that what is loaded is what the API writes, that figures come out, and that a
query which reads a whole table is seen."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from chassis import audit
from chassis.service import runtime
from chassis.settings import Settings
from embedded.catalogue import load
from loadtests import desks, office, resembling
from loadtests.copies import Original
from loadtests.desks import PEOPLE, SELLERS, TEAMS, Worker
from loadtests.driving import LoadFailed
from loadtests.office import Office
from loadtests.setting import House

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]
# So many for every salesperson that timelines are big ones.
_EACH = 48


@pytest.fixture(scope="module")
def filled(house: House) -> Office:
    made = Office(house)
    made.fill(0, _EACH, timedelta(minutes=5))
    return made


@pytest.fixture(scope="module")
def made(filled: Office) -> list[Original]:
    return [filled.made_by(team[0]) for team in filled.teams[:3]]


def test_loaded_customers_are_like_those_of_the_API_and_a_planted_difference_is_found(
    filled: Office, made: list[Original]
) -> None:
    assert resembling.compare(filled.copies, made, 40) == ([], 40)
    for service, plant, undo in (
        ("customers", "update contacts set full_name = 'x' || full_name", "set full_name = substr(full_name, 2)"),
        ("opportunities", "update related set sort = sort + 20", "set sort = sort - 20"),
        (
            "activities",
            "update timeline set learn_time = learn_time + interval '1 hour'",
            "set learn_time = happen_time",
        ),
        ("contracts", "update parties set open = not open", "set open = not open"),
        ("rules", "update watched set counted = counted + 1", "set counted = counted - 1"),
        ("customers", "update outbox set type = type || 'x'", "set type = left(type, -1)"),
    ):
        with psycopg.connect(filled.databases[service], autocommit=True) as on:
            on.execute(plant)
            differences, count = resembling.compare(filled.copies, made, 5)
            on.execute(f"update {plant.split()[1]} {undo}")
        assert (len(differences), count) == (5, 5), plant
    assert resembling.compare(filled.copies, made, 40) == ([], 40)


def test_the_audit_of_what_was_loaded_holds(filled: Office) -> None:
    for name in ("customers", "opportunities", "activities"):
        settings = Settings(database_url=filled.databases[name], data=filled.house.cluster.folder)
        opened = runtime(load(name), settings)
        with opened.reading() as tx:
            verdict = audit.verify(tx)
        opened.database.dispose()
        assert verdict.first_wrong == ""
        assert verdict.sealed >= _EACH * TEAMS * SELLERS


def test_a_query_that_reads_a_whole_table_is_seen(filled: Office) -> None:
    """Without its index a customer's timeline is looked for in everybody's; nothing else is."""
    took, scanned = office.watched(filled, 4)
    assert scanned == {}
    assert sum(map(len, took.values())) > PEOPLE / 2
    with psycopg.connect(filled.databases["activities"], autocommit=True) as on:
        on.execute("drop index timeline_of_customer")
        _, scanned = office.watched(filled, 4)
        on.execute("create index timeline_of_customer on timeline (customer, happen_time, key) where customer <> ''")
    assert scanned["activities.timeline"] > 0, scanned
    assert set(scanned) == {"activities.timeline"}


def test_an_act_that_fails_fails_the_run(filled: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filled.workers[3], "deals", ["opportunities/" + "0" * 32])
    with pytest.raises(LoadFailed, match="could not work"):
        desks.work(filled.workers[3:4], 5, (0.0, 0.0))


def test_a_side_of_a_customer_that_did_not_come_fails_the_run(filled: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(self: Worker, verb: str, path: str, body: Any = None) -> Any:
        return {"parts": [{"name": "contacts", "state": "COMPLETE"}, {"name": "timeline", "state": "AWAY"}]}

    monkeypatch.setattr(Worker, "ask", asked)
    with pytest.raises(LoadFailed, match="timeline did not come"):
        filled.workers[0].act("view 360", random.Random(1))
