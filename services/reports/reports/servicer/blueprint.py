"""Our part of the blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from chassis import clock
from chassis.service import Runtime
from chassis.transaction import Transaction
from reports.usecases import blueprint


class ReportPart:
    """KPIs, boards, rules of alerts and schedules. The company's time zone tells which day it is."""

    def __init__(self, runtime: Runtime) -> None:
        self._zone = clock.company_zone(runtime.settings.company_time_zone)

    def _today(self, tx: Transaction) -> date:
        return tx.now.astimezone(self._zone).date()

    def read(self, tx: Transaction) -> tuple[dict[str, Any], int]:
        return blueprint.read(tx)

    def plan(self, tx: Transaction, content: Mapping[str, Any]) -> tuple[list[tuple[str, str, str]], int]:
        return blueprint.plan(tx, content, self._today(tx))

    def apply(self, tx: Transaction, content: Mapping[str, Any], expected_version: int) -> tuple[dict[str, Any], int]:
        return blueprint.apply(tx, content, expected_version, self._today(tx))
