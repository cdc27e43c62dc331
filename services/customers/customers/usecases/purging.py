"""What was deleted 30 days ago ends for good."""

from chassis import records
from chassis.transaction import Transaction
from customers.usecases.kinds import CONTACTS, CUSTOMERS


def purge(tx: Transaction) -> bool:
    """Returns whether there may be more."""
    more = records.purge(tx, CUSTOMERS)
    return records.purge(tx, CONTACTS) or more
