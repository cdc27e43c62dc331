"""A transaction for many questions, which asks nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from chassis.transaction import Transaction


@dataclass
class Remembering(Transaction):
    """For queries alone, while what was read may stay as it was. Figures of many KPIs are made of the same sums, those
    of a week, a month and a quarter of the same days, and each asks first which sums there are."""

    _known: dict[Hashable, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, tx: Transaction) -> Remembering:
        return cls(tx.connection, tx.tables, tx.service, tx.now, tx.principal, tx.origin)

    def once(self, key: Hashable, ask: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = ask()
        return self._known[key]
