"""What other systems know happened, each thing once (I22, C17, C18)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from activities.domain.follow_up import SKEW
from activities.domain.interaction import Interaction
from activities.storage import interactions as table
from activities.storage import known as stored
from activities.usecases import known, timeline
from activities.usecases.follow_ups import placed
from activities.usecases.kinds import INTERACTIONS
from activities.wire import entries
from chassis import records
from chassis.access import refuse_read_only
from chassis.errors import Invalid
from chassis.transaction import Transaction


def record(tx: Transaction, values: Mapping[str, Any]) -> Interaction:
    """Records one, or finds the one that its system told of before, deleted or not. Raises Invalid, and NotFound where
    the record, or that one, is out of the caller's reach."""
    refuse_read_only(tx.principal, INTERACTIONS.resource, [name for name, value in values.items() if value])
    _past(tx, values["happen_time"])
    known.see(tx, values["record"], known.ADD)
    of = stored.hold(tx, [values["record"]])[values["record"]]
    wanted: Interaction = placed(
        Interaction(
            **{**values, "happen_time": values["happen_time"] or tx.now},
            name=INTERACTIONS.new_name(),
            customer="",
            opportunity="",
            lead="",
            owner=tx.principal.person,
            team=tx.principal.team,
            version=1,
            create_time=tx.now,
            update_time=tx.now,
        ),
        of,
    )
    if not table.add_once(tx, wanted):
        return records.find(tx, INTERACTIONS, table.known_as(tx, wanted.system, wanted.external_id), deleted=True)
    tx.audit("interaction.created", wanted.name, {"system": wanted.system})
    INTERACTIONS.announce(tx, None, wanted)
    timeline.put(tx, [entries.interaction(wanted, tx.principal.actor)])
    return wanted


def _past(tx: Transaction, happen_time: datetime | None) -> None:
    if happen_time is not None and happen_time > tx.now + SKEW:
        raise Invalid([("interaction.happen_time", "must not be to come", "不能晚于现在")])


def update(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> Interaction:
    """Writes these values. Raises Stale, Invalid, Denied."""
    if "happen_time" in values and values["happen_time"] is None:
        raise Invalid([("interaction.happen_time", "is required", "必填")])
    _past(tx, values.get("happen_time"))
    return _shown(tx, records.patch(tx, INTERACTIONS, name, etag, values))


def delete(tx: Transaction, name: str, etag: str) -> Interaction:
    return _shown(tx, records.delete(tx, INTERACTIONS, name, etag))


def undelete(tx: Transaction, name: str) -> Interaction:
    return _shown(tx, records.undelete(tx, INTERACTIONS, name))


def _shown(tx: Transaction, of: Interaction) -> Interaction:
    """The timeline says what it says now."""
    timeline.show(tx, entries.interaction(of, of.owner or tx.principal.actor), of.delete_time is None)
    return of
