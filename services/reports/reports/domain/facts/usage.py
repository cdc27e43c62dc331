"""What the use of Dealwright posts. Whoever leads people sees theirs."""

from __future__ import annotations

from reports.domain.facts.fact import Fact


def _usage(id: str, english: str, chinese: str, *more: str) -> Fact:
    fields = dict.fromkeys(("owner", *more), "name")
    # A record is of many.
    return Fact(f"usage.{id}", "people", english, chinese, fields, verb="write", held=False, amounts_to="seconds")


FACTS: tuple[Fact, ...] = (
    _usage(
        "called",
        "calls, by feature; their amount is the seconds, and each minute with a call takes a minute",
        "接口调用（金额为耗时秒数；有调用的每一分钟计一分钟时长）",
        *("detail", "amount", "seconds"),
    ),
    _usage("failed", "calls that failed by our own fault", "失败的接口调用", "detail"),
    _usage("attended", "days on which somebody was there", "活跃人天"),
)
