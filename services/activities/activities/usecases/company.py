"""What this deployment says: its day, its mail server."""

from __future__ import annotations

from activities.settings import ActivitySettings
from chassis import clock
from chassis.mail import Channel, Smtp
from chassis.transaction import Transaction


def today(tx: Transaction) -> str:
    """ "2026-01-31" by the company's time zone."""
    return tx.now.astimezone(clock.company_zone(ActivitySettings().company_time_zone)).date().isoformat()


def mails() -> bool:
    """Whether mail can go out."""
    return bool(ActivitySettings().smtp_url.get_secret_value())


def channel() -> Channel:
    settings = ActivitySettings()
    return Smtp(settings.smtp_url.get_secret_value(), settings.mail_from)
