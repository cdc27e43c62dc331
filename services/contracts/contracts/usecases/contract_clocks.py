"""What happens to contracts by itself: instalments become overdue (K6), the end of a contract comes near (K4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from chassis import records
from chassis.transaction import Transaction
from contracts.domain.bill import Due
from contracts.domain.contract import HOLDS
from contracts.domain.due import last_day
from contracts.storage import bills
from contracts.storage import contracts as stored
from contracts.usecases import contract_settings
from contracts.usecases.approval_world import hours
from contracts.usecases.contract_kinds import CONTRACT, INSTALMENT, INVOICE, PAYMENT
from contracts.wire import contract_messages as told

_AT_ONCE = 50
_UNPAID = [Due.OPEN.value, Due.PARTLY_PAID.value]


def mark_overdue(tx: Transaction) -> bool:
    """Marks what was not paid in time, and announces each once for its due date. Returns whether there may be more."""
    today, grace = contract_settings.today(tx), contract_settings.current(tx).grace_days
    open_hours = hours(tx)
    before = (today - timedelta(days=grace)).isoformat()
    names = bills.with_missed(tx, _UNPAID, before, _AT_ONCE)
    found = 0
    for name in sorted(names):
        contract = records.of_names(tx, CONTRACT, [name], lock=True).get(name)
        if contract is None or contract.status not in HOLDS:
            continue
        for one in bills.plan_of(tx, INSTALMENT, name):
            missed = one.status in _UNPAID and one.due_date and one.overdue_told != one.due_date
            if missed and last_day(date.fromisoformat(one.due_date), grace, open_hours) < today:
                late = replace(one, status=Due.OVERDUE.value, overdue_told=one.due_date)
                tx.emit(told.overdue(records.save(tx, INSTALMENT, one, late, "overdue")))
                found += 1
    return len(names) == _AT_ONCE and found > 0


def tell_expiring(tx: Transaction) -> bool:
    """Announces contracts that end soon, each once for its expiry date. Returns whether there may be more."""
    today, days = contract_settings.today(tx), contract_settings.current(tx).expiry_days
    last = (today + timedelta(days=days)).isoformat()
    found = stored.expiring(tx, CONTRACT, today.isoformat(), last, _AT_ONCE)
    for one in found:
        saved = records.save(tx, CONTRACT, one, replace(one, expiry_told=one.expiry_date), "expiring")
        tx.emit(told.expiring(saved, (date.fromisoformat(one.expiry_date) - today).days))
    return len(found) == _AT_ONCE


def purge(tx: Transaction) -> bool:
    """Ends what was deleted 30 days ago."""
    more = [records.purge(tx, PAYMENT), records.purge(tx, INVOICE), records.purge(tx, CONTRACT)]
    return any(more)
