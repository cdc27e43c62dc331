"""`make bench`: every figure beside its yardstick, in one run on one machine.

    python -m loadtests.bench [figure ...] [--profile "leads serve,rules work"] [--rows 1000000]

Figures: decision memory single batch door rest latency alone certificate import office reports embedded
million;
all without a name.
BENCH=short takes some minutes (and writes bench-short.json); LOCUST=1 runs the stepped load of locustfile.py
instead. Ends with the line `figure: ...` and writes build/figures/bench.json. Exit 1 when a must is missed, 2 when
the load failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from chassis.testing.process import MissingPart, PartFailed
from loadtests import decision_bench, embedded_house, figures, machine, million, office, setting, sheets, tiles
from loadtests.driving import LoadFailed
from loadtests.figures import Figure
from loadtests.measures import FULL, SHORT, SMOKE, Bench, Size
from loadtests.yardsticks import G64, P1

ALL = (
    "decision",
    "memory",
    "single",
    "batch",
    "door",
    "rest",
    "latency",
    "alone",
    "certificate",
    "import",
    "office",
    "reports",
    "embedded",
    "million",
)
_LOADS = ("single", "batch", "door", "rest")
_CLUSTER = (*_LOADS, "memory", "latency", "alone", "certificate", "import", "office", "reports", "million")
console = Console(width=150, highlight=False)


def say(text: str) -> None:
    """Progress, with the seconds since the start."""
    console.print(f"[dim]{time.monotonic() - _began:6.1f} s  {text}[/]", markup=True, soft_wrap=True)


_began = time.monotonic()


def decision(size: Size) -> Figure:
    """`rules.domain` alone, on one core: the default policy's seven steps, fifty candidates, certificate chained."""
    equal = decision_bench.settings()["equal weights"]
    samples, length = [], 0.0
    for _ in range(3):
        rate, length = decision_bench.measure(equal, size.decision, decision_bench.LEADS)
        samples.append(rate)
    return Figure(
        "decision", "the pure decision, certificate included", "/s per core", samples, must=8_000, aim=40_000,
        how="7 steps, 50 candidates, batches of 256, encoded and chained", details={"certificateBytes": length},
    )  # fmt: skip


def in_cluster(
    wanted: Sequence[str], size: Size, spied: Sequence[str], profile: Path | None, found: list[Figure]
) -> dict[str, float]:
    """Adds the figures of the cluster to `found` as they are measured, so that a part that fails takes no other's
    with it. Returns what setting it up took.
    """
    g64 = G64()
    try:
        with setting.house(statistics=profile is not None) as house:
            setup = {"start": house.started_in, "people": house.populated_in}
            say(f"cluster started in {house.started_in} s, people made in {house.populated_in} s")
            bench = Bench(house, P1(house.cluster.parts.postgres), g64, size, spied, profile)
            if "memory" in wanted:
                found.append(bench.memory())
            fresh = million.prepare(house) if "million" in wanted else None
            loads = [mode for mode in _LOADS if mode in wanted]
            bench.warm_up([*loads, *(["batch"] if "batch" not in loads else [])])
            judged = [mode for mode in loads if mode in ("single", "batch")]
            if judged:
                found += bench.throughput(judged)
                say("throughput measured")
            if informing := [mode for mode in loads if mode not in judged]:
                bench.size = replace(size, rounds=1)
                found += bench.throughput(informing)
                bench.size = size
            if "latency" in wanted:
                found += bench.latency()
                say("latency measured")
            if "alone" in wanted:
                found += bench.alone()
            if "certificate" in wanted:
                found.append(bench.certificate())
            if "office" in wanted:
                found += office.measure(house, size.office, 3 * size.paced, min(size.compared, 100), say)
                say("office measured")
            if "reports" in wanted:
                found.extend(tiles.measure(house, size.rows, size.compared, say))
                say("reports measured")
            if "import" in wanted:
                found += sheets.measure(bench, size.sheet)
                say("import measured")
            if fresh is not None:
                say(f"loading {size.rows:,} leads")
                more, seconds = million.measure(bench, fresh, say)
                found += more
                setup.update(seconds)
            found += bench.yardsticks() if bench.p1_samples else []
            for mode, cost in bench.costs.items():
                console.print(f"\n{mode}\n{cost}", markup=False, soft_wrap=True)
    finally:
        g64.stop()
    return setup


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="*", help=f"{' '.join(ALL)}; all when none is given")
    parser.add_argument(
        "--profile", metavar="PROCESSES", help='"leads serve,rules work": py-spy and PostgreSQL\'s statistics'
    )
    parser.add_argument("--rows", type=int, help="leads already in the table for `million`")
    found = parser.parse_args()
    if unknown := set(found.figures) - set(ALL):
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    return found


def main() -> int:
    """Measure and print. Returns the exit code."""
    if os.environ.get("LOCUST") == "1":
        from loadtests import stepped

        return stepped.main()
    asked = arguments()
    wanted = asked.figures or list(ALL)
    how = os.environ.get("BENCH", "")
    size = {"short": SHORT, "smoke": SMOKE}.get(how, FULL)
    if asked.rows:
        size = replace(size, rows=asked.rows)
    spied = [name.strip() for name in (asked.profile or "").split(",") if name.strip()]
    profile = figures.FOLDER.parent / "profile" if asked.profile is not None else None
    before = machine.description()
    found: list[Figure] = []
    setup: dict[str, float] = {}
    try:
        if "decision" in wanted:
            found.append(decision(size))
        if "embedded" in wanted:
            more, setup["embedded start"] = embedded_house.measure(size)
            found += more
            say("embedded measured")
        if set(wanted) & set(_CLUSTER):
            setup.update(in_cluster(wanted, size, spied, profile, found))
    except (LoadFailed, MissingPart, PartFailed) as problem:
        figures.show(found, console)
        console.print(f"the bench failed: {problem}", style="bold red", markup=False, soft_wrap=True)
        return 2
    figures.show(found, console)
    took = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in setup.items())
    console.print(f"set-up (not part of any figure): {took or 'none'}; whole run {time.monotonic() - _began:.0f} s")
    figures.write(
        f"bench-{how}" if how else "bench",
        found,
        setUpSeconds=setup,
        machineBefore=before,
        seconds=time.monotonic() - _began,
    )
    console.print(figures.line(found), soft_wrap=True, markup=False)
    return 1 if any(f.verdict == "MISSED" for f in found) else 0


if __name__ == "__main__":
    sys.exit(main())
