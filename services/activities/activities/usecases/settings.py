"""Our part of the blueprint."""

from __future__ import annotations

from typing import Any

from activities.domain import follow_up_form, notice_form
from activities.domain.notice import Kind
from activities.storage.tables import settings
from chassis.parts import Part
from chassis.transaction import Transaction

_CHECKS = {
    "followUps": follow_up_form.follow_ups,
    "notices": notice_form.document,
    "tasks": follow_up_form.tasks,
}
PART = Part("activities", settings, checks=_CHECKS, resources=dict.fromkeys(_CHECKS, "blueprint"))


def document(tx: Transaction, key: str) -> Any:
    """What the company set, or the default."""
    return PART.read(tx)[0][key]


def mailed(tx: Transaction) -> frozenset[int]:
    """The kinds of notices that go by mail where a person says nothing else."""
    return frozenset(Kind[name].value for name in document(tx, "notices")["mail"])
