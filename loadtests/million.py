"""`batchCapture` with a million leads already in the tables, against almost none: the same processes on two sets of
databases in turn, swapped by renaming while the processes are down."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from psycopg import sql

from loadtests import contacts, likeness, originals
from loadtests.driving import LoadFailed, drive
from loadtests.figures import Figure
from loadtests.generator import Job
from loadtests.loader import Loader
from loadtests.measures import Bench
from loadtests.originals import SERVICES, Original
from loadtests.setting import House
from rules.domain.snapshot import digest

# Numbers of loaded contacts, far from those that the generators count up from 0.
FIRST = 50_000_000
_PROCESSES = [f"{service} {role}" for service in SERVICES for role in ("serve", "work")]


@dataclass
class Fresh:
    """Copies of the databases from when only the originals were in them (`<service>_fresh`)."""

    originals: dict[int, Original]
    finders: dict[tuple[str, str], tuple[str, str]]


def prepare(house: House) -> Fresh:
    """Captures one lead of each kind through the API and keeps copies of the databases as they are then. To be called
    before any load."""
    databases = house.cluster.databases
    before = originals.everything(databases)
    # One call each, so that no two of them share a transaction's moment by chance.
    first = house.numbers(contacts.KINDS)
    outcome = drive(Job("single", house.leads, house.token, first, contacts.KINDS, in_flight=1))
    house.watcher.finished(outcome)
    house.watcher.settled(outcome.began)
    time.sleep(2)  # the audit's sealer
    after = originals.everything(databases)
    by_code = {row["phone"][-8:]: row["name"].rsplit("/", 1)[-1] for row in after["leads", "leads"]}
    people = [contacts.contact(number) for number in range(first, first + contacts.KINDS)]
    found = originals.gather(before, after, {by_code[c.phone[3:]]: c for c in people})
    fresh = Fresh(originals.kinds(found), originals.finders(found))
    with AtRest(house) as databases_at_rest:
        for service in SERVICES:
            databases_at_rest.copy(service, f"{service}_fresh")
    return fresh


class AtRest:
    """The processes of these services stopped, so that their databases can be copied and renamed; started again
    afterwards, unless something failed."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._server = house.cluster.parts.postgres

    def __enter__(self) -> AtRest:
        with ThreadPoolExecutor(len(_PROCESSES)) as stopping:
            list(stopping.map(lambda name: self._house.cluster.processes[name].stop(15), _PROCESSES))
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            with ThreadPoolExecutor(4) as starting:
                list(starting.map(self._house.cluster.restart, _PROCESSES))

    def execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._server.dsn, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def copy(self, source: str, target: str) -> None:
        self.execute("create database {} template {}", target, source)

    def rename(self, source: str, target: str) -> None:
        self.execute("alter database {} rename to {}", source, target)

    def drop(self, name: str) -> None:
        self._server.drop_database(name)


def swap(house: House, away: str, here: str) -> None:
    """Puts the databases `<service>_<here>` in place; those in place become `<service>_<away>`."""
    with AtRest(house) as databases:
        for service in SERVICES:
            databases.rename(service, f"{service}_{away}")
            databases.rename(f"{service}_{here}", service)


def load(house: House, fresh: Fresh, rows: int, say: Callable[[str], None]) -> float:
    """Fills copies of the fresh databases and puts them in place of those there are; seconds."""
    began = time.monotonic()
    server = house.cluster.parts.postgres
    with AtRest(house) as databases:
        for service in SERVICES:
            databases.copy(f"{service}_fresh", f"{service}_big")
        loader = Loader({service: server.dsn_of(f"{service}_big") for service in SERVICES}, fresh.originals)
        try:
            loader.load(FIRST, rows, say)
        finally:
            loader.close()
        for service in SERVICES:
            with psycopg.connect(server.dsn_of(f"{service}_big"), autocommit=True) as connection:
                connection.execute("vacuum (analyze)")
            databases.drop(service)
            databases.rename(f"{service}_big", service)
        databases.execute("checkpoint")
    _check_snapshots(house)
    return time.monotonic() - began


def _check_snapshots(house: House) -> None:
    """Raises LoadFailed for one that the service would not believe: it would fold the whole journal before its first
    decision."""
    with psycopg.connect(house.cluster.databases["rules"], autocommit=True) as connection:
        for seq, head, data, said in connection.execute("select seq, hash, state, digest from snapshots"):
            if digest(bytes(head), bytes(data)) != bytes(said):
                raise LoadFailed(f"the snapshot at {seq} has another digest")


def measure(bench: Bench, fresh: Fresh, say: Callable[[str], None]) -> tuple[list[Figure], dict[str, float]]:
    """The figure, and the set-up's seconds. Raises LoadFailed when loaded leads differ from the API's."""
    house, rows = bench.house, bench.size.rows
    seconds = load(house, fresh, rows, say)
    say(f"{rows:,} leads loaded in {seconds:.0f} s")
    figure = Figure(
        "million", f"batchCapture with {rows:,} leads in the table", "leads/s", [], "empty", must=0.8, aim=0.95,
        how="the same processes on two sets of databases in turn; 'empty' holds twenty leads at first",
    )  # fmt: skip
    differences, compared = likeness.compare(house, fresh, FIRST, rows, bench.size.compared)
    if differences:
        raise LoadFailed("loaded leads differ from those of the API:\n" + "\n".join(differences[:10]))
    say(f"{compared} loaded leads are like {compared} of the API, field by field")
    figure.details["compared"] = compared
    runs: list[dict[str, float]] = []
    for _ in range(bench.size.rounds):
        full, full_ratio = _sample(bench)
        swap(house, "big", "fresh")
        empty, empty_ratio = _sample(bench)
        swap(house, "fresh", "big")
        figure.samples.append(full)
        figure.ratios.append(full / empty)
        runs.append({"full": full, "empty": empty, "fullToP1": full_ratio, "emptyToP1": empty_ratio})
        say(f"with {rows:,} leads {full:,.0f}/s, empty {empty:,.0f}/s")
    figure.details["runs"] = runs
    return [figure], {f"{rows:,} leads": seconds}


def _sample(bench: Bench) -> tuple[float, float]:
    bench.warm_up(["batch"])
    before = bench.yardstick()
    _, done, _ = bench.load("batch", bench.count("batch", 1000))
    after = bench.yardstick()
    return done.rate, done.rate / ((before + after) / 2)
