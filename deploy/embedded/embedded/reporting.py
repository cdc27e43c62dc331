"""Commands on the read model of the reports: to make it anew, and to look whether it is right.

They open the databases as `inspection` does. Where those of all services are here, the command does the work itself or
shares it with the running house; where only that of the reports is (in a pod), the running house does it and the
command tells how far it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console

from chassis import clock, history
from chassis.history import Page
from chassis.service import Runtime
from embedded.comparing import HOLDERS, compare, recount
from embedded.inspection import runtimes
from reports.servicer.rebuilder import Rebuilder
from reports.usecases import rebuilding
from reports.usecases.rebuilding import Progress
from reports.wire.telling import by_service

# Seconds between two lines of progress, and those without any until it says so and ends.
_SAID_EVERY, _PATIENCE = 2.0, 180.0
_OWNERS = frozenset({"leads", "customers", "opportunities", "activities", "contracts", "directory"})
# Cells that are named.
_LINES = 50


def rebuild(patience: float = _PATIENCE) -> int:
    """Makes the read model anew beside the one that answers, and swaps them. Exit status 1 where nothing moves."""
    console = Console(highlight=False)
    here = {one.name: one for one in runtimes()}
    mine = here.get("reports")
    if mine is None:
        console.print("There are no reports here (set DATA or DEALWRIGHT_DATABASE_URL_REPORTS).", style="red")
        return 1
    with mine.transaction() as tx:
        rebuilding.begin(tx)
    worker = Rebuilder(mine, teller(here)) if here.keys() >= by_service().keys() else None
    began = said = moved = clock.monotonic()
    last: Progress | None = None
    while True:
        busy = worker is not None and worker.step()
        with mine.reading() as tx:
            now = rebuilding.progress(tx)
        if now is None:
            break
        if now != last:
            moved = clock.monotonic()
        elif clock.monotonic() - moved > patience:
            console.print("Nothing has moved for minutes: is Dealwright running? It goes on when it is.", style="red")
            return 1
        last = now
        if clock.monotonic() - said > _SAID_EVERY:
            said = clock.monotonic()
            console.print(_told(now))
        if not busy:
            time.sleep(0.5)
    passed = f", {last.passed_over} could not be taken in (see the log)" if last and last.passed_over else ""
    events = f"{last.events:,} events" if last else "All events"
    console.print(f"{events} in {clock.monotonic() - began:.1f} s{passed}. The new copy answers.")
    return 0


def teller(here: Mapping[str, Runtime]) -> Callable[[str, Sequence[str], str], Page]:
    """What reads the services' history out of their databases."""

    def tell(service: str, types: Sequence[str], after: str) -> Page:
        with here[service].reading() as tx:
            return history.page(tx, types, after, history.MOST)

    return tell


def _told(now: Progress) -> str:
    until = f", until {now.until.astimezone():%Y-%m-%d %H:%M}" if now.until else ""
    what = "from history" if now.state == "BUILDING" else "what came meanwhile"
    return f"{now.events:,} events{until} ({what}) …"


def check(tries: int = 5) -> int:
    """Compares the figures of the KPIs that come with the product with those counted anew from what the owners say.
    Exit status 1 where a cell differs."""
    console = Console(highlight=False)
    here = {one.name: one for one in runtimes()}
    if missing := sorted({*_OWNERS, "reports"} - here.keys()):
        console.print(f"Without {', '.join(missing)} the figures cannot be compared.", style="yellow")
        return 0
    for left in reversed(range(tries)):
        found = compare(here, recount(here))
        if not found.wrong or not left:
            break
        time.sleep(1.0)  # something may be on its way yet
    for line in found.wrong[:_LINES]:
        console.print(line, style="red", markup=False, soft_wrap=True)
    said = f"{found.cells:,} cells of {found.kpis} KPIs compared with the owners' data: {len(found.wrong):,} differ."
    console.print(said)
    some = ", others tomorrow" if found.people > HOLDERS else ""
    console.print(f"Among them what {len(found.looked_at - {''})} of {found.people} people have of their own{some}.")
    for why, names in found.apart.items():
        console.print(f"Not compared: {', '.join(names)} ({why}).", style="dim", soft_wrap=True)
    return 1 if found.wrong else 0
