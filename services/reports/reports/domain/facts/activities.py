"""What follow-ups, check-ins and tasks post."""

from __future__ import annotations

from reports.domain.facts.fact import Fact

_WHO = {"owner": "owner", "customer": "customer"}

FACTS: tuple[Fact, ...] = (
    Fact("activity.followed_up", "followUps", "follow-ups; channel is the method, detail the outcome",
         "跟进记录（渠道为方式，明细为结果）",
         {**_WHO, "channel": "method", "detail": "outcome", "seconds": "happen_time create_time"},
         moment="happen_time"),
    Fact("activity.checked_in", "checkIns", "check-ins at customers", "外勤签到", _WHO, moment="happen_time"),
    Fact("task.done", "tasks", "tasks done, by whether they were in time", "已完成任务（是否按时）",
         {**_WHO, "detail": "done_time due_time kind"}, moment="done_time", defined="status"),
    Fact("task.due", "tasks", "tasks to be done, by when they are due", "待办任务（按截止时间）",
         {**_WHO, "detail": "kind"}, stock=True, moment="due_time", defined="status due_time"),
)  # fmt: skip
