"""Tiles, asked for by REST as boards ask for them, and how long they take."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from loadtests.figures import Figure, percentile
from loadtests.population import Population, call
from reports.domain.shipped import SHIPPED

YEAR = "last_365_days"
_MANY = 100
Took = Mapping[str, Sequence[float]]
"""Milliseconds by what was asked for."""


def shipped() -> list[str]:
    """Each shipped KPI's tile by its first dimension, over a year."""
    return [f"/v1/reports/{one.name.partition('/')[2]}?period={YEAR}&groupBy={one.dimensions[0]}" for one in SHIPPED]


def of_boards(url: str, token: str) -> list[str]:
    """The tiles of the boards that are somebody's, as they ask for them."""
    found = []
    for board in call(url, "/v1/boards", token=token)["boards"]:
        for of in board["tiles"]:
            groups = "".join(f"&groupBy={one}" for one in of.get("groupBy", ()))
            narrowed = f"&filter={quote(of['filter'])}" if of.get("filter") else ""
            asked = f"?period={of.get('period') or board['period']}{groups}{narrowed}"
            found.append(f"/v1/reports/{of['kpi'].partition('/')[2]}{asked}")
    return list(dict.fromkeys(found))


def timed(url: str, token: str, paths: Sequence[str], times: int) -> Took:
    """Asks for each once, and then so many times; and for whichever looks slowest _MANY times more, until one is that
    was asked for so often: the slowest of a few may be the machine's doing."""
    found = {path: [once(url, path, token) for _ in range(times + 1)][1:] for path in paths}
    while len(found[worst := slowest(found)[0]]) < _MANY:
        found[worst] += [once(url, worst, token) for _ in range(_MANY)]
    return found


def once(url: str, path: str, token: str) -> float:
    began = time.perf_counter()
    call(url, path, token=token)
    return (time.perf_counter() - began) * 1000


def slowest(took: Took) -> tuple[str, dict[str, float]]:
    """The one with the worst p99, and the p99 of all."""
    p99 = {path: round(percentile(found, 0.99), 1) for path, found in took.items()}
    return max(p99, key=lambda path: p99[path]), p99


def of_roles(
    url: str, people: Population, times: int, must: float, aim: float | None = None, key: str = "reports"
) -> list[Figure]:
    """The boards of a salesperson, who sees his own, and of who manages his team of ten: each tile by itself."""
    found = []
    for who, token in (("salesperson", people.seller), ("manager", people.manager)):
        worst, p99 = slowest(took := timed(url, token, of_boards(url, token), times))
        found.append(
            Figure(f"{key} {who}", f"the slowest of a {who}'s {len(took)} tiles ({named(worst)}), p99", "ms",
                   [p99[worst]], must=must, aim=aim, higher=False, details={"worst": worst, "p99": p99},
                   how="each tile of the boards that are his, as they ask for it, by REST")
        )  # fmt: skip
    return found


def named(path: str) -> str:
    return path.removeprefix("/v1/reports/").partition("?")[0]
