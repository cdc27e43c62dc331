"""What other systems know happened, each thing once (I22, C17, C18)."""

from __future__ import annotations

from collections.abc import Mapping
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
    """Records one, or finds the one that its system told of before. Raises Invalid, and NotFound where the record, or
    that one, is out of the caller's reach."""
    refuse_read_only(tx.principal, INTERACTIONS.resource, [name for name, value in values.items() if value])
    if values["happen_time"] is not None and values["happen_time"] > tx.now + SKEW:
        raise Invalid([("interaction.happen_time", "must not be to come", "不能晚于现在")])
    known.see(tx, values["record"])
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
        return records.find(tx, INTERACTIONS, table.known_as(tx, wanted.system, wanted.external_id))
    tx.audit("interaction.created", wanted.name, {"system": wanted.system})
    INTERACTIONS.announce(tx, None, wanted)
    timeline.put(tx, [entries.interaction(wanted, tx.principal.actor)])
    return wanted
