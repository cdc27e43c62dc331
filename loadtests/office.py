"""A day at the office: 64 people at once look at lists, open customers from all sides, log follow-ups and drag deals,
each in his own time, with 100 000 customers, 100 000 opportunities and 300 000 follow-ups in the tables."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from loadtests import desks, machine, profiling, resembling
from loadtests.copies import Copies, Looking, Original
from loadtests.desks import ACTS, PEOPLE, READS, SELLERS, TEAMS, Worker
from loadtests.driving import LoadFailed
from loadtests.figures import Figure, percentile
from loadtests.setting import House

# Seconds between an answer and the next act of whoever reads it: three on average, which is fast. (Benchmarks of shops
# allow seven.)
PAUSE = (1.0, 5.0)
# A table with fewer rows may well be read as a whole; lists count what is in it.
SMALL = 10_000
# PostgreSQL's connections tell what they did once they have been idle for ten seconds.
_TOLD_AFTER = 11.0
# How many customers each salesperson has while the tables are small. More than a page, and together more than a list
# counts: beyond 10 000 it does not, and reads would seem to become cheaper.
_FEW = 200
# What is loaded happened within the last days: no clock rings for it.
_SPREAD, _STEP = timedelta(days=5), timedelta(minutes=5)
# Deals' numbers begin here, so that all have six digits.
_FIRST_NUMBER, _LAST_NUMBER = 100_000, 900_000


class Office:
    """The people, what they have, and the databases."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.databases = dict(house.cluster.databases)
        # What reports make of it is not copied: their sums would not be those of the copies.
        self.copied = {name: dsn for name, dsn in self.databases.items() if name != "reports"}
        self.teams = desks.staff(house)
        self.workers: Sequence[Worker] = [worker for team in self.teams for worker in team]
        self._serial = 0
        self._number_from(_FIRST_NUMBER, [datetime.now(UTC)])
        time.sleep(1)
        self.copies = Copies(self.copied, [self.made_by(team[0]) for team in self.teams], self._another, SELLERS)

    def made_by(self, worker: Worker) -> Original:
        """One more customer with all that belongs to him, made through the API."""
        looking, began = Looking(self.databases), time.time()
        deal = desks.begin(worker, self._next())
        self.house.watcher.settled(began)
        return looking.found(worker.name.rpartition("/")[2], (deal.phone, deal.company, deal.number))

    def fill(self, first: int, count: int, step: timedelta) -> int:
        """A customer for every salesperson at each of `count` moments; the rows written."""
        moments = [(number + 1) * step for number in range(first, first + count)]
        now = datetime.now(UTC)
        written = self.copies.load(moments)
        self._number_from(_LAST_NUMBER, [now - one for one in moments])
        self.copies.settle()
        for worker in self.workers:
            worker.look_around()
        return written

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _another(self, original: Original, by: timedelta, turn: int) -> tuple[str, Sequence[str]]:
        team = self.copies.originals.index(original)
        serial = self._next()
        number = desks.earlier(original.texts[2], by, _FIRST_NUMBER + 1_000 + serial)
        deal = desks.deal(serial, number)
        return self.teams[team][turn].name.rpartition("/")[2], (deal.phone, deal.company, deal.number)

    def _number_from(self, last: int, moments: Sequence[datetime]) -> None:
        """Deals of these days get larger numbers from now on."""
        days = sorted({f"{one + timedelta(hours=8):%Y-%m-%d}" for one in moments})
        with psycopg.connect(self.databases["opportunities"], autocommit=True) as on:
            for day in days:
                on.execute(
                    "insert into numbers (day, last) values (%s, %s) "
                    "on conflict (day) do update set last = greatest(numbers.last, excluded.last)",
                    (day, last),
                )


def scans(databases: Mapping[str, str]) -> dict[str, int]:
    """How often each big table was read as a whole so far, by the statistics of PostgreSQL."""
    found = {}
    for service, dsn in databases.items():
        with psycopg.connect(dsn, autocommit=True) as on:
            query = "select relname, seq_scan from pg_stat_user_tables where n_live_tup > %s"
            found.update({f"{service}.{name}": count for name, count in on.execute(query, (SMALL,))})
    return found


def touched(databases: Mapping[str, str]) -> int:
    """Pages of 8 kB that were looked at so far."""
    total = 0
    for dsn in databases.values():
        with psycopg.connect(dsn, autocommit=True) as on:
            query = "select blks_hit + blks_read from pg_stat_database where datname = current_database()"
            total += (on.execute(query).fetchone() or (0,))[0]
    return total


def pages_per_read(office: Office, reads: int) -> float:
    """Pages that a read looks at while nobody else works; what the loops look at by themselves is left out."""
    dice = random.Random(1)
    time.sleep(_TOLD_AFTER)
    quiet, began = touched(office.databases), time.monotonic()
    time.sleep(_TOLD_AFTER)
    idle = (touched(office.databases) - quiet) / (time.monotonic() - began)
    before, began = touched(office.databases), time.monotonic()
    for number in range(reads):
        office.workers[number % PEOPLE].act(READS[number % len(READS)], dice)
    time.sleep(_TOLD_AFTER)
    return max(0.0, touched(office.databases) - before - idle * (time.monotonic() - began)) / reads


def watched(office: Office, seconds: float) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Everybody works in his own time: the milliseconds by act, and the big tables that were scanned meanwhile."""
    time.sleep(_TOLD_AFTER)
    before = scans(office.databases)
    took = desks.work(office.workers, seconds, PAUSE)
    time.sleep(_TOLD_AFTER)
    after = scans(office.databases)
    return took, {name: after[name] - count for name, count in before.items() if after.get(name, 0) > count}


def measure(house: House, customers: int, seconds: float, compared: int, say: Callable[[str], None]) -> list[Figure]:
    """The figures. Raises LoadFailed when an act failed, or when what was loaded differs from the API's."""
    office = Office(house)
    made = [office.made_by(team[1]) for team in office.teams[: TEAMS // 2]]  # as long as it is quickly found
    each = max(2, -(-customers // (TEAMS * SELLERS)))
    few = min(_FEW, each // 2)
    step = min(_STEP, _SPREAD / each)
    office.fill(0, few, step)
    small = pages_per_read(office, 2 * PEOPLE)
    began = time.monotonic()
    rows = office.fill(few, each - few, step)
    say(f"{each * TEAMS * SELLERS:,} customers with their deals: {rows:,} rows in {time.monotonic() - began:.0f} s")
    differences, count = resembling.compare(office.copies, made, compared)
    if differences:
        raise LoadFailed("loaded customers differ from those of the API:\n" + "\n".join(differences[:3]))
    say(f"{count} loaded customers are like those of the API, field by field")
    big = pages_per_read(office, 2 * PEOPLE)
    desks.work(office.workers, min(10.0, seconds), PAUSE)
    neighbours = machine.Neighbours(sum(profiling.cpu_of(house.pids).values()))
    took, scanned = watched(office, seconds)
    busy = neighbours.share(sum(profiling.cpu_of(house.pids).values()))
    rushed = desks.work(office.workers, min(20.0, seconds), (0.0, 0.0))
    details = {
        "people": dict(Counter(worker.role for worker in office.workers)),
        "customers": each * TEAMS * SELLERS,
        "compared": count,
        "othersUsedOfTheMachine": round(busy, 3),
        **_told(took),
    }
    return _figures(took, seconds, rushed, min(20.0, seconds), scanned, (small, big), few, details)


def _told(took: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    return {
        "acts": {what: len(found) for what, found in took.items()},
        "p50": {what: round(percentile(found, 0.5), 1) for what, found in took.items()},
        "p99": {what: round(percentile(found, 0.99), 1) for what, found in took.items()},
    }


def _figures(
    took: Mapping[str, Sequence[float]],
    seconds: float,
    rushed: Mapping[str, Sequence[float]],
    rush: float,
    scanned: Mapping[str, int],
    pages: tuple[float, float],
    few: int,
    details: dict[str, Any],
) -> list[Figure]:
    reads = [one for what in READS for one in took[what]]
    writes = [one for what in ACTS if what not in READS for one in took[what]]
    rate = (len(reads) + len(writes)) / seconds
    how = (
        f"{PEOPLE} people at once by REST, {PAUSE[0]:g} to {PAUSE[1]:g} s from an answer to the next act: "
        f"{rate:.0f} acts a second over {seconds:g} s; of 100 acts "
        + ", ".join(f"{often} {what}" for what, often in ACTS.items())
        + f"; {details['customers']:,} customers with a deal and three follow-ups each"
    )
    small, big = pages
    most = sum(map(len, rushed.values())) / rush
    return [
        Figure("office reads", f"{PEOPLE} people: reads p99", "ms", [percentile(reads, 0.99)], must=150, higher=False,
               how=how, details=details),
        Figure("office writes", f"{PEOPLE} people: writes p99", "ms", [percentile(writes, 0.99)], must=250,
               higher=False),
        Figure("office scans", "big tables that were scanned", "", [float(len(scanned))], must=0, higher=False,
               how=f"pg_stat_user_tables.seq_scan of tables with over {SMALL:,} rows, of all services",
               details=dict(scanned)),
        Figure("office growth", "pages per read, big against small tables", "x", [big / small], must=1.5, higher=False,
               how=f"by pg_stat_database, one read after the other, {few} and {details['customers'] // 56:,} customers "
               "a salesperson", details={"small": round(small, 1), "big": round(big, 1)}),
        Figure("office most", f"{PEOPLE} people without a pause", "acts/s", [most],
               how="each begins when his last act is answered", details=_told(rushed)),
    ]  # fmt: skip
