"""A transaction for many questions at once, which asks the database nothing twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from chassis.transaction import Transaction


@dataclass
class Remembering(Transaction):
    """For queries alone, while what was read may stay as it was. Figures of many KPIs are made of the same sums, those
    of a week, a month and a quarter of the same days, and each asks first which sums there are."""

    _known: dict[Any, sa.FrozenResult[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, tx: Transaction) -> Remembering:
        return cls(tx.connection, tx.tables, tx.service, tx.now, tx.principal, tx.origin)

    def execute(self, statement: sa.Executable, parameters: Any = None) -> Any:
        key = _key(statement)
        if key is None or parameters is not None:
            return super().execute(statement, parameters)
        if key not in self._known:
            self._known[key] = super().execute(statement).freeze()
        return self._known[key]()


def _key(statement: Any) -> Any:
    """The statement as SQLAlchemy knows it again (its example "dogpile_caching" does so), with the values in it."""
    made = statement._generate_cache_key()
    if made is None:
        return None
    values = (one.effective_value for one in made.bindparams)
    return made.key, *(tuple(one) if isinstance(one, list) else one for one in values)
