"""The pipelines that a new system has, as a company would write them in its blueprint (O9 to O14, gates O16 to O19)."""

from __future__ import annotations

from typing import Any


def _stage(id: str, chinese: str, english: str, probability: int, kind: str = "OPEN", **more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"id": id, "displayName": f"{chinese} {english}", "probability": probability, **more}
    return plain if kind == "OPEN" else {**plain, "kind": kind}


def _file(kind: str, chinese: str, english: str, **more: str) -> dict[str, Any]:
    """A file that must be there first."""
    messages = {"message": f"upload the {english} first", "messageZh": f"请先上传{chinese}"}
    return {"kind": "ATTACHMENT", "attachment": kind, **messages, **more}


def _items(**titles: str) -> list[dict[str, str]]:
    return [{"id": id.replace("_", "-"), "title": title} for id, title in titles.items()]


TEMPLATES: dict[str, Any] = {
    "six-stage": {
        "displayName": "六阶段 Six stages",
        "default": True,
        "stages": [
            _stage("first-visit", "初访", "First visit", 10),
            _stage("need-clear", "需求明确", "Need clear", 30),
            _stage("quote", "报价", "Quote", 50, gates=[_file("quote", "报价单", "quotation")]),
            _stage("negotiation", "谈判", "Negotiation", 80, gates=[{"kind": "FOLLOW_UPS", "count": 2}]),
            _stage("won", "成交", "Won", 100, "WON"),
            _stage("lost", "流失", "Lost", 0, "LOST"),
        ],
    },
    "seven-stage": {
        "displayName": "七阶段 Seven stages",
        "stages": [
            _stage("first-contact", "初步接触", "First contact", 10),
            _stage("needs-analysis", "需求分析", "Needs analysis", 30),
            _stage("solution", "方案提供", "Solution", 50),
            _stage("commercial-negotiation", "商务谈判", "Commercial negotiation", 80),
            _stage("won", "赢单", "Won", 100, "WON"),
            _stage("lost", "输单", "Lost", 0, "LOST"),
            _stage("on-hold", "搁置", "On hold", 10, "ON_HOLD"),
        ],
    },
    "five-stage": {
        "displayName": "五阶段 Five stages",
        "stages": [
            _stage("first-contact", "初步接触", "First contact", 10),
            _stage("need-confirmation", "需求确认", "Need confirmation", 30),
            _stage(
                "proposal-quote",
                "方案报价",
                "Proposal and quote",
                50,
                checklist=_items(presented="方案已讲解 Proposal presented", budget="预算已确认 Budget confirmed"),
            ),
            _stage(
                "negotiation",
                "商务谈判",
                "Negotiation",
                80,
                gates=[
                    _file("quote", "报价单", "quotation"),
                    _file("competitor-analysis", "竞品分析表", "competitor analysis sheet"),
                ],
            ),
            _stage("close", "成交", "Close", 100, "WON"),
        ],
    },
    "four-stage": {
        "displayName": "四阶段 Four stages",
        "stages": [
            _stage("lead", "线索", "Lead", 10),
            _stage("intent", "意向", "Intent", 40),
            _stage("quote", "报价", "Quote", 70),
            _stage("won", "成交", "Won", 100, "WON"),
        ],
    },
    "lifecycle": {
        "displayName": "全生命周期 Whole lifecycle",
        "stages": [
            _stage("cleansing", "线索清洗", "Cleansing", 5),
            _stage("first-contact", "初步接触", "First contact", 10),
            _stage(
                "need-confirmation",
                "需求确认",
                "Need confirmation",
                30,
                gates=[
                    _file(
                        "requirements",
                        "《客户需求调研报告》",
                        "report on the customer's requirements",
                        task="上传《客户需求调研报告》 Upload the report on the customer's requirements",
                    ),
                    {
                        "kind": "APPROVAL",
                        "flow": "requirements",
                        "attachment": "requirements",
                        "message": "the manager must approve the report on the customer's requirements first",
                        "messageZh": "《客户需求调研报告》须先经销售经理审批通过",
                    },
                ],
            ),
            _stage("proposal-quote", "方案报价", "Proposal and quote", 50),
            _stage("contract-approval", "合同审批", "Contract approval", 80),
            # The deal is made; what follows stays in the same chain.
            _stage("delivery", "交付", "Delivery", 100, "WON"),
            _stage("invoicing-payment", "开票回款", "Invoicing and payment", 100, "WON"),
        ],
    },
}
