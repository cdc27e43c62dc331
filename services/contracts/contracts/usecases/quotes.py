"""What a quote is to the standard methods, and how it is made and changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sa

from chassis import custom, records
from chassis.access import Principal
from chassis.columns import Column
from chassis.errors import Invalid, Refused
from chassis.money import LARGEST
from chassis.numbers import following
from chassis.records import Kind
from chassis.transaction import Transaction
from contracts.domain.party import Party
from contracts.domain.quote import EDITABLE, Line, Quote, Status, plain, summed, units, unlisted
from contracts.storage import quotes as stored
from contracts.storage import shelf
from contracts.storage.approvals import sat_on
from contracts.storage.tables import numbers, people
from contracts.usecases import company, once, parties, quoting
from contracts.wire import quote_events as events
from contracts.wire import quote_messages
from dealwright.contracts.v1 import quotes_pb2

_c = stored.quotes.c
_TOTALS = ("list_total", "subtotal", "net_total", "tax_total", "total")


def _announce(tx: Transaction, before: Any, after: Any) -> None:
    of = after if after is not None else before
    tx.emit(events.changed(of, gone=after is None))


def _also(principal: Principal) -> sa.ColumnElement[bool] | None:
    """Whoever has a say in its approval sees what he decides about, as long as that lasts; who drew it up for a deal
    that others have, as long as he sees that."""
    if not principal.person:
        return None
    return sa.or_(_c.name.in_(sat_on(principal.person)), parties.drawn_up(principal, stored.quotes))


QUOTES: Kind[Quote] = Kind(
    resource="quotes",
    word="quote",
    table=stored.quotes,
    type=Quote,
    people=people,
    also=_also,
    announce=_announce,
    shown=quote_messages.quote,
    spelt={"discount": "discount_percent", "total_discount": "total_discount_percent"},
    columns={
        "number": Column(_c.number, "name", order=True),
        "revision": Column(_c.revision, "int", order=True),
        **{
            name: Column(_c[name], "name")
            for name in ("opportunity", "customer", "contact", "currency", "price_list", "owner", "team", "approval")
        },
        "status": Column(_c.status, "enum", quotes_pb2.Quote.DESCRIPTOR.enum_types_by_name["Status"]),
        **{name: Column(_c[name], "decimal", order=name in ("net_total", "total")) for name in _TOTALS},
        "total_discount_percent": Column(_c.total_discount, "decimal", order=True),
        "valid_until": Column(_c.valid_until, "name", order=True),
        "open_count": Column(_c.open_count, "int"),
        "first_open_time": Column(_c.first_open_time, "time"),
        "create_time": Column(_c.create_time, "time", order=True),
        "update_time": Column(_c.update_time, "time", order=True),
    },
)


def create(tx: Transaction, values: Mapping[str, Any], today: str) -> Quote:
    """The first version of an offer for an opportunity; without lines, of the opportunity's products (Q1, O24).

    Raises NotFound, Invalid, NOT_OPEN.
    """
    return _numbered(tx, _made(tx, parties.deal(tx, values["opportunity"], "quotes"), values, today), today)


def of_opportunity(tx: Transaction, name: str, today: str) -> Quote:
    """One click: one quote however often it is clicked, until somebody works on that. Raises NotFound, Invalid,
    NOT_OPEN."""
    deal = parties.going_on(tx, parties.alone(tx, parties.deal(tx, name, "quotes")))
    made = _made(tx, deal, {}, today)
    return once.untouched(tx, QUOTES, made) or _numbered(tx, made, today)


def _made(tx: Transaction, deal: Party, values: Mapping[str, Any], today: str) -> Quote:
    customer = parties.find(tx, deal.customer, hold=True)
    if customer is None:
        raise Invalid([("quote.opportunity", "has no customer", "该商机没有客户")])
    parties.going_on(tx, deal)
    house = company.current(tx)
    currency = values.get("currency") or deal.currency or house.currency
    given = {
        "valid_until": house.valid_until(today),
        "terms": house.terms,
        "contact": deal.contact,
        **{name: value for name, value in values.items() if value},
    }
    buyer = quoting.buyer(customer, given.get("price_list", ""), currency, today)
    lines = given.pop("lines", None)
    made = Quote(
        **{
            **_EMPTY,
            **given,
            "name": QUOTES.new_name(),
            "opportunity": deal.name,
            "customer": customer.name,
            "currency": currency,
            "owner": deal.owner,
            "team": deal.team,
            "author": tx.principal.person,
            "create_time": tx.now,
            "update_time": tx.now,
        }
    )
    _check(tx, deal.contact, made, today)
    priced = quoting.filled(tx, lines, buyer) if lines else quoting.of_opportunity(tx, deal, buyer)
    return computed(made, priced)


def _numbered(tx: Transaction, made: Quote, today: str) -> Quote:
    day = today.replace("-", "")
    made = replace(made, number=f"Q-{day}-{following(tx, numbers, f'Q-{day}'):04}")
    return records.create(tx, QUOTES, made, {"number": made.number, "opportunity": made.opportunity})


_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("contact", "valid_until", "terms", "price_list", "approval", "number"), ""),
    **dict.fromkeys(("discount", *_TOTALS, "total_discount", "open_count"), 0),
    **dict.fromkeys(("first_open_time", "custom", "delete_time")),
    "lines": [],
    "status": Status.DRAFT.value,
    "revision": 1,
    "version": 1,
}


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any], today: str) -> Quote:
    """The company's own fields change key by key. Raises NOT_DRAFT, Invalid."""
    before = records.hold(tx, QUOTES, name, etag)
    editable(before)
    given = custom.laid(before.custom, values, "quote")
    lines = given.pop("lines", None)
    after = replace(before, **given)
    if after.currency != before.currency and lines is None:
        raise Invalid([("quote.currency", "give the lines in it, too", "须同时给出该币种的报价行")])
    if {"contact", "price_list", "valid_until"} & given.keys():
        _check(tx, before.contact, after, today)
    if lines is None:
        return records.save(tx, QUOTES, before, computed(after, before.items))
    customer = parties.find(tx, before.customer)
    buyer = quoting.buyer(customer, after.price_list, after.currency, today)
    return records.save(tx, QUOTES, before, computed(after, quoting.filled(tx, lines, buyer)))


def delete(tx: Transaction, name: str, etag: str) -> Quote:
    """Raises UNDER_APPROVAL."""
    before = records.hold(tx, QUOTES, name, etag, "delete")
    if before.status == Status.SUBMITTED:
        raise Refused("UNDER_APPROVAL", "It is under approval; take that back first.", "该报价正在审批，请先撤回。")
    return records.delete(tx, QUOTES, name, etag)


def purge(tx: Transaction) -> bool:
    return records.purge(tx, QUOTES)


def follow_owners(tx: Transaction, opportunities: Sequence[str]) -> None:
    """Quotes belong to whoever has their opportunity."""
    for name, of in records.of_names(tx, QUOTES, stored.names_of_opportunities(tx, opportunities), lock=True).items():
        deal = parties.find(tx, of.opportunity)
        if deal is not None and (deal.owner, deal.team) != (of.owner, of.team):
            records.save(tx, QUOTES, of, replace(of, owner=deal.owner, team=deal.team), "transferred")
            tx.audit("quote.owner", name, {"from": of.owner, "to": deal.owner})


def editable(of: Quote) -> None:
    """Raises NOT_DRAFT."""
    if of.status not in EDITABLE:
        raise Refused("NOT_DRAFT", "It was submitted; revise it to change it.", "该报价已提交，如需修改请创建新版本。")


def computed(of: Quote, lines: Sequence[Line]) -> Quote:
    """With these lines and what they come to. Raises Invalid for more than can be written."""
    found = summed(lines, of.discount, of.currency)
    if max(found.total, found.list_total, found.subtotal) >= LARGEST:
        raise Invalid([("quote.lines", f"come to {LARGEST} or more", f"合计须小于 {LARGEST}")])
    kept = [replace(line, amount=units(amount)) for line, amount in zip(lines, found.lines, strict=True)]
    return replace(
        of,
        lines=[asdict(line) for line in kept],
        list_total=units(found.list_total),
        subtotal=units(found.subtotal),
        net_total=units(found.net),
        tax_total=units(found.tax),
        total=units(found.total),
        total_discount=units(found.discount),
    )


def facts(tx: Transaction, of: Quote) -> dict[str, Any]:
    """What rules of approval may speak of, and whoever decides reads, beside the amount: all discounts together, and
    what has no list price in a company that sells by one, in percent; the company's own fields; what is offered, with
    prices as texts. Nobody's own field hides one of these."""
    shown = {name: getattr(of, name) for name in ("number", "revision", "valid_until", "price_list", "terms")}
    totals = {name: f"{plain(getattr(of, name)):f}" for name in _TOTALS}
    discount = {"discount_percent": float(plain(of.discount))}
    lines = {
        "lines": [_fact(line) for line in of.items],
        "listed_products": quoting.listed(tx, of.items, parties.find(tx, of.opportunity)),
    }
    return {
        "discount": plain(of.total_discount),
        "unlisted_percent": unlisted(of.items) if shelf.anything(tx) else 0,
        "fields": {**(of.custom or {}), **shown, **totals, **discount, **lines},
    }


def _fact(of: Line) -> dict[str, Any]:
    prices = {"unit_price": of.unit_price, "list_price": of.list_price, "amount": of.amount}
    return {
        **{name: getattr(of, name) for name in ("product", "description", "unit")},
        "quantity": float(plain(of.quantity)),
        "discount_percent": float(plain(of.discount)),
        **{name: f"{plain(units):f}" for name, units in prices.items() if units is not None},
    }


def _check(tx: Transaction, contact_before: str, of: Quote, today: str) -> None:
    """What only the service knows. Raises Unseen for a new contact that the caller may not see, Invalid."""
    wrong: list[tuple[str, str, str]] = []
    named = {"contact": of.contact if of.contact != contact_before else ""}
    contact = parties.seen(tx, "quote", named).get("contact")
    if contact is not None and contact.customer != of.customer:
        wrong.append(("quote.contact", "is a contact of another customer", "该联系人属于其他客户"))
    if of.price_list and not quoting.is_there(tx, of.price_list):
        wrong.append(("quote.price_list", "is not known", "价目表不存在"))
    if of.has_expired(today):
        wrong.append(("quote.valid_until", "must not be before today", "不能早于今天"))
    if wrong:
        raise Invalid(wrong)
