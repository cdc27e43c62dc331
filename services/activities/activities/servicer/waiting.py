"""A record made just now is told of within a moment: a call about it waits that long. Whether it is there at all, the
use case decides."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from activities.usecases import known
from chassis import clock
from chassis.rpc import Call

# How long a call waits, and how often it looks.
_WAIT_SECONDS, _LOOK_SECONDS = 2.0, 0.05


def for_records(names_of: Callable[[Any], list[str]]) -> Callable[[Any, Call[Any]], None]:
    """A `fetch` that waits for the records that a request names."""

    def fetch(servicer: Any, call: Call[Any]) -> None:
        names = [name for name in names_of(call.request) if name]
        until = clock.monotonic() + min(_WAIT_SECONDS, call.left())
        while names:
            with servicer.runtime.reading(call.principal) as tx:
                if known.announced(tx, names):
                    return
            if clock.monotonic() >= until:
                return
            threading.Event().wait(_LOOK_SECONDS)

    return fetch
