"""How Dealwright is used, and how fast it answers (X13, X14, X20)."""

from __future__ import annotations

from reports.domain import kpi
from reports.domain.kpi import Kpi, Measure
from reports.domain.shipped.made import made

_CALLED = Measure("calls", "usage.called")

KPIS: tuple[Kpi, ...] = (
    made("active-people", ("Active people, by day", "活跃人天"), kpi.COUNTS, (Measure("days", "usage.attended"),),
         "days", ("owner",), said=("People who used it, each counted once a day.", "每人每天计一次。")),
    made("feature-use", ("Use of features", "功能使用次数"), kpi.COUNTS, (_CALLED,), "calls", ("detail", "owner"),
         said=("How often each feature was called.", "各功能的调用次数。")),
    made("feature-time", ("Time spent with features", "功能使用时长"), kpi.IN_HOURS,
         (Measure("seconds", "usage.called", kpi.SECONDS),), "seconds / 3600", ("detail", "owner"),
         said=("The minutes in which each person called the feature, each counted once a gateway; how long somebody "
               "looks at a screen without asking for anything is not in it.",
               "每人调用该功能的分钟数（每个网关每分钟计一次），不含无操作的页面停留。")),
    made("response-time", ("Response time", "接口响应时间"), kpi.IN_SECONDS,
         (Measure("seconds", "usage.called", kpi.AMOUNT), _CALLED), "seconds / calls", ("detail", "owner"), lower=True,
         said=("How long our servers took over a call, on average; not what the network or the screen add.",
               "服务端处理一次调用的平均用时，不含网络与页面渲染。")),
    made("failure-rate", ("Failed calls", "接口失败率"), kpi.RATIO,
         (Measure("failed", "usage.failed"), _CALLED), "failed / calls", ("detail", "owner"), lower=True),
)  # fmt: skip
