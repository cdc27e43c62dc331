"""When each record was last followed up (F17): kept with our copy of the record, so that a list of them is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from activities.domain.follow_up import FollowUp
from activities.domain.known import CUSTOMERS, FOLLOWED, LEADS, OPPORTUNITIES, Known, kind_of
from activities.storage import follow_ups as follow_up_table
from activities.storage import known as stored
from activities.storage.follow_ups import follow_ups
from activities.storage.known import records
from activities.usecases import known
from activities.usecases.kinds import FOLLOW_UPS
from chassis import paging
from chassis.columns import Column
from chassis.errors import Invalid
from chassis.transaction import Transaction

_COLUMNS = {
    "happen_time": Column(records.c.last_follow_up_time, "time", order=True),
    "record": Column(records.c.name, "name", order=True),
    **{name: Column(records.c[name], "name") for name in ("customer", "owner", "team")},
}
_SELECT = sa.select(*(records.c[name] for name in stored.COLUMNS))


def gained(tx: Transaction, held: dict[str, Known], logged: Sequence[FollowUp]) -> None:
    """Counts new follow-ups for the records that they are about, which the caller holds."""
    now = dict(held)
    for one in logged:
        for name in _about(one):
            was = now[name].last_follow_up_time
            if was is None or was <= one.happen_time:
                now[name] = replace(now[name], last_follow_up=one.name, last_follow_up_time=one.happen_time)
    stored.save(tx, [record for name, record in now.items() if record != held[name]])


def changed(tx: Transaction, one: FollowUp) -> None:
    """Counts anew for the records of a follow-up that moved in time, was deleted or came back."""
    held = stored.hold(tx, _about(one))
    now = {name: _counted(tx, record) for name, record in held.items()}
    stored.save(tx, [record for name, record in now.items() if record != held[name]])


def _about(one: FollowUp) -> list[str]:
    return [name for name in dict.fromkeys((one.record, one.customer, one.opportunity, one.lead)) if name]


def _counted(tx: Transaction, record: Known) -> Known:
    c = follow_ups.c
    column: Any = {CUSTOMERS: c.customer, OPPORTUNITIES: c.opportunity, LEADS: c.lead}.get(record.kind, c.record)
    last = follow_up_table.last_of(tx, column, record.name)
    name, time = last or ("", None)
    assert time is None or isinstance(time, datetime)
    return replace(record, last_follow_up=name, last_follow_up_time=time)


def page(tx: Transaction, request: Any) -> tuple[list[Known], str]:
    """One page of records with their last follow-up, of those that the caller may see. Raises Invalid."""
    if request.kind not in FOLLOWED:
        raise Invalid([("kind", f"must be one of: {', '.join(FOLLOWED)}", f"须为以下之一：{'、'.join(FOLLOWED)}")])
    query = _SELECT.where(records.c.kind == request.kind, known.visible(tx.principal, tx.now, kinds=(request.kind,)))
    hidden = tx.principal.grant(FOLLOW_UPS.resource).hidden
    found = paging.listing(tx, query, _COLUMNS, request, "happen_time", records.c.name, hidden=hidden)
    return [Known(*row[: len(stored.COLUMNS)]) for row in found.rows], found.next_page_token


def parties(of: Sequence[Known]) -> list[str]:
    """The names of these records and of all that a follow-up on them counts for."""
    return sorted({name for one in of for name in (one.name, one.customer, one.opportunity, one.lead) if name})


def is_followed(name: str) -> bool:
    return kind_of(name) in FOLLOWED
