"""What attachments and check-ins are about, and who may see it, by our copy of others' records."""

from __future__ import annotations

import sqlalchemy as sa

from activities.domain.known import Known, kind_of, there
from activities.storage import known as stored
from activities.storage.notices import template_there
from activities.storage.tables import people as people_table
from activities.usecases import known
from chassis import clock, people
from chassis.access import Principal, Scope
from chassis.errors import NotFound
from chassis.transaction import Transaction

TEMPLATES = "templates"


def visible(principal: Principal, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """SQL for rows whose record, named in the column, the caller may see."""
    records = known.names_visible(principal, clock.now(), column)
    of_templates = column.like(f"{TEMPLATES}/%") if _sees_templates(principal) else sa.false()
    return sa.or_(records, of_templates)


def _sees_templates(principal: Principal) -> bool:
    """Templates are the company's: a right on them is one on all."""
    return principal.scope(TEMPLATES, "read") is not Scope.NONE


def may_see(tx: Transaction, record: str, verb: str = "read") -> bool:
    if kind_of(record) == TEMPLATES:
        return _sees_templates(tx.principal)
    return record in known.seen(tx, [record], verb)


def require(tx: Transaction, record: str, verb: str = "read") -> Known:
    """Raises NotFound for a record that the caller may not see, or add to."""
    if not may_see(tx, record, verb) or (kind_of(record) == TEMPLATES and not template_there(tx, record)):
        raise NotFound(record)
    return stored.find(tx, [record]).get(record) or there(record)


# What a record is called by, where its own service calls it otherwise than `title`.
_TITLES = {"customers": "display_name", "contacts": "full_name", "leads": "company"}


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


def shown_facts(tx: Transaction, record: str) -> dict[str, str]:
    """Of these, what the caller may see: without the fields that his role never sees, and without a customer that he
    does not see. Raises NotFound."""
    of, caller = require(tx, record), tx.principal
    hidden = caller.grant(of.kind).hidden
    places = {
        "title": _TITLES.get(of.kind, "title"),
        **{name: name for name in ("number", "team", "owner", "customer")},
    }
    away = {place for place, field in places.items() if field in hidden}
    unnamed = _TITLES["customers"] in caller.grant("customers").hidden
    if of.customer and (unnamed or of.customer not in known.seen(tx, [of.customer])):
        away.add("customer")
    return {place: value for place, value in facts(tx, record).items() if place not in away}
