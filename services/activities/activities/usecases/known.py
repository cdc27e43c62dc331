"""What others told of their records, followed through merges, and the rights on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from activities.domain.known import (
    CONTACTS,
    CUSTOMERS,
    DEALS,
    FOR_GOOD,
    KINDS,
    LEADS,
    OPPORTUNITIES,
    Known,
    LeadSaid,
    Said,
    kind_of,
    there,
)
from activities.storage import known as stored
from activities.storage.known import records
from activities.storage.tables import deciders as deciders_table
from activities.storage.tables import people as people_table
from chassis import access, deciders, people
from chassis.access import Principal, Scope
from chassis.deciders import Decision
from chassis.errors import NotFound
from chassis.transaction import Transaction

ADD = "add"
_ANNOUNCED = records.c.version >= 0
_OF_CONTACTS = records.alias("of_contacts")


def leads_said(tx: Transaction, said: Sequence[LeadSaid]) -> dict[str, Known]:
    """Folds what was said of leads, in whatever order it comes. Returns them as they are now, held."""
    teams = people.teams(tx, people_table, sorted({one.owner for one in said if one.owner}))
    wanted = {one.lead for one in said}
    before = stored.held(tx, wanted)
    after = _folded(said, before, teams)
    added = stored.add(tx, [lead for name, lead in after.items() if name not in before])
    if left := wanted - before.keys() - added:  # somebody spoke of them at the same time
        before |= stored.held(tx, left)
        after |= _folded([one for one in said if one.lead in left], before, teams)
    stored.save_leads(tx, [lead for name, lead in after.items() if name in before and lead != before[name]])
    return after


def _folded(said: Sequence[LeadSaid], before: Mapping[str, Known], teams: Mapping[str, str]) -> dict[str, Known]:
    now: dict[str, Known] = {}
    for one in said:
        now[one.lead] = _fold(now.get(one.lead) or before.get(one.lead) or there(one.lead), one, teams)
    return now


def _fold(lead: Known, one: LeadSaid, teams: Mapping[str, str]) -> Known:
    if lead.version < 0:
        lead = replace(lead, version=0)
    if one.said is Said.WANTS:
        return replace(lead, woken=max(lead.woken, one.owner_version), title=one.title or lead.title)
    if one.said is Said.ANSWERED:
        return replace(lead, answered=max(lead.answered, one.owner_version))
    if one.said is Said.GONE:
        return replace(lead, deleted=True, version=FOR_GOOD)
    if one.owner_version <= lead.version:
        return lead
    team, deleted = teams.get(one.owner, ""), one.said is Said.DELETED
    return replace(lead, owner=one.owner, team=team, deleted=deleted, version=one.owner_version)


def share(tx: Transaction, record: str, person: str, end: datetime, told: datetime) -> None:
    stored.keep_share(tx, record, person, end, told)


def know_deciders(tx: Transaction, told: Sequence[Decision]) -> None:
    """Whoever decides about an opportunity reads what there is about it."""
    deciders.know(tx, deciders_table, [one for one in told if kind_of(one.record) == OPPORTUNITIES])


def standing(tx: Transaction, customer: str) -> str:
    """The name under which a customer goes on: its own, or that of the one it was merged into."""
    for _ in range(8):  # a merge of merged ones; more of them than that is a circle
        into = tx.execute(sa.select(records.c.merged_into).where(records.c.name == customer)).scalar()
        if not into:
            break
        customer = str(into)
    return customer


# --- rights ---


def visible(
    principal: Principal, now: datetime, verb: str = "read", kinds: Collection[str] = KINDS
) -> sa.ColumnElement[bool]:
    """SQL for the records of these kinds in our copy that the caller's roles cover, each kind by the right on it; with
    ADD those to which he may add something: all that he reads but what he only decides about."""
    found = [_visible(principal, kind, now, verb) for kind in KINDS if kind in kinds]
    return sa.and_(records.c.deleted.is_(False), _ANNOUNCED, sa.or_(sa.false(), *found))


def _visible(principal: Principal, kind: str, now: datetime, verb: str) -> sa.ColumnElement[bool]:
    deciding, verb = verb == "read", "read" if verb == ADD else verb
    scope = principal.scope(kind, verb)
    this = records.c.kind == kind
    if scope in (Scope.NONE, Scope.ALL):
        return this if scope is Scope.ALL else sa.false()
    if kind == CONTACTS:
        of = _OF_CONTACTS
        theirs = sa.exists().where(
            of.c.name == records.c.customer, of.c.deleted.is_(False), _covered(principal, scope, of, verb)
        )
        return sa.and_(this, theirs)
    covered = [_covered(principal, scope, records, verb)] if kind == CUSTOMERS else [_owned(principal, scope, records)]
    if verb == "read" and kind == LEADS and scope is Scope.OWN:
        covered.append(sa.and_(records.c.owner == "", records.c.version > records.c.woken))  # in the pool
    if verb == "read" and kind == OPPORTUNITIES and principal.person:
        covered.append(stored.readable(principal.person, principal.teams, now))
        if deciding:
            covered.append(records.c.name.in_(deciders.records_of(deciders_table, principal.person)))
    return sa.and_(this, sa.or_(*covered))


def _owned(principal: Principal, scope: Scope, of: sa.FromClause) -> sa.ColumnElement[bool]:
    covered = access.visible(principal, scope, of.c.owner, people_table)
    return sa.or_(covered, of.c.owner == "") if scope is Scope.TEAM else covered


def _covered(principal: Principal, scope: Scope, of: sa.FromClause, verb: str) -> sa.ColumnElement[bool]:
    """Customers: one's own, the team's, and what the owner's team shares."""
    covered = sa.and_(of.c.kind == CUSTOMERS, _owned(principal, scope, of))
    if verb != "read" or not principal.teams:
        return covered
    shared = sa.and_(of.c.kind == CUSTOMERS, of.c.shared_with_team, of.c.team != "", of.c.team.in_(principal.teams))
    return sa.or_(covered, shared)


def see(tx: Transaction, name: str, verb: str = "read") -> Known:
    """The record, or the customer it was merged into, if the caller may see it, or add to it. Raises NotFound."""
    name = standing(tx, name)
    found = seen(tx, [name], verb).get(name)
    if found is None:
        raise NotFound(name)
    return found


def seen(tx: Transaction, names: Sequence[str], verb: str = "read") -> dict[str, Known]:
    """Those of these records that the caller may see, add to, or write."""
    return stored.find(tx, names, visible(tx.principal, tx.now, verb, {kind_of(name) for name in names}))


def on_visible(
    principal: Principal, now: datetime, record: sa.ColumnElement[str], customer: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """SQL for what is about a record that the caller may see, or about a customer of his in whatever way (F19, F20), as
    long as it is not about a deal with it that he may not see."""
    of_deals = sa.or_(*(record.like(f"{kind}/%") for kind in DEALS))
    return sa.or_(
        names_visible(principal, now, record), sa.and_(names_visible(principal, now, customer), sa.not_(of_deals))
    )


def names_visible(principal: Principal, now: datetime, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """SQL for rows in which a column names a record that the caller may see: asked of each row's record, for all that
    he may see is a list as long as his years."""
    return sa.exists().where(records.c.name == column, visible(principal, now))


def announced(tx: Transaction, names: Sequence[str]) -> bool:
    """Whether all of these were told of by whoever keeps them."""
    return len(stored.find(tx, names, _ANNOUNCED)) == len(set(names))
