"""What was deleted 30 days ago ends for good."""

from __future__ import annotations

from typing import Any

from activities.usecases import attachments, check_ins, templates
from activities.usecases.kinds import CHANGE_REQUESTS, FOLLOW_UPS, INTERACTIONS, TASKS
from chassis import records as kept
from chassis.transaction import Transaction

_KINDS: tuple[kept.Kind[Any], ...] = (
    *(attachments.KIND, check_ins.KIND, templates.KIND),
    *(FOLLOW_UPS, TASKS, CHANGE_REQUESTS, INTERACTIONS),
)


def purge(tx: Transaction) -> bool:
    """Returns whether there may be more."""
    return any(kept.purge(tx, kind) for kind in _KINDS)
