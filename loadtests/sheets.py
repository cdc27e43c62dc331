"""A sheet of leads imported as people do it: one file over REST, until the last lead is ASSIGNED."""

from __future__ import annotations

import csv
import io
import threading
import time
from dataclasses import dataclass
from typing import Any

import requests

from loadtests import contacts, machine
from loadtests.driving import LoadFailed
from loadtests.figures import Figure
from loadtests.generator import Outcome
from loadtests.measures import Bench

_CHANNELS = ("官网", "展会", "抖音", "微信", "400电话", "转介绍", "导入", "API")
_INTENTS = ("高", "中", "低")
_SECONDS = 600


def sheet(first: int, count: int) -> bytes:
    """`count` contacts that nobody has sent yet, as CSV with Chinese headers."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["姓名", "手机号", "邮箱", "公司", "地区", "行业", "业务类别", "来源", "意向度", "备注"])
    for number in range(first, first + count):
        c = contacts.contact(number)
        source, intent = _CHANNELS[c.channel - 1], _INTENTS[c.intent - 1]
        rows.writerow(
            [c.full_name, c.phone, c.email, c.company, c.region, c.industry, c.category, source, intent, c.text]
        )
    return text.getvalue().encode()


@dataclass
class _Highest:
    """The most memory that a process had while something else went on, in MB."""

    pid: int
    most: float = 0.0

    def __post_init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(0.2):
            self.most = max(self.most, machine.resident(self.pid))

    def __enter__(self) -> _Highest:
        return self

    def __exit__(self, *why: object) -> None:
        self._ended.set()
        self._thread.join()


def _ended(session: requests.Session, url: str) -> dict[str, Any]:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        job: dict[str, Any] = session.get(url, timeout=30).json()
        if job.get("done"):
            return job
        time.sleep(0.1)
    raise LoadFailed(f"the import did not end within {_SECONDS} s")


def measure(bench: Bench, rows: int) -> list[Figure]:
    """From the upload's first byte until the last LeadAssigned was confirmed by the broker, beside P1 of this run."""
    house = bench.house
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {house.population.office}"
    content = sheet(house.numbers(rows), rows)
    process = house.cluster.processes["leads serve"].pid
    at_rest = machine.resident(process)
    before = bench.yardstick()
    with _Highest(process) as memory:
        began = time.time()
        sent = session.post(
            f"{house.cluster.url}/v1/imports",
            data={"kind": "LEADS"},
            files={"file": ("leads.csv", content)},
            timeout=120,
        )
        sent.raise_for_status()
        uploaded = time.time()
        job = _ended(session, f"{house.cluster.url}/v1/{sent.json()['name']}")
        counts = job.get("counts", {})
        if job["state"] != "SUCCEEDED" or counts.get("created") != rows:
            raise LoadFailed(f"the import ended as {job['state']} with {counts}")
        ended = time.time()
        done = house.watcher.finished(Outcome(began, ended, rows), seconds=_SECONDS)
        behind = house.watcher.settled(began)
    after = bench.yardstick()
    how = "REST upload of one CSV, read, matched, assigned, until the last LeadAssigned was confirmed by the broker"
    figure = Figure("import", f"{rows:,} leads from one sheet", "rows/s", [done.rate], must=1500, aim=5000, how=how)
    figure.details["timesP1"] = done.rate / ((before + after) / 2)
    figure.details["runs"] = [
        {
            "rows": rows,
            "bytes": len(content),
            "uploadSeconds": uploaded - began,
            "committedSeconds": ended - began,
            "assignedSeconds": done.seconds,
            "everySubscriberDoneAfterSeconds": behind,
        }
    ]
    peak = Figure(
        "import memory",
        "memory of leads serve while importing, above rest",
        "MB",
        [memory.most - at_rest],
        higher=False,
        how="VmRSS every 200 ms",
        details={"atRest": at_rest, "most": memory.most},
    )
    return [figure, peak]
