"""Which events tell of records, and what tells what they say: for those who hear them from the bus, and for those who
read them again in the services' history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from chassis.bus.subscriptions import decode
from chassis.transaction import Cause
from dealwright.bus.v1.envelope_pb2 import Envelope
from reports.domain.folding import News
from reports.wire import activities, customers, deals, leads, papers, rates

# Each has EVENTS, the events, and told(event, cause), the news.
MODULES: tuple[ModuleType, ...] = (activities, customers, deals, leads, papers, rates)


def _by_type() -> dict[str, list[Callable[[Any, Cause], list[News]]]]:
    found: dict[str, list[Callable[[Any, Cause], list[News]]]] = {}
    for module in MODULES:
        for event in module.EVENTS:
            found.setdefault(event.DESCRIPTOR.full_name, []).append(module.told)
    return found


TOLD = _by_type()


def by_service() -> Mapping[str, Sequence[str]]:
    """The full names of the events of each service."""
    found: dict[str, list[str]] = {}
    for kind in sorted(TOLD):
        found.setdefault(kind.split(".")[1], []).append(kind)
    return found


def told(envelope: Envelope) -> list[News]:
    """The news in one envelope. Raises DecodeError."""
    event, cause = decode(envelope), Cause(envelope)
    return [news for tell in TOLD[envelope.type] for news in tell(event, cause)]
