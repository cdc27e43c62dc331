"""What a company sets about contracts: the key "contracts" of the blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from chassis.clock import company_zone
from chassis.fields import FieldCheck
from chassis.settings import Settings
from chassis.transaction import Transaction

KEY = "contracts"
_DAYS = {"expiryDays": (30, 366), "graceDays": (0, 90)}
_SWITCHES = {"invoiceAfterDelivery": False}


@dataclass(frozen=True, slots=True)
class Terms:
    """`expiry_days`: how long before a contract expires its owner hears of it; `grace_days`: working days after a due
    date on which an instalment is not overdue yet."""

    expiry_days: int
    grace_days: int
    invoice_after_delivery: bool


def checked(document: Any, check: FieldCheck, path: str) -> dict[str, Any]:
    """{expiryDays, graceDays, invoiceAfterDelivery}, what is left out as it is by default."""
    given: Mapping[str, Any] = {}
    if document is not None and not isinstance(document, Mapping):
        check.refuse(path, "must be an object", "必须是对象")
    elif document is not None:
        given = document
    for key in sorted(given.keys() - _DAYS.keys() - _SWITCHES.keys()):
        check.refuse(f"{path}.{str(key)[:40]}", "unknown field", "未知字段")
    found: dict[str, Any] = {}
    for key, (otherwise, most) in _DAYS.items():
        days = given.get(key, otherwise)
        if isinstance(days, bool) or not isinstance(days, int | float) or days != days // 1 or not 0 <= days <= most:
            check.refuse(f"{path}.{key}", f"must be a whole number from 0 to {most}", f"须为 0 至 {most} 的整数")
            days = otherwise
        found[key] = int(days)
    for key, switch in _SWITCHES.items():
        found[key] = given.get(key, switch)
        if not isinstance(found[key], bool):
            check.refuse(f"{path}.{key}", "must be true or false", "须为 true 或 false")
            found[key] = switch
    return found


def current(tx: Transaction) -> Terms:
    from contracts.usecases.settings import PART  # which knows us

    document = PART.read(tx)[0][KEY]
    return Terms(document["expiryDays"], document["graceDays"], document["invoiceAfterDelivery"])


@cache
def zone() -> ZoneInfo:
    return company_zone(Settings().company_time_zone)


def today(tx: Transaction) -> date:
    """Which day it is where the company is."""
    return tx.now.astimezone(zone()).date()
