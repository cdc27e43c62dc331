"""How fast events travel, printed: bulk in events per second, one alone in milliseconds. LONG=1 sends 100 000."""

from __future__ import annotations

import os
import time

import pytest
import sqlalchemy as sa

from chassis import ids
from dealwright.leads.v1.events_pb2 import LeadContacted, LeadTouched
from tests.conformance.checks import names
from tests.conformance.deployments import Deployment, wait_for
from tests.conformance.probe import handled

EVENTS = 100_000 if os.environ.get("LONG") == "1" else 10_000


def test_many_events_arrive_once_each(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    run = f"leads/{ids.new_id()}"
    everyone = names(run, EVENTS)
    started = time.monotonic()
    for start in range(0, EVENTS, 500):
        deployment.emit(*(LeadContacted(lead=n, owner_version=1) for n in everyone[start : start + 500]))
    emitted = time.monotonic() - started
    wait_for(lambda: deployment.count("contacted", run) >= EVENTS, 30 + EVENTS / 500)
    seconds = time.monotonic() - started
    deployment.settle()
    assert deployment.subjects("contacted", run) == everyone
    with capsys.disabled():
        print(
            f"\nfigure: {deployment.name}: {EVENTS} events, {EVENTS / seconds:.0f}/s until handled"
            f" ({EVENTS / emitted:.0f}/s committed)"
        )


def test_one_event_alone_arrives_soon(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    """From the commit that announced it to the moment that its handler's transaction had begun and ended."""
    run = f"leads/{ids.new_id()}"
    waits = []
    for name in names(run, 60):
        deployment.emit(LeadTouched(lead=name))
        committed = time.monotonic()
        while not deployment.rows(sa.select(handled.c.id).where(handled.c.subject == name)):
            time.sleep(0.0003)
        waits.append((time.monotonic() - committed) * 1000)
        time.sleep(0.01)
    waits.sort()
    with capsys.disabled():
        print(f"\nfigure: {deployment.name}: one event {waits[30]:.1f} ms p50, {waits[58]:.1f} ms p98")
    # Far above what it takes, and far below a poll or a sweep: an event is announced, not found.
    assert waits[30] < 150
