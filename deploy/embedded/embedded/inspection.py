"""Commands that look into the services' databases: parked events, the journal, the health of an installation.

They open each service's database as its processes do: in a pod the one of DEALWRIGHT_SERVICE at
DEALWRIGHT_DATABASE_URL; beside a cluster those of DEALWRIGHT_DATABASE_URL_<SERVICE>; SQLite under DATA otherwise.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from chassis import audit, clock
from chassis.bus.delivery import parked as parked_events
from chassis.bus.delivery import replay_parked
from chassis.service import Runtime, runtime
from chassis.settings import Settings
from embedded.catalogue import NAMES, load

_PAGE_SECONDS = 3.0


def runtimes() -> list[Runtime]:
    """Every service whose database is here."""
    found = []
    only = os.environ.get("DEALWRIGHT_SERVICE")
    for name in [only] if only else NAMES:
        settings = Settings(data=Path(os.environ.get("DATA", "var")))
        url = os.environ.get(f"DEALWRIGHT_DATABASE_URL_{name.upper()}", "")
        if url:
            settings = settings.model_copy(update={"database_url": url})
        elif not settings.database_url and not (settings.data / f"{name}.db").exists():
            continue
        found.append(runtime(load(name), settings))
    return found


def parked() -> int:
    """Prints the parked events. Exit status 0, also when there are some."""
    console = Console()
    table = Table("service", "subscriber", "event", "type", "subject", "tries", "reason", "parked", "caused by")
    for mine in runtimes():
        for row in parked_events(mine):
            table.add_row(
                row["service"],
                row["subscriber"],
                row["event"],
                row["type"],
                row["subject"],
                str(row["attempts"]),
                row["reason"],
                row["parked"].isoformat(timespec="seconds"),
                row["causation"],
            )
    console.print(table if table.row_count else "Nothing is parked.")
    return 0


def replay(events: list[str]) -> int:
    """Makes parked events due again. Exit status 1 when a named one is not parked."""
    count = sum(replay_parked(mine, events) for mine in runtimes())
    Console().print(f"{count} handed out again.")
    return 1 if events and count < len(events) else 0


def verify_rules() -> int:
    """Re-derives every decision, a few seconds' worth at a time. Exit status 1 when an entry or a snapshot is wrong."""
    for mine in runtimes():
        if mine.name == "rules":
            return _verify(mine, Console())
    Console().print("There is no journal here (set DATA or DEALWRIGHT_DATABASE_URL_RULES).", style="red")
    return 1


def _verify(mine: Runtime, console: Console) -> int:
    from rules.usecases import verify_journal

    entries = decisions = 0
    wrong = []
    following = 1
    while following:
        until = clock.monotonic() + _PAGE_SECONDS
        with mine.reading() as tx:
            page = verify_journal(tx, following, partial(_before, until))
        entries, decisions = entries + page.entries, decisions + page.decisions
        if page.first_wrong_entry:
            console.print(
                f"Entry {page.first_wrong_entry} is wrong: {page.problem}", style="red", markup=False, soft_wrap=True
            )
            return 1
        wrong += [(place, page.problem) for place in page.wrong_snapshots]
        following = page.next_entry
        if following:
            console.print(f"{entries} entries, {decisions} decisions so far …")
    console.print(f"{entries} entries, {decisions} decisions: every one re-derives.")
    for place, problem in wrong:
        console.print(f"The snapshot at entry {place} is wrong. {problem}", style="red", markup=False, soft_wrap=True)
    return 1 if wrong else 0


def _before(until: float) -> bool:
    return clock.monotonic() < until


def doctor() -> int:
    """Checks each service's database and chains. Exit status 1 when something is wrong."""
    console = Console()
    table = Table("service", "check", "result")
    wrong = 0
    for mine in runtimes():
        try:
            with mine.reading() as tx:
                version = tx.execute(sa.text("SELECT count(*) FROM alembic_version")).scalar_one()
                table.add_row(mine.name, "schema", "ok" if version else "not migrated")
                chain = audit.verify(tx)
                good = not chain.first_wrong
                detail = f"{chain.sealed} sealed, {chain.unsealed} not yet"
                table.add_row(mine.name, "audit chain", detail if good else f"broken at {chain.first_wrong}")
                outbox = mine.service.tables.outbox
                waiting = tx.execute(
                    sa.select(sa.func.count()).select_from(outbox).where(outbox.c.published_at.is_(None))
                ).scalar_one()
                table.add_row(mine.name, "outbox", f"{waiting} waiting")
            count = len(parked_events(mine))
            table.add_row(mine.name, "parked events", str(count))
            wrong += (not version) + (not good)
            wrong += _queues(mine, table)
        except sa.exc.SQLAlchemyError as problem:
            table.add_row(mine.name, "database", type(problem).__name__)
            wrong += 1
    console.print(table)
    return 1 if wrong or verify_rules() else 0


def _queues(mine: Runtime, table: Table) -> int:
    """Adds how the broker holds this service's queues, where there is a broker. How many are wrong."""
    if not mine.settings.broker_url:
        return 0
    from chassis.bus import publisher  # not where there is no broker

    known = list(mine.service.subscribers())
    try:
        wrong = publisher.examine(mine.settings.broker_url, mine.name, known)
    except OSError as problem:
        table.add_row(mine.name, "broker", type(problem).__name__)
        return 1
    for queue, what in wrong.items():
        table.add_row(mine.name, f"queue {queue}", what)
    if not wrong:
        table.add_row(mine.name, "queues", f"{len(known)} declared")
    return len(wrong)
