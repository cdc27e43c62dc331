"""A day at the office: 64 people at once look at lists, open customers from all sides, log follow-ups and drag deals,
each in his own time, with 100 000 customers, 100 000 opportunities and 300 000 follow-ups in the tables."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg

from loadtests.copies import Copies, Original
from loadtests.driving import LoadFailed
from loadtests.figures import Figure, percentile
from loadtests.population import PASSWORD, call, sign_in
from loadtests.setting import House

PEOPLE = 64
SERVICES = ("customers", "opportunities", "activities", "contracts", "rules")
# Seconds between what one person does and what he does next.
_PAUSE = (1.0, 3.0)
# What they do, and how often of 100 times.
_ACTS = {"list": 30, "board": 10, "view 360": 25, "log follow-up": 20, "drag stage": 15}
_READS = ("list", "board", "view 360")
_STAGES = ("first-visit", "need-clear")
# A table with fewer rows may well be read as a whole.
_SMALL = 2_000


@dataclass
class Worker:
    """One person at his desk, on one connection."""

    url: str
    token: str
    name: str
    customers: list[str] = field(default_factory=list)
    deals: list[str] = field(default_factory=list)
    stages: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        at = urlsplit(self.url)
        self._line = http.client.HTTPConnection(at.hostname or "", at.port, timeout=30)

    def ask(self, verb: str, path: str, body: Any = None) -> Any:
        """Raises LoadFailed for anything but success."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self._line.request(verb, path, None if body is None else json.dumps(body), headers)
        answer = self._line.getresponse()
        said = answer.read()
        if answer.status >= 400:
            raise LoadFailed(f"{verb} {path}: {answer.status} {said[:500].decode(errors='replace')}")
        return json.loads(said)

    def act(self, what: str, dice: random.Random) -> None:
        deal = dice.choice(self.deals)
        if what == "list":
            self.ask("GET", f"/v1/customers?pageSize=50&orderBy={quote('updateTime desc')}")
        elif what == "board":
            self.ask("GET", f"/v1/opportunities?pageSize=50&filter={quote('status = OPEN')}")
        elif what == "view 360":
            self.ask("GET", f"/v1/{dice.choice(self.customers)}:view360")
        elif what == "log follow-up":
            said = {"method": "CALL", "outcome": "PROGRESS", "summary": "电话沟通了方案和价格"}
            self.ask("POST", "/v1/followUps", {"record": deal, **said})
        else:
            self.stages[deal] = _STAGES[self.stages.get(deal, _STAGES[0]) == _STAGES[0]]
            self.ask("PATCH", f"/v1/{deal}?updateMask=stage", {"stage": self.stages[deal]})


def staff(house: House) -> list[Worker]:
    """Sixty-four salespeople in eight teams, signed in."""
    url, admin = house.cluster.url, house.population.admin
    teams = [call(url, "/v1/teams", {"displayName": f"办公室{n}"}, admin)["name"] for n in range(8)]
    found = []
    for n in range(PEOPLE):
        given = {"displayName": f"同事{n}", "login": f"desk{n}", "password": PASSWORD, "role": "sales"}
        name = call(url, "/v1/people", {**given, "team": teams[n % 8], "state": "ACTIVE"}, admin)["name"]
        found.append(Worker(url, sign_in(url, f"desk{n}"), name))
    return found


def begin(worker: Worker, number: int) -> Original:
    """His first customer with a contact, a deal and three follow-ups, through the API."""
    phone, company = f"199{number:08d}", f"办公室客户{number:03d}有限公司"
    customer = worker.ask("POST", "/v1/customers", {"displayName": company, "region": "华东", "industry": "物流"})
    name = customer["name"]
    contact = worker.ask("POST", "/v1/contacts", {"customer": name, "fullName": f"联系人{number}", "phone": phone})
    deal = worker.ask(
        "POST",
        "/v1/opportunities",
        {
            "title": f"采购{number}",
            "customer": name,
            "contact": contact["name"],
            "amount": {"currencyCode": "CNY", "units": "90000"},
        },
    )
    logged = [
        worker.ask("POST", "/v1/followUps", {"record": deal["name"], "method": "CALL", "outcome": "PROGRESS",
                                             "summary": f"第{n}次沟通"})
        for n in range(3)
    ]  # fmt: skip
    worker.customers, worker.deals = [name], [deal["name"]]
    records = (name, contact["name"], deal["name"], *(one["name"] for one in logged))
    others = {
        phone: f"'18' || lpad(({number} * 100000 + n)::text, 9, '0')",
        company: f"'{company}' || n",
        deal["number"]: f"'{deal['number']}-' || n",
    }
    return Original([one.rpartition("/")[2] for one in records], others)


def _mine(worker: Worker) -> None:
    """Some of what he has, to work on."""
    for kind, into in (("customers", worker.customers), ("opportunities", worker.deals)):
        page = worker.ask("GET", f"/v1/{kind}?pageSize=100&orderBy={quote('createTime desc')}")[kind]
        into[:] = [one["name"] for one in page]
        if kind == "opportunities":
            worker.stages = {one["name"]: one["stage"] for one in page}


def work(workers: list[Worker], seconds: float, pause: tuple[float, float]) -> dict[str, list[float]]:
    """Everybody at once; the milliseconds of each act by its kind. Raises LoadFailed when one failed."""
    took: dict[str, list[float]] = defaultdict(list)
    problems: list[Exception] = []
    until = time.monotonic() + seconds

    def live(number: int, worker: Worker) -> None:
        dice = random.Random(number)
        time.sleep(dice.uniform(0, pause[1]))
        try:
            while time.monotonic() < until and not problems:
                (what,) = dice.choices(list(_ACTS), list(_ACTS.values()))
                began = time.perf_counter()
                worker.act(what, dice)
                took[what].append((time.perf_counter() - began) * 1000)
                time.sleep(dice.uniform(*pause))
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=live, args=pair, daemon=True) for pair in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 60)
    if problems:
        raise LoadFailed(f"somebody could not work: {problems[0]}")
    return took


def scans(databases: dict[str, str]) -> dict[str, int]:
    """How often each big table was read as a whole so far, by the statistics of PostgreSQL."""
    found = {}
    for service, dsn in databases.items():
        with psycopg.connect(dsn, autocommit=True) as on:
            on.execute("select pg_stat_clear_snapshot()")
            query = "select relname, seq_scan from pg_stat_user_tables where n_live_tup > %s"
            found.update({f"{service}.{name}": count for name, count in on.execute(query, (_SMALL,))})
    return found


def touched(databases: dict[str, str]) -> int:
    """Pages of 8 kB that were looked at so far."""
    total = 0
    for dsn in databases.values():
        with psycopg.connect(dsn, autocommit=True) as on:
            query = "select blks_hit + blks_read from pg_stat_database where datname = current_database()"
            total += (on.execute(query).fetchone() or (0,))[0]
    return total


def _pages(workers: list[Worker], databases: dict[str, str], reads: int) -> float:
    """Pages per read of one person alone, the loops' own left out."""
    dice = random.Random(1)
    time.sleep(2)  # PostgreSQL tells its statistics within a second or two of a backend's rest
    quiet, began = touched(databases), time.monotonic()
    time.sleep(5)
    idle = (touched(databases) - quiet) / (time.monotonic() - began)
    before, began = touched(databases), time.monotonic()
    for number in range(reads):
        workers[number % len(workers)].act(_READS[number % len(_READS)], dice)
    time.sleep(2)
    return max(0.0, touched(databases) - before - idle * (time.monotonic() - began)) / reads


def measure(house: House, customers: int, seconds: float, say: Callable[[str], None]) -> list[Figure]:
    """The figures. Raises LoadFailed when an act failed or a big table was scanned."""
    databases = {name: house.cluster.parts.postgres.dsn_of(name) for name in SERVICES}
    workers = staff(house)
    time.sleep(1)
    originals = [begin(worker, number) for number, worker in enumerate(workers)]
    house.watcher.settled(time.time())
    copies = Copies(databases)
    try:
        each = max(1, customers // PEOPLE)
        few = min(each, 20)
        copies.make(originals, 1, few)
        copies.settle()
        for worker in workers:
            _mine(worker)
        small = _pages(workers, databases, 60)
        began = time.monotonic()
        rows = copies.make(originals, few + 1, each - few) if each > few else 0
        copies.settle()
        say(f"{each * PEOPLE:,} customers with their deals and follow-ups: {rows:,} rows in "
            f"{time.monotonic() - began:.0f} s")  # fmt: skip
    finally:
        copies.close()
    for worker in workers:
        _mine(worker)
    work(workers, min(10.0, seconds), _PAUSE)
    big = _pages(workers, databases, 60)
    before = scans(databases)
    took = work(workers, seconds, _PAUSE)
    time.sleep(2)
    after = scans(databases)
    scanned = {name: after[name] - count for name, count in before.items() if after[name] > count}
    details: dict[str, Any] = {
        "acts": {what: len(found) for what, found in took.items()},
        "p50": {what: round(percentile(found, 0.5), 1) for what, found in took.items()},
        "p99": {what: round(percentile(found, 0.99), 1) for what, found in took.items()},
        "scanned": scanned,
        "pagesPerRead": {"small": round(small, 1), "big": round(big, 1)},
    }
    how = f"{PEOPLE} people by REST, {_PAUSE[0]:g} to {_PAUSE[1]:g} s between acts, {each * PEOPLE:,} customers"
    reads = [one for what in _READS for one in took[what]]
    writes = [one for what, found in took.items() if what not in _READS for one in found]
    return [
        Figure("office reads", "64 people: reads p99", "ms", [percentile(reads, 0.99)], must=150, higher=False, how=how,
               details=details),
        Figure("office writes", "64 people: writes p99", "ms", [percentile(writes, 0.99)], must=250, higher=False,
               how=how),
        Figure("office scans", "big tables that were scanned", "", [float(len(scanned))], must=0, higher=False,
               how="pg_stat_user_tables.seq_scan of tables with over 2 000 rows", details=scanned),
        Figure("office growth", "pages per read, big against small tables", "x", [big / small if small else 1.0],
               must=1.5, higher=False, how=f"one after the other, {few * PEOPLE:,} and {each * PEOPLE:,} customers"),
    ]  # fmt: skip
