"""What a run stands in: who there is, who is in which group, when the company works."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from chassis import calendar, clock
from chassis.calendar import WorkingCalendar
from chassis.fields import FieldCheck
from chassis.money import Money
from chassis.settings import Settings
from chassis.transaction import Transaction
from contracts.domain import approval_form, approvers
from contracts.domain.approval_flow import Flow
from contracts.domain.approval_run import World
from contracts.domain.approvers import Group, House
from contracts.storage import approvals as stored
from contracts.usecases import company, rates
from contracts.usecases.approval_settings import APPROVAL_FLOWS, APPROVER_GROUPS
from contracts.usecases.settings import PART

COMPANY_CALENDAR = "calendars/company"


def settings(tx: Transaction) -> tuple[dict[str, Flow], dict[str, Group], int]:
    """The flows, the groups, and the version of both."""
    content, version = PART.read(tx)
    check = FieldCheck()
    flows = {id: approval_form.stored(id, plain) for id, plain in content[APPROVAL_FLOWS].items()}
    return flows, approval_form.groups(content[APPROVER_GROUPS], check, APPROVER_GROUPS), version


def world(
    tx: Transaction, flows: Iterable[Flow], people: Iterable[str], groups: Mapping[str, Group] | None = None
) -> World:
    """All that runs of these flows may need who were asked for, or wait for, these people."""
    known = settings(tx)[1] if groups is None else groups
    lines = [line for flow in flows for node in flow.nodes for line in node.approvers]
    names, roles, teams = approvers.meant(lines, known)
    led = stored.all_teams(tx) if teams or "team-lead" in lines else {}
    managers = {team.manager for team in led.values()}
    found = stored.colleagues(tx, {*names, *people, *managers}, roles)
    return World(House(found, known, led), hours(tx), tx.now)


def hours(tx: Transaction) -> WorkingCalendar:
    """When the company works; always, until it says so."""
    plain = stored.hours(tx, COMPANY_CALENDAR)
    return calendar.from_plain(plain) if plain else calendar.always_open(company_zone())


def home_amount(tx: Transaction, amount: Money | None) -> Decimal | None:
    """An amount in the company's currency, by the rate of today; None where there is none."""
    today = tx.now.astimezone(clock.company_zone(company_zone())).date()
    converted = rates.converted(tx, amount, company.current(tx).currency, today.isoformat())
    return converted.amount if converted else None


@lru_cache(maxsize=1)
def company_zone() -> str:
    return Settings().company_time_zone


def know_posts(tx: Transaction, told: Sequence[tuple[str, str, int]]) -> None:
    """Regions of people as (name, region, version)."""
    stored.know(tx, stored.posts, told)


def know_teams(tx: Transaction, told: Sequence[tuple[str, str, str, bool, int]]) -> None:
    """Teams as (name, manager, parent, whether it was deleted, version)."""
    stored.know(tx, stored.teams, told)


def know_calendars(tx: Transaction, told: Sequence[tuple[str, dict[str, Any] | None, int]]) -> None:
    """Calendars as (name, hours as plain data without which it is always open, version)."""
    always = calendar.always_open(company_zone()).to_plain()
    stored.know(tx, stored.calendars, [(name, plain or always, version) for name, plain, version in told])
