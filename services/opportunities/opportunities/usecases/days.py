"""Which day it is for the company."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from chassis import clock
from chassis.settings import Settings
from chassis.transaction import Transaction


@lru_cache(maxsize=1)
def _zone() -> ZoneInfo:
    return clock.company_zone(Settings().company_time_zone)


def today(tx: Transaction) -> date:
    """For what no call asks for, such as news of other services; a call knows its service's own settings."""
    return tx.now.astimezone(_zone()).date()
