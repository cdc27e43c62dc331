"""What people do: follow-ups, check-ins, tasks (B21, B43, F16)."""

from __future__ import annotations

from reports.domain import kpi
from reports.domain.activity import LATE, ON_TIME
from reports.domain.kpi import Kpi, Measure
from reports.domain.shipped.made import made

_followed = Measure("followed", "activity.followed_up")
_WHO = ("owner", "customer")

KPIS: tuple[Kpi, ...] = (
    made("follow-ups", ("Follow-ups", "跟进次数"), kpi.COUNTS, (_followed,), "followed",
         ("channel", "detail", *_WHO),
         said=("By method (channel) and outcome (detail).", "渠道为跟进方式，明细为结果。")),
    made("follow-ups-not-reached", ("Follow-ups that reached nobody", "未接通率"), kpi.RATIO,
         (Measure("missed", "activity.followed_up", where=(("detail", ("NOT_REACHED",)),)), _followed),
         "missed / followed", ("channel", *_WHO), lower=True),
    made("entry-delay", ("From a follow-up to its entry", "跟进录入延迟"), kpi.IN_HOURS,
         (Measure("seconds", "activity.followed_up", kpi.SECONDS), _followed), "seconds / followed / 3600.0", _WHO,
         lower=True, said=("How long after it happened a follow-up was entered.", "跟进发生到录入系统的时间。")),
    made("check-ins", ("Check-ins", "外勤签到"), kpi.COUNTS,
         (Measure("there", "activity.checked_in"),), "there", _WHO),
    made("tasks-done", ("Tasks done", "完成任务数"), kpi.COUNTS, (Measure("done", "task.done"),), "done",
         ("detail", *_WHO)),
    made("tasks-in-time", ("Tasks done in time", "任务按时完成率"), kpi.RATIO,
         (Measure("early", "task.done", where=(("detail", (ON_TIME,)),)),
          Measure("late", "task.done", where=(("detail", (LATE,)),))), "early / (early + late)", _WHO),
    made("tasks-overdue", ("Tasks overdue", "逾期任务"), kpi.COUNTS,
         (Measure("due", "task.due", span=kpi.OLDER),), "due", ("detail", *_WHO), lower=True,
         said=("To be done, and due before today.", "截止日期早于今天且未完成。")),
)  # fmt: skip
