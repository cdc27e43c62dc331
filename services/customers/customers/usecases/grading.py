"""When the company changes what makes a tier or a VIP, everybody is graded anew, page by page."""

from __future__ import annotations

from chassis.transaction import Transaction
from customers.storage import settings
from customers.storage.tables import customers
from customers.usecases import vip
from customers.usecases.customers import graded
from customers.usecases.kinds import CUSTOMERS

_PAGE = 200


def grade(tx: Transaction) -> bool:
    """One page of those that the present standard has not seen. Returns whether there may be more."""
    _, version = settings.load(tx)
    seen, cursor = settings.progress(tx)
    if seen == version and not cursor:
        return False
    if seen != version:
        cursor = ""
    query = CUSTOMERS.select.where(customers.c.name > cursor, customers.c.merged_into == "")
    if tx.dialect == "postgresql":
        query = query.with_for_update()
    found = [CUSTOMERS.type(*row) for row in tx.execute(query.order_by(customers.c.name).limit(_PAGE))]
    company = vip.line(tx)
    sums = vip.sums(tx, [one.name for one in found], company)
    for before in found:
        after = vip.judged(tx, graded(tx, before), company, sums[before.name])
        vip.save(tx, before, after, company, "graded")
    more = len(found) == _PAGE
    settings.keep_progress(tx, version, found[-1].name if more else "")
    return more
