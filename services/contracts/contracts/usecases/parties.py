"""What others told of customers, contacts and opportunities, and who sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from chassis import clock
from chassis.access import Principal, visible
from chassis.errors import Invalid, NotFound, Refused
from chassis.transaction import Transaction
from contracts.domain.party import Party as Party
from contracts.storage import parties
from contracts.storage.tables import people


def know(tx: Transaction, told: Sequence[Party]) -> list[str]:
    """Keeps the newest state of each. Returns the names of those that were news."""
    return parties.know(tx, told)


def find(tx: Transaction, name: str, hold: bool = False) -> Party | None:
    """One customer, contact or opportunity that is known and not deleted; `hold`: it stays so until the commit."""
    return parties.find(tx, name, hold)


def find_all(tx: Transaction, names: Sequence[str], hold: bool = False) -> dict[str, Party]:
    """Those of these names that are known and not deleted; a customer that was merged is the one it is part of, whoever
    names it."""
    return parties.find_all(tx, names, hold)


def share(tx: Transaction, opportunity: str, person: str, end: datetime, told: datetime) -> None:
    """Somebody sees an opportunity until then, as was told at that time."""
    parties.keep_share(tx, opportunity, person, end, told)


def drawn_up(principal: Principal, papers: sa.Table) -> sa.ColumnElement[bool]:
    """SQL for the quotes or contracts that a person drew up for deals that are shared with him."""
    shared = parties.shared(principal.person, principal.teams, clock.now())
    return sa.and_(papers.c.author == principal.person, papers.c.opportunity.in_(shared))


def deal(tx: Transaction, name: str, resource: str) -> Party:
    """The opportunity, if the caller may write a `resource` for it: his right on that covers it, or he works on it or
    it is shared with him. Raises NotFound."""
    p, caller = parties.parties.c, tx.principal
    scope = caller.require(resource, "write")
    covered = visible(caller, scope, p.owner, people)
    if caller.person:
        covered = sa.or_(covered, p.name.in_(parties.shared(caller.person, caller.teams, tx.now)))
    mine = sa.select(p.name).where(p.name == name, covered)
    found = parties.find(tx, name) if name.startswith("opportunities/") and tx.execute(mine).first() else None
    if found is None:
        raise NotFound(name)
    return found


def alone(tx: Transaction, of: Party) -> Party | None:
    """The opportunity as it is now, which until the commit nobody else draws up papers of by a click, nor hears news
    of."""
    parties.lock(tx, of.name)
    return parties.find(tx, of.name)


def going_on(tx: Transaction, of: Party | None) -> Party:
    """The opportunity, which may be won. Raises NOT_OPEN for one that was lost, put on hold or deleted, or awaits its
    manager's word, CUSTOMER_DELETED for one whose customer was."""
    if of is None or not of.open:
        raise not_open()
    customer = parties.standing(tx, [of.customer]).get(of.customer)
    if customer is not None and customer.deleted:
        raise Refused(
            "CUSTOMER_DELETED",
            f"The customer of the opportunity was deleted: {customer.title}.",
            f"该商机的客户“{customer.title}”已被删除。",
        )
    return of


def not_open() -> Refused:
    return Refused(
        "NOT_OPEN",
        "The opportunity is neither open nor won: it was lost, put on hold or deleted, or awaits confirmation.",
        "该商机不是进行中或已赢单状态（已输单、搁置、删除或待确认）。",
    )


class Unseen(Invalid):
    """Somebody named what there is not, or what he may not see (the answer does not tell which); every such field is
    named."""

    code = "NOT_FOUND"

    def __init__(self, violations: Sequence[tuple[str, str, str]]) -> None:
        super().__init__(violations)
        self.reason = "NOT_FOUND"


_CHINESE = {"customer": "找不到该客户", "contact": "找不到该联系人", "opportunity": "找不到该商机"}


def seen(tx: Transaction, word: str, named: Mapping[str, str]) -> dict[str, Party]:
    """What the caller names as "customer", "contact" and "opportunity" of a `word`, by field; empty names are left out.
    Raises Unseen for those that he may not see, and for those that there are not."""
    known = find_all(tx, list(named.values()))
    found: dict[str, Party] = {}
    for field, name in named.items():
        if name not in known:
            continue
        # A contact is whose its customer is.
        whose = known[name].customer if field == "contact" else known[name].name
        resource = {"customer": "customers", "contact": "contacts", "opportunity": "opportunities"}[field]
        if name.startswith(f"{resource}/") and whose in parties.readable(tx, resource, [whose]):
            found[field] = known[name]
    wrong = [
        (f"{word}.{field}", "was not found", _CHINESE[field])
        for field, name in named.items()
        if name and field not in found
    ]
    if wrong:
        raise Unseen(wrong)
    return found
