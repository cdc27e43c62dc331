"""The figures that need the cluster, each from samples interleaved with their yardsticks."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from loadtests import machine, profiling
from loadtests.driving import drive
from loadtests.figures import Figure, percentile
from loadtests.generator import Job, Outcome
from loadtests.profiling import Cost
from loadtests.setting import House
from loadtests.watching import Done, latencies
from loadtests.yardsticks import G64, P1

_TO_ASSIGNED = "from the first call sent until the last LeadAssigned's outbox row is marked confirmed, by the database"


@dataclass(frozen=True)
class Size:
    """How much of everything: `seconds` of load a sample, `rounds` of samples, `rows` in the big table,
    `office` customers."""

    rounds: int
    seconds: float
    yardstick: int
    paced: float
    alone: int
    decision: float
    embedded: int
    rows: int
    compared: int
    sheet: int
    office: int


FULL = Size(
    rounds=3,
    seconds=8,
    yardstick=4,
    paced=20,
    alone=200,
    decision=2,
    embedded=15_000,
    rows=1_000_000,
    compared=1000,
    sheet=100_000,
    office=100_000,
)
SHORT = Size(
    rounds=1,
    seconds=4,
    yardstick=3,
    paced=8,
    alone=60,
    decision=0.5,
    embedded=4_000,
    rows=10_000,
    compared=200,
    sheet=20_000,
    office=10_000,
)
# What the tests run: that it works, not how fast.
SMOKE = Size(
    rounds=1,
    seconds=1,
    yardstick=1,
    paced=2,
    alone=10,
    decision=0.1,
    embedded=1_000,
    rows=600,
    compared=60,
    sheet=2000,
    office=640,
)


@dataclass
class Bench:
    """Measures on one populated cluster. `spied` names processes for py-spy, empty for none."""

    house: House
    p1: P1
    g64: G64
    size: Size
    spied: Sequence[str] = ()
    profile: Path | None = None
    p1_samples: list[float] = field(default_factory=list)
    g64_samples: list[float] = field(default_factory=list)
    costs: dict[str, str] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    # Of each load in turn: the share of the machine that other processes used.
    neighbours: list[float] = field(default_factory=list)

    def yardstick(self) -> float:
        """P1 now, leads a second."""
        self.p1_samples.append(self.p1.measure(self.size.yardstick))
        return self.p1_samples[-1]

    def count(self, mode: str, unit: int) -> int:
        """Leads that take about `size.seconds` at the rate seen last, in whole calls."""
        return max(2, round(self.rates[mode] * self.size.seconds / unit)) * unit

    def _job(self, mode: str, count: int) -> Job:
        house = self.house
        front, session = house.cluster.front_door, house.population.office
        target, token = {
            "door": (front, session),
            "door batch": (front, session),
            "rest": (house.cluster.url, session),
            "rest batch": (house.cluster.url, session),
        }.get(mode, (house.leads, house.token))
        kind = {"door": "single", "door batch": "batch"}.get(mode, mode)
        flying = 4 if "batch" in kind else 64
        rate = count / self.size.paced
        return Job(kind, target, token, house.numbers(count), count, flying, rate=rate, seconds=120)

    def load(self, mode: str, count: int) -> tuple[Outcome, Done, float]:
        """Sends and waits until all is done and every subscriber has taken everything; the last is the seconds that
        took beyond the last answer."""
        job = self._job(mode, count)
        neighbours = machine.Neighbours(sum(profiling.cpu_of(self.house.pids).values()))
        with self._cost(mode) as cost:
            outcome = drive(job)
            done = self.house.watcher.finished(outcome)
            behind = self.house.watcher.settled(outcome.began)
            if cost is not None:
                cost.leads = done.leads
        if cost is not None:
            self.costs[mode] = cost.show()
        self.rates[mode] = done.rate
        self.neighbours.append(round(neighbours.share(sum(profiling.cpu_of(self.house.pids).values())), 3))
        return outcome, done, behind

    def _cost(self, mode: str) -> AbstractContextManager[Cost | None]:
        if self.profile is None:
            return nullcontext()
        server = self.house.cluster.parts.postgres
        return profiling.watched(self.house.pids, self.profile / mode.replace(" ", "-"), self.spied, server)

    def warm_up(self, modes: Iterable[str]) -> None:
        """Once through each path, so that what is compiled and prepared once is, and rates are known."""
        profile, self.profile = self.profile, None
        for mode in modes:
            self.load(mode, 4000 if "batch" in mode else 1000)
        self.profile = profile

    # --- figures ---

    def memory(self) -> Figure:
        """The largest service process, a few seconds after the start, before any load."""
        time.sleep(2)
        services = {n: round(machine.resident(p.pid), 1) for n, p in self.house.cluster.processes.items()}
        return Figure(
            "memory service", "memory of a service process at rest, the largest", "MB", [max(services.values())],
            must=130, aim=90, higher=False, how="VmRSS, before any load", details={"processes": services},
        )  # fmt: skip

    def throughput(self, modes: Sequence[str]) -> list[Figure]:
        """Each mode in turn, P1 before and after each, G64 once a round."""
        found = {mode: _throughput_figure(mode) for mode in modes}
        for _ in range(self.size.rounds):
            before = self.yardstick()
            for mode in modes:
                outcome, done, behind = self.load(mode, self.count(mode, 1000 if "batch" in mode else 100))
                after = self.yardstick()
                figure = found[mode]
                figure.samples.append(done.rate)
                figure.ratios.append(done.rate / ((before + after) / 2))
                seconds = [s for _, s, _ in outcome.calls]
                figure.details.setdefault("runs", []).append(
                    {
                        "leads": done.leads,
                        "acknowledgedPerSecond": outcome.leads / (outcome.ended - outcome.began),
                        "callP50ms": percentile(seconds, 0.5) * 1e3,
                        "callP99ms": percentile(seconds, 0.99) * 1e3,
                        "everySubscriberDoneAfterSeconds": behind,
                        "generatorCpuSeconds": outcome.cpu_seconds,
                        "othersUsedOfTheMachine": self.neighbours[-1],
                    }
                )
                before = after
            self.g64_samples.append(self.g64.measure(max(2000, self.size.yardstick * 2000), self.house.token))
        return list(found.values())

    def latency(self) -> list[Figure]:
        """20 leads a second, open loop."""
        p50s, p99s, recorded = [], [], []
        for _ in range(self.size.rounds):
            outcome, _, _ = self.load("paced", int(20 * self.size.paced))
            seconds = latencies(outcome, self.house.watcher.announced(outcome.began - 1))
            p50s.append(percentile(seconds, 0.5) * 1e3)
            p99s.append(percentile(seconds, 0.99) * 1e3)
            recorded.append({"samples": len(seconds), "worstMs": max(seconds) * 1e3})
        how = "from each call's intended start until its LeadAssigned was confirmed by the broker (published_at)"
        details = {"runs": recorded}
        title = "capture to ASSIGNED at 20 leads/s, "
        p50 = Figure("assigned p50", title + "p50", "ms", p50s, must=40, aim=15, higher=False, how=how, details=details)
        return [p50, Figure("assigned p99", title + "p99", "ms", p99s, must=150, aim=60, higher=False)]

    def alone(self) -> list[Figure]:
        """One call at a time, at the service's port."""
        p50s, p99s = [], []
        for _ in range(self.size.rounds):
            outcome, _, _ = self.load("alone", self.size.alone)
            seconds = [s for _, s, _ in outcome.calls]
            p50s.append(percentile(seconds, 0.5) * 1e3)
            p99s.append(percentile(seconds, 0.99) * 1e3)
        how = f"{self.size.alone} calls a sample, one at a time, 30 ms after the last answer; the client's clock"
        return [
            Figure("call p50", "one capture call alone, p50", "ms", p50s, must=5, aim=2, higher=False, how=how),
            Figure("call p99", "one capture call alone, p99", "ms", p99s, must=20, aim=6, higher=False),
        ]

    def certificate(self) -> Figure:
        """What the journal stored for the leads of this run."""
        smallest, mean, largest = self.house.watcher.certificates(0)
        return Figure(
            "certificate", "a stored certificate", "bytes", [smallest, mean, largest], must=1000, aim=300,
            higher=False, how="journal body and hash, as stored: smallest, mean, largest; the mean is judged",
        )  # fmt: skip

    def yardsticks(self) -> list[Figure]:
        how1 = "pgbench -c 8 -j 2, one transaction per lead, same PostgreSQL, fsync and synchronous_commit on"
        how2 = "do-nothing unary echo, sync gRPC server of 96 threads in its own process, the captures' own generator"
        figures = [Figure("P1", "yardstick P1", "leads/s", self.p1_samples, how=how1)]
        if self.neighbours:
            others = Figure(
                "others", "used by other processes during the loads", "%", [100 * n for n in self.neighbours]
            )
            others.how = "of all cores; what is measured, its servers and the generators left out"
            figures.append(others)
        if self.g64_samples:
            figures.append(Figure("G64", "yardstick G64", "calls/s", self.g64_samples, how=how2))
        return figures


_TITLES = {
    "single": ("single CaptureLead calls, 64 in flight", 0.15, 0.35),
    "batch": ("batchCapture of 1 000", 0.4, 1.0),
    "door": ("single calls through the gateway's front door", None, None),
    "rest": ("single calls through REST", None, None),
    "rest batch": ("batchCapture through REST", None, None),
}


def _throughput_figure(mode: str) -> Figure:
    title, must, aim = _TITLES[mode]
    how = _TO_ASSIGNED if mode == "single" else ""
    return Figure(mode, title, "leads/s", [], "P1", must=must, aim=aim, how=how)
