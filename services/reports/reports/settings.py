"""Settings of reports alone, from the environment (DEALWRIGHT_...)."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo

from chassis import clock
from chassis.mail import Channel, Smtp
from chassis.settings import Settings


class ReportSettings(Settings):
    # In which figures of several currencies are added up.
    company_currency: str = "CNY"


@lru_cache(maxsize=1)
def company_zone() -> ZoneInfo:
    """By whose clock days, weeks and quarters begin."""
    return clock.company_zone(ReportSettings().company_time_zone)


@lru_cache(maxsize=1)
def company_currency() -> str:
    return ReportSettings().company_currency


def mails() -> bool:
    """Whether mail can go out."""
    return bool(ReportSettings().smtp_url.get_secret_value())


def channel() -> Channel:
    settings = ReportSettings()
    return Smtp(settings.smtp_url.get_secret_value(), settings.mail_from)
