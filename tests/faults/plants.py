"""Defects to plant, so that the drill is seen to find them. Each replaces functions of the product from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


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


def payment_counted_twice() -> None:
    """What comes is added to what was paid, and then once more."""
    from dataclasses import replace

    from chassis import records
    from contracts.usecases import settling
    from contracts.usecases.contract_kinds import CONTRACT

    module: Any = settling
    settle = module.settle

    def twice(tx: Any, before: Any, after: Any = None, fresh: Any = None) -> Any:
        of, stored = settle(tx, before, after, fresh)
        if fresh is not None:
            of = records.save(tx, CONTRACT, of, replace(of, paid=of.paid + fresh.amount))
        return of, stored

    module.settle = twice


def approval_not_locked() -> None:
    """Two who decide at once both judge by what was there before: no lock is between reading and writing."""
    from dataclasses import replace

    from contracts.usecases import approvals

    module: Any = approvals
    held, before = module.held, dict[str, Any]()

    def read(tx: Any, name: str, etag: str = "") -> Any:
        now = held(tx, name, etag)
        was = before.get(name, now)
        before[name] = now
        if tx.principal.person in module.run_of(was).waiting - module.run_of(now).waiting:
            return replace(was, version=now.version)
        return now

    module.held = read


def share_goes_on_elsewhere() -> None:
    """Who keeps a copy of the shares does not hear that one was ended."""
    from activities.usecases import known

    share = known.share

    def without_ends(tx: Any, record: str, person: str, end: Any, told: Any) -> None:
        if end > told:
            share(tx, record, person, end, told)

    known.share = without_ends


def lost_entry() -> None:
    """Every seventh batch loses the last of its entries on its way to the timeline."""
    import itertools

    from activities.usecases import timeline

    put, batches = timeline.put, itertools.count(1)

    def lossy(tx: Any, entries: Any, held: Any = None) -> None:
        put(tx, entries[:-1] if next(batches) % 7 == 0 else entries, held)

    timeline.put = lossy


def number_again() -> None:
    """Every fifth number is given twice, and the table does not mind."""
    import sqlalchemy as sa

    from opportunities.usecases import keeping

    module: Any = keeping
    following = module.following

    def again(tx: Any, numbers: Any, day: str) -> int:
        tx.execute(sa.text("DROP INDEX IF EXISTS opportunities_number"))
        number = int(following(tx, numbers, day))
        return number - 1 if number % 5 == 0 else number

    module.following = again


PLANTS: dict[str, Callable[[], None]] = {
    "early acknowledgement": early_acknowledgement,
    "no inbox": no_inbox,
    "old readings": old_readings,
    "no compare-and-set": no_compare_and_set,
    "lost turn": lost_turn,
    "payment counted twice": payment_counted_twice,
    "approval decided twice": approval_not_locked,
    "share copy not ended": share_goes_on_elsewhere,
    "timeline entry lost": lost_entry,
    "number reused": number_again,
}
