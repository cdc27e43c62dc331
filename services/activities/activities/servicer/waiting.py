"""A call about a record waits for it, where it was made just now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from activities.usecases import known
from chassis import arrivals
from chassis.rpc import Call


def for_records(names_of: Callable[[Any], list[str]]) -> Callable[[Any, Call[Any]], None]:
    """A `fetch` that waits for the records that a request, or any row of it, names."""

    def fetch(servicer: Any, call: Call[Any]) -> None:
        names = arrivals.may_come(names_of(call.request))
        arrivals.wait_for(servicer.runtime, call, names, lambda tx: known.announced(tx, names))

    return fetch
