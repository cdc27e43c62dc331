"""What the bus promises, on each pair of bus and database (DESIGN, section 5)."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.bus.delivery import parked
from dealwright.bus.v1.envelope_pb2 import Envelope
from dealwright.leads.v1.events_pb2 import LeadCaptured, LeadReleased, LeadTouched
from tests.conformance import checks
from tests.conformance.checks import TOUCHED, names
from tests.conformance.deployments import Deployment, body, envelope, wait_for
from tests.conformance.probe import handled


@pytest.fixture
def run() -> str:
    """The prefix of a test's own subjects."""
    return f"leads/{ids.new_id()}"


def test_every_event_is_handled_exactly_once(deployment: Deployment, run: str) -> None:
    deployment.emit(*(LeadTouched(lead=name) for name in names(run, 300)))
    for name in names(run, 20):
        deployment.emit(LeadCaptured(lead=name))
    wait_for(lambda: deployment.count("touched", run) >= 300 and deployment.count("captured", run) >= 20)
    deployment.settle()
    assert deployment.subjects("touched", run) == names(run, 300)
    assert deployment.subjects("captured", run) == names(run, 20)


def test_a_second_delivery_of_an_event_has_no_effect(deployment: Deployment, run: str) -> None:
    checks.check_exactly_once(deployment, run, 40)


def test_the_newest_state_stays_whatever_the_order(deployment: Deployment, run: str) -> None:
    checks.check_newest_wins(deployment, run)


def test_what_a_handler_announces_goes_out_with_its_effect(deployment: Deployment, run: str) -> None:
    deployment.emit(LeadReleased(lead=run))
    wait_for(lambda: deployment.count("touched", run) == 1)
    assert deployment.count("released", run) == 1


def test_an_invalid_event_is_parked_at_once_and_its_neighbours_are_handled(deployment: Deployment, run: str) -> None:
    texts = ["invalid" if i % 20 == 7 else "" for i in range(100)]
    bad = [n for n, text in zip(names(run, 100), texts, strict=True) if text]
    deployment.emit(*(LeadCaptured(lead=n, text=t) for n, t in zip(names(run, 100), texts, strict=True)))
    wait_for(lambda: deployment.count("captured", run) == 95 and len(deployment.failures(run)) == 5)
    failures = deployment.failures(run)
    assert sorted(f.subject for f in failures) == bad
    assert all(f.parked_at is not None and f.attempts == 1 for f in failures)
    assert all(f.reason == "Invalid: text: is poison" for f in failures)


def test_a_failing_event_is_tried_again_with_growing_waits_until_it_succeeds(deployment: Deployment, run: str) -> None:
    deployment.emit(*(LeadCaptured(lead=n, text="fails 3" if n.endswith("3") else "") for n in names(run, 30)))
    wait_for(lambda: deployment.count("captured", run) == 27)  # those behind it did not wait
    wait_for(lambda: deployment.count("captured", run) == 30, what="the failing ones succeed")
    assert deployment.failures(run) == []
    assert deployment.subjects("captured", run) == names(run, 30)


def test_an_event_that_keeps_failing_is_parked_with_its_reason(deployment: Deployment, run: str) -> None:
    started = time.monotonic()
    deployment.emit(LeadCaptured(lead=run, text="fails 1000"))
    wait_for(lambda: any(f.parked_at for f in deployment.failures(run)))
    (failure,) = deployment.failures(run)
    assert (failure.attempts, failure.reason) == (4, "RuntimeError: not yet")
    assert time.monotonic() - started >= 0.05 + 0.2 + 0.4
    assert deployment.count("captured", run) == 0


def test_a_row_that_the_database_refuses_fails_its_event_alone(deployment: Deployment, run: str) -> None:
    deployment.emit(*(LeadCaptured(lead=n, text="constraint" if n.endswith("5") else "") for n in names(run, 10)))
    wait_for(lambda: deployment.count("captured", run) == 9)
    wait_for(lambda: any(f.parked_at for f in deployment.failures(run)))
    (failure,) = deployment.failures(run)
    assert failure.subject == f"{run}-00005"
    assert failure.reason.startswith("IntegrityError")


def rubbish(run: str) -> dict[str, bytes]:
    good = envelope(LeadTouched(lead=f"{run}-good"))
    return {
        "no protobuf": b"\xff\xff\xff" + run.encode(),
        "no event in it": b"",
        "fields that nobody knows": b"\xfa\x7f\x03abc",
        "an event without an id": body(Envelope(type=TOUCHED, subject=run, data=good.data)),
        "an id that is none": body(Envelope(id="0" * 31 + "\0", type=TOUCHED, subject=run, data=good.data)),
    }


def test_a_message_that_cannot_be_decoded_is_parked_and_blocks_nobody(deployment: Deployment, run: str) -> None:
    before = {p["event"] for p in parked(deployment.runtime)}
    bodies = list(rubbish(run).values())
    deployment.put_rubbish(TOUCHED, [*bodies, body(envelope(LeadTouched(lead=f"{run}-good")))])
    wait_for(lambda: deployment.count("touched", run) == 1)
    # Those of earlier runs with the same bytes are known, and stay what they were.
    wait_for(lambda: len([p for p in parked(deployment.runtime) if p["type"] == "undecodable"]) >= len(bodies))
    new = [p for p in parked(deployment.runtime) if p["event"] not in before]
    assert all(p["reason"] == "DecodeError: the message is no EventBatch" for p in new)
    deployment.settle()


def test_a_broken_outbox_row_spoils_no_other(deployment: Deployment, run: str) -> None:
    one, three = (body(envelope(LeadTouched(lead=f"{run}-{i}"))) for i in (1, 3))
    deployment.put_left_behind(TOUCHED, [one, b"\xff\xff" + run.encode(), three])
    wait_for(lambda: deployment.subjects("touched", run) == [f"{run}-1", f"{run}-3"])
    deployment.settle()


def test_an_event_that_cannot_be_decoded_is_parked_and_its_message_goes_on(deployment: Deployment, run: str) -> None:
    broken = envelope(LeadTouched(lead=f"{run}-broken"))
    broken.data = b"\xff\xff"
    unknown = envelope(LeadTouched(lead=f"{run}-unknown"))
    unknown.type = "dealwright.leads.v1.NeverHeardOf"
    nul = envelope(LeadTouched(lead=f"{run}-\0"))
    good = [envelope(LeadTouched(lead=f"{run}-good{i}")) for i in range(3)]
    deployment.put(TOUCHED, [body(good[0], broken, good[1], unknown, nul, good[2])])
    wait_for(lambda: deployment.count("touched", f"{run}-good") == 3)
    wait_for(lambda: {f.subject for f in deployment.failures(run)} >= {f"{run}-broken", f"{run}-unknown"})
    assert deployment.count("touched", f"{run}-broken") + deployment.count("touched", f"{run}-unknown") == 0
    # SQLite stores a NUL, PostgreSQL refuses it: either way the event ends somewhere and nobody waits for it.
    wait_for(lambda: deployment.count("touched", f"{run}-\0" if deployment.sqlite else run) or deployment.failures(run))


def test_parked_events_are_replayed_by_one_command(deployment: Deployment, run: str) -> None:
    deployment.emit(LeadCaptured(lead=f"{run}-a", text="fails 4"), LeadCaptured(lead=f"{run}-b", text="invalid"))
    wait_for(lambda: len([f for f in deployment.failures(run) if f.parked_at]) == 2)
    one = next(f.event_id for f in deployment.failures(run) if f.subject == f"{run}-a")
    assert deployment.replay(one) == 1
    wait_for(lambda: deployment.count("captured", f"{run}-a") == 1, what="the fifth try succeeds")
    assert [f.subject for f in deployment.failures(run)] == [f"{run}-b"]


def test_an_event_that_goes_round_in_a_circle_is_parked_with_its_chain(deployment: Deployment, run: str) -> None:
    deployment.emit(LeadCaptured(lead=run, text="loop"))
    wait_for(lambda: deployment.failures(run))
    assert deployment.count("captured", run) == 8
    (circle,) = [p for p in parked(deployment.runtime) if p["subject"] == run]
    assert circle["reason"].startswith("Loop: caused at depth 8")
    seen = [r.event_id for r in deployment.rows(sa.select(handled).where(handled.c.subject == run).order_by("id"))]
    assert circle["chain"] == [f"LeadCaptured {event_id}" for event_id in seen]
    assert circle["chain"][-1] in circle["reason"]
    # Replayed, it is as deep as it was.
    deployment.replay(circle["event"])
    wait_for(lambda: [f for f in deployment.failures(run) if f.parked_at and f.attempts == 1])
    assert deployment.count("captured", run) == 8


def test_a_slow_handler_keeps_no_other_subscriber_waiting(deployment: Deployment, run: str) -> None:
    if deployment.sqlite:
        pytest.skip("SQLite has one writer: a handler that sleeps inside its transaction holds it")
    deployment.emit(LeadCaptured(lead=run, text="sleep 1"))
    started = time.monotonic()
    deployment.emit(LeadTouched(lead=run))
    wait_for(lambda: deployment.count("touched", run) == 1)
    assert time.monotonic() - started < 0.8
    wait_for(lambda: deployment.count("captured", run) == 1)
