"""The pipelines that a new system has, as a company would write them in its blueprint (O9 to O14)."""

from __future__ import annotations

from typing import Any


def _stage(id: str, chinese: str, english: str, probability: int, kind: str = "OPEN", **more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"id": id, "displayName": f"{chinese} {english}", "probability": probability, **more}
    return plain if kind == "OPEN" else {**plain, "kind": kind}


_CHECKED = [{"kind": "CHECKLIST"}]


def _items(**titles: str) -> list[dict[str, str]]:
    return [{"id": id.replace("_", "-"), "title": title} for id, title in titles.items()]


TEMPLATES: dict[str, Any] = {
    "six-stage": {
        "displayName": "六阶段 Six stages",
        "default": True,
        "stages": [
            _stage("first-visit", "初访", "First visit", 10),
            _stage("need-clear", "需求明确", "Need clear", 30),
            _stage("quote", "报价", "Quote", 50),
            _stage("negotiation", "谈判", "Negotiation", 80),
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
                checklist=_items(
                    quote="报价单已提交 Quote handed over",
                    competitor_analysis="竞品分析表已完成 Competitor analysis sheet",
                ),
            ),
            _stage("negotiation", "商务谈判", "Negotiation", 80, gates=_CHECKED),
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
            _stage(
                "first-contact",
                "初步接触",
                "First contact",
                10,
                checklist=_items(need_survey="《客户需求调研报告》已提交 Need survey report"),
            ),
            _stage("need-confirmation", "需求确认", "Need confirmation", 30, gates=_CHECKED),
            _stage("proposal-quote", "方案报价", "Proposal and quote", 50),
            _stage("contract-approval", "合同审批", "Contract approval", 80),
            # The deal is made; what follows stays in the same chain.
            _stage("delivery", "交付", "Delivery", 100, "WON"),
            _stage("invoicing-payment", "开票回款", "Invoicing and payment", 100, "WON"),
        ],
    },
}
