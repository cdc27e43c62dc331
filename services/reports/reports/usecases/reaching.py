"""Whose records, and what others lend to them, a caller sees."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from chassis.access import Scope, visible
from chassis.transaction import Transaction
from reports.domain.facts import Fact
from reports.storage import ledger
from reports.storage.ledger import Within
from reports.storage.sums import Reach
from reports.storage.tables import people, subjects

COMPANYS = ("channelCosts",)
"""Of the company as a whole, whoever reads them."""
_BY_LEAD = ("lead_holder", "lead")
LENDERS = {
    "customers": ("customer_holder", "customer"),
    **dict.fromkeys(("leads", "opportunities", "contracts"), _BY_LEAD),
}
"""In a posting, whose the record of that resource is that lends it something, and its name."""


def reach(tx: Transaction, fact: Fact) -> Reach:
    """What the caller sees of a fact: the records that he may read, of what others lend these what he may read of
    those, and which customers they are of where he may read these."""
    least: dict[tuple[str, str], Scope] = {}
    for resource in fact.lenders & LENDERS.keys():
        scope = tx.principal.scope(resource, "read")
        least[LENDERS[resource]] = min(scope, least.get(LENDERS[resource], scope))
    lent = {column: (name, within(tx, scope)) for (column, name), scope in sorted(least.items())}
    own = within(tx, tx.principal.require(fact.resource, fact.verb))
    return Reach(own, lent, within(tx, tx.principal.scope("customers", "read")) if "customer" in fact.fields else None)


def in_part(tx: Transaction, facts: Collection[Fact]) -> bool:
    """Whether the caller sees but a part of what these are to be laid over: what channels cost is the company's, and
    nobody's part of the leads is to be had for it. Who has the records of all teams, where nobody without one has
    any that counts, sees no part."""
    others = [fact for fact in facts if fact.resource not in COMPANYS]
    if len(others) == len(facts):
        return False
    least = min((tx.principal.require(fact.resource, fact.verb) for fact in others), default=Scope.ALL)
    if least is not Scope.TEAM:
        return least is not Scope.ALL
    laid_over = {fact.resource for fact in others} | {
        source.resource for fact in others for source in fact.sources(fact.fields.get("channel", ""))
    }
    counted = sa.or_(*(subjects.c.name.startswith(f"{name}/") for name in sorted(laid_over)))
    has_some = sa.exists().where(subjects.c.copy == ledger.live(tx), subjects.c.holder == people.c.name, counted)
    elsewhere = sa.select(people.c.name).where(
        people.c.active, people.c.team.not_in(tx.principal.teams), sa.or_(people.c.team != "", has_some)
    )
    return not tx.principal.teams or tx.execute(elsewhere.limit(1)).first() is not None


def within(tx: Transaction, scope: Scope) -> Within | None:
    """The criterion of a scope by whose a record is; None: everybody's. What nobody holds is for everybody whose scope
    is a team."""
    if scope is Scope.ALL:
        return None
    if scope is not Scope.TEAM:
        return lambda holder: visible(tx.principal, scope, holder, people)
    # As one list of whose it may be: alternatives of a list and a name would not be looked up by any index.
    whose = sa.union_all(
        sa.select(people.c.name).where(visible(tx.principal, scope, people.c.name, people)),
        *(sa.select(sa.literal(name, sa.Text)) for name in (tx.principal.person, "")),
    )
    if tx.dialect == "postgresql":
        # As it stands: `==` is turned round, or round again by `not`, as suits two columns.
        return lambda holder: holder.bool_op("=")(sa.func.any(sa.func.array(whose.scalar_subquery())))
    return lambda holder: holder.in_(whose)
