"""What an approval is to the standard methods, and how a run is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis import records
from chassis.access import Principal
from chassis.errors import NotFound
from chassis.paging import Column
from chassis.transaction import Transaction
from contracts.domain import approval_plain
from contracts.domain.approval import Approval, Run, Status
from contracts.domain.approval_run import Asked
from contracts.storage import approvals as stored
from contracts.storage.tables import people
from contracts.wire import approvals as wire
from dealwright.contracts.v1 import approvals_pb2

_c = stored.approvals.c
_NAMES = ("record", "kind", "opportunity", "customer", "flow", "owner", "team", "currency")
COLUMNS = {
    **{name: Column(_c[name], "name") for name in _NAMES},
    "status": Column(_c.status, "enum", approvals_pb2.Approval.DESCRIPTOR.enum_types_by_name["Status"]),
    "amount": Column(_c.amount, "decimal", order=True),
    **{name: Column(_c[name], "time", order=True) for name in ("create_time", "update_time", "end_time", "due_time")},
    "pending_for": Column(_c.name, "name", lookup=stored.waiting_for),
}


def _also(principal: Principal) -> sa.ColumnElement[bool] | None:
    """Whoever was asked or told."""
    return stored.involved(principal.person) if principal.person else None


def _announce(tx: Transaction, before: Any, after: Any) -> None:
    tx.emit(wire.changed(after if after is not None else before, deleted=after is None))


KIND = records.Kind(
    resource="approvals",
    word="approval",
    table=stored.approvals,
    type=Approval,
    columns=COLUMNS,
    people=people,
    also=_also,
    announce=_announce,
    shown=wire.approval,
    spelt={"currency": "amount"},
)


def with_run(of: Approval, run: Run, tx: Transaction) -> Approval:
    return replace(
        of,
        status=run.status.value,
        facts=dict(run.facts),
        steps=approval_plain.steps_to_plain(run.steps),
        due_time=run.due,
        end_time=of.end_time if run.status is Status.PENDING or of.end_time else tx.now,
    )


def held(tx: Transaction, name: str, etag: str = "") -> Approval:
    """The approval, held until the commit, if the caller may see it. Raises NotFound, Stale."""
    records.find(tx, KIND, name)
    found = records.of_names(tx, KIND, [name], lock=True).get(name)
    if found is None:
        raise NotFound(name)
    records.refuse_stale(tx, KIND, found, etag)
    return found


def keep(tx: Transaction, before: Approval, run: Run, told: Sequence[Asked], action: str, **more: Any) -> Approval:
    """Writes how a run went on, and tells everybody who has to know."""
    after = records.save(tx, KIND, before, replace(with_run(before, run, tx), **more), action)
    _tell(tx, after, run, told)
    return after


def create(tx: Transaction, of: Approval, run: Run, told: Sequence[Asked]) -> Approval:
    made = records.create(tx, KIND, with_run(of, run, tx), {"record": of.record, "flow": of.flow})
    _tell(tx, made, run, told)
    return made


def _tell(tx: Transaction, of: Approval, run: Run, told: Sequence[Asked]) -> None:
    stored.set_people(tx, of.name, run)
    for asked in told:
        tx.emit(wire.requested(of, asked))
    if run.status is not Status.PENDING:
        tx.emit(wire.decided(of))
