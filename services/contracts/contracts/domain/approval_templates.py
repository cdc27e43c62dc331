"""The approval flows and approver groups that every system begins with (Q2, Q3, Q5, Q6, Q7, Q8, O19)."""

from __future__ import annotations

from typing import Any

_DAY = 8
"""Working hours after which people are reminded."""


def _approve(id: str, zh: str, en: str, *approvers: str, **more: Any) -> dict[str, Any]:
    named = {"id": id, "displayName": {"zh": zh, "en": en}, "kind": "APPROVE", "approvers": list(approvers)}
    return {**named, "mode": "ALL", "timeoutHours": _DAY, "onTimeout": "REMIND", **more}


def _flow(zh: str, en: str, subject: str, *nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"displayName": {"zh": zh, "en": en}, "for": subject, "nodes": list(nodes), **more}


FLOWS: dict[str, Any] = {
    "quote": _flow(
        *("报价审批", "Quote approval", "quote"),
        _approve("director", "销售总监审批", "Sales director", "group:director"),
        _approve(
            *("finance-director", "财务总监审批", "Finance director", "group:finance-director"),
            # What lines beside the price list give away nobody can tell.
            when="discount > 15.0 || (unlisted_percent > 15.0 && size(fields.listed_products) > 0)",
        ),
        distinctPeople=True,
    ),
    "contract": _flow(
        *("合同审批", "Contract approval", "contract"),
        _approve("manager", "销售经理初审", "Sales manager, first review", "manager"),
        _approve("finance", "财务审核", "Finance review", "role:finance"),
        _approve("risk-control", "风控加审", "Risk control", "group:risk-control", when="home_amount > 500000.0"),
        _approve("general-manager", "总经理终审", "General manager, final", "group:general-manager"),
    ),
    # Waits to be switched on: instead of the chain above, two sign together.
    "contract-countersign": _flow(
        *("合同会签（法务与财务）", "Contract countersign (legal and finance)", "contract"),
        _approve("countersign", "法务与财务会签", "Legal and finance", "group:legal", "role:finance"),
        order=-1,
        enabled=False,
    ),
    "contract-change": _flow(
        *("合同变更会签", "Contract change countersign", "contractChange"),
        _approve(
            *("countersign", "四方会签", "Countersign by four", "manager", "role:finance"),
            *("group:legal", "group:general-manager"),
        ),
    ),
    "opportunity": _flow(
        *("商机审批", "Opportunity approval", "opportunity"),
        _approve("manager", "销售经理审批", "Sales manager", "manager"),
    ),
    # What the gate before a confirmed need asks for (O19).
    "requirements": _flow(
        *("《客户需求调研报告》审批", "Approval of the report on requirements", "requirements"),
        _approve("manager", "销售经理审批", "Sales manager", "manager"),
    ),
}

# Nobody is named until a company does; then whoever comes nearest is asked.
GROUPS: dict[str, Any] = {
    "director": {
        "displayName": {"zh": "销售总监", "en": "Sales director"},
        "otherwise": ["manager:top", "role:manager"],
    },
    "finance-director": {"displayName": {"zh": "财务总监", "en": "Finance director"}, "otherwise": ["role:finance"]},
    "risk-control": {"displayName": {"zh": "风控", "en": "Risk control"}, "otherwise": ["role:admin"]},
    "general-manager": {"displayName": {"zh": "总经理", "en": "General manager"}, "otherwise": ["role:admin"]},
    "legal": {"displayName": {"zh": "法务", "en": "Legal"}, "otherwise": ["role:admin"]},
}
