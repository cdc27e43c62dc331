"""When an event is in a live tile."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from statistics import median
from threading import Event
from typing import Any
from urllib.parse import quote

from loadtests.books import lead
from loadtests.driving import LoadFailed
from loadtests.figures import Figure, percentile
from loadtests.population import call
from loadtests.setting import House

EVENTS, _SECONDS, _RISING = 500.0, 60.0, 1.5
# Whoever looks fifty times a second takes the processor from those who bring it.
_LOOK_EVERY = 0.1


def measure(house: House, seconds: float = _SECONDS, events: float = EVENTS) -> Figure:
    """Leads come in, so that there are so many events a second; now and then one of an industry of its own, until the
    tile of that industry has it. Raises LoadFailed when fewer events came than should."""
    url, office = house.cluster.url, house.population.office
    stopping = Event()
    sent = [0]

    def crowd() -> None:
        every, size = 0.2, ceil(events * 0.2 / 2 * 1.04)  # a capture tells of itself and of its assignment
        following = time.monotonic()
        while not stopping.is_set():
            first = house.numbers(size)
            requests = [{"lead": lead(n)} for n in range(first, first + size)]
            call(url, "/v1/leads:batchCapture", {"requests": requests}, office)
            sent[0] += 2 * size
            following += every
            stopping.wait(max(0.0, following - time.monotonic()))

    samples: list[float] = []
    began = time.monotonic()
    with ThreadPoolExecutor(1) as side:
        busy = side.submit(crowd)
        try:
            time.sleep(3)  # the crowd is at its pace before anything is timed
            while time.monotonic() - began < seconds or len(samples) < 6:
                samples.append(_seen(house, f"行业{len(samples)}"))
                time.sleep(0.3)  # samples lie apart, so that some begin in each part of a roll
            rate = sent[0] / (time.monotonic() - began)
        finally:
            stopping.set()
            busy.result()
    return figure(samples, seconds, rate, events)


def figure(samples: Sequence[float], seconds: float, rate: float, events: float = EVENTS) -> Figure:
    """The samples are in the order in which they were taken: later ones are slower where a worker falls behind. Raises
    LoadFailed when fewer events a second came in than should."""
    if rate < events:
        raise LoadFailed(f"only {rate:.0f} events/s came in, of {events:.0f}")
    third = max(1, len(samples) // 3)
    growth = median(samples[-third:]) / median(samples[:third])
    rising = growth > _RISING
    how = (
        f"from the answer to a capture until the tile, looked at each {_LOOK_EVERY} s, counts it, in {seconds:.0f} s; "
    )
    how += f"the last third of the samples took {growth:.2f} x the first" + (
        ": a worker falls behind" if rising else ""
    )
    details = {"samples": [round(one, 3) for one in samples], "eventsPerSecond": rate}
    return Figure("reports visible", f"an event in a live tile at {rate:.0f} events/s, p99", "s",
                  [percentile(samples, 0.99)], must=2.0, higher=False, how=how,
                  details={**details, "lastThirdToFirst": growth, "rising": rising})  # fmt: skip


def _seen(house: House, industry: str) -> float:
    """Seconds from the answer to a capture until the tile of its industry counts it."""
    url = house.cluster.url
    one = {**lead(house.numbers(1)), "industry": industry}
    call(url, "/v1/leads:capture", {"lead": one}, house.population.office)
    at = time.monotonic()
    where = quote(f'industry = "{industry}"')
    path = f"/v1/reports/leads-captured?period=all&filter={where}"
    while not _value(call(url, path, token=house.population.admin)):
        if time.monotonic() - at > 30:
            raise LoadFailed("an event was in no tile for 30 s")
        time.sleep(_LOOK_EVERY)
    return time.monotonic() - at


def _value(report: Mapping[str, Any]) -> float:
    return float(report["tiles"][0]["total"]["figure"].get("value", 0))
