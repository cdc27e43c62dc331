"""What customers post."""

from __future__ import annotations

from reports.domain.facts.fact import Fact

_WHO = {"owner": "owner", "channel": "channel", "region": "region", "industry": "industry"}
_VISITS = "followUps.happen_time followUps.customer checkIns.happen_time checkIns.customer"
# A contract that was made of a won opportunity is one purchase with it.
_BOUGHT = (
    "opportunities.status opportunities.customer contracts.status contracts.customer contracts.opportunity"
    " contracts.sign_date"
)
_WORTH = "signed_amount opportunities.amount contracts.amount"

FACTS: tuple[Fact, ...] = (
    Fact("customer.created", "customers", "customers made", "新增客户", _WHO, moment="create_time"),
    Fact("customer.present", "customers", "customers, by when they were last followed up; detail is the tier",
         "客户（按最近跟进时间，明细为等级）", {**_WHO, "stage": "stage", "detail": "tier"}, stock=True,
         moment=f"create_time last_follow_up_time {_VISITS}", gathered=True),
    Fact("customer.covered", "customers", "customers followed up, each once in the period",
         "已跟进客户（期间内每客户计一次）", _WHO,
         moment=f"last_follow_up_time {_VISITS}", defined=f"last_follow_up_time {_VISITS}", once=True, gathered=True),
    Fact("customer.valued", "customers", "customers who bought, by when they did last; detail is how often, how much",
         "成交客户（按最近成交时间，明细为频次与金额）", {**_WHO, "detail": f"{_WORTH} {_BOUGHT}"}, stock=True,
         moment=f"opportunities.close_time {_BOUGHT}", defined=_BOUGHT, gathered=True),
)  # fmt: skip
