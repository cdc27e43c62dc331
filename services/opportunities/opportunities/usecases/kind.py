"""What an opportunity is to the standard methods, and whom it belongs to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis import clock, fields, people, records
from chassis.access import Principal, Scope
from chassis.deciders import forget, records_of
from chassis.errors import Denied, Invalid
from chassis.paging import Column
from chassis.transaction import Transaction
from dealwright.opportunities.v1 import opportunities_pb2
from opportunities.domain.opportunity import RUNNING, Opportunity
from opportunities.storage import readers, related
from opportunities.storage.tables import deciders, opportunities
from opportunities.storage.tables import people as people_table
from opportunities.wire import events, messages

RESOURCE = "opportunities"
_LEADING = ("admin", "manager")
_ENUMS = opportunities_pb2.Opportunity.DESCRIPTOR.enum_types_by_name
_c = opportunities.c

COLUMNS = {
    "number": Column(_c.number, "name", order=True),
    "title": Column(_c.title, "text"),
    **{
        name: Column(_c[name], "name") for name in ("customer", "contact", "lead", "pipeline", "stage", "owner", "team")
    },
    "status": Column(_c.status, "enum", _ENUMS["Status"]),
    "amount": Column(_c.amount, "decimal", order=True),
    "currency": Column(_c.currency, "name"),
    "expected_close_date": Column(_c.expected_close_date, "name", order=True),
    "win_probability": Column(_c.win_probability, "int", order=True),
    "importance": Column(_c.importance, "enum", _ENUMS["Importance"]),
    "source": Column(_c.source, "text"),
    "industry": Column(_c.industry, "text"),
    "phone": Column(_c.phone, "text", normalise=fields.direct_line),
    "email": Column(_c.email, "text", normalise=fields.email),
    "products": Column(_c.products, "labels"),
    **{
        name: Column(_c[name], "time", order=True)
        for name in ("create_time", "update_time", "stage_time", "close_time", "warned_time")
    },
    "open_time": Column(sa.func.coalesce(_c.open_time, _c.create_time), "time", order=True, nullable=False),
}


def _also(principal: Principal) -> sa.ColumnElement[bool] | None:
    """Who works on it, and who decides, or decided, about it."""
    working = working_on(principal)
    return working if working is None else sa.or_(working, _c.name.in_(records_of(deciders, principal.person)))


def working_on(principal: Principal) -> sa.ColumnElement[bool] | None:
    """Collaborators, and those it is shared with: to the second, whatever the loop that ends shares is doing."""
    return readers.readable(principal.person, principal.teams, clock.now()) if principal.person else None


def _announce(tx: Transaction, before: Any, after: Any) -> None:
    of = after if after is not None else before
    if after is None:
        related.forget(tx, of.name)
        forget(tx, deciders, of.name)
    tx.emit(events.changed(of, deleted=after is None or after.delete_time is not None))
    anew = before is None or not runs(before) or before.owner != of.owner
    if after is not None and runs(after) and anew and people.left(tx, people_table, [after.owner]):
        tx.emit(events.left_behind(after))


def runs(of: Opportunity) -> bool:
    """Whether somebody still has something to do for it: then it waits for a manager's word while its owner has left,
    however and whenever it came to be his (C16)."""
    return bool(of.owner) and of.status in RUNNING and of.delete_time is None


KIND = records.Kind(
    resource=RESOURCE,
    word="opportunity",
    table=opportunities,
    type=Opportunity,
    columns=COLUMNS,
    people=people_table,
    also=_also,
    announce=_announce,
    shown=messages.opportunity,
    spelt={"currency": "amount", "budget_currency": "budget"},
)


def may_lead(caller: Principal) -> bool:
    """Whether the caller gives others' opportunities away and overrides the rules of stages."""
    wide = caller.scope(RESOURCE, "write") in (Scope.TEAM, Scope.ALL)
    return bool(caller.peer) or (wide and caller.role in _LEADING)


def leading(tx: Transaction) -> None:
    """Raises Denied for who may not."""
    if not may_lead(tx.principal):
        raise Denied(f"{RESOURCE}.lead")


def staff(tx: Transaction, names: list[str], field: str) -> dict[str, people.Person]:
    """These people, all of them active. Raises Invalid for one who is not."""
    found = {one.name: one for one in people.find_all(tx, people_table, sorted(set(names))) if one.active}
    wrong = [name for name in names if name not in found]
    if wrong:
        raise Invalid([(field, f"{wrong[0]} is not known, or has left", f"{wrong[0]} 不存在或已离职")])
    return found


def may_own(tx: Transaction, owner: people.Person) -> None:
    """Raises Denied for an owner that the caller may not choose: himself, or for who leads, those whose opportunities
    he may write."""
    scope = tx.principal.scope(RESOURCE, "write")
    if owner.name == tx.principal.person:
        return
    if not may_lead(tx.principal) or (scope is Scope.TEAM and owner.team not in (tx.principal.teams or ("",))):
        raise Denied(f"{RESOURCE}.owner.write")
