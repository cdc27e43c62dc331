"""Our part of the blueprint."""

from __future__ import annotations

from chassis.parts import Part
from contracts.domain import company
from contracts.storage.tables import settings
from contracts.usecases import approval_settings, contract_settings
from contracts.usecases.approval_settings import APPROVAL_FLOWS, APPROVER_GROUPS

PART = Part(
    "contracts",
    settings,
    checks={
        "company": company.checked,
        APPROVER_GROUPS: approval_settings.groups,
        APPROVAL_FLOWS: approval_settings.flows,
        contract_settings.KEY: contract_settings.checked,
    },
    # Who may say who approves may as well approve.
    resources={
        **dict.fromkeys(("company", contract_settings.KEY), "blueprint"),
        **dict.fromkeys((APPROVER_GROUPS, APPROVAL_FLOWS), "approvals"),
    },
    used=approval_settings.used,
)
