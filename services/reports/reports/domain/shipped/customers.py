"""Customers: who they are, what they are worth, who is looked after (B14, B21, B22, B24, B27, B29, B30, C14)."""

from __future__ import annotations

from reports.domain import kpi
from reports.domain.kpi import Kpi, Measure
from reports.domain.shipped.made import made

_WHO = ("owner", "channel", "region", "industry")
RECENCY = (30, 90, 180, 365)
"""After how many days without a purchase a customer is not R5, R4, R3, R2 any more."""

_present = Measure("present", "customer.present", span=kpi.STOCK)
_valued = Measure("valued", "customer.valued", span=kpi.STOCK)


def _recent(step: int) -> Kpi:
    """R5 to R1: `step` 0 are those who bought last."""
    measures = [_valued] if step == 0 else [_older(step - 1)]
    formula = measures[0].id
    if step < len(RECENCY):
        measures.append(_older(step))
        formula += f" - {measures[1].id}"
    days = (0, *RECENCY)[step]
    said = (f"Last purchase {days} days ago or longer", f"最近成交距今 {days} 天以上") if days else (
        f"Last purchase within {RECENCY[0]} days", f"最近 {RECENCY[0]} 天内成交"
    )  # fmt: skip
    until = f", no longer than {RECENCY[step]}" if 0 < step < len(RECENCY) else ""
    until_zh = f"、{RECENCY[step]} 天以内" if until else ""
    return made(f"rfm-r{5 - step}", (f"RFM: R{5 - step}", f"RFM：R{5 - step}"), kpi.COUNTS, tuple(measures), formula,
                ("detail", *_WHO), said=(f"{said[0]}{until}.", f"{said[1]}{until_zh}。"))  # fmt: skip


def _older(step: int) -> Measure:
    return Measure(f"over{RECENCY[step]}", "customer.valued", span=kpi.OLDER, days=RECENCY[step])


KPIS: tuple[Kpi, ...] = (
    made("customers-created", ("New customers", "新增客户"), kpi.COUNTS,
         (Measure("created", "customer.created"),), "created", _WHO),
    made("customers", ("Customers", "客户数"), kpi.COUNTS, (_present,), "present", ("detail", "stage", *_WHO),
         said=("By tier (detail), stage, industry, region and source.",
               "可按等级（明细）、阶段、行业、区域、来源查看。")),
    made("customers-won", ("Customers won", "成交客户"), kpi.COUNTS,
         (Measure("won", "customer.present", where=(("stage", ("WON",)),), span=kpi.STOCK),), "won",
         ("detail", *_WHO)),
    made("customer-coverage", ("Customers followed up", "客户覆盖率"), kpi.RATIO,
         (Measure("covered", "customer.covered"), _present), "covered / present", _WHO,
         said=("Of all customers those who were followed up in the period, each once, however often it was.",
               "期间内跟进过的客户占全部客户的比例，每客户只计一次。")),
    made("customers-untouched-30d", ("Customers without follow-up for 30 days", "超过 30 天未跟进的客户"), kpi.COUNTS,
         (Measure("present", "customer.present", span=kpi.OLDER, days=30),), "present", ("detail", *_WHO),
         lower=True),
    made("rfm", ("RFM: how often and for how much", "RFM：成交频次与金额"), kpi.COUNTS, (_valued,), "valued",
         ("detail", *_WHO)),
    *(_recent(step) for step in range(5)),
)  # fmt: skip
