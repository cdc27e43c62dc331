"""This service's part of the blueprint: {"customers": {"tiers": {"A": condition, "B": condition}}}."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chassis.errors import Invalid, Stale
from chassis.transaction import Transaction
from customers.domain import tiers
from customers.storage import settings


def read(tx: Transaction) -> tuple[dict[str, Any], int]:
    """The part as it stands, and its version."""
    content, version = settings.load(tx)
    return {"customers": {"tiers": content.get("tiers", tiers.DEFAULT)}}, version


def plan(tx: Transaction, content: Mapping[str, Any]) -> tuple[list[tuple[str, str, str]], int]:
    """What applying would change, as (path, before, after) in JSON, and the present version. Raises Invalid."""
    now, version = read(tx)
    before, after = now["customers"]["tiers"], _wanted(content, now)
    return [
        (f"customers.tiers.{tier}", _json(before.get(tier)), _json(after.get(tier)))
        for tier in sorted(before.keys() | after.keys())
        if before.get(tier) != after.get(tier)
    ], version


def apply(tx: Transaction, content: Mapping[str, Any], expected_version: int) -> tuple[dict[str, Any], int]:
    """Writes the part; customers are graded by it when they change. Raises Stale, Invalid."""
    _, version = settings.load(tx, lock=True)
    if version != expected_version:
        raise Stale("blueprint")
    before, _ = read(tx)
    wanted = _wanted(content, before)
    if wanted != before["customers"]["tiers"]:
        settings.save(tx, {"tiers": wanted})
        tx.audit("settings.changed", "blueprint/customers", {"tiers": wanted})
    return read(tx)


def _wanted(content: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    wrong = [(key, "there is no such part", "没有这个部分") for key in content.keys() - {"customers"}]
    part = content.get("customers", now["customers"])
    wanted = tiers.DEFAULT
    if not isinstance(part, Mapping):
        wrong.append(("customers", "must be an object", "须为对象"))
    else:
        unknown = part.keys() - {"tiers"}
        wrong += [(f"customers.{key}", "there is no such setting", "没有这个设置项") for key in sorted(unknown)]
        if "tiers" in part:
            wanted, problems = tiers.checked(part["tiers"], "customers.tiers")
            wrong += problems
    if wrong:
        raise Invalid(wrong)
    return wanted


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
