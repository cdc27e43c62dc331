"""From which sum of signed contracts on a customer is a VIP (C12), and what begins then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from chassis import fields
from chassis.fields import FieldCheck
from chassis.money import LARGEST, Money

DEFAULT: Mapping[str, Any] = {
    "amount": "500000",
    "currency": "CNY",
    "tasks": [
        {"title": "VIP 客户专属服务：首次回访 VIP service: first call by the owner", "days": 3},
        {"title": "VIP 客户专属服务：制定年度服务计划 VIP service: plan of the year", "days": 14},
    ],
}
_MOST_TASKS, _MOST_DAYS = 20, 365


@dataclass(frozen=True, slots=True)
class VipTask:
    """What the owner is to do, within how many days."""

    title: str
    days: int


@dataclass(frozen=True, slots=True)
class Vip:
    """Over `threshold`, in its currency, a customer is a VIP."""

    threshold: Money
    tasks: tuple[VipTask, ...]


def checked(given: Any, check: FieldCheck, path: str) -> dict[str, Any]:
    """The document in its normal form; what is wrong goes to `check`."""
    if not isinstance(given, Mapping):
        check.refuse(path, "must be an object", "须为对象")
        return dict(DEFAULT)
    for key in sorted(map(str, given.keys() - DEFAULT.keys())):
        check.refuse(f"{path}.{key[:64]}", "there is no such setting", "没有这个设置项")
    whole = {**DEFAULT, **given}
    currency = check.take(f"{path}.currency", fields.currency, whole["currency"]) or "CNY"
    tasks = whole["tasks"]
    if not isinstance(tasks, list | tuple) or len(tasks) > _MOST_TASKS:
        check.refuse(f"{path}.tasks", f"must be a list of at most {_MOST_TASKS}", f"须为最多 {_MOST_TASKS} 项的列表")
        tasks = []
    read = [_task(one, check, f"{path}.tasks[{place}]") for place, one in enumerate(tasks)]
    return {"amount": _amount(whole["amount"], check, f"{path}.amount"), "currency": currency, "tasks": read}


def _amount(given: Any, check: FieldCheck, path: str) -> str:
    """Text, "50000.50", or a whole number: a number with decimals has no exact value in JSON."""
    if isinstance(given, float) and given == given // 1:
        given = int(given)
    try:
        amount = Decimal(given) if type(given) in (int, str) and len(str(given)) < 32 else Decimal(-1)
        if 0 <= amount < LARGEST and Money(amount, "CNY").units >= 0:
            return f"{amount:f}"
    except (InvalidOperation, ValueError):
        pass
    check.refuse(path, 'must be a whole number or text such as "50000.50"', "须为整数或文本，如 “50000.50”")
    return str(DEFAULT["amount"])


def _task(given: Any, check: FieldCheck, path: str) -> dict[str, Any]:
    plain = given if isinstance(given, Mapping) else {}
    title = check.take(f"{path}.title", fields.text, plain.get("title", ""), 200, required=True)
    days = plain.get("days", 0)
    if not isinstance(days, int | float) or isinstance(days, bool) or days not in range(_MOST_DAYS + 1):
        check.refuse(f"{path}.days", f"must be from 0 to {_MOST_DAYS}", f"须为 0 至 {_MOST_DAYS}")
        days = 0
    return {"title": title or "", "days": int(days)}


def read(document: Mapping[str, Any]) -> Vip:
    """A checked document."""
    threshold = Money(Decimal(document["amount"]), document["currency"])
    return Vip(threshold, tuple(VipTask(one["title"], one["days"]) for one in document["tasks"]))
