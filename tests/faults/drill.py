"""`make drill ROUNDS=n`: kill random processes under load and check that every promise holds.

    python -m tests.faults.drill --rounds 20 --form cluster --seed 7

A round: captures run through both paths, and desks take customers to the money in the bank; a random process is killed
with SIGKILL while at least 20 calls are in flight, and started again; when at least 200 leads are acknowledged and two
deals are paid the callers finish, the system settles, and a checker reads the databases. The seed decides victims,
moments and what the bus does wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.books import check_books
from tests.faults.check import Verdict, check, unhandled, unsettled
from tests.faults.deals import Answered, Desks
from tests.faults.house import House, staffed
from tests.faults.load import REGIONS, Acknowledged, Load, Staff, insist
from tests.faults.systems import PASSWORD, ClusterSystem, EmbeddedSystem, System
from tests.faults.tally import Tally

ACKNOWLEDGED, IN_FLIGHT, PAID = 200, 20, 2
# Events that nobody has handled after so long, with nothing else moving, will not be.
_STILL = 15.0
# A system is given up after so many rounds and a fresh one begun: the checker reads all of history each time.
ROUNDS_EACH = {"cluster": 20, "embedded": 25}


class Violated(AssertionError):
    """An invariant did not hold. Names the seed and the round, so that it can be repeated."""


def people(system: System, token: str) -> Staff:
    """Four people in each region, one of them with room for 40 open leads; the first of each claims leads, too."""
    regions: dict[str, list[str]] = {region: [] for region in REGIONS}
    claimers = []
    for region, names in regions.items():
        for number in range(4):
            person: dict[str, Any] = {
                "displayName": f"{region}{number}",
                "login": f"sales-{REGIONS.index(region)}-{number}",
                "password": PASSWORD,
                "role": "sales",
                "region": region,
                "weight": number + 1,
            }
            if number == 3:
                person["capacity"] = {"open": 40}
            names.append(insist(system.url, "/v1/people", person, token)["name"])
        signing_in = {"login": f"sales-{REGIONS.index(region)}-0", "password": PASSWORD}
        claimers.append(insist(system.url, "/v1/sessions", signing_in)["token"])
    return Staff(regions, claimers)


def wait_settled(system: System, seconds: float) -> bool:
    """Whether nothing is under way any more. What was announced and not handled is waited for only while that moves:
    the check names it."""
    end = time.monotonic() + seconds
    calm, left, since = 0, [""], time.monotonic()
    while time.monotonic() < end:
        if unsettled(system.databases):
            calm = 0
        else:
            calm += 1
            now = unhandled(system.databases)
            if now != left:
                left, since = now, time.monotonic()
            if calm >= 3 and (not left or time.monotonic() - since > _STILL):
                return True
        time.sleep(0.3)
    return False


class Drill:
    """Rounds on one system."""

    def __init__(self, system: System, seed: str, patience: float = 90.0, deals: bool = True) -> None:
        """`patience`: seconds that the system has to settle after a round; `deals`: they are made, too."""
        self.system, self._seed, self._patience = system, seed, patience
        self._rng = random.Random(seed)
        self.acknowledged = Acknowledged()
        self.kills: list[str] = []
        self._token = ""
        self._staff = Staff({}, [])
        self.answered = Answered()
        self._deals, self._house = deals, House({}, {}, "", "")

    def begin(self) -> None:
        self._token = insist(self.system.url, "/v1/sessions", {"login": "admin", "password": PASSWORD})["token"]
        self._staff = people(self.system, self._token)
        if self._deals:
            self._house = staffed(self.system.url, self._token, PASSWORD)
        if not wait_settled(self.system, 60):
            raise Violated(f"the system did not settle before the first round: {unsettled(self.system.databases)}")

    def round(self, number: int) -> Verdict:
        """One round. Raises Violated."""
        load = Load(self.system.url, self.system.front_door, self._token, self._staff, f"{self._seed}-{number}")
        load.offset(number)
        load.start()
        desks = Desks(self.system.url, self._house, self._token, f"{self._seed}-{number}", self.answered)
        desks.start()
        paid = self.answered.paid
        down: list[str] = []
        for _ in range(self._rng.randint(1, 2)):
            time.sleep(self._rng.uniform(0.05, 0.6))
            self._wait(lambda: load.in_flight >= IN_FLIGHT, 30, "20 calls in flight")
            victim = self._rng.choice([v for v in self.system.victims if v not in down])
            self.system.kill(victim)
            down.append(victim)
            self.kills.append(victim)
            if len(down) == len(self.system.victims):
                break
        load.spare()
        time.sleep(self._rng.uniform(0.0, 0.5))
        # Real parts first: a process is ready only when its database is.
        for victim in sorted(down, key=lambda v: v not in ("PostgreSQL", "RabbitMQ")):
            self.system.restart(victim)
        self._wait(lambda: len(load.acknowledged.leads) >= ACKNOWLEDGED, 120, "200 acknowledged leads")
        if self._deals:
            load.ease()
            self._wait(lambda: self.answered.paid >= paid + PAID or self.answered.wrong, 120, f"{PAID} paid deals")
        desks.stop()
        load.stop()
        quiet = wait_settled(self.system, self._patience)
        # All that was ever acknowledged is asked for, not this round's alone.
        self.acknowledged.leads.update(load.acknowledged.leads)
        self.acknowledged.done.update(load.acknowledged.done)
        self.acknowledged.acts, self.acknowledged.wrong = load.acknowledged.acts, load.acknowledged.wrong
        verdict = check(self.system.databases, self.acknowledged)
        if self._deals:
            tally = check_books(self.system.databases, self.answered)
            verdict.wrong += tally.wrong
            verdict.deals = tally.counts()
        if not quiet:
            verdict.wrong.append(f"STUCK after {self._patience:.0f} s: {unsettled(self.system.databases)}")
        return verdict

    def _wait(self, true: Any, seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise Violated(f"no {what} within {seconds:.0f} s (seed {self._seed}, kills {self.kills})")
            time.sleep(0.02)


def campaign(
    form: str,
    rounds: int,
    seed: int,
    plant: str = "",
    quiet: bool = False,
    patience: float = 90.0,
    deals: bool = True,
) -> list[Verdict]:
    """Runs so many rounds, on fresh systems now and then. Stops at the first violation, which the last verdict has."""
    verdicts: list[Verdict] = []
    while len(verdicts) < rounds:
        part = f"{seed}-{len(verdicts)}"
        with tempfile.TemporaryDirectory(prefix="drill-") as folder:
            os.chmod(folder, 0o755)  # PostgreSQL runs as another user when we are root
            make: Any = ClusterSystem if form == "cluster" else EmbeddedSystem
            with make(Path(folder), part, plant) as system:
                drill = Drill(system, part, patience, deals)
                drill.begin()
                for number in range(min(ROUNDS_EACH[form], rounds - len(verdicts))):
                    started = time.monotonic()
                    verdict = drill.round(number)
                    verdicts.append(verdict)
                    if not quiet:
                        print(
                            _line(form, len(verdicts), verdict, drill.kills[-2:], time.monotonic() - started),
                            flush=True,
                        )
                    if verdict.wrong:
                        return verdicts
    return verdicts


def _line(form: str, number: int, verdict: Verdict, kills: list[str], seconds: float) -> str:
    state = "ok" if not verdict.wrong else f"{len(verdict.wrong)} VIOLATIONS"
    return (
        f"{form} round {number}: {state}, killed {', '.join(kills)}, {verdict.leads} leads, "
        f"{verdict.decisions} decisions, {verdict.refused} turns returned, {verdict.waiting} waiting, "
        f"{verdict.snapshots} snapshots, {sum(verdict.acts.values())} acts by hand, {verdict.poison} poison parked, "
        f"{', '.join(f'{count} {what}' for what, count in verdict.deals.items())}, {seconds:.1f} s"
    )


def never_there(verdicts: list[Verdict]) -> list[str]:
    """What was looked for among the deals and was not there to be wrong."""
    counted = Counter[str]()
    for verdict in verdicts:
        counted.update(verdict.deals)
    return sorted(what for what in Tally().counts() if not counted[what])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="cluster rounds; embedded ones are ten times as many")
    parser.add_argument("--form", choices=("cluster", "embedded", "both"), default="both")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--plant", default="", help="a defect of plants.PLANTS")
    wanted = parser.parse_args()
    forms = {"cluster": wanted.rounds, "embedded": wanted.rounds * (10 if wanted.form == "both" else 1)}
    print(f"seed {wanted.seed}")
    figures: dict[str, Any] = {
        "seed": wanted.seed,
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "commit": _commit(),
    }
    wrong: list[str] = []
    for form, rounds in forms.items():
        if wanted.form in (form, "both") and not wrong:
            verdicts = campaign(form, rounds, wanted.seed, wanted.plant)
            wrong = verdicts[-1].wrong or [f"THERE WAS NO {what} to be wrong" for what in never_there(verdicts)]
            figures[form] = {"rounds": len(verdicts), "samples": [asdict(v) for v in verdicts]}
    for text in wrong[:50]:
        print(f"  {text}")
    path = Path("build/figures/drill.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, ensure_ascii=False, indent=1))
    print(_figure(figures, wrong))
    return 1 if wrong else 0


def _figure(figures: dict[str, Any], wrong: list[str]) -> str:
    parts = []
    for form in ("cluster", "embedded"):
        if form in figures:
            samples = figures[form]["samples"]
            worst = max(s["worst_in_epoch"] for s in samples)
            over = max(s["overshoot"] for s in samples)
            most = max((s["deals"] for s in samples), key=lambda deals: deals.get("deals", 0))
            parts.append(
                f"{figures[form]['rounds']} {form} rounds, fairness within an epoch at worst {worst:.3f} lead, "
                f"capacity overshoot {over}, at most "
                f"{', '.join(f'{count} {what}' for what, count in most.items())} in one set of books"
            )
    return f"figure: {'; '.join(parts)}; {len(wrong)} violations (seed {figures['seed']})"


def _commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
