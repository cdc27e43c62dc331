"""What became of captured leads, read from the services' own databases: cheap questions, never one per lead.

A lead is done when it is recorded as ASSIGNED in `leads` and the broker has confirmed its LeadAssigned. The moment
is the outbox row's `published_at`, which the publisher takes after the confirm: later than both commits.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import psycopg

from chassis import ids
from chassis.bus.subscriptions import Subscription
from dealwright.bus.v1.envelope_pb2 import EventBatch
from embedded import catalogue
from loadtests.driving import LoadFailed
from loadtests.generator import Outcome

ASSIGNED = 3
ANNOUNCED = "dealwright.leads.v1.LeadAssigned"
_EVERY = 0.05


@dataclass(frozen=True)
class Done:
    """`seconds` from the first call to the last confirm; `at` by lead, seconds since 1970."""

    leads: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.leads / self.seconds


class Watcher:
    """Looks at the databases of a cluster, `databases[service]` being DSNs."""

    def __init__(self, databases: Mapping[str, str]) -> None:
        self._databases = dict(databases)
        self._subscriptions: list[tuple[str, Subscription]] | None = None

    def _connect(self, service: str) -> psycopg.Connection:
        return psycopg.connect(self._databases[service], autocommit=True)

    def finished(self, outcome: Outcome, seconds: float = 120) -> Done:
        """Waits until all leads that the outcome created are done. Raises LoadFailed when some are not in time, or
        when fewer were recorded or announced than were acknowledged."""
        since = ids.first_id_at(outcome.began - 0.05)
        deadline = time.monotonic() + seconds
        with self._connect("leads") as leads:
            while not self._quiet(leads):
                if time.monotonic() > deadline:
                    raise LoadFailed(f"not assigned within {seconds:.0f} s: {self._standing(leads, since)}")
                time.sleep(_EVERY)
            standing = self._standing(leads, since)
            row = leads.execute(
                "select coalesce(sum(events), 0)::bigint, max(published_at) from outbox where id >= %s and type = %s",
                (since, ANNOUNCED),
            ).fetchone()
            assert row is not None
        if standing != {ASSIGNED: outcome.leads} or row[0] != outcome.leads:
            raise LoadFailed(
                f"{outcome.leads} leads were acknowledged; by status there are {standing}, announced {row[0]}"
            )
        last: datetime = row[1]
        return Done(outcome.leads, last.timestamp() - outcome.began)

    def _quiet(self, leads: psycopg.Connection) -> bool:
        row = leads.execute(
            "select not exists (select from leads where status = 1) "
            "and not exists (select from outbox where published_at is null and type = %s)",
            (ANNOUNCED,),
        ).fetchone()
        return row == (True,)

    def _standing(self, leads: psycopg.Connection, since: str) -> dict[int, int]:
        rows = leads.execute(
            "select status, count(*) from leads where name >= %s group by status", (f"leads/{since}",)
        ).fetchall()
        return {int(status): int(count) for status, count in rows}

    def standing(self, since: float) -> dict[int, int]:
        """Leads captured since then (seconds since 1970) by status."""
        with self._connect("leads") as leads:
            return self._standing(leads, ids.first_id_at(since))

    def announced_between(self, start: float, end: float) -> int:
        """How many LeadAssigned were confirmed in that time."""
        with self._connect("leads") as leads:
            row = leads.execute(
                "select coalesce(sum(events), 0)::bigint from outbox where type = %s "
                "and published_at >= to_timestamp(%s) and published_at < to_timestamp(%s)",
                (ANNOUNCED, start, end),
            ).fetchone()
        return int(row[0]) if row else 0

    def announced(self, since: float) -> dict[str, float]:
        """When each lead's LeadAssigned was confirmed, for those made since then (seconds since 1970)."""
        with self._connect("leads") as leads:
            rows = leads.execute(
                "select body, published_at from outbox where id >= %s and type = %s",
                (ids.first_id_at(since), ANNOUNCED),
            ).fetchall()
        return {
            envelope.subject: at.timestamp()
            for body, at in rows
            if at is not None
            for envelope in EventBatch.FromString(bytes(body)).events
        }

    # --- everything that follows ---

    def _known(self) -> list[tuple[str, Subscription]]:
        if self._subscriptions is None:
            self._subscriptions = [
                (name, subscription) for name in catalogue.NAMES for subscription in catalogue.load(name).subscribers()
            ]
        return self._subscriptions

    def settled(self, since: float, seconds: float = 120) -> float:
        """Waits until every event announced since then was taken by every subscriber, in all services. Returns how
        long that took; raises LoadFailed when it does not happen in time."""
        began, first = time.monotonic(), ids.first_id_at(since)
        while left := self._left(first):
            if time.monotonic() - began > seconds:
                raise LoadFailed(f"events are left after {seconds:.0f} s: {left}")
            time.sleep(_EVERY * 4)
        return time.monotonic() - began

    def _left(self, first: str) -> dict[str, int]:
        """Queue to events that were announced and not yet taken; an outbox to its unpublished rows."""
        announced: dict[str, int] = {}
        taken: dict[str, int] = {}
        left: dict[str, int] = {}
        for service in self._databases:
            with self._connect(service) as database:
                waiting = database.execute("select count(*) from outbox where published_at is null").fetchone()
                if waiting and waiting[0]:
                    left[f"{service} outbox"] = int(waiting[0])
                for kind, events in database.execute(
                    "select type, sum(events)::bigint from outbox where id >= %s group by type", (first,)
                ).fetchall():
                    announced[kind] = announced.get(kind, 0) + int(events)
                for queue, events in database.execute(
                    "select subscriber, count(*) from inbox where event_id >= %s group by subscriber", (first,)
                ).fetchall():
                    taken[queue] = int(events)
        for service, subscription in self._known():
            queue = subscription.queue(service)
            missing = sum(announced.get(kind, 0) for kind in subscription.types) - taken.get(queue, 0)
            if missing > 0:
                left[queue] = missing
        return left

    def certificates(self, since: float) -> tuple[float, float, float]:
        """Bytes of the stored decisions since then, hash included: smallest, mean, largest."""
        with self._connect("rules") as rules:
            row = rules.execute(
                "select min(n), avg(n), max(n) from (select octet_length(body) + octet_length(hash) as n "
                "from journal where kind = 'decided' and at >= to_timestamp(%s)) as c",
                (since,),
            ).fetchone()
        if row is None or row[0] is None:
            raise LoadFailed("no decision is in the journal")
        return float(row[0]), float(row[1]), float(row[2])


def latencies(outcome: Outcome, announced: Mapping[str, float]) -> list[float]:
    """Seconds from each call's intended start until its lead was recorded and announced. Raises LoadFailed for a
    lead that was not."""
    lost = [name for _, _, name in outcome.calls if name not in announced]
    if lost:
        raise LoadFailed(f"{len(lost)} leads were never announced as assigned, {lost[0]} among them")
    return [announced[name] - at for at, _, name in outcome.calls]
