"""What leads post."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reports.domain.facts.deals import OF_OTHERS
from reports.domain.facts.fact import Fact

_LEAD: Mapping[str, str] = {"owner": "owner", "channel": "channel", "region": "region", "industry": "industry"}
_DEAL: Mapping[str, str] = {**OF_OTHERS, "owner": "owner", "customer": "customer", "amount": "amount"}
_CAME = "leads.capture_time open_time create_time"
# What became of a lead is nothing for whoever may not read opportunities.
_OF_DEALS = "opportunities.lead"
_ANSWER = {**_LEAD, **dict.fromkeys(("seconds", "detail"), "first_response_time capture_time")}
_ACKNOWLEDGED = {**_LEAD, **dict.fromkeys(("seconds", "detail"), "first_response_time assign_time")}
_REASON = {**_LEAD, "reason": "status_reason"}
_TOUCHED = "capture_time first_response_time last_activity_time followUps.happen_time followUps.lead"


def _lead(
    id: str,
    english: str,
    chinese: str,
    fields: Mapping[str, str] = _LEAD,
    defined: str = "",
    moment: str = "capture_time",
    stock: bool = False,
    hourly: bool = False,
) -> Fact:
    return Fact(f"lead.{id}", "leads", english, chinese, fields, stock, hourly, moment=moment, defined=defined)


def _deed(
    id: str, english: str, chinese: str, fields: Mapping[str, str], defined: str, moment: str, *also: str
) -> Fact:
    """What somebody did with a lead. `also`: what is the lead's besides where it came from."""
    fact = _lead(id, english, chinese, fields, defined, moment)
    return replace(fact, held=False, borrows=("channel", "region", "industry", *also))


def _business(id: str, english: str, chinese: str, defined: str) -> Fact:
    """What became of a lead, by whosever opportunities."""
    return replace(_lead(id, english, chinese, defined=defined, hourly=True), gathered=True)


FACTS: tuple[Fact, ...] = (
    _lead("captured", "leads captured", "新增线索", hourly=True),
    _lead("answered", "of those captured: answered, with the time from the capture", "已首次响应的线索（自获取起）",
          _ANSWER, "first_response_time", hourly=True),
    _lead("qualified", "of those captured: qualified", "合格线索", defined="status"),
    _business("converted", "of those captured: that became opportunities, each once", "转为商机的线索（每条计一次）",
              _OF_DEALS),
    _business("won", "of those captured: that became opportunities and were won, each once",
              "赢单的线索（每条计一次）", f"{_OF_DEALS} opportunities.status"),
    _lead("disqualified", "of those captured: disqualified", "不合格线索", _REASON, "status"),
    _deed("assigned", "assignments, of whom each was to; the first of each lead with the time from the capture",
          "线索分配（计入被分配人）", {**_LEAD, "seconds": "assign_time capture_time", "detail": "owner"}, "owner",
          "assign_time", "seconds"),
    _deed("acknowledged", "of the assignments: answered by that owner, with the time from the assignment",
          "已由负责人首次联系的分配（自分配起）", _ACKNOWLEDGED, "owner first_response_time", "assign_time"),
    # Since when it is in the pool is in no field of its own.
    _deed("released", "leads given back or reclaimed, of whom each was", "退回公海的线索（计入原负责人）", _REASON,
          "status owner", "status"),
    _lead("pooled", "leads in the pool, by since when", "公海线索", _REASON, "status", "status", stock=True),
    _lead("open", "open leads, by when they were last followed up", "跟进中线索",
          {**_LEAD, "detail": "status"}, "status", _TOUCHED, stock=True),
    Fact("deal.of_lead", "opportunities",
         "opportunities, by when their leads were captured; those without a lead that have a source, when opened",
         "来源商机（按线索获取时间；无线索但有来源的按建立时间）", _DEAL, hourly=True,
         moment=_CAME, defined="lead source"),
    Fact("deal.won_of_lead", "opportunities", "of these: won", "来源赢单（时间口径同上）", _DEAL, hourly=True,
         moment=_CAME, defined="lead source status"),
    Fact("cost.spent", "channelCosts", "what channels cost: each month's cost in equal shares, by the hour",
         "渠道成本（月成本按小时均摊）", {"channel": "channel", "amount": "amount"}, hourly=True, moment="month",
         defined="month"),
)  # fmt: skip
