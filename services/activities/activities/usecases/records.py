"""What attachments, follow-ups and the rest are about, and who may see it. Until our own copy of records is there: who
sees all of their kind."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from chassis.access import Principal, Scope
from chassis.errors import NotFound
from chassis.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Record:
    name: str
    customer: str


def visible(principal: Principal, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """SQL for rows whose record, named in the column, the caller may see."""
    return sa.true() if principal.scope("customers", "read") is Scope.ALL else sa.false()


def may_see(tx: Transaction, record: str) -> bool:
    return tx.principal.scope(record.partition("/")[0], "read") is Scope.ALL


def require(tx: Transaction, record: str, verb: str = "read") -> Record:
    """Raises NotFound for a record that the caller may not see."""
    if not may_see(tx, record):
        raise NotFound(record)
    return Record(record, record if record.startswith("customers/") else "")


def facts(tx: Transaction, record: str) -> dict[str, str]:
    """What a template may say of a record."""
    return {"record": record}
