"""Links by which a customer opens a quote without signing in; the first time, its owner is told at once (Q15)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, time, timedelta, tzinfo

from chassis import ids, records
from chassis.errors import Denied, NotFound, Refused
from chassis.transaction import Transaction
from contracts.domain.quote import OFFERED, Quote
from contracts.storage import quotes as stored
from contracts.storage.quotes import Link
from contracts.usecases import parties
from contracts.usecases.quote_moves import not_expired
from contracts.usecases.quotes import QUOTES
from contracts.wire import quote_events as events

DAYS = 30
_LONGEST_TOKEN = 64
# Whoever has the link reads these.
_PRICES = frozenset({"lines", "list_total", "net_total", "subtotal", "tax_total", "total", "discount_percent"})


def link(tx: Transaction, name: str, key: bytes, today: str, zone: tzinfo) -> tuple[str, Link]:
    """The token and the link that stands, a new one where there is none. The token is made of the link's id and the
    deployment's key: it is told again, and kept nowhere. Raises NOT_APPROVED, EXPIRED, NOT_OPEN, and Denied where
    prices are hidden."""
    of = records.hold(tx, QUOTES, name)
    if tx.principal.grant(QUOTES.resource).hidden & _PRICES:
        raise Denied("quotes.link")
    if of.status not in OFFERED:
        raise Refused("NOT_APPROVED", "It was not approved.", "该报价尚未获批。")
    not_expired(of, today)
    parties.going_on(tx, parties.find(tx, of.opportunity))
    known = stored.link_of(tx, name)
    if known is not None:
        token = _token(key, known.id)
        if _digest(token) == known.digest:
            return token, known
        stored.drop_links(tx, name)  # made with another key: nobody can tell it any more
    id = ids.new_id()
    token = _token(key, id)
    made = Link(id, _digest(token), name, _end(tx, of, zone), tx.principal.actor, tx.now)
    stored.add_link(tx, made)
    tx.audit("quote.linked", name, {"link": id, "until": made.expire_time.isoformat()})
    return token, made


def unlink(tx: Transaction, name: str) -> Quote:
    """Raises NOT_LINKED."""
    of = records.hold(tx, QUOTES, name)
    if not stored.drop_links(tx, name):
        raise Refused("NOT_LINKED", "It has no link.", "该报价没有链接。")
    tx.audit("quote.unlinked", name)
    return of


def linked(tx: Transaction, token: str) -> Quote:
    """The quote that a token opens. Raises NotFound: the same for what never was, has ended or is over; ENDED while
    the opportunity is lost or deleted."""
    found = stored.link_with(tx, _digest(token)) if 0 < len(token) <= _LONGEST_TOKEN else None
    of = records.of_names(tx, QUOTES, [found.quote]).get(found.quote) if found else None
    if of is None or of.status not in OFFERED or of.delete_time is not None:
        raise NotFound("")
    deal = parties.find(tx, of.opportunity)
    if deal is None or deal.is_over:
        raise Refused("ENDED", "This offer has ended.", "该报价已失效。")
    return of


def opened(tx: Transaction, token: str) -> Quote:
    """Counts that somebody looked at it. Only the first time changes the quote: whoever works on it meanwhile is not
    out of date because its customer reads it again. Raises NotFound, ENDED."""
    name = linked(tx, token).name
    before = records.of_names(tx, QUOTES, [name], lock=True)[name]
    first = before.first_open_time is None
    if first:
        after = records.save(tx, QUOTES, before, replace(before, first_open_time=tx.now, open_count=1), "opened")
    else:
        after = replace(before, open_count=stored.count_opening(tx, name))
    tx.emit(events.opened(after, first, tx.now))
    return after


def _end(tx: Transaction, of: Quote, zone: tzinfo) -> datetime:
    """When its last day is over; after 30 days where it has none."""
    if not of.valid_until:
        return tx.now + timedelta(days=DAYS)
    last = datetime.combine(datetime.fromisoformat(of.valid_until), time(), zone)
    return last + timedelta(days=1)


def _token(key: bytes, id: str) -> str:
    """43 characters that nobody can guess."""
    return base64.urlsafe_b64encode(hmac.digest(key, f"quote link\n{id}".encode(), "sha256")).decode().rstrip("=")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
