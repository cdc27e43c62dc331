"""Figures on boards with a million leads, 200 000 opportunities and a million follow-ups behind them: how long a tile
and a board take, when an event is in a tile, how fast events are taken in."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from urllib.parse import quote

import psycopg
import sqlalchemy as sa

from chassis.access import Tokens, peer
from chassis.database import Database, insert_rows
from chassis.migration import migrate
from chassis.service import Runtime
from chassis.settings import Settings
from embedded.catalogue import load
from loadtests import ingest, spread, visible
from loadtests.driving import LoadFailed
from loadtests.figures import Figure, percentile
from loadtests.population import call
from loadtests.setting import House
from loadtests.spread import Kind
from reports.domain import periods
from reports.domain.shipped import SHIPPED
from reports.domain.view import View
from reports.storage.tables import metadata
from reports.usecases import reading

_STAGES = ("need-clear", "quote", "negotiation", "won")
_YEAR = "last_365_days"
# What the API makes of each, before it is laid over the days: leads, opportunities with a customer, follow-ups.
_MADE = {"leads": 500, "opportunities": 200, "followUps": 500}
# How many there are in the end, as parts of the leads.
_SHARES = {"leads": 1.0, "opportunities": 0.2, "followUps": 1.0}


def measure(house: House, leads: int, compared: int, say: Callable[[str], None]) -> list[Figure]:
    """The figures. Raises LoadFailed when what was loaded is not like what the API made."""
    _make(house)
    _quiet(house)
    say("records made through the API")
    dsn = house.cluster.databases["reports"]
    there = _there(dsn)
    steps = [one for one in (leads // 100, leads // 10) if one > there["leads"]]
    took: dict[int, dict[str, list[float]]] = {}
    embedded: list[float] = []
    begin = dict.fromkeys(_MADE, 0)
    for step in (*steps, leads):
        kinds = []
        for prefix, made in there.items():
            copies = max(1, round(step * _SHARES[prefix] / made))
            kinds.append(Kind(prefix, begin[prefix], copies - begin[prefix]))
            begin[prefix] = copies
        began = time.monotonic()
        records = spread.load(dsn, [kind for kind in kinds if kind.copies > 0], say)
        say(f"{records:,} records more, for {step:,} leads, in {time.monotonic() - began:.0f} s")
        if step == leads // 10:
            embedded = _embedded(dsn, 5)
        took[step] = _tiles(house, 40 if step == leads else 10)
    unlike, count = spread.differences(dsn, compared)
    if unlike:
        raise LoadFailed("loaded records differ from those of the API:\n" + "\n".join(unlike[:5]))
    say(f"{count} loaded records are like those of the API")
    return [
        *_of_tiles(took, leads, count),
        *_of_roles(house),
        *_narrowed(house, leads),
        _boards(house),
        *([_on_sqlite(embedded, leads // 10)] if embedded else []),
        visible.measure(house),
        ingest.measure(house),
    ]


def _make(house: House) -> None:
    """Through the API: leads of all channels, deals that were won, lost or are open, follow-ups."""
    url, admin = house.cluster.url, house.population.admin
    number = house.numbers(_MADE["leads"])
    for first in range(number, number + _MADE["leads"], 100):
        requests = [{"lead": visible.lead(one)} for one in range(first, first + 100)]
        call(url, "/v1/leads:batchCapture", {"requests": requests}, house.population.office)
    deals: list[str] = []
    customers = []
    for one in range(_MADE["opportunities"] // 2):
        of = {"displayName": f"客户{one}", "region": visible.REGIONS[one % 5], "industry": "物流"}
        customers.append(call(url, "/v1/customers", of, admin)["name"])
    for first in range(0, _MADE["opportunities"], 50):
        requests = [_deal(one, customers[one // 2], house.population.sellers) for one in range(first, first + 50)]
        answer = call(url, "/v1/opportunities:batchCreate", {"requests": requests}, admin)
        deals += [one["opportunity"]["name"] for one in answer["results"] if "opportunity" in one]
    if len(deals) < _MADE["opportunities"]:
        raise LoadFailed(f"only {len(deals)} opportunities could be made: {answer['results'][-1]}")
    for one in range(_MADE["followUps"]):
        said = {"record": deals[one % len(deals)], "method": "CALL", "outcome": "PROGRESS", "summary": "介绍了公司"}
        call(url, "/v1/followUps", said, admin)


def _deal(number: int, customer: str, sellers: Sequence[str]) -> dict[str, Any]:
    passed = _STAGES[: 1 + number % 4]
    history = [{"stage": stage, "enterTime": f"2026-0{3 + place}-10T02:00:00Z"} for place, stage in enumerate(passed)]
    amount = {"currencyCode": "CNY", "units": str(10_000 + number * 100)}
    of = {"title": f"采购{number}", "customer": customer, "amount": amount, "source": "WEB_FORM"}
    of["owner"] = sellers[number % len(sellers)]
    opened = {"openTime": "2026-02-10T02:00:00Z"} | ({"closeTime": history[-1]["enterTime"]} if "won" in passed else {})
    return {"opportunity": of | opened, "historical": True, "history": history}


def _quiet(house: House) -> None:
    """Until all that was told is in the sums."""
    dsn = house.cluster.databases["reports"]
    still, last = 0, -1
    deadline = time.monotonic() + 180
    while still < 6:
        if time.monotonic() > deadline:
            raise LoadFailed("the reports do not come to rest")
        with psycopg.connect(dsn, autocommit=True) as on:
            (count,) = on.execute("select count(*) from postings").fetchone() or (0,)
            (fresh,) = on.execute("select count(*) from batches").fetchone() or (0,)
        still = still + 1 if (count == last and not fresh) else 0
        last = count
        time.sleep(0.5)


def _there(dsn: str) -> dict[str, int]:
    """How many records of each kind the API made, in loads before too."""
    with psycopg.connect(dsn, autocommit=True) as on:
        query = "select split_part(name, '/', 1), count(*) from subjects where state is not null group by 1"
        found: dict[str, int] = dict(on.execute(query).fetchall())
    return {prefix: int(found.get(prefix, made)) for prefix, made in _MADE.items()}


def _tiles(house: House, times: int) -> dict[str, list[float]]:
    """Milliseconds of each shipped KPI's tile by its first dimension, by REST."""
    took: dict[str, list[float]] = {}
    for of in SHIPPED:
        path = f"/v1/reports/{of.name.partition('/')[2]}?period={_YEAR}&groupBy={of.dimensions[0]}"
        took[of.name] = [_timed(house, path) for _ in range(times + 1)][1:]
    return took


def _timed(house: House, path: str, token: str = "") -> float:
    began = time.perf_counter()
    call(house.cluster.url, path, token=token or house.population.admin)
    return (time.perf_counter() - began) * 1000


def _of_roles(house: House) -> list[Figure]:
    """The boards of a salesperson, who sees his own, and of who manages his team of ten: each tile by itself."""
    found = []
    for who, token in (("salesperson", house.population.seller), ("manager", house.population.manager)):
        took: dict[str, list[float]] = {}
        for board in call(house.cluster.url, "/v1/boards", token=token)["boards"]:
            for tile in board["tiles"]:
                groups = "".join(f"&groupBy={one}" for one in tile.get("groupBy", ()))
                asked = f"?period={tile.get('period') or board['period']}{groups}"
                path = f"/v1/reports/{tile['kpi'].partition('/')[2]}{asked}"
                if path not in took:
                    took[path] = [_timed(house, path, token) for _ in range(21)][1:]
        worst = max(took, key=lambda path: percentile(took[path], 0.99))
        found.append(
            Figure(f"reports {who}", f"the slowest of a {who}'s {len(took)} tiles, p99", "ms",
                   [percentile(took[worst], 0.99)], must=100, aim=30, higher=False, details={"worst": worst},
                   how="each tile of the boards that are his, as they ask for it, by REST")
        )  # fmt: skip
    return found


def _narrowed(house: House, leads: int) -> list[Figure]:
    """What no sum is kept for at first: a tile narrowed by two more, and one of what was known some time ago."""
    two = quote('region = "华东" AND industry = "物流"')
    ago = quote((datetime.now(UTC) - timedelta(minutes=1)).isoformat().replace("+00:00", "Z"))
    asked = {"filter": f"channel&filter={two}", "as of": f"channel&asOfTime={ago}"}
    took = {
        name: [_timed(house, f"/v1/reports/leads-captured?period={_YEAR}&groupBy={of}") for _ in range(10)]
        for name, of in asked.items()
    }
    return [
        Figure(f"reports {name}", f"leads by channel, {what}, the slowest of 10", "ms", [max(took[name])],
               higher=False, how=f"by REST, {leads:,} leads", details={"took": [round(one, 1) for one in took[name]]})
        for name, what in (("filter", "narrowed by region and industry"), ("as of", "as was known a minute ago"))
    ]  # fmt: skip


def _of_tiles(took: Mapping[int, Mapping[str, Sequence[float]]], leads: int, compared: int) -> list[Figure]:
    now = took[leads]
    worst = max(now, key=lambda name: percentile(now[name], 0.99))
    p99 = {name: round(percentile(found, 0.99), 1) for name, found in now.items()}
    found = [
        Figure("reports tile", f"the slowest of {len(now)} tiles ({worst}), p99", "ms", [percentile(now[worst], 0.99)],
               must=100, aim=30, higher=False, details={"p99": p99, "compared": compared},
               how=f"each shipped KPI by its first dimension over a year, by REST, {leads:,} leads"),
    ]  # fmt: skip
    few = min(took)
    if few < leads:
        ratio = median(median(found) for found in now.values()) / median(median(one) for one in took[few].values())
        found.append(
            Figure("reports growth", f"a tile with {leads:,} leads against {few:,}", "x", [ratio], must=1.5, aim=1.1,
                   higher=False, how="medians of all tiles")
        )  # fmt: skip
    return found


def _boards(house: House) -> Figure:
    boards = [one["name"] for one in call(house.cluster.url, "/v1/boards", token=house.population.admin)["boards"]]
    p99 = {}
    for name in boards:
        path = f"/v1/reports/{name.partition('/')[2]}"
        p99[name] = percentile([_timed(house, path) for _ in range(21)][1:], 0.99)
    slowest = max(p99, key=lambda name: p99[name])
    return Figure("reports board", f"the slowest of {len(p99)} boards ({slowest}), p99", "ms", [p99[slowest]],
                  must=400, aim=120, higher=False, details=p99, how="all its tiles in one call, by REST")  # fmt: skip


def _embedded(dsn: str, times: int) -> list[float]:
    """Milliseconds of the tiles over the same rows in SQLite."""
    with tempfile.TemporaryDirectory(prefix="dealwright-tiles-") as folder:
        reports = _reports(f"sqlite:///{folder}/reports.db")
        try:
            migrate(reports)
            source = Database(dsn)
            for table in (metadata.tables[name] for name in ("copies", "rollups", "cells", "postings")):
                with source.write() as theirs, reports.database.write() as ours:
                    ours.execute(sa.delete(table))
                    rows = theirs.execution_options(yield_per=5_000).execute(sa.select(table))
                    for part in rows.partitions():
                        insert_rows(ours, table, [column.name for column in table.columns], part)
            source.dispose()
            samples = []
            for of in SHIPPED:
                for turn in range(times + 1):
                    began = time.perf_counter()
                    with reports.reading(peer("reports")) as tx:
                        today = tx.now.date()
                        reading.table(tx, of, View(periods.read(_YEAR, today), today, of.dimensions[:1]))
                    if turn:
                        samples.append((time.perf_counter() - began) * 1000)
            return samples
        finally:
            reports.database.dispose()


def _on_sqlite(took: Sequence[float], leads: int) -> Figure:
    return Figure("reports embedded", f"tiles on SQLite with {leads:,} leads, p99", "ms", [percentile(took, 0.99)],
                  must=150, higher=False, how="in one process, every shipped KPI by its first dimension")  # fmt: skip


def _reports(url: str) -> Runtime:
    """The service on a database of its own."""
    return Runtime(load("reports"), Settings(), Database(url), Tokens("0" * 64))
