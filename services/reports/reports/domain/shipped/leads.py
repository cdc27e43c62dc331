"""Leads: how many come, how soon they are answered, what becomes of them (B2, B17 to B19, B35 to B38, L28, L30,
X16, X17, X19).

Of those captured in a period: an answer that comes later counts for the period of its capture, and for whoever has the
lead. What somebody did with one (was given it, contacted it, gave it back) counts for him, when he did it.
"""

from __future__ import annotations

from reports.domain import kpi
from reports.domain.kpi import Kpi, Measure
from reports.domain.lead import BANDS
from reports.domain.shipped.made import made

_WHO = ("channel", "region", "industry", "owner")

_captured = Measure("captured", "lead.captured")
_answered = Measure("answered", "lead.answered")
_seconds = Measure("seconds", "lead.answered", kpi.SECONDS)
_of_lead = Measure("deals", "deal.of_lead")
_won_amount = Measure("amount", "deal.won_of_lead", kpi.AMOUNT)
_spent = Measure("cost", "cost.spent", kpi.AMOUNT)
_open = Measure("open", "lead.open", span=kpi.STOCK)
_SOURCES = (
    "Of the leads captured in the period, and of the opportunities opened in it that have no lead and a source of "
    "their own"
)
_SOURCES_ZH = "含期内新增线索带来的商机，以及期内新建、有来源但无线索的商机"
_DONE = (
    "They count for whoever the lead was assigned to, whoever has it since; behind the figure are those of the leads "
    "that one may read."
)
_DONE_ZH = "计入当时的负责人，与线索现归何人无关；明细仅列出本人可查看的线索。"
# In formulas, cost / cost is 1, and nothing where no cost was recorded: then there is no figure, rather than 0.
_BY_THE_HOUR = (
    "The cost of a channel in a period is the month's cost x the period's hours in that month / the month's hours; "
    "none where no cost was recorded. It is that of the whole company: a quotient has no value for who sees a part of "
    "its records alone."
)
_OF_THESE = "Of several channels or months: those of which a cost was recorded, and no others."
_OF_THESE_ZH = "多个渠道或多个月合计时，仅含已录入成本的渠道和月份。"
_BY_THE_HOUR_ZH = (
    "渠道成本按小时均摊：月成本 × 期内小时数 ÷ 当月小时数；未录入成本时无数值。"
    "成本为全公司口径：仅可见部分记录者，比值无数值。"
)


def _within(id: str, fact: str, last: str) -> Measure:
    """Those that took no longer than the band tells."""
    return Measure(id, fact, where=(("detail", BANDS[: BANDS.index(last) + 1]),))


def _answered_within(hours: int, titles: tuple[str, str]) -> Kpi:
    return made(
        f"answered-within-{hours}h", titles, kpi.RATIO,
        (_within("soon", "lead.answered", f"{hours}h"), _captured), "soon / captured", _WHO,
        said=("Of the leads captured in the period; those not answered yet count as not.",
              "占期内新增线索的比例，尚未响应的计为未达标。"),
    )  # fmt: skip


KPIS: tuple[Kpi, ...] = (
    made("leads-captured", ("New leads", "新增线索"), kpi.COUNTS, (_captured,), "captured", _WHO),
    made("ctre", ("CTRE: time to the first response", "CTRE 客户触点响应时长"), kpi.IN_HOURS,
         (_seconds, _answered, _captured), "seconds / answered / 3600.0", _WHO, kpi.BY_SHARE, lower=True,
         said=("Each channel's mean time from the capture to the first human response x the channel's share of the "
               "leads captured, added up. A channel of which nobody was answered yet has no time: its leads are not in "
               "it, and it is said how many.",
               "各渠道首次响应平均时长 × 该渠道占新增线索的比例之和。"
               "尚无响应的渠道没有时长，其线索不计入，并注明条数。")),
    made("ctre-literal", ("CTRE as first written", "CTRE（原始公式）"), kpi.NUMBER,
         (_seconds, _answered, _captured), "seconds / answered / 3600.0 / captured", _WHO, kpi.BY_SHARE, lower=True,
         said=("The same, divided once more by the number of leads, as its first description has it: it falls when "
               "more leads come, and says nothing of how soon they are answered.",
               "按最初公式再除以线索总数：线索增多时数值下降，不反映响应快慢。")),
    made("ctre-evenness", ("Evenness of channels' response times", "渠道响应均衡度"), kpi.NUMBER,
         (_seconds, _answered), "seconds / answered / 3600.0", _WHO, kpi.BY_EVENNESS,
         said=("From 0 to 1: 1 where all channels are answered after the same time.",
               "0 至 1，各渠道响应时长完全一致时为 1。")),
    made("acknowledge-time", ("Time from the assignment to the owner's first contact", "分配到首次联系时长"),
         kpi.IN_HOURS,
         (Measure("seconds", "lead.acknowledged", kpi.SECONDS), Measure("acknowledged", "lead.acknowledged")),
         "seconds / acknowledged / 3600.0", _WHO, lower=True,
         said=(f"Of the assignments that were followed by a contact of that owner. {_DONE}",
               f"仅含负责人已联系的分配。{_DONE_ZH}")),
    made("acknowledged-within-2h", ("Contacted within 2 hours of the assignment", "分配后 2 小时内联系率"),
         kpi.RATIO,
         (_within("soon", "lead.acknowledged", "2h"), Measure("assigned", "lead.assigned")), "soon / assigned", _WHO,
         said=(f"Of the assignments in the period; those not contacted yet count as not. {_DONE}",
               f"占期内分配的比例，尚未联系的计为未达标。{_DONE_ZH}")),
    made("answered-rate", ("Leads answered", "线索响应率"), kpi.RATIO, (_answered, _captured),
         "answered / captured", _WHO),
    _answered_within(1, ("Answered within 1 hour", "1 小时内响应率")),
    _answered_within(4, ("Answered within 4 hours", "4 小时内响应率")),
    made("leads-assigned", ("Leads assigned", "线索分配数"), kpi.COUNTS,
         (Measure("assigned", "lead.assigned"),), "assigned", (*_WHO, "detail"),
         said=(f"One for each time a lead was assigned. {_DONE}", f"每次分配计一次。{_DONE_ZH}")),
    made("leads-qualified", ("Leads qualified", "合格线索"), kpi.COUNTS,
         (Measure("qualified", "lead.qualified"),), "qualified", _WHO),
    made("qualification-rate", ("Qualification rate", "线索合格率"), kpi.RATIO,
         (Measure("qualified", "lead.qualified"), _captured), "qualified / captured", _WHO),
    made("leads-disqualified", ("Leads disqualified", "不合格线索"), kpi.COUNTS,
         (Measure("disqualified", "lead.disqualified"),), "disqualified", (*_WHO, "reason"), lower=True),
    made("leads-open", ("Open leads", "跟进中线索"), kpi.COUNTS, (_open,), "open", (*_WHO, "detail")),
    made("leads-pooled", ("Leads in the pool", "公海线索"), kpi.COUNTS,
         (Measure("pooled", "lead.pooled", span=kpi.STOCK),), "pooled", (*_WHO, "reason"), lower=True),
    made("leads-released", ("Leads given back or reclaimed", "退回公海的线索"), kpi.COUNTS,
         (Measure("released", "lead.released"),), "released", (*_WHO, "reason"), lower=True,
         said=(f"One for each time a lead went back. {_DONE}", f"每次退回计一次。{_DONE_ZH}")),
    made("lead-conversion", ("Leads that became opportunities", "线索转商机率"), kpi.RATIO,
         (Measure("converted", "lead.converted"), _captured), "converted / captured", _WHO,
         said=("Of the leads captured in the period; one with several opportunities counts once.",
               "占期内新增线索的比例，一条线索有多个商机时计一次。")),
    made("lead-win-rate", ("Leads that were won", "线索赢单率"), kpi.RATIO, (Measure("won", "lead.won"), _captured),
         "won / captured", _WHO,
         said=("Of the leads captured in the period; one with several opportunities won counts once.",
               "占期内新增线索的比例，一条线索有多个赢单时计一次。")),
    made("source-opportunities", ("Opportunities by source", "来源商机数"), kpi.COUNTS, (_of_lead,), "deals", _WHO,
         said=(f"{_SOURCES}.", f"{_SOURCES_ZH}。")),
    made("channel-cost", ("Cost of channels", "渠道成本"), kpi.MONEY, (_spent,), "cost * (cost / cost)", ("channel",),
         lower=True, said=(_BY_THE_HOUR, _BY_THE_HOUR_ZH)),
    made("cost-per-lead", ("Cost per lead", "线索成本"), kpi.MONEY, (_spent, _captured),
         "cost / captured * (cost / cost)", ("channel",), kpi.BY_COUNTED, lower=True,
         said=(f"What channels cost, over the leads captured in the period. {_OF_THESE} {_BY_THE_HOUR}",
               f"渠道成本 ÷ 期内新增线索。{_OF_THESE_ZH}{_BY_THE_HOUR_ZH}")),
    made("roi", ("Return on channels", "渠道投入产出比"), kpi.NUMBER, (_spent, _won_amount), "amount / cost",
         ("channel",), kpi.BY_COUNTED,
         said=(f"Amount won by source over what channels cost. {_SOURCES}. {_OF_THESE} {_BY_THE_HOUR}",
               f"来源赢单金额 ÷ 渠道成本。{_SOURCES_ZH}。{_OF_THESE_ZH}{_BY_THE_HOUR_ZH}")),
    made("source-won-amount", ("Amount won by source", "来源赢单金额"), kpi.MONEY, (_won_amount,), "amount", _WHO,
         said=(f"{_SOURCES}.", f"{_SOURCES_ZH}。")),
)  # fmt: skip
