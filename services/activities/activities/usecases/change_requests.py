"""What customers want otherwise than agreed: written down once, and told to those who plan, deliver and bill (C22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from activities.domain.changes import ChangeRequest
from activities.domain.entry import key_of
from activities.domain.known import CONTRACTS, OPPORTUNITIES, kind_of
from activities.storage import known as stored
from activities.usecases import known, timeline
from activities.usecases.kinds import CHANGE_REQUESTS
from activities.wire import entries, events
from chassis import records
from chassis.access import refuse_read_only
from chassis.errors import Invalid
from chassis.transaction import Transaction

_RESOURCE = CHANGE_REQUESTS.resource
_EMPTY: Mapping[str, Any] = {"type": 0, "detail": "", "schedule_days": 0, "surcharge": None, "currency": ""}


def create(tx: Transaction, record: str, values: Mapping[str, Any]) -> ChangeRequest:
    """Raises NotFound for a record out of reach, Invalid for one that is no deal."""
    refuse_read_only(tx.principal, _RESOURCE, [name for name, value in values.items() if value])
    if kind_of(record) not in (OPPORTUNITIES, CONTRACTS):
        raise Invalid([("change_request.record", "must be an opportunity or a contract", "须为商机或合同")])
    known.see(tx, record, known.ADD)
    of = stored.hold(tx, [record])[record]
    made = ChangeRequest(
        **{**_EMPTY, **values},
        name=CHANGE_REQUESTS.new_name(),
        record=record,
        customer=of.customer,
        opportunity=of.opportunity,
        owner=tx.principal.person,
        team=tx.principal.team,
        version=1,
        create_time=tx.now,
        update_time=tx.now,
    )
    records.create(tx, CHANGE_REQUESTS, made, {"record": record})
    return _told(tx, made)


def update(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> ChangeRequest:
    """What is wanted now, told anew. Raises Stale, Denied."""
    refuse_read_only(tx.principal, _RESOURCE, list(values))
    before = records.hold(tx, CHANGE_REQUESTS, name, etag)
    saved = records.save(tx, CHANGE_REQUESTS, before, replace(before, **values))
    return saved if saved is before else _told(tx, saved)


def _told(tx: Transaction, of: ChangeRequest) -> ChangeRequest:
    tx.emit(events.requirement_changed(of))
    timeline.put(tx, [entries.change_request(of)])
    return of


def delete(tx: Transaction, name: str, etag: str) -> ChangeRequest:
    gone = records.delete(tx, CHANGE_REQUESTS, name, etag)
    timeline.drop(tx, key_of(name))
    return gone


def undelete(tx: Transaction, name: str) -> ChangeRequest:
    back = records.undelete(tx, CHANGE_REQUESTS, name)
    timeline.put(tx, [entries.change_request(back)])
    return back
