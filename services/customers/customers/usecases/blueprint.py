"""This service's part of the blueprint: {"customers": {"tiers": {"A": condition, "B": condition}, "vip": {...}}}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis.errors import Invalid, Stale
from chassis.fields import FieldCheck
from chassis.parts import differences
from chassis.transaction import Transaction
from customers.domain import tiers, vip
from customers.storage import settings

_DEFAULTS = {"tiers": tiers.DEFAULT, "vip": vip.DEFAULT}


def read(tx: Transaction) -> tuple[dict[str, Any], int]:
    """The part as it stands, and its version."""
    content, version = settings.load(tx)
    return {"customers": {key: content.get(key, default) for key, default in _DEFAULTS.items()}}, version


def plan(tx: Transaction, content: Mapping[str, Any]) -> tuple[list[tuple[str, str, str]], int]:
    """What applying would change, as (path, before, after) in JSON, and the present version. Raises Invalid."""
    now, version = read(tx)
    return sorted(differences("customers", now["customers"], _wanted(content, now["customers"]))), version


def apply(tx: Transaction, content: Mapping[str, Any], expected_version: int) -> tuple[dict[str, Any], int]:
    """Writes the part; a loop grades all customers by it. Raises Stale, Invalid."""
    _, version = settings.load(tx, lock=True)
    if version != expected_version:
        raise Stale("blueprint")
    before = read(tx)[0]["customers"]
    wanted = _wanted(content, before)
    if wanted != before:
        settings.save(tx, wanted)
        tx.audit(
            "settings.changed", "blueprint/customers", {"keys": [key for key in wanted if wanted[key] != before[key]]}
        )
    return read(tx)


def _wanted(content: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    wrong = [(key, "there is no such part", "没有这个部分") for key in content.keys() - {"customers"}]
    part = content.get("customers", now)
    wanted = dict(now)
    if not isinstance(part, Mapping):
        wrong.append(("customers", "must be an object", "须为对象"))
    else:
        unknown = part.keys() - _DEFAULTS.keys()
        wrong += [(f"customers.{key}", "there is no such setting", "没有这个设置项") for key in sorted(unknown)]
        # What is left out is as in a new system.
        wanted["tiers"], problems = tiers.checked(part.get("tiers", tiers.DEFAULT), "customers.tiers")
        check = FieldCheck()
        wanted["vip"] = vip.checked(part.get("vip", vip.DEFAULT), check, "customers.vip")
        wrong += [*problems, *check.violations]
    if wrong:
        raise Invalid(wrong)
    return wanted
