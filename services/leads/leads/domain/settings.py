"""What a company sets about its leads, as data (L22): the key "leads" of the blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class LeadSettings:
    """Defaults make an empty system work. Names in the blueprint are these in camelCase."""

    # A known phone or e-mail refuses the capture instead of touching the lead (V6).
    hard_reject_duplicates: bool = False
    # How many leads a person may take from the pool per day of the company's time zone.
    pick_limit_per_day: int = 10
    # How long the previous owner waits before taking the same lead from the pool.
    cool_down_hours: int = 24
    # A waiting lead without a decision is announced again after this long.
    announce_again_seconds: int = 30
    # Roles whose people may own leads.
    receiving_roles: tuple[str, ...] = ("sales",)


_BOUNDS = {
    "pick_limit_per_day": (0, 100_000),
    "cool_down_hours": (0, 24 * 365),
    "announce_again_seconds": (5, 86_400),
}
ROLES = ("admin", "manager", "sales", "backoffice", "finance")
Violations = list[tuple[str, str, str]]


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


_NAMES = {_camel(f.name): f.name for f in fields(LeadSettings)}


def to_plain(settings: LeadSettings) -> dict[str, Any]:
    """The settings as they stand in the blueprint."""
    return {_camel(k): list(v) if isinstance(v, tuple) else v for k, v in asdict(settings).items()}


def from_plain(given: Mapping[str, Any], base: LeadSettings, path: str = "leads") -> tuple[LeadSettings, Violations]:
    """The settings with what is given laid over `base`, and what is wrong with it (path, English, Chinese)."""
    values: dict[str, Any] = {}
    wrong: Violations = []
    for key, value in given.items():
        name, where = _NAMES.get(key), f"{path}.{key}"
        if name is None:
            wrong.append((where, "there is no such setting", "没有这个设置项"))
        elif name in _BOUNDS:
            low, high = _BOUNDS[name]
            whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
            if whole and low <= value <= high:
                values[name] = int(value)
            else:
                wrong.append((where, f"must be a whole number from {low} to {high}", f"须为 {low} 至 {high} 的整数"))
        elif name == "receiving_roles":
            if isinstance(value, list) and value and all(role in ROLES for role in value):
                values[name] = tuple(value)
            else:
                wrong.append((where, f"must be a list of {', '.join(ROLES)}", f"须为 {'、'.join(ROLES)} 的列表"))
        elif isinstance(value, bool):
            values[name] = value
        else:
            wrong.append((where, "must be true or false", "须为 true 或 false"))
    if wrong:
        return base, wrong
    return LeadSettings(**{**asdict(base), **values}), []
