"""Sixty-four people at their desks, each on one connection, and what they do there."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from loadtests.driving import LoadFailed
from loadtests.population import PASSWORD, call, sign_in
from loadtests.setting import House

TEAMS, SELLERS = 8, 7
PEOPLE = TEAMS * (SELLERS + 1)
# What they do, and how often of 100 times.
ACTS = {"list": 30, "board": 10, "view 360": 25, "log follow-up": 20, "drag stage": 15}
READS = ("list", "board", "view 360")
_STAGES = ("first-visit", "need-clear")
# What one opens is among his newest.
_AT_HAND = 100
_LINE_SECONDS = 10


@dataclass
class Worker:
    """One person. `customers`, `deals` and their `stages` are what he works on."""

    url: str
    token: str
    name: str
    role: str
    customers: list[str] = field(default_factory=list)
    deals: list[str] = field(default_factory=list)
    stages: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        at = urlsplit(self.url)
        self._line = http.client.HTTPConnection(at.hostname or "", at.port, timeout=30)
        self._used = time.monotonic()

    def ask(self, verb: str, path: str, body: Any = None) -> Any:
        """Raises LoadFailed for anything but success."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if time.monotonic() - self._used > _LINE_SECONDS:
            self._line.close()  # the other end may have; the next request opens it again
        self._line.request(verb, path, None if body is None else json.dumps(body), headers)
        answer = self._line.getresponse()
        said = answer.read()
        self._used = time.monotonic()
        if answer.status >= 400:
            raise LoadFailed(f"{verb} {path}: {answer.status} {said[:500].decode(errors='replace')}")
        return json.loads(said)

    def look_around(self) -> None:
        """Takes his newest customers and deals in hand. Raises LoadFailed where there are none."""
        newest = f"pageSize={_AT_HAND}&orderBy={quote('createTime desc')}"
        self.customers = [one["name"] for one in self.ask("GET", f"/v1/customers?{newest}")["customers"]]
        page = self.ask("GET", f"/v1/opportunities?{newest}&filter={quote('status = OPEN')}")["opportunities"]
        self.stages = {one["name"]: one["stage"] for one in page}
        self.deals = list(self.stages)
        if not (self.customers and self.deals):
            raise LoadFailed(f"{self.name} sees no customers or no deals")

    def act(self, what: str, dice: random.Random) -> None:
        """One of ACTS. Raises LoadFailed, also for a customer of whom a side is missing."""
        deal = dice.choice(self.deals)
        if what == "list":
            self.ask("GET", f"/v1/customers?pageSize=50&orderBy={quote('updateTime desc')}")
        elif what == "board":
            self.ask("GET", f"/v1/opportunities?pageSize=50&filter={quote('status = OPEN')}")
        elif what == "view 360":
            view = self.ask("GET", f"/v1/{dice.choice(self.customers)}:view360")
            if away := [part["name"] for part in view["parts"] if part["state"] == "AWAY"]:
                raise LoadFailed(f"the customer's {', '.join(away)} did not come in time")
        elif what == "log follow-up":
            said = {"method": "CALL", "outcome": "PROGRESS", "summary": "电话沟通了方案和价格"}
            self.ask("POST", "/v1/followUps", {"record": deal, **said})
        else:
            self.stages[deal] = _STAGES[self.stages[deal] == _STAGES[0]]
            self.ask("PATCH", f"/v1/{deal}?updateMask=stage", {"stage": self.stages[deal]})


def staff(house: House) -> list[list[Worker]]:
    """Eight teams of seven salespeople and a manager each, signed in; the manager comes last."""
    url, admin = house.cluster.url, house.population.admin
    found = []
    for team in range(TEAMS):
        name = call(url, "/v1/teams", {"displayName": f"办公室{team}"}, admin)["name"]
        members = []
        for seat in range(SELLERS + 1):
            login, role = f"desk{team}{seat}", "sales" if seat < SELLERS else "manager"
            person = {"displayName": f"同事{team}{seat}", "login": login, "password": PASSWORD, "role": role}
            made = call(url, "/v1/people", {**person, "team": name, "state": "ACTIVE"}, admin)
            members.append(Worker(url, sign_in(url, login), made["name"], role))
        found.append(members)
    return found


@dataclass(frozen=True)
class Deal:
    """What is one deal's own: how its customer is called and reached, and its number."""

    phone: str
    company: str
    number: str


def deal(serial: int, number: str) -> Deal:
    """Of the same length, whatever the serial number (0 to 10^8 - 1)."""
    return Deal(f"199{serial:08d}", f"办公室客户{serial:08d}有限公司", number)


def earlier(number: str, by: timedelta, serial: int) -> str:
    """The number that a deal would have got `by` before one with this number ("CRM-20261122-100001")."""
    prefix, day, count = number.split("-")
    before = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) - by
    return f"{prefix}-{before:%Y%m%d}-{serial:0{len(count)}d}"


def begin(worker: Worker, serial: int) -> Deal:
    """A customer with a contact, a deal and three follow-ups, through the API."""
    known = deal(serial, "")
    of = {"displayName": known.company, "region": "华东", "industry": "物流"}
    customer = worker.ask("POST", "/v1/customers", of)["name"]
    person = {"customer": customer, "fullName": "王经理", "phone": known.phone}
    contact = worker.ask("POST", "/v1/contacts", person)["name"]
    amount = {"currencyCode": "CNY", "units": "90000"}
    wanted = {"title": "年度采购", "customer": customer, "contact": contact, "amount": amount}
    made = worker.ask("POST", "/v1/opportunities", wanted)
    for summary in ("介绍了公司", "了解了需求", "约了下次拜访"):
        said = {"record": made["name"], "method": "CALL", "outcome": "PROGRESS", "summary": summary}
        worker.ask("POST", "/v1/followUps", said)
    return deal(serial, made["number"])


def work(workers: Sequence[Worker], seconds: float, pause: tuple[float, float]) -> dict[str, list[float]]:
    """Everybody at once for so long, with a pause of so many seconds after each act; the milliseconds of each act by
    its kind. Raises LoadFailed when one failed."""
    took: dict[str, list[float]] = defaultdict(list)
    problems: list[Exception] = []
    until = time.monotonic() + seconds

    def live(number: int, worker: Worker) -> None:
        dice = random.Random(number)
        try:
            time.sleep(dice.uniform(0, pause[1]))
            while time.monotonic() < until and not problems:
                (what,) = dice.choices(list(ACTS), list(ACTS.values()))
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
        raise LoadFailed(f"somebody could not work: {problems[0]}") from problems[0]
    if lazy := set(ACTS) - set(took):
        raise LoadFailed(f"nobody did: {', '.join(sorted(lazy))}")
    return took
