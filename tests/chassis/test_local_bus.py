"""The bus of one process: who goes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from chassis.access import Tokens
from chassis.bus.local import LocalBus
from chassis.bus.subscriptions import Subscription
from chassis.database import Database
from chassis.service import Runtime, Service
from chassis.settings import Settings
from chassis.transaction import Transaction
from dealwright.leads.v1.events_pb2 import LeadTouched


def opened(
    folder: Path,
    name: str,
    handle: Callable[[Transaction, Any], None],
    patient: bool,
    batch: int = 1,
    pace: float = 0.0,
) -> Runtime:
    heard = Subscription("hears", (LeadTouched.DESCRIPTOR.full_name,), handle, batch, pace)
    service = Service(
        name, sa.MetaData(), "", servicers=lambda runtime: [], subscribers=lambda: [heard], patient=patient
    )
    _ = service.tables
    database = Database(f"sqlite:///{folder / name}.db")
    with database.write() as connection:
        service.metadata.create_all(connection)
    return Runtime(service, Settings(data=folder), database, Tokens("k" * 40))


def test_U2_a_patient_service_lets_urgent_work_pass_and_is_served_when_there_is_none(tmp_path: Path) -> None:
    handled: list[str] = []
    began = threading.Event()

    def urgent(tx: Transaction, event: LeadTouched) -> None:
        began.set()
        time.sleep(0.02)
        handled.append("urgent")

    def patient(tx: Transaction, event: LeadTouched) -> None:
        handled.append("patient")

    first, second = opened(tmp_path, "first", urgent, False), opened(tmp_path, "second", patient, True)
    bus = LocalBus(sweep_every=0.2)
    for runtime in (second, first):
        bus.attach(runtime, runtime.service.subscribers())
    bus.start()
    try:
        for number in range(20):
            with first.transaction() as tx:
                tx.emit(LeadTouched(lead=f"leads/{number:032x}"))
        until = time.monotonic() + 20
        while len(handled) < 40 and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        bus.stop()
        first.database.dispose()
        second.database.dispose()
    assert began.is_set()
    assert handled == ["urgent"] * 20 + ["patient"] * 20


def test_U2_a_paced_subscription_takes_a_stream_in_few_deliveries(tmp_path: Path) -> None:
    taken: list[tuple[float, int]] = []

    def patient(tx: Transaction, events: Sequence[LeadTouched]) -> None:
        taken.append((time.monotonic(), len(events)))

    runtime = opened(tmp_path, "only", patient, True, batch=16, pace=0.25)
    bus = LocalBus(sweep_every=0.2)
    bus.attach(runtime, runtime.service.subscribers())
    bus.start()

    def say(number: int) -> None:
        with runtime.transaction() as tx:
            tx.emit(LeadTouched(lead=f"leads/{number:032x}"))

    def wait(total: int) -> None:
        until = time.monotonic() + 20
        while sum(count for _, count in taken) < total and time.monotonic() < until:
            time.sleep(0.005)

    try:
        began = time.monotonic()
        for number in range(40):
            say(number)
            time.sleep(0.01)
        wait(40)
        stream = time.monotonic() - began
    finally:
        bus.stop()
        runtime.database.dispose()
    assert sum(count for _, count in taken) == 40
    assert sum(1 for _, count in taken if count < 16) <= stream / 0.25 + 3, taken


def test_U2_whoever_asks_whether_all_is_done_waits_for_no_pace(tmp_path: Path) -> None:
    taken: list[int] = []
    runtime = opened(tmp_path, "only", lambda tx, events: taken.append(len(events)), False, batch=16, pace=30.0)
    bus = LocalBus(sweep_every=0.2)
    bus.attach(runtime, runtime.service.subscribers())
    bus.start()
    try:
        for number in range(2):
            with runtime.transaction() as tx:
                tx.emit(LeadTouched(lead=f"leads/{number:032x}"))
            until = time.monotonic() + 5
            while not bus.idle() and time.monotonic() < until:
                time.sleep(0.01)
            assert taken == [1] * (number + 1)
    finally:
        bus.stop()
        runtime.database.dispose()
