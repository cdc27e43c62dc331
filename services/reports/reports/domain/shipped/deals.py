"""Opportunities: the funnel, conversion, cycles, who sells what, what is lost and why (B2 to B13, B16 to B20, B25)."""

from __future__ import annotations

from typing import Any

from reports.domain import kpi
from reports.domain.kpi import Kpi, Measure
from reports.domain.shipped.made import made

_WHO = ("owner", "channel", "region", "industry", "product", "pipeline", "customer")


def _kpi(
    id: str,
    titles: tuple[str, str],
    unit: int,
    measures: tuple[Measure, ...],
    formula: str,
    dimensions: tuple[str, ...] = _WHO,
    total: int = kpi.BY_FORMULA,
    **more: Any,
) -> Kpi:
    return made(id, titles, unit, measures, formula, dimensions, total, **more)


_opened = Measure("opened", "deal.opened")
_won = Measure("won", "deal.won")
_lost = Measure("lost", "deal.lost")
_entered = Measure("entered", "deal.entered")
_AT_STAGE = ("stage", *_WHO)

KPIS: tuple[Kpi, ...] = (
    _kpi("opportunities-opened", ("New opportunities", "新增商机"), kpi.COUNTS, (_opened,), "opened"),
    _kpi("opportunities-won", ("Opportunities won", "赢单数"), kpi.COUNTS, (_won,), "won"),
    _kpi("opportunities-lost", ("Opportunities lost", "输单数"), kpi.COUNTS, (_lost,), "lost", lower=True,
         dimensions=("reason", "stage", *_WHO)),
    _kpi("lost-amount", ("Amount lost", "输单金额"), kpi.MONEY,
         (Measure("amount", "deal.lost", kpi.AMOUNT),), "amount", ("reason", "stage", *_WHO), lower=True),
    _kpi("won-amount", ("Amount won", "赢单金额"), kpi.MONEY,
         (Measure("amount", "deal.won", kpi.AMOUNT),), "amount"),
    _kpi("conversion", ("Conversion of opportunities", "商机转化率"), kpi.RATIO, (_won, _opened), "won / opened",
         said=("Opportunities won over opportunities opened, in the period.", "期内赢单数 / 新增商机数。")),
    _kpi("win-rate", ("Win rate", "赢单率"), kpi.RATIO, (_won, _lost), "won / (won + lost)",
         said=("Of what was closed in the period, won.", "期内已关闭商机中赢单的比例。")),
    _kpi("average-deal", ("Average deal", "平均单价"), kpi.MONEY,
         (Measure("amount", "deal.won", kpi.AMOUNT), _won), "amount / won"),
    _kpi("average-cycle", ("Average sales cycle", "平均销售周期"), kpi.IN_DAYS,
         (Measure("seconds", "deal.won", kpi.SECONDS), _won), "seconds / won / 86400.0", lower=True,
         said=("From the first contact to the close.", "从首次接触到成交。")),
    _kpi("stage-entered", ("Funnel: opportunities", "漏斗：商机数"), kpi.COUNTS, (_entered,), "entered", _AT_STAGE),
    _kpi("stage-amount", ("Funnel: amount", "漏斗：金额"), kpi.MONEY,
         (Measure("amount", "deal.entered", kpi.AMOUNT),), "amount", _AT_STAGE),
    _kpi("stage-conversion", ("Funnel: conversion", "漏斗：转化率"), kpi.RATIO,
         (Measure("advanced", "deal.advanced"), _entered), "advanced / entered", _AT_STAGE,
         said=("Of those that came into the stage in the period, what went on: a cohort's flow.",
               "期内进入该阶段的商机中继续推进的比例（队列口径）。")),
    _kpi("stage-conversion-now", ("Funnel: conversion, as things stand", "漏斗：转化率（快照口径）"), kpi.RATIO,
         (Measure("beyond", "deal.beyond", span=kpi.STOCK), Measure("here", "deal.open", span=kpi.STOCK)),
         "beyond / here", _AT_STAGE,
         said=("Open opportunities in later stages over those in the stage now: it may be over one.",
               "当前处于后续阶段的在谈商机数 / 当前处于该阶段的商机数，可能超过 100%。")),
    _kpi("stage-time", ("Funnel: time in the stage", "漏斗：停留时长"), kpi.IN_DAYS,
         (Measure("seconds", "deal.left", kpi.SECONDS), Measure("left", "deal.left")), "seconds / left / 86400.0",
         _AT_STAGE, lower=True),
    _kpi("stage-drop-off", ("Drop-off", "阶段流失率"), kpi.RATIO,
         (Measure("dropped", "deal.dropped"), _entered), "dropped / entered", _AT_STAGE, lower=True),
    _kpi("follow-up-rate", ("Followed up within 7 days", "7 天跟进率"), kpi.RATIO,
         (Measure("followed", "deal.followed_up"), _entered), "followed / entered", _AT_STAGE),
    _kpi("open-opportunities", ("Open opportunities", "在谈商机"), kpi.COUNTS,
         (Measure("open", "deal.open", span=kpi.STOCK),), "open", _AT_STAGE),
    _kpi("open-amount", ("Pipeline", "在谈金额"), kpi.MONEY,
         (Measure("amount", "deal.open", kpi.AMOUNT, span=kpi.STOCK),), "amount", _AT_STAGE),
    _kpi("deviations", ("Departures from the process", "流程偏差"), kpi.COUNTS,
         (Measure("deviated", "deal.deviated"),), "deviated", ("detail", *_AT_STAGE), lower=True),
    _kpi("product-amount", ("Amount won by product", "产品赢单金额"), kpi.MONEY,
         (Measure("amount", "deal.sold", kpi.AMOUNT),), "amount", ("product", "owner", "region")),
    _kpi("forecast", ("Forecast", "销售预测"), kpi.MONEY,
         (Measure("amount", "deal.open", kpi.AMOUNT, (("detail", ("AWAITING_CONFIRMATION", "OPEN")),), kpi.STOCK),
          Measure("won", "deal.won_from", span=kpi.LAST, days=365),
          Measure("lost", "deal.lost_from", span=kpi.LAST, days=365)),
         "amount * won / (won + lost)", _AT_STAGE, kpi.BY_SUM,
         said=("What is open in each stage, by how much of what came into it in the last year and is decided was won; "
               "by stage. What is on hold is not in it, what awaits its approval is.",
               "各阶段在谈金额 × 近一年进入该阶段且已有结果的商机的赢单率；按阶段汇总。"
               "不含已搁置的商机，含待审批的商机。")),
)  # fmt: skip
