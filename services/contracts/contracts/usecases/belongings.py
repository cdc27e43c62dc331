"""What we keep of others' records."""

from __future__ import annotations

from chassis.belongings import Place
from contracts.storage.approvals import approvals
from contracts.storage.contracts import contracts
from contracts.storage.parties import parties
from contracts.storage.quotes import quotes

_BY_CUSTOMER = (parties.c.customer, parties.c.name)
_OF_DEALS = tuple(
    place
    for table in (quotes, contracts)
    for place in (
        Place(table.name, table.c.opportunity, of="opportunities"),
        Place(table.name, table.c.customer, of="customers"),
        Place(table.name, table.c.contact, of="contacts", via=(table.c.customer, *_BY_CUSTOMER)),
    )
)
PLACES = (Place("approvals", approvals.c.record), *_OF_DEALS)
