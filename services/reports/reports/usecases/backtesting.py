"""How right a forecast was (B25)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from chassis.errors import Refused
from chassis.transaction import Transaction
from reports.domain import kpi, periods
from reports.domain.facts import FACTS
from reports.domain.kpi import Kpi, Measure
from reports.domain.view import View
from reports.settings import company_currency
from reports.storage import ledger, outcomes, rates
from reports.storage.outcomes import Outcome
from reports.usecases import reaching, reading

_STOCK = "deal.open"


@dataclass(frozen=True, slots=True)
class Backtest:
    """At the beginning of `day`: amounts in the company's currency; `error` is how much of what was forecast of those
    that are decided did not come, None where that was nothing."""

    day: date
    forecast: Decimal
    decided_forecast: Decimal
    won: Decimal
    open: int
    undecided: int

    @property
    def error(self) -> float | None:
        return float(1 - self.won / self.decided_forecast) if self.decided_forecast else None


def backtest(tx: Transaction, of: Kpi, today: date, months: int) -> list[Backtest]:
    """For the beginnings of the last months, the latest first. Raises NO_FORECAST for a KPI that multiplies no open
    amount, and Denied as reading.table."""
    stock = next((one for one in of.measures if one.fact == _STOCK and one.value == kpi.AMOUNT), None)
    if stock is None or of.total != kpi.BY_SUM or of.unit != kpi.MONEY:
        raise Refused(
            "NO_FORECAST",
            f"{of.name} forecasts nothing: ask of one that is summed (BY_SUM) from an AMOUNT of deal.open, as "
            "reports/forecast is.",
            f"{of.name} 不是预测指标：须为按 BY_SUM 汇总、含 deal.open 金额的指标，如 reports/forecast。",
        )
    found = []
    day = today.replace(day=1)
    for _ in range(months):
        found.append(_at(tx, of, stock, day))
        day = periods.begin_of("month", day - timedelta(days=1))
    return found


def _at(tx: Transaction, of: Kpi, stock: Measure, day: date) -> Backtest:
    then = reading.eve(day)
    view = View(periods.ALL, day - timedelta(days=1), ("pipeline", "stage"), as_of=then)
    said = reading.table(tx, of, view)
    # How much of a stage's open amount the forecast took.
    share = {
        row.keys: Decimal(repr(row.figure.value)) / Decimal(repr(row.figure.inputs[stock.id]))
        for row in said.rows
        if row.figure.value is not None and row.figure.inputs[stock.id]
    }
    reach = reaching.reach(tx, FACTS[_STOCK])
    rows = outcomes.of_open(tx, ledger.live(tx), reading.question(stock, view), reach)
    home, on = company_currency(), (day - periods.EPOCH).days
    abroad = {(row.currency, on) for row in rows if row.currency not in ("", home)}
    turn = rates.turner(rates.known(tx, home, abroad, then))

    def worth(amount: int, row: Outcome) -> Decimal:
        return turn(amount, row.currency, 0 if row.currency in ("", home) else on)

    over = [row for row in rows if row.decided]
    return Backtest(
        day,
        Decimal(repr(said.total.value or 0.0)),
        sum((worth(row.amount, row) * share.get((row.pipeline, row.stage), Decimal(0)) for row in over), Decimal(0)),
        sum((worth(row.won, row) for row in over), Decimal(0)),
        sum(row.count for row in rows),
        sum(row.count for row in rows if not row.decided),
    )


def mean_error(found: Sequence[Backtest]) -> float | None:
    """By how much the months were wrong, whichever way, of all that was forecast: one in which nothing was won counts
    by what was forecast of it. None where that was nothing."""
    said = sum((one.decided_forecast for one in found), Decimal(0))
    off = sum((abs(one.decided_forecast - one.won) for one in found), Decimal(0))
    return float(off / said) if said else None
