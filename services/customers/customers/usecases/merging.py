"""Two records of one customer become one (C20)."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from chassis import records
from chassis.errors import Refused
from chassis.transaction import Transaction
from customers.domain.customer import Customer, completed, keys
from customers.storage import hand_overs, rates, reached, signed
from customers.storage import keys as stored
from customers.storage.tables import contacts, customers
from customers.usecases import vip
from customers.usecases.customers import graded
from customers.usecases.kinds import CONTACTS, CUSTOMERS, standing
from customers.wire import messages


def merge(tx: Transaction, name: str, etag: str, other: str, other_etag: str) -> Customer:
    """The other's contacts, keys and tags move to the first, its facts fill what is empty there; the other's own row
    stays as it was, for the record. Raises NotFound, Denied, Stale, SAME_CUSTOMER."""
    name, other = standing(tx, name), standing(tx, other)
    if name == other:
        raise Refused("SAME_CUSTOMER", "Both are one customer already.", "两者已是同一个客户。")
    # In the order of names, as everybody locks them.
    held = {one: records.hold(tx, CUSTOMERS, one) for one in sorted((name, other))}
    for one, seen in ((name, etag), (other, other_etag)):
        records.refuse_stale(tx, CUSTOMERS, held[one], seen)
    kept, gone = held[name], held[other]
    rates.wait(tx)
    # Every key of the other is free: it is about to be this one's.
    further = max(kept.stage, gone.stage)
    after = graded(tx, replace(kept, **completed(kept, gone, keys(gone)), stage=further))
    stored.give(tx, other, name)
    signed.give(tx, other, name)
    reached.give(tx, other, name)
    company = vip.line(tx)
    after = vip.judged(tx, after, company, vip.sums(tx, [name], company)[name])
    met = [at for at in (kept.last_follow_up_time, gone.last_follow_up_time) if at]
    after = replace(after, last_follow_up_time=max(met, default=None))
    # Nobody is asked whose the other is to be: it is part of this one, and what waits with it waits with this one.
    hand_overs.forget(tx, other)
    hand_overs.give(tx, other, name)
    _move_contacts(tx, other, name)
    tx.execute(sa.update(customers).where(customers.c.merged_into == other).values(merged_into=name))
    records.save(tx, CUSTOMERS, gone, replace(gone, merged_into=name), "merged")
    vip.end(tx, gone, company)
    # Something changed in any case: contacts, keys, a record more that answers with it.
    kept = vip.save(tx, kept, replace(after, update_time=tx.now), company, "completed")
    tx.emit(messages.merged(kept, other))
    return kept


def _move_contacts(tx: Transaction, other: str, name: str) -> None:
    moving = CONTACTS.select.where(contacts.c.customer == other).order_by(contacts.c.name)
    for contact in [CONTACTS.type(*row) for row in tx.execute(moving)]:
        records.save(tx, CONTACTS, contact, replace(contact, customer=name), "moved")
