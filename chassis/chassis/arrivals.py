"""What was made just now in another service is told of within a moment: a call that names it waits that long, before
its transaction opens. Whether it is there at all, the use case decides."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from chassis import clock, ids
from chassis.rpc import Call
from chassis.service import Runtime
from chassis.transaction import Transaction

# How long a call waits, and how often it looks.
_PATIENCE, _LOOK_SECONDS = 2.0, 0.05


def may_come(names: Iterable[str]) -> list[str]:
    """Those of these names, each once, that a service could have given: what the rows of a batch wait for, where a row
    with a name that is none is refused by itself and costs the others nothing."""
    return sorted({name for name in names if _may_come(name)})


def _may_come(name: str) -> bool:
    return ids.is_id(name.rpartition("/")[2])


def wait_for(
    runtime: Runtime,
    call: Call[Any],
    names: Iterable[str],
    arrived: Callable[[Transaction], bool],
    seconds: float = 0.0,
) -> None:
    """Returns when what has these names (or ids; empty ones are none) has arrived, or has had its time for it:
    `seconds`, if given, and never more than half of what the caller waits. At once where one of them is a name that no
    service gives: nothing is on its way, and nobody keeps a thread busy with it."""
    wanted = [name for name in names if name]
    if not wanted or not all(map(_may_come, wanted)):
        return
    until = clock.monotonic() + min(seconds or _PATIENCE, call.left() / 2)
    while True:
        with runtime.reading(call.principal) as tx:
            if arrived(tx):
                return
        if clock.monotonic() >= until:
            return
        threading.Event().wait(_LOOK_SECONDS)
