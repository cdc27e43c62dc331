"""A quote as its customer sees it."""

from __future__ import annotations

from datetime import tzinfo

from chassis import access, people, records
from chassis.access import Principal
from chassis.transaction import Transaction
from contracts.domain.quote import Quote
from contracts.storage import parties, shelf
from contracts.storage.tables import people as people_table
from contracts.usecases import company
from contracts.usecases.quotes import QUOTES
from contracts.wire import quote_messages
from dealwright.contracts.v1 import quotes_pb2


def of_name(tx: Transaction, name: str, language: str, zone: tzinfo) -> tuple[quotes_pb2.PublicQuote, str, Quote]:
    """The paper, its language, and the quote. What the caller's role may not see is left out. Raises NotFound."""
    of = records.find(tx, QUOTES, name)
    return (*paper(tx, of, language, zone, tx.principal), of)


def paper(
    tx: Transaction, of: Quote, language: str, zone: tzinfo, reader: Principal | None = None
) -> tuple[quotes_pb2.PublicQuote, str]:
    """`language` is "zh" or "en", the company's own when empty; without a `reader` it is for the customer."""
    house = company.current(tx)
    tongue = language or house.language
    message = quote_messages.quote(of)
    if reader is not None:
        access.mask(reader, message)
    known = shelf.products_of(tx, [line.product for line in message.lines])
    quote_messages.described(message.lines, known, tongue)
    found = parties.find_all(tx, [of.customer, message.contact])
    seller = people.find(tx, people_table, message.owner) if message.owner else None
    made = quote_messages.public(
        message,
        house,
        customer=found[of.customer].title if message.customer and of.customer in found else "",
        contact=found.get(message.contact),
        seller=seller.display_name if seller else "",
        issue_date=of.create_time.astimezone(zone).date().isoformat(),
        language=tongue,
    )
    return made, tongue
