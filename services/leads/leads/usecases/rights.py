"""Which leads a caller may see and change: own (and the pool), team (and what nobody owns), all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from chassis import staleness
from chassis.access import Principal, Scope, visible
from chassis.errors import Denied, NotFound, Refused, Stale
from chassis.transaction import Transaction
from dealwright.leads.v1 import leads_pb2
from leads.domain.attention import rule
from leads.domain.lead import Lead, Status
from leads.storage import leads as stored
from leads.storage import people, reading
from leads.storage.tables import leads
from leads.storage.tables import people as people_table
from leads.wire import lead as wire

_SPELT = {"latitude": "location", "longitude": "location"}
# Of a change that makes a new version; what a caller does not see is not told of.
_SHOWN = leads_pb2.Lead.DESCRIPTOR.fields_by_name
_TOLD = tuple(field.name for field in fields(Lead) if _SPELT.get(field.name, field.name) in _SHOWN)
_NAME = re.compile(r"leads/[0-9a-f]{32}")
# A literal, so that the planner sees that the pool's partial index fits.
_POOLED: sa.ColumnElement[int] = sa.literal_column(str(int(Status.POOLED)))


def criteria(principal: Principal, verb: str) -> sa.ColumnElement[bool]:
    """SQL for the leads that the caller's scope covers. Raises Denied without any."""
    scope = principal.require("leads", verb)
    covered = visible(principal, scope, leads.c.owner, people_table)
    if scope is Scope.OWN and verb == "read":
        return sa.or_(covered, leads.c.status == _POOLED)
    if scope is Scope.TEAM:
        return sa.or_(covered, leads.c.owner == "")
    return covered


def covers(principal: Principal, verb: str, lead: Lead, team: str) -> bool:
    """The same of one lead whose owner is of `team`."""
    scope = principal.scope("leads", verb)
    if scope is Scope.ALL:
        return True
    if scope is Scope.NONE:
        return False
    if lead.owner and lead.owner == principal.person:
        return True
    if scope is Scope.TEAM:
        return not lead.owner or team in (principal.teams or ("",))
    return verb == "read" and lead.status == Status.POOLED


def changeable(caller: Principal, lead: Lead, team: str) -> bool:
    """Whether what a capture says may go onto the lead: onto one that nobody has, and onto those that the caller may
    change. A colleague's facts are not hers to write (L31)."""
    return not lead.owner or covers(caller, "write", lead, team)


def readable(tx: Transaction, callers: Iterable[tuple[Principal, Lead]]) -> list[bool]:
    """For each caller whether he may see the lead; one look at the people, and only where a team decides."""
    asked = list(callers)
    owners = {lead.owner for caller, lead in asked if lead.owner and caller.scope("leads", "read") is Scope.TEAM}
    teams = people.teams(tx, sorted(owners)) if owners else {}
    return [covers(caller, "read", lead, teams.get(lead.owner, "-")) for caller, lead in asked]


def find(tx: Transaction, name: str, lock: bool = False, deleted: bool = False) -> Lead:
    """The lead, if the caller may see it. Raises NotFound otherwise; `deleted`: one that was deleted will do, too."""
    lead = stored.by_name(tx, [name], lock).get(name) if _NAME.fullmatch(name) else None
    if lead is None or (lead.deleted and not deleted) or not readable(tx, [(tx.principal, lead)])[0]:
        raise NotFound(name if _NAME.fullmatch(name) else "leads/...")
    return lead


def not_pooled() -> Refused:
    return Refused("NOT_POOLED", "This lead is not in the pool.", "该线索不在公海中。")


def gone(lead: Lead) -> Refused:
    return Refused(
        "DELETED",
        f"This lead was deleted; POST /v1/{lead.name}:undelete brings it back.",
        f"该线索已删除；可通过 POST /v1/{lead.name}:undelete 恢复。",
    )


def hold(tx: Transaction, name: str, etag: str, claiming: bool = False) -> Lead:
    """The lead, held until the commit, if the caller may change it and it is as he read it.

    Raises NotFound out of reach, Denied for one that he may only see, DELETED, Stale when the etag is old. `claiming`:
    what lies in the pool is for everybody who sees it; NOT_POOLED for what lay there and went to somebody else.
    """
    try:
        lead = reach(tx, name, "write", claiming)
    except NotFound:
        if claiming and _NAME.fullmatch(name) and reading.was_pooled(tx, name):
            raise not_pooled() from None  # He may have seen it there: no secret.
        raise
    if lead.deleted:
        raise gone(lead)
    refuse_stale(tx, lead, etag)
    return lead


def reach(tx: Transaction, name: str, verb: str, claiming: bool = False) -> Lead:
    """The lead, deleted or not, held until the commit, if the caller may do that to it. Raises NotFound, Denied."""
    lead = find(tx, name, lock=True, deleted=True)
    team = people.teams(tx, [lead.owner]).get(lead.owner, "-") if lead.owner else "-"
    pooled = claiming and lead.status == Status.POOLED
    if not pooled and not covers(tx.principal, verb, lead, team):
        raise Denied(f"leads.{verb}")
    return lead


def refuse_stale(tx: Transaction, lead: Lead, etag: str) -> None:
    """Raises Stale, with what was changed since, unless the caller saw the lead as it is or did not say."""
    if etag and etag != str(lead.version):
        raise stale(tx, lead, etag)


def stale(tx: Transaction, lead: Lead, etag: str = "", only: Sequence[str] = ()) -> Stale:
    """What to raise for a lead that is not any more what the caller goes by; `only` where it is about these fields
    alone."""
    return staleness.stale(tx, etag, wire.lead(lead, rule(tx.now)), _SPELT, only)


def told(before: Lead, after: Lead) -> dict[str, Any]:
    """What the audit row of a change says: the version that it made, and what of the lead it wrote; nothing of one that
    made none."""
    return staleness.told(before, after, _TOLD) if after.version != before.version else {}
