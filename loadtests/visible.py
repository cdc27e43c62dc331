"""When an event is in a live tile."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from urllib.parse import quote

from loadtests import contacts
from loadtests.driving import LoadFailed
from loadtests.figures import Figure, percentile
from loadtests.population import call
from loadtests.setting import House

REGIONS = ("华东", "华南", "华北", "西南", "华中")
_VISIBLE, _EVENTS = 20, 500.0


def lead(number: int) -> dict[str, Any]:
    return {
        "fullName": f"线索{number}",
        "phone": contacts.contact(number).phone,
        "region": REGIONS[number % 5],
        "industry": ("物流", "制造", "零售")[number % 3],
        "channel": ("WEB_FORM", "TRADE_SHOW", "DOUYIN", "REFERRAL")[number % 4],
    }


def measure(house: House) -> Figure:
    """Leads come in; now and then one of an industry of its own, until the tile of that industry has it."""
    url, office = house.cluster.url, house.population.office
    stopping = Event()
    sent = [0]

    def crowd() -> None:
        every, size = 0.2, round(_EVENTS * 0.2 / 2)  # a capture tells of itself and of its assignment
        following = time.monotonic()
        while not stopping.is_set():
            first = house.numbers(size)
            call(
                url,
                "/v1/leads:batchCapture",
                {"requests": [{"lead": lead(n)} for n in range(first, first + size)]},
                office,
            )
            sent[0] += 2 * size
            following += every
            stopping.wait(max(0.0, following - time.monotonic()))

    samples, began = [], time.monotonic()
    with ThreadPoolExecutor(1) as side:
        busy = side.submit(crowd)
        try:
            time.sleep(3)  # the crowd is at its pace before anything is timed
            for number in range(_VISIBLE):
                industry = f"行业{number}"
                call(url, "/v1/leads:capture", {"lead": {**lead(house.numbers(1)), "industry": industry}}, office)
                at = time.monotonic()
                where = quote(f'industry = "{industry}"')
                path = f"/v1/reports/leads-captured?period=all&filter={where}"
                while not _value(call(url, path, token=house.population.admin)):
                    if time.monotonic() - at > 30:
                        raise LoadFailed("an event was in no tile for 30 s")
                    time.sleep(0.02)
                samples.append(time.monotonic() - at)
        finally:
            stopping.set()
            busy.result()
    rate = sent[0] / (time.monotonic() - began)
    return Figure("reports visible", f"an event in a live tile at {rate:.0f} events/s, p99", "s",
                  [percentile(samples, 0.99)], must=2.0, higher=False,
                  how="from the answer to a capture until the tile counts it",
                  details={"samples": [round(one, 3) for one in samples], "eventsPerSecond": rate})  # fmt: skip


def _value(report: Mapping[str, Any]) -> float:
    return float(report["tiles"][0]["total"]["figure"].get("value", 0))
