"""Our part of the blueprint."""

from __future__ import annotations

from activities.domain import notice_form
from activities.domain.notice import Kind
from activities.storage.tables import settings
from chassis.parts import Part
from chassis.transaction import Transaction

PART = Part("activities", settings, checks={"notices": notice_form.document}, resources={"notices": "blueprint"})


def mailed(tx: Transaction) -> frozenset[int]:
    """The kinds of notices that go by mail where a person says nothing else."""
    return frozenset(Kind[name].value for name in PART.read(tx)[0]["notices"]["mail"])
