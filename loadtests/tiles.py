"""Figures on boards with a million leads behind them: how long a tile and a board take, when an event is in a tile, how
fast events are taken in. To a million leads belong 1 000 000 follow-ups, which cover each of 100 000 customers on some
days, 200 000 opportunities, 200 000 tasks, 50 000 check-ins, 50 000 contracts with 100 000 instalments, 50 000 invoices
and 50 000 payments."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from statistics import median
from urllib.parse import quote

from loadtests import asking, books, embedded_tiles, ingest, spread, visible
from loadtests.asking import YEAR, Took, named, shipped, slowest, timed
from loadtests.driving import LoadFailed
from loadtests.figures import Figure, percentile
from loadtests.population import call
from loadtests.setting import House

_TIMES = 20
# What a tile takes at least, in ms, where it is compared with what it took with fewer records: a call takes about that
# long with no records at all, and the ratio of less is that of the machine's whims.
_FLOOR = 5.0


def measure(house: House, leads: int, compared: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """The figures, each as soon as it is measured. Raises LoadFailed when what was loaded is not like what the API
    made."""
    url, dsn = house.cluster.url, house.cluster.databases["reports"]
    books.make(url, house.population, house.numbers(books.MADE["leads"]))
    books.quiet(dsn)
    say("records made through the API")
    there, begin = spread.there(dsn), dict.fromkeys(books.MADE, 0)
    few = leads // 100
    took: dict[int, Took] = {}
    for step in (*([few] if few > there["leads"] else []), leads):
        began = time.monotonic()
        records = spread.load(dsn, spread.kinds(there, begin, step), say)
        say(f"{records:,} records more, for {step:,} leads, in {time.monotonic() - began:.0f} s")
        took[step] = timed(url, house.population.admin, shipped(), _TIMES)
    unlike, count = spread.differences(dsn, compared)
    if unlike:
        raise LoadFailed("loaded records differ from those of the API:\n" + "\n".join(unlike[:5]))
    say(f"{count} loaded records are like those of the API")
    yield tile(took[leads], leads, {"compared": count, "records": spread.there(dsn)})
    if few in took:
        yield growth(took[few], took[leads], few, leads)
    yield from asking.of_roles(url, house.population, _TIMES, must=100, aim=30)
    yield from _narrowed(house, leads)
    yield _boards(house)
    failed = []
    for part in (
        lambda: [ingest.measure(house)],
        lambda: embedded_tiles.measure(house.cluster.parts.postgres, max(leads // 10, 5_000), say),
        lambda: [visible.measure(house)],
    ):
        try:
            yield from part()
        except LoadFailed as problem:  # takes no other part with it
            failed.append(str(problem))
    if failed:
        raise LoadFailed("; ".join(failed))


def tile(took: Took, leads: int, details: Mapping[str, object]) -> Figure:
    worst, p99 = slowest(took)
    return Figure("reports tile", f"the slowest of {len(took)} tiles ({named(worst)}), p99", "ms", [p99[worst]],
                  must=100, aim=30, higher=False, details={"p99": p99, **details},
                  how=f"each shipped KPI by its first dimension over a year, by REST, {leads:,} leads and what belongs "
                  "to them")  # fmt: skip


def growth(before: Took, now: Took, few: int, leads: int) -> Figure:
    """How much dearer the tile is that has become dearest."""
    ratios = {path: median(found) / max(median(before[path]), _FLOOR) for path, found in now.items()}
    worst = max(ratios, key=lambda path: ratios[path])
    return Figure("reports growth", f"the tile that grew most ({named(worst)}), {leads:,} leads against {few:,}", "x",
                  [ratios[worst]], must=1.5, aim=1.1, higher=False, details={"ratios": ratios},
                  how=f"medians of each tile, of days alike; what took less than {_FLOOR:.0f} ms, about a call's own "
                  "time, counts as so much")  # fmt: skip


def _narrowed(house: House, leads: int) -> list[Figure]:
    """What no sum is kept for at first: a tile narrowed by two more, and one of what was known some time ago."""
    two = quote('region = "华东" AND industry = "物流"')
    ago = quote((datetime.now(UTC) - timedelta(minutes=1)).isoformat().replace("+00:00", "Z"))
    asked = {"filter": f"channel&filter={two}", "as of": f"channel&asOfTime={ago}"}
    path = f"/v1/reports/leads-captured?period={YEAR}&groupBy={{}}"
    took = {
        name: [asking.once(house.cluster.url, path.format(of), house.population.admin) for _ in range(10)]
        for name, of in asked.items()
    }
    return [
        Figure(f"reports {name}", f"leads by channel, {what}, the slowest of 10", "ms", [max(took[name])],
               higher=False, how=f"by REST, {leads:,} leads", details={"took": [round(one, 1) for one in took[name]]})
        for name, what in (("filter", "narrowed by region and industry"), ("as of", "as was known a minute ago"))
    ]  # fmt: skip


def _boards(house: House) -> Figure:
    boards = [one["name"] for one in call(house.cluster.url, "/v1/boards", token=house.population.admin)["boards"]]
    paths = {f"/v1/reports/{name.partition('/')[2]}": name for name in boards}
    took = timed(house.cluster.url, house.population.admin, list(paths), _TIMES)
    p99 = {paths[path]: percentile(found, 0.99) for path, found in took.items()}
    worst = max(p99, key=lambda name: p99[name])
    return Figure("reports board", f"the slowest of {len(p99)} boards ({worst}), p99", "ms", [p99[worst]],
                  must=400, aim=120, higher=False, details=p99, how="all its tiles in one call, by REST")  # fmt: skip
