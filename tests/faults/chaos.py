"""Runs a process of Dealwright with a bus that misbehaves, and on request with one planted defect.

    python tests/faults/chaos.py serve leads        python tests/faults/chaos.py up

The bus delivers 20 % of messages twice, holds 5 % of rows back until the sweep finds them (out of order), and slips
in 1 % poison. CHAOS_SEED makes it repeatable; PLANT names a defect (see `PLANTS`). Everything is done from outside,
by replacing functions: the product has no switch for it.
"""

from __future__ import annotations

import importlib
import os
import random
import sys
from collections.abc import Callable
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


# --- planted defects --------------------------------------------------------------------------------------------


def early_acknowledgement() -> None:
    """Callers are answered before their transaction commits."""
    import time

    from chassis import service
    from chassis.batching import Batcher

    truthful = Batcher._attempt
    write = service.Runtime.transaction

    def answer_first(self: Any, items: Any, attempt: int) -> Any:
        import threading

        held = self._runtime
        opened = write.__get__(held)
        result: list[Any] = []
        ready = threading.Event()

        def slow(*args: Any, **named: Any) -> Any:
            from contextlib import contextmanager

            @contextmanager
            def inner() -> Any:
                with opened(*args, **named) as tx:
                    yield tx
                    result.append(None)
                    ready.set()
                    time.sleep(0.3)  # the commit comes this much after the answer

            return inner()

        held.transaction = slow
        answers: list[Any] = []

        def run() -> None:
            answers.append(truthful(self, items, attempt))

        # What the handler returns is known before the commit: give that to the callers at once.
        handler, seen = self._handler, []

        def remember(tx: Any, chosen: Any) -> Any:
            found = handler(tx, chosen)
            seen.append(found)
            return found

        self._handler = remember
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        ready.wait(5)
        self._handler = handler
        if seen and len(seen[0]) == len(items):
            return seen[0]
        thread.join()
        return answers[0]

    Batcher._attempt = answer_first  # type: ignore[method-assign]


def no_inbox() -> None:
    """A second delivery is handled again. What fails is still stored once: stored twice it would break a key, and its
    queue would stand still for good, which is another defect than this one."""
    from chassis import telemetry
    from chassis.bus import inbox

    def handle(runtime: Any, subscription: Any, envelopes: Any) -> None:
        with telemetry.consuming(subscription.queue(runtime.name), envelopes) as span, runtime.transaction() as tx:
            inbox.run(tx, runtime, subscription, envelopes, span)

    inbox.handle = handle


def old_readings() -> None:
    """A decision is judged by the lead as it was when it was decided about, whoever took it since: no lock is between
    reading and writing. No defect: the compare-and-set is there for just this."""
    import threading
    import time

    import leads.storage.leads as stored
    import leads.usecases.record

    record: Any = leads.usecases.record
    storage: Any = stored
    insert, by_name, record_each = storage.insert, storage.by_name, record._record_each
    born: dict[str, Any] = {}
    now = threading.local()

    def remember(tx: Any, new: Any) -> None:
        insert(tx, new)
        born.update((lead.name, lead) for lead in new)

    def read(tx: Any, names: Any, lock: bool = False) -> Any:
        about = getattr(now, "about", {})
        found = by_name(tx, names, lock and not about)
        if about and tx.dialect == "postgresql":
            time.sleep(0.05)  # for others to write
        for name in found.keys() & born.keys() & about.keys():
            if about[name] == born[name].owner_version < found[name].owner_version:
                found[name] = born[name]
        return found

    def judge(tx: Any, decisions: Any) -> None:
        now.about = {d.lead: d.owner_version for d in decisions}
        try:
            record_each(tx, decisions)
        finally:
            now.about = {}

    storage.insert, storage.by_name, record._record_each = remember, read, judge


def no_compare_and_set() -> None:
    """The owner is written whatever the lead has become meanwhile: the statement compares nothing."""
    import leads.storage.ownership as ownership
    from chassis.database import update_rows

    written: Any = ownership

    def set_at_once(tx: Any, changes: Any) -> set[str]:
        rows = sorted((before.name, after) for before, after in changes)
        done = update_rows(
            tx.connection,
            written.leads,
            ("name",),
            written._SET,
            [(name, *written._set(after)) for name, after in rows],
            returning=("name",),
        )
        return {row[0] for row in done}

    old_readings()
    written.compare_and_set = set_at_once


def lost_turn() -> None:
    """A refused owner's turn never comes back."""
    from rules import usecases

    usecases.return_turns = lambda tx, events: None


def nothing() -> None:
    """No defect: what the drill itself runs."""


PLANTS: dict[str, Callable[[], None]] = {
    "": nothing,
    "early acknowledgement": early_acknowledgement,
    "no inbox": no_inbox,
    "old readings": old_readings,
    "no compare-and-set": no_compare_and_set,
    "lost turn": lost_turn,
}


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
    PLANTS[os.environ.get("PLANT", "")]()
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
