"""Our part of the blueprint."""

from __future__ import annotations

from chassis.parts import Part
from contracts.domain import company
from contracts.storage.tables import settings
from contracts.usecases import approval_settings
from contracts.usecases.approval_settings import APPROVAL_FLOWS, APPROVER_GROUPS

PART = Part(
    "contracts",
    settings,
    checks={
        "company": company.checked,
        APPROVER_GROUPS: approval_settings.groups,
        APPROVAL_FLOWS: approval_settings.flows,
    },
    # Who may say who approves may as well approve.
    resources={"company": "blueprint", **dict.fromkeys((APPROVER_GROUPS, APPROVAL_FLOWS), "approvals")},
    used=approval_settings.used,
)
