"""Events in: counted, and obeyed where they ask for trouble."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from chassis.bus.subscriptions import subscriber
from chassis.database import insert_rows
from chassis.errors import Invalid
from chassis.transaction import Transaction
from dealwright.leads.v1.events_pb2 import LeadCaptured, LeadContacted, LeadReleased, LeadTouched
from tests.conformance.probe import handled, newest

COLUMNS = ("subscriber", "subject", "event_id", "traceparent", "at")


def _count(tx: Transaction, name: str, subjects: Sequence[str]) -> None:
    insert_rows(
        tx.connection,
        handled,
        COLUMNS,
        [(name, s, (o := tx.origins.get(s) or tx.origin).causation_id, o.traceparent, tx.now) for s in subjects],
    )


@subscriber(LeadTouched)
def touched(tx: Transaction, event: LeadTouched) -> None:
    """One event at a time."""
    insert_rows(
        tx.connection,
        handled,
        COLUMNS,
        [("touched", event.lead, tx.origin.causation_id, tx.origin.traceparent, tx.now)],
    )


@subscriber(LeadContacted, batch=256)
def contacted(tx: Transaction, events: Sequence[LeadContacted]) -> None:
    """A state event: the newest version stays, whatever the order."""
    _count(tx, "contacted", [e.lead for e in events])
    best: dict[str, int] = {}
    for event in events:
        best[event.lead] = max(event.owner_version, best.get(event.lead, 0))
    insert_rows(
        tx.connection,
        newest,
        ("subject", "version"),
        sorted(best.items()),
        conflict='("subject") DO UPDATE SET "version" = excluded."version"'
        ' WHERE excluded."version" > "newest"."version"',
    )


@subscriber(LeadReleased)
def released(tx: Transaction, event: LeadReleased) -> None:
    """Announces something itself."""
    _count(tx, "released", [event.lead])
    tx.emit(LeadTouched(lead=event.lead))


@subscriber(LeadCaptured, batch=64)
def captured(tx: Transaction, events: Sequence[LeadCaptured]) -> None:
    """Does what the text asks: "invalid", "fails 2" (and in company always), "constraint", "loop", "sleep 0.5",
    "die probe" (the first time, in that service)."""
    _count(tx, "captured", [e.lead for e in events])
    for event in events:
        word, _, argument = event.text.partition(" ")
        if word == "invalid":
            raise Invalid([("text", "is poison", "有毒")])
        if word == "fails" and (len(events) > 1 or _tries(event.lead) <= int(argument)):
            raise RuntimeError("not yet")
        if word == "constraint":
            tx.execute(sa.insert(newest), [{"subject": event.lead, "version": None}])
        if word == "loop":
            tx.emit(LeadCaptured(lead=event.lead, text=event.text))
        if word == "sleep":
            time.sleep(float(argument))
        if word == "die" and argument == tx.service and _tries(event.lead) == 1:
            os.kill(os.getpid(), signal.SIGKILL)


def _tries(subject: str) -> int:
    """How often we came here for this subject; on disk, since the transaction's own rows roll back."""
    path = Path(os.environ["PROBE_TRIES"]) / subject.replace("/", "_")
    with path.open("a") as file:
        file.write("x")
    return path.stat().st_size
