"""What attachments and check-ins are about, and who may see it, by our copy of others' records."""

from __future__ import annotations

import sqlalchemy as sa

from activities.domain.known import Known
from activities.storage import known as stored
from activities.storage.tables import people as people_table
from activities.usecases import known
from chassis import clock, people
from chassis.access import Principal
from chassis.errors import NotFound
from chassis.transaction import Transaction


def visible(principal: Principal, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """SQL for rows whose record, named in the column, the caller may see."""
    return column.in_(sa.select(stored.records.c.name).where(known.visible(principal, clock.now())))


def may_see(tx: Transaction, record: str) -> bool:
    return record in known.seen(tx, [record])


def require(tx: Transaction, record: str, verb: str = "read") -> Known:
    """Raises NotFound for a record that the caller may not see."""
    found = known.seen(tx, [record], verb).get(record)
    if found is None:
        raise NotFound(record)
    return found


def facts(tx: Transaction, record: str) -> dict[str, str]:
    """What a template may say of a record, whoever asks."""
    of = stored.find(tx, [record]).get(record)
    if of is None:
        return {"record": record}
    customer = stored.find(tx, [of.customer]).get(of.customer) if of.customer else None
    owner = people.find(tx, people_table, of.owner)
    return {
        "record": record,
        "title": of.title,
        "number": of.number,
        "team": of.team,
        "owner": owner.display_name if owner else "",
        "customer": customer.title if customer else "",
    }
