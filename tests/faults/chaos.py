"""Runs a process of Dealwright with a bus that misbehaves, and on request with one planted defect.

    python tests/faults/chaos.py serve leads        python tests/faults/chaos.py up

The bus delivers 20 % of messages twice, holds 5 % of rows back until the sweep finds them (out of order), and slips
in 1 % poison. CHAOS_SEED makes it repeatable; PLANT names a defect of plants.py. Everything is done from outside,
by replacing functions: the product has no switch for it.
"""

from __future__ import annotations

import importlib
import os
import random
import sys
from pathlib import Path
from typing import Any

TWICE, LATE, POISON = 0.20, 0.05, 0.01
POISON_ID = "dead"
SNAPSHOT_EVERY = 400
_BODY = b"\xff\xff\xff"


def _rng() -> random.Random:
    return random.Random(f"{os.environ.get('CHAOS_SEED', '0')} {sys.argv[1:]}")


def _poison(rng: random.Random, kind: str) -> bytes:
    """An event that no subscriber can read, as the bytes of one more event of a batch."""
    from chassis import ids
    from chassis.transaction import _as_batch_field
    from dealwright.bus.v1.envelope_pb2 import Envelope

    envelope = Envelope(id=POISON_ID + ids.new_id()[4:], type=kind, subject="leads/poison", data=_BODY)
    envelope.receive_time.GetCurrentTime()
    return _as_batch_field(envelope.SerializeToString())


def trouble_broker(rng: random.Random) -> None:
    """For the processes of the cluster: between the outbox and RabbitMQ."""
    from chassis.bus import publisher

    group = publisher._messages
    announce = publisher.Publisher.announce

    def messages(rows: Any) -> list[tuple[str, list[bytes]]]:
        found = group(rows)
        poisoned = [
            (kind, [*bodies, _poison(rng, kind)] if rng.random() < POISON * len(bodies) else bodies)
            for kind, bodies in found
        ]
        again = [message for message in poisoned if rng.random() < TWICE]
        rng.shuffle(again)
        return poisoned + again

    def hold_some_back(self: Any, rows: Any) -> None:
        announce(self, [row for row in rows if rng.random() >= LATE])

    publisher._messages = messages
    publisher.Publisher.announce = hold_some_back  # type: ignore[method-assign]


def trouble_local_bus(rng: random.Random) -> None:
    """For the embedded process: between the outbox and the subscribers."""
    import chassis.bus.local
    from chassis.transaction import OutboxRow

    local: Any = chassis.bus.local
    deliver = local.deliver
    announce = local.LocalBus._announce

    def deliver_badly(runtime: Any, subscription: Any, envelopes: Any) -> None:
        batch = list(envelopes)
        rng.shuffle(batch)
        deliver(runtime, subscription, batch)
        if rng.random() < TWICE:
            deliver(runtime, subscription, batch)

    def announce_badly(self: Any, runtime: Any, rows: Any) -> None:
        kept = [row for row in rows if rng.random() >= LATE]
        poisoned = [
            OutboxRow(row.id, row.type, row.events + 1, row.body + _poison(rng, row.type))
            if rng.random() < POISON * row.events
            else row
            for row in kept
        ]
        announce(self, runtime, poisoned)

    local.deliver = deliver_badly
    local.LocalBus._announce = announce_badly


def keep_snapshots() -> None:
    """Every few hundred entries, so that restarts begin with one and the check has some to compare."""
    from rules.usecases import journal

    journal.SNAPSHOT_EVERY = SNAPSHOT_EVERY


def main() -> None:
    role = sys.argv[1]
    rng = _rng()
    if role == "work":
        from chassis.bus import worker  # noqa: F401 - patches the process first
    if role == "up":
        trouble_local_bus(rng)
    else:
        trouble_broker(rng)
    if role == "up" or sys.argv[2] == "rules":
        keep_snapshots()
    if name := os.environ.get("PLANT", ""):
        sys.path.append(str(Path(__file__).parents[2]))  # we run as a script
        from tests.faults.plants import PLANTS

        PLANTS[name]()
    if role == "work":
        sys.exit(_work(sys.argv[2]))
    from embedded.command import app

    app()


def _work(name: str) -> int:
    """What `dealwright work` comes to. That one starts itself anew, and the chaos would be gone."""
    from chassis.bus import worker
    from chassis.service import runtime
    from chassis.settings import Settings

    return worker.run(runtime(importlib.import_module(f"{name}.main").service, Settings()))


if __name__ == "__main__":
    main()
