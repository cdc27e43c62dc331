"""How fast one worker takes events in: all that it does for them, as the bus has it."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence

import psycopg
import sqlalchemy as sa

from chassis import ids
from chassis.access import Tokens
from chassis.bus.delivery import deliver
from chassis.bus.subscriptions import unpack
from chassis.database import Database
from chassis.service import Runtime
from chassis.settings import Settings
from dealwright.bus.v1.envelope_pb2 import Envelope
from embedded.catalogue import load
from loadtests.driving import LoadFailed
from loadtests.figures import Figure
from loadtests.setting import House
from reports.storage.tables import postings
from reports.usecases import rolling

_MOST, _AT_ONCE, _ROLLED = 20_000, 5_000, 1_000
_RECORD = re.compile(rb"(?<![A-Za-z])(?!people/|teams/)([A-Za-z]+/)([0-9a-f]{32})(?![0-9a-f])")


def measure(house: House) -> Figure:
    """Events that the API caused, of other records, taken in once more by this process in place of the service's: each
    subscription gets its own of them and remembers that it did, and the sums are rolled up."""
    cluster = house.cluster
    others = [name for name in cluster.databases if name not in ("directory", "reports", "gateway")]
    events = _events(house, others)[:_MOST]
    processes = [name for name in cluster.processes if name.startswith("reports ")]
    for name in processes:
        cluster.processes[name].stop()
    reports = Runtime(load("reports"), Settings(), Database(cluster.databases["reports"]), Tokens("0" * 64))
    samples = []
    try:
        with reports.reading() as tx:
            there = tx.execute(sa.select(sa.func.count()).select_from(postings)).scalar_one()
        for first in range(0, len(events), _AT_ONCE):
            some = events[first : first + _AT_ONCE]
            began = time.perf_counter()
            for at in range(0, len(some), _ROLLED):
                _take_in(reports, some[at : at + _ROLLED])
                _roll(reports)
            if len(some) >= _ROLLED:
                samples.append(len(some) / (time.perf_counter() - began))
    finally:
        reports.database.dispose()
        for name in processes:
            cluster.restart(name)
    if not samples:
        raise LoadFailed(f"only {len(events)} events to take in")
    return Figure("reports ingest", "events that one worker takes in", "events/s", samples, must=2_000, aim=8_000,
                  how=f"{len(events):,} of all services, by each subscription of the reports, summed into cells, on "
                  f"top of {there:,} postings; without the broker")  # fmt: skip


def _events(house: House, services: Sequence[str]) -> list[Envelope]:
    """What these services told that reports listen to, in the order it was told, as if of records that are new."""
    kinds = sorted({kind for one in load("reports").subscribers() for kind in one.types})
    found: list[Envelope] = []
    for service in services:
        with psycopg.connect(house.cluster.databases[service], autocommit=True) as on:
            query = "select body from outbox where type = any(%s) order by id limit 400"
            for (body,) in on.execute(query, (kinds,)):
                found += unpack(renamed(bytes(body)))
    found.sort(key=lambda one: one.id)
    for one, id in zip(found, ids.new_ids(len(found)), strict=True):
        one.id = id
    return found


def renamed(body: bytes) -> bytes:
    """The same message about other records, done by the same people: each name of a record is another as long."""
    return _RECORD.sub(lambda found: found[1] + hashlib.md5(found[2], usedforsecurity=False).hexdigest().encode(), body)


def _take_in(reports: Runtime, events: Sequence[Envelope]) -> None:
    for subscription in reports.service.subscribers():
        its = [one for one in events if one.type in subscription.types]
        for first in range(0, len(its), subscription.batch):
            deliver(reports, subscription, its[first : first + subscription.batch])


def _roll(reports: Runtime) -> None:
    more = True
    while more:
        with reports.transaction() as tx:
            more = rolling.roll(tx)
