"""The stage of a customer follows its deals (C4): forward by itself, back by a person alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chassis import records
from chassis.transaction import Transaction
from customers.domain.customer import Reached
from customers.storage import reached as stored
from customers.usecases.customers import graded
from customers.usecases.kinds import CUSTOMERS
from customers.usecases.vip import standing


def forward(tx: Transaction, told: Sequence[Reached]) -> None:
    """How far deals, quotes and contracts have come. Each tells of a stage once: whoever sets a customer back is not
    overruled by what is told again, only by what is new."""
    into = standing(tx, [one.customer for one in told])
    mine = [replace(one, customer=into.get(one.customer, one.customer)) for one in told if one.customer]
    furthest: dict[str, int] = {}
    for one in stored.know(tx, mine):
        furthest[one.customer] = max(one.stage, furthest.get(one.customer, 0))
    held = records.of_names(tx, CUSTOMERS, sorted(furthest), lock=True)
    for name, of in sorted(held.items()):
        if of.stage < furthest[name]:
            records.save(tx, CUSTOMERS, of, graded(tx, replace(of, stage=furthest[name])), "cameFurther")
