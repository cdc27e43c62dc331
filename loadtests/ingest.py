"""How fast one worker takes events in: from the broker until they are in the sums."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence

import kombu
import psycopg

from chassis import ids
from chassis.bus import publisher
from chassis.bus.subscriptions import Subscription, unpack
from chassis.transaction import EVENTS_PER_MESSAGE
from dealwright.bus.v1.envelope_pb2 import Envelope, EventBatch
from embedded.catalogue import load
from loadtests.driving import LoadFailed
from loadtests.figures import Figure
from loadtests.setting import House

# As many as come in half a second at the rate that is asked for: so many the relay can join, those of a type.
_JOINED = 1_000
_PATIENCE, _LOOK_EVERY = 120.0, 0.05
_RECORD = re.compile(rb"(?<![A-Za-z])(?!people/|teams/)([A-Za-z]+/)([0-9a-f]{12})([0-9a-f]{20})(?![0-9a-f])")


def measure(house: House, at_once: int = 20_000, rounds: int = 3) -> Figure:
    """Events that the API caused, of other records, put into the queues of the service's one worker as its relay joins
    them, `at_once` or some more in each round, until each is handled and in the cells. Raises LoadFailed when that does
    not come about."""
    told = _told(house)
    samples = []
    with psycopg.connect(house.cluster.databases["reports"], autocommit=True) as reports:
        there = _first(reports, "select reltuples::bigint from pg_class where relname = 'postings'")
        failed = _count(reports, "failures")
        for number in range(rounds):
            events = _events(told, number, at_once)
            # One for each round: the broker gives up who answers no heartbeat for as long as a round may take.
            with publisher.connection(house.cluster.parts.rabbitmq.url, 10.0) as broker:
                broker.connect()
                began = time.perf_counter()
                last = _put(broker, events)
            _until_summed(reports, last)
            samples.append(len(events) / (time.perf_counter() - began))
        if more := _count(reports, "failures") - failed:
            raise LoadFailed(f"{more} events were not taken in")
    return Figure("reports ingest", "events that one worker takes in", "events/s", samples, must=2_000, aim=8_000,
                  how=f"{len(events):,} of all services at once, from the broker until they are summed in cells, "
                  f"{rounds} times of other records; on top of about {there:,} postings")  # fmt: skip


def _count(reports: psycopg.Connection, table: str) -> int:
    return _first(reports, f"select count(*) from {table}")


def _first(reports: psycopg.Connection, query: str) -> int:
    row = reports.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _told(house: House) -> list[bytes]:
    """The messages of the services that reports listen to. Raises LoadFailed where there are none."""
    kinds = sorted({kind for one in load("reports").subscribers() for kind in one.types})
    found: list[bytes] = []
    for service in house.cluster.databases.keys() - {"directory", "reports", "gateway"}:
        with psycopg.connect(house.cluster.databases[service], autocommit=True) as on:
            query = "select body from outbox where type = any(%s) order by id limit 400"
            found += (bytes(body) for (body,) in on.execute(query, (kinds,)))
    if not found:
        raise LoadFailed("no events to take in")
    return found


def _events(told: Sequence[bytes], number: int, at_once: int) -> list[Envelope]:
    """`at_once` events or some more, in the order in which they were told, as if of records that are new: what was told
    as often as it takes, each time of others, and of others for each number."""
    found: list[Envelope] = []
    while len(found) < at_once:
        again = len(found)
        its = [one for body in told for one in unpack(renamed(body, f"{number} {again}"))]
        found += sorted(its, key=lambda one: one.id)
    for one, id in zip(found, ids.new_ids(len(found)), strict=True):
        one.id = id
    return found


def renamed(body: bytes, number: str = "") -> bytes:
    """The same message about other records, done by the same people: each name of a record is another as long, of a
    record that was made at the same time."""
    return _RECORD.sub(lambda found: found[1] + found[2] + _other(found[3], number), body)


def _other(end: bytes, number: str) -> bytes:
    return hashlib.md5(end + number.encode(), usedforsecurity=False).hexdigest()[: len(end)].encode()


def _put(broker: kombu.Connection, events: Sequence[Envelope]) -> dict[str, str]:
    """Puts each event into the queues of these reports alone. Returns the last event's id by queue."""
    last = {}
    with broker.channel() as channel:
        producer = kombu.Producer(channel)
        for subscription in load("reports").subscribers():
            queue = subscription.queue("reports")
            for message in _messages(subscription, events):
                body = EventBatch(events=message).SerializeToString()
                producer.publish(
                    body, routing_key=queue, content_type=publisher.CONTENT_TYPE, content_encoding="binary"
                )
                last[queue] = message[-1].id
    return last


def _messages(subscription: Subscription, events: Sequence[Envelope]) -> Iterator[list[Envelope]]:
    for first in range(0, len(events), _JOINED):
        for kind in subscription.types:
            its = [one for one in events[first : first + _JOINED] if one.type == kind]
            yield from (its[at : at + EVENTS_PER_MESSAGE] for at in range(0, len(its), EVENTS_PER_MESSAGE))


def _until_summed(reports: psycopg.Connection, last: dict[str, str]) -> None:
    """Waits until the last event of each queue is handled, and nothing waits for its sum. Queues are in order."""
    handled = (
        "select count(*) from inbox where (subscriber, event_id) in (select * from unnest(%s::text[], %s::text[]))"
    )
    end = time.monotonic() + _PATIENCE
    while True:
        row = reports.execute(handled, (list(last), list(last.values()))).fetchone()
        if row == (len(last),) and not _count(reports, "batches"):
            return
        if time.monotonic() > end:
            raise LoadFailed(f"events are not in the sums after {_PATIENCE:.0f} s")
        time.sleep(_LOOK_EVERY)
