"""What a fact's dimensions can be, where that is a list that we know: the rest is people's own, or records' names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from reports.domain.activity import LATE, ON_TIME
from reports.domain.customer import FREQUENCY, MONETARY, STAGES
from reports.domain.lead import BANDS

CHANNELS = ("WEB_FORM", "TRADE_SHOW", "DOUYIN", "WECHAT", "PHONE_400", "REFERRAL", "IMPORT", "API")
METHODS = ("CALL", "VISIT", "MAIL", "MESSAGE", "MEETING", "OTHER")
OUTCOMES = ("PAID", "REVISIT", "REFUSED", "REFERRAL", "NOT_REACHED", "PROGRESS")
TASKS = ("TODO", "COLLABORATION", "TICKET", "REVISIT")
TIERS = ("A", "B", "C")
FINANCE = ("ONE_OFF", "INSTALMENTS", "SUBSCRIPTION", "MILESTONE")


def _any_of(*blank: str) -> Sequence[str]:
    return [
        "+".join(together) for count in range(1, len(blank) + 1) for together in combinations(blank, count)
    ]  # fmt: skip


_LEADS = (
    *("captured", "answered", "qualified", "converted", "won", "disqualified", "assigned", "acknowledged"),
    *("released", "pooled", "open", "incomplete"),
)
CLOSED: Mapping[tuple[str, str], Sequence[str]] = {
    **{(f"lead.{one}", "channel"): CHANNELS for one in _LEADS},
    **{(f"customer.{one}", "channel"): CHANNELS for one in ("created", "present", "covered", "valued", "incomplete")},
    ("cost.spent", "channel"): CHANNELS,
    ("activity.followed_up", "channel"): METHODS,
    ("activity.followed_up", "detail"): OUTCOMES,
    ("task.done", "detail"): (ON_TIME, LATE),
    ("task.due", "detail"): TASKS,
    ("lead.answered", "detail"): BANDS,
    ("lead.acknowledged", "detail"): BANDS,
    ("lead.assigned", "detail"): ("RULES", "CLAIM", "MANUAL"),
    ("lead.open", "detail"): ("WAITING", "UNASSIGNED", "ASSIGNED", "CONTACTED"),
    ("lead.incomplete", "detail"): _any_of("NAME", "PHONE", "COMPANY", "CHANNEL"),
    ("customer.incomplete", "detail"): _any_of("PHONE", "CHANNEL", "INDUSTRY", "SIZE"),
    ("deal.incomplete", "detail"): _any_of("CUSTOMER", "AMOUNT", "CLOSE_DATE", "SOURCE"),
    ("deal.open", "detail"): ("OPEN", "ON_HOLD", "AWAITING_CONFIRMATION"),
    ("deal.deviated", "detail"): ("FORCED", "SKIPPED", "BACK"),
    ("customer.present", "stage"): STAGES,
    ("customer.present", "detail"): TIERS,
    ("customer.valued", "detail"): [
        f"F{often}M{much}" for often in range(1, len(FREQUENCY) + 2) for much in range(1, len(MONETARY) + 2)
    ],
    ("contract.signed", "detail"): FINANCE,
}
"""By fact and dimension. What has no value is "", everywhere."""


def none_of(facts: Iterable[str], dimension: str, values: Iterable[str]) -> list[tuple[str, str]]:
    """Of these values those that none of the facts can have, in English and Chinese, with the nearest that one can.
    Nothing where one of the facts can have any."""
    lists = [CLOSED.get((fact, dimension)) for fact in dict.fromkeys(facts)]
    known = [""]
    for one in lists:
        if one is None:
            return []
        known += one
    return [_said(value, dimension, known[1:]) for value in values if lists and value not in known]


def _said(value: str, dimension: str, known: Sequence[str]) -> tuple[str, str]:
    near = difflib.get_close_matches(value.upper(), known, 1) or difflib.get_close_matches(value, known, 1)
    some = ", ".join(dict.fromkeys((*near, *known[:12])))
    hint, hint_zh = (f"did you mean {near[0]}? There are", f"是否为 {near[0]}？可用") if near else ("there are", "可用")
    return f"{value[:40]!r} is no {dimension}: {hint} {some}", f"{dimension} 没有 {value[:40]!r}：{hint_zh} {some}"
