"""What is announced of figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from dealwright.reports.v1 import events_pb2
from reports.domain.facts import FACTS


def changed(moved: Collection[tuple[str, str]], learnt: datetime) -> list[events_pb2.FiguresChanged]:
    """One for each right that shows some of it; `moved` are facts, and whose records those are of."""
    whose: dict[tuple[str, str], set[str]] = defaultdict(set)
    for fact, holder in moved:
        whose[FACTS[fact].resource, FACTS[fact].verb].add(holder)
    found = []
    for (resource, verb), holders in sorted(whose.items()):
        told = events_pb2.FiguresChanged(name="reports", resource=resource, verb=verb, holders=sorted(holders))
        told.learn_time.FromDatetime(learnt)
        found.append(told)
    return found
