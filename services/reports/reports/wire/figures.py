"""What is announced of figures."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from dealwright.reports.v1 import events_pb2


def changed(facts: Collection[str], learnt: datetime) -> events_pb2.FiguresChanged:
    found = events_pb2.FiguresChanged(name="reports", facts=sorted(facts))
    found.learn_time.FromDatetime(learnt)
    return found
