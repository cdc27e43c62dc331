"""What made-up requests about figures need: KPIs, boards, targets, rules, costs and schedules that exist, and sound
bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.security.examples_deals import TEN, Deals

_CHANNELS = ("WEB_FORM", "TRADE_SHOW", "DOUYIN", "WECHAT", "PHONE_400", "REFERRAL", "API")
_WON = {"id": "won", "fact": "deal.won", "value": "COUNT", "span": "PERIOD"}


def _kpi(number: int) -> dict[str, Any]:
    named = {"displayName": f"Won {number}", "displayNameZh": f"赢单 {number}", "unit": "COUNT", "total": "FORMULA"}
    return {**named, "measures": [_WON], "formula": "won", "dimensions": ["owner"]}


def _board(number: int) -> dict[str, Any]:
    tile = {"kpi": "kpis/won-amount", "chart": "BAR", "groupBy": ["owner"], "width": 6, "height": 2}
    return {"displayName": f"Board {number}", "displayNameZh": "看板", "tiles": [tile], "period": "this_month"}


def _target(number: int) -> dict[str, Any]:
    return {"kpi": "kpis/won-amount", "period": f"{2100 + number // 12}-{number % 12 + 1:02}", "value": "1000"}


def _rule(number: int) -> dict[str, Any]:
    looks = {"kpi": "kpis/win-rate", "condition": "BELOW", "limit": "0.2", "span": "WEEK"}
    return {"displayName": f"Rule {number}", **looks, "notify": ["roles/manager"], "enabled": False}


def _cost(number: int) -> dict[str, Any]:
    number, channel = divmod(number, len(_CHANNELS))
    month = f"{2030 + number // 12 % 70}-{number % 12 + 1:02}"
    return {"channel": _CHANNELS[channel], "month": month, "amount": TEN}


def _schedule(d: Deals) -> dict[str, Any]:
    when = {"span": "WEEK", "hour": 9, "people": [d.person()], "enabled": False, "language": "zh"}
    return {"displayName": f"周报 {next(d.numbers)}", "report": "reports/won-amount", "format": "CSV", **when}


def kpi(d: Deals) -> str:
    number = next(d.numbers)
    return d.made(f"kpis?kpiId=sound-{number}", _kpi(number))


def board(d: Deals) -> str:
    number = next(d.numbers)
    return d.made(f"boards?boardId=sound-{number}", _board(number))


MAKERS: dict[str, Callable[[Deals], str]] = {
    "kpi": kpi,
    "board": board,
    "target": lambda d: d.made("targets", _target(next(d.numbers))),
    "alertRule": lambda d: d.made("alertRules", _rule(next(d.numbers))),
    "channelCost": lambda d: d.made("channelCosts", _cost(next(d.numbers))),
    "exportSchedule": lambda d: d.made("exportSchedules", _schedule(d)),
}
REPORTS = ("won-amount", "conversion", "leads-captured", "forecast")

# (path's name, body, query) by operation.
Said = tuple[str, Any, dict[str, Any] | None]
SAID: Mapping[str, Callable[[Deals, int], Said]] = {
    "POST /v1/kpis": lambda d, n: ("", _kpi(n), {"kpiId": f"made-{next(d.numbers)}"}),
    "PATCH /v1/kpis/{kpi}": lambda d, n: (kpi(d), {"displayName": "Won"}, {}),
    "POST /v1/boards": lambda d, n: ("", _board(n), {"boardId": f"made-{next(d.numbers)}"}),
    "PATCH /v1/boards/{board}": lambda d, n: (board(d), {"displayName": "Board"}, {}),
    "POST /v1/targets": lambda d, n: ("", _target(5000 + next(d.numbers)), {}),
    "PATCH /v1/targets/{target}": lambda d, n: (MAKERS["target"](d), {"value": "7"}, {}),
    "POST /v1/alertRules": lambda d, n: ("", _rule(n), {}),
    "PATCH /v1/alertRules/{alertRule}": lambda d, n: (MAKERS["alertRule"](d), {"limit": "0.3"}, {}),
    "POST /v1/channelCosts": lambda d, n: ("", _cost(next(d.numbers)), {}),
    "PATCH /v1/channelCosts/{channelCost}": lambda d, n: (MAKERS["channelCost"](d), {"note": "展台"}, {}),
    "POST /v1/exportSchedules": lambda d, n: ("", _schedule(d), {}),
    "PATCH /v1/exportSchedules/{exportSchedule}": lambda d, n: (MAKERS["exportSchedule"](d), {"hour": 8}, {}),
    "GET /v1/reports/{report}": lambda d, n: ("reports/won-amount", None, {"period": "this_year"}),
    "GET /v1/reports/{report}:explain": lambda d, n: ("reports/won-amount", None, {"period": "this_year"}),
    "GET /v1/reports/{report}/records": lambda d, n: ("reports/won-amount", None, {"period": "this_year"}),
    "GET /v1/reports/{report}:backtest": lambda d, n: ("reports/forecast", None, {"months": 1 + n % 3}),
    "POST /v1/reports/{report}:createTasks": lambda d, n: ("reports/leads-untouched-3d", {"title": "跟进"}, {}),
    "POST /v1/reports:export": lambda d, n: ("", {"name": "reports/won-amount", "format": "CSV"}, {}),
}
