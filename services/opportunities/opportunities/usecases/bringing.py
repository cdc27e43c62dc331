"""Opportunities that a sheet brings: opened, or laid upon those that are known; and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from chassis import bringing, custom, records
from chassis.access import Scope, refuse_read_only
from chassis.belongings import Place
from chassis.bringing import Brought, Way
from chassis.errors import Denied, Invalid
from chassis.transaction import Transaction
from dealwright.api.v1 import bringing_pb2
from dealwright.opportunities.v1 import events_pb2
from opportunities.domain import history
from opportunities.domain.history import NOTHING, Told
from opportunities.domain.opportunity import Opportunity
from opportunities.domain.pipeline import Pipeline
from opportunities.storage.tables import opportunities, parties, shares
from opportunities.usecases import keeping, pipelines
from opportunities.usecases.kind import KIND, RESOURCE, may_lead
from opportunities.wire import messages


def bring(
    tx: Transaction,
    values: Mapping[str, Any],
    given: Sequence[str],
    today: date,
    historical: bool,
    conflict: int,
    source: str = "",
    told: Told = NOTHING,
) -> Brought[Opportunity]:
    """Opens one, or does to the known one of this title and customer what `conflict` says about the `given` values.
    `told` is what happened to it before it was entered, of one that is `historical`. Raises as keeping.create, and
    Denied for a later stage or times of before by who may not lead."""
    known: Opportunity | None = None
    if conflict:
        values = keeping.standing(tx, values)
        known = _known(tx, values)
    if known is not None:
        said = {name: values[name] for name in given if values.get(name)}
        return bringing.tell(tx, WAY, _laid(tx, known, said, conflict), source)
    way = pipelines.chosen(tx, values.get("pipeline", ""))
    said = {**values, "stage": _stage(way, values.get("stage", ""))}
    if not historical or not (told.times or said["stage"] not in ("", way.first.id)):
        return Brought(keeping.create(tx, said, today, historical, way=way), bringing.CREATED)
    if not (may_lead(tx.principal) or _all(tx)):
        raise Denied(f"{RESOURCE}.lead")
    try:
        past = history.visits(way, said["stage"], told, tx.now)
    except history.Impossible as impossible:
        raise Invalid(list(impossible.wrong)) from None
    said = {**said, "stage": past[-1].stage.id, "status_reason": told.reason}
    return Brought(keeping.create(tx, said, today, historical, past, way), bringing.CREATED)


def _all(tx: Transaction) -> bool:
    return tx.principal.scope(RESOURCE, "write") is Scope.ALL


def _stage(way: Pipeline, said: str) -> str:
    """The id of a stage; what is none is left to be refused."""
    found = history.stage_called(way, said)
    return found.id if found else said


def _known(tx: Transaction, values: Mapping[str, Any]) -> Opportunity | None:
    c = opportunities.c
    query = KIND.select.where(
        c.customer == values.get("customer", ""),
        c.title == values.get("title", ""),
        c.delete_time.is_(None),
        records.criteria(KIND, tx.principal, "read"),
    )
    row = tx.execute(query.order_by(c.name).limit(1)).first()
    return Opportunity(*row) if row else None


_NOT_LAID = frozenset({"stage", "pipeline", "owner", "customer", "title"})


def _laid(tx: Transaction, known: Opportunity, values: Mapping[str, Any], conflict: int) -> Brought[Opportunity]:
    """Stage and owner have ways of their own and stay."""
    told = {name: value for name, value in values.items() if name not in ("customer", "title", "pipeline")}
    if "stage" in told:
        told["stage"] = _stage(pipelines.chosen(tx, known.pipeline), told["stage"])
    if conflict == bringing_pb2.SKIP:
        return Brought(known, bringing.SKIPPED, said=told)
    held = records.hold(tx, KIND, known.name)
    if conflict == bringing_pb2.TOUCH:
        return Brought(held, bringing.TOUCHED, held, told)
    said = {name: value for name, value in values.items() if name not in _NOT_LAID}
    merging = conflict == bringing_pb2.MERGE
    if merging:
        said = {name: value for name, value in said.items() if name == "custom" or not getattr(held, name)}
        said["custom"] = {key: value for key, value in said.get("custom", {}).items() if key not in (held.custom or {})}
    said = custom.laid(held.custom, said, "opportunity")
    refuse_read_only(tx.principal, RESOURCE, list(said))
    outcome = bringing.MERGED if merging else bringing.UPDATED
    return Brought(records.save(tx, KIND, held, replace(held, **said)), outcome, held, told)


def take_back(tx: Transaction, taken: Sequence[bringing_pb2.TakenBack], source: str) -> list[str]:
    """The names of those that stay, because somebody worked on them since."""
    return bringing.take_back(tx, WAY, taken, source)


def _restore(tx: Transaction, now: Opportunity, fields: Mapping[str, Any]) -> Opportunity:
    return records.save(tx, KIND, now, replace(now, **fields), "takenBack")


_c = opportunities.c
PLACES = (
    Place("opportunities", _c.customer, of="customers"),
    Place("opportunities", _c.contact, of="contacts", via=(_c.customer, parties.c.customer, parties.c.name)),
    Place("shares", shares.c.opportunity, of="opportunities"),
)
WAY = Way(
    KIND,
    messages.opportunity,
    _restore,
    again=events_pb2.RecordBroughtAgain,
    back=events_pb2.RecordTakenBack,
    places=PLACES,
    derived=frozenset({"warned_time", "warning", "warning_zh"}),
)
