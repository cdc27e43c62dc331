"""How Dealwright is used, and how fast it answers (X13, X14, X20)."""

from __future__ import annotations

from reports.domain import kpi
from reports.domain.kpi import Kpi, Measure
from reports.domain.shipped.made import made

_CALLED = Measure("calls", "usage.called")

KPIS: tuple[Kpi, ...] = (
    made("active-people", ("Active people, by day", "活跃人天"), kpi.COUNTS, (Measure("days", "usage.attended"),),
         "days", ("owner",), said=("People who used it, each counted once a day.", "每人每天计一次。")),
    made("feature-use", ("Use of features", "功能使用次数"), kpi.COUNTS, (_CALLED,), "calls", ("detail", "owner")),
    made("response-time", ("Response time", "接口响应时间"), kpi.IN_SECONDS,
         (Measure("seconds", "usage.called", kpi.AMOUNT), _CALLED), "seconds / calls", ("detail", "owner"), lower=True),
    made("failure-rate", ("Failed calls", "接口失败率"), kpi.RATIO,
         (Measure("failed", "usage.failed"), _CALLED), "failed / calls", ("detail", "owner"), lower=True),
)  # fmt: skip
