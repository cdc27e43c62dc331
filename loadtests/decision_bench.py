"""How fast the pure decision is: default policy of seven steps, 50 candidates, certificate encoded and chained.

    python loadtests/decision_bench.py [--seconds 3]

One core, batches of 256 in four settings. Ends with the line `figure: …` and writes build/figures/decision_bench.json.
"""

import argparse
import json
import platform
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rules.domain.assignment import decide_all
from rules.domain.chain import GENESIS, seal
from rules.domain.codec import encode
from rules.domain.entries import LeadFacts, PersonChanged, PresenceChanged
from rules.domain.replay import fold, fold_all
from rules.domain.state import State, initial_state, micros

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
LEADS = 256
PEOPLE = 50
Setting = tuple[State, Callable[[int, State], State]]


def person(number: int, **facts: Any) -> PersonChanged:
    """Somebody of 华东, with an identifier as long as a real one."""
    key = f"people/01939c2e-7d1a-7c3b-9f10-{number:012x}"
    return PersonChanged(key, 1, region="华东", **facts)


def facts(number: int) -> LeadFacts:
    """A typical lead: region, industry, category, channel, no place."""
    return LeadFacts(
        f"leads/01939c2e-7d1a-7c3b-9f10-{number:012x}",
        1,
        (False, False),
        region="华东",
        industry="汽车后市场",
        category="轮毂",
        channel="WEB_FORM",
        intent="HIGH",
        captured_at=micros(NOW) - 20_000,
    )


def settings() -> dict[str, Setting]:
    """Equal weights; odd weights; everybody capped; and an epoch that ends after every 8 leads."""

    def people(**varied: Callable[[int], object]) -> State:
        made = [person(n, **{name: of(n) for name, of in varied.items()}) for n in range(PEOPLE)]
        return fold_all(initial_state(), made)

    def flap(batch: int, state: State) -> State:
        who = f"people/01939c2e-7d1a-7c3b-9f10-{batch % PEOPLE:012x}"
        presence = "AWAY" if (batch // PEOPLE) % 2 == 0 else "ONLINE"
        return fold(state, PresenceChanged(who, batch + 1, presence, micros(NOW)))

    def same(batch: int, state: State) -> State:
        return state

    return {
        "equal weights": (people(), same),
        "odd weights": (people(weight=lambda n: 1000 + 37 * n), same),
        "limits on": (people(open_limit=lambda n: 10_000_000, day_limit=lambda n: 10_000_000), same),
        "presence flaps": (people(weight=lambda n: 1000 * (1 + n % 3)), flap),
    }


def measure(setting: Setting, seconds: float, size: int) -> tuple[float, float]:
    """Decisions per second, and bytes per certificate."""
    state, between = setting
    leads = [facts(number) for number in range(size)]
    head, done, written, batch = GENESIS, 0, 0, 0
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        now = NOW + timedelta(microseconds=batch)
        state = between(batch, state)
        decisions, state = decide_all(state, leads, now)
        encoded = [encode(decision) for decision in decisions]
        head = seal(head, state.seq - size + 1, encoded)[-1].hash
        done, written, batch = done + size, written + sum(map(len, encoded)), batch + 1
    return done / (time.perf_counter() - begin), written / done


def main() -> None:
    """Measure every setting and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3)
    seconds = parser.parse_args().seconds
    figures = {}
    for name, setting in settings().items():
        size = 8 if name == "presence flaps" else LEADS
        rate, length = measure(setting, seconds, size)
        figures[name] = {"per_second": round(rate), "bytes": round(length, 1), "batch": size}
        print(f"{name}: {rate:,.0f} decisions/s, {length:.0f} bytes a certificate (batches of {size})")
    single, _ = measure(settings()["equal weights"], seconds, 1)
    figures["one at a time"] = {"per_second": round(single), "batch": 1}
    print(f"one at a time: {single:,.0f} decisions/s")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    target = Path(__file__).parent.parent / "build" / "figures" / "decision_bench.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    machine = {"machine": platform.machine(), "python": platform.python_version(), "commit": commit.stdout.strip()}
    target.write_text(json.dumps({**machine, "samples": figures}, ensure_ascii=False, indent=2) + "\n")
    equal = figures["equal weights"]
    print(f"figure: {equal['per_second']:,} decisions/s per core, {equal['bytes']:.0f} bytes a certificate")


if __name__ == "__main__":
    main()
