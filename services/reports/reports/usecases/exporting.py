"""What of the figures somebody may take along: what he may both read and export."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from chassis.access import Principal, Scope
from chassis.errors import Denied
from chassis.transaction import Transaction
from reports.domain.facts import FACTS
from reports.storage import names


def exporter(of: Principal) -> Principal:
    """The same caller, who sees of the records that figures are made of, and of targets, those that he may export."""
    if of.peer:
        return of
    counted = {fact.resource for fact in FACTS.values() if fact.verb == "read"} | {"targets"}
    return replace(
        of,
        grants={
            name: replace(grant, read=min(grant.read, grant.export)) if name in counted else grant
            for name, grant in of.grants.items()
        },
    )


@contextmanager
def as_export(of: Principal) -> Iterator[None]:
    """Names the right that is missing: what the caller may read but not export is refused as that."""
    try:
        yield
    except Denied as problem:
        resource, _, verb = problem.right.rpartition(".")
        if verb == "read" and of.scope(resource, "read") is not Scope.NONE:
            raise Denied(f"{resource}.export") from problem
        raise


def maker(tx: Transaction) -> str:
    """What the caller is called."""
    person = tx.principal.person
    return names.called(tx, [person]).get(person, person) if person else tx.principal.actor
