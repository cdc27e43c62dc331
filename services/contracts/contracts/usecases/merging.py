"""What was a customer's that was merged is the other's from now on (C20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis import records
from chassis.database import in_values
from chassis.transaction import Transaction
from contracts.storage import parties
from contracts.usecases import approval_kind
from contracts.usecases.contract_kinds import CHANGE, CONTRACT, INSTALMENT, INVOICE, PAYMENT
from contracts.usecases.parties import Party
from contracts.usecases.quotes import QUOTES

_AT_ONCE = 200
# What hangs on a contract: nobody adds to it while we hold that.
_HANGING = (CHANGE, INSTALMENT, INVOICE, PAYMENT)


def know(tx: Transaction, told: Sequence[Party]) -> None:
    """Keeps what was told of customers. Quotes, contracts and approvals of those that were merged, deleted ones too,
    become theirs that they are part of."""
    parties.know(tx, told)
    # Held: whoever is about to merge those that stand finds what they are given here.
    ends = parties.standing(tx, {one.name for one in told if one.merged}, hold=True)
    stands = {name: of.name for name, of in ends.items() if of.name != name}
    for kind in (QUOTES, CONTRACT, approval_kind.KIND) if stands else ():
        # Until there is none: what somebody was drawing up meanwhile is there when we look again.
        while held := _held(tx, kind, kind.table.c.customer, sorted(stands)):
            _give(tx, kind, held, stands)
            if kind is CONTRACT:
                for hanging in _HANGING:
                    of_them = _held(tx, hanging, hanging.table.c.contract, [of.name for of in held], None)
                    _give(tx, hanging, of_them, stands)


def _held(
    tx: Transaction, kind: records.Kind[Any], by: sa.Column[str], values: Sequence[str], most: int | None = _AT_ONCE
) -> list[Any]:
    query = sa.select(kind.table.c.name).where(in_values(by, values, tx.dialect)).limit(most)
    names = list(tx.execute(query).scalars())
    return [of for _, of in sorted(records.of_names(tx, kind, names, lock=True).items())]


def _give(tx: Transaction, kind: records.Kind[Any], held: Sequence[Any], stands: Mapping[str, str]) -> None:
    given = [(of, replace(of, customer=stands.get(of.customer, of.customer))) for of in held]
    records.save_all(tx, kind, given, "merged")
