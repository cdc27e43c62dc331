"""What figures are compared with."""

from __future__ import annotations

from dataclasses import replace

from chassis.transaction import Transaction
from reports.domain import kpi, periods
from reports.domain.kpi import Kpi
from reports.domain.view import Before, View
from reports.usecases import reading


def before(tx: Transaction, of: Kpi, view: View) -> Before | None:
    """What a view's figures are compared with; None where there is nothing: by time each row has the one before it, and
    what there is on a day is no period's."""
    period = periods.before(view.period, view.today)
    if period is None or kpi.stands(of) or any(name in periods.GRAINS for name in view.group):
        return None
    found = reading.table(tx, of, replace(view, period=period))
    return Before(period, {(): found.total, **{row.keys: row.figure for row in found.rows}})
