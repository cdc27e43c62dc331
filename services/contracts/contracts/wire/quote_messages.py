"""Quotes as answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from chassis.messages import money, stamp
from contracts.domain.company import Company
from contracts.domain.party import Party
from contracts.domain.quote import Line, Quote, plain
from contracts.domain.shelf import Product
from dealwright.contracts.v1 import quotes_pb2 as pb

_SAME = (
    *("name", "number", "revision", "opportunity", "customer", "contact", "status", "currency", "valid_until", "terms"),
    *("owner", "team", "approval", "open_count", "price_list"),
)
_MONEY = ("list_total", "subtotal", "net_total", "tax_total", "total")


def decimal(amount: Decimal) -> str:
    """Without zeros at its end: "2.5", "100"."""
    written = f"{amount:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def percent(units: int) -> str:
    return decimal(plain(units))


def quote(of: Quote) -> pb.Quote:
    message = pb.Quote(
        **{name: getattr(of, name) for name in _SAME},
        lines=[line(of, one) for one in of.items],
        discount_percent=percent(of.discount),
        total_discount_percent=percent(of.total_discount),
        first_open_time=stamp(of.first_open_time),
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
    )
    for name in _MONEY:
        getattr(message, name).CopyFrom(money(of.money(getattr(of, name))))
    if of.custom:
        message.custom.update(of.custom)
    return message


def line(of: Quote, one: Line) -> pb.Quote.Line:
    return pb.Quote.Line(
        product=one.product,
        description=one.description,
        unit=one.unit,
        quantity=percent(one.quantity),
        unit_price=money(of.money(one.unit_price)),
        discount_percent=percent(one.discount),
        tax_percent=percent(one.tax),
        amount=money(of.money(one.amount)),
        list_price=None if one.list_price is None else money(of.money(one.list_price)),
    )


def link(quote: str, token: str, expire_time: datetime) -> pb.QuoteLink:
    return pb.QuoteLink(quote=quote, url=f"/q/{token}", expire_time=stamp(expire_time))


def public(
    shown: pb.Quote, house: Company, customer: str, contact: Party | None, seller: str, issue_date: str, language: str
) -> pb.PublicQuote:
    """A quote as its customer sees it: what it would cost at list prices is not his to know."""
    lines = [pb.Quote.Line.FromString(one.SerializeToString()) for one in shown.lines]
    for one in lines:
        one.ClearField("list_price")
        one.ClearField("product")
    texts = house.texts
    made = pb.PublicQuote(
        company=pb.PublicQuote.Company(
            display_name=house.named("displayName", language),
            address=house.named("address", language),
            phone=texts["phone"],
            email=texts["email"],
            website=texts["website"],
            tax_number=texts["taxNumber"],
            bank=texts["bank"],
            logo=texts["logo"],
        ),
        number=shown.number,
        revision=shown.revision,
        customer=customer,
        contact=contact.title if contact else "",
        lines=lines,
        currency=shown.currency,
        discount_percent=shown.discount_percent,
        valid_until=shown.valid_until,
        terms=shown.terms,
        issue_date=issue_date,
        seller=seller,
    )
    for name in ("subtotal", "net_total", "tax_total", "total"):
        if shown.HasField(name):
            getattr(made, name).CopyFrom(getattr(shown, name))
    return made


def described(lines: Iterable[pb.Quote.Line], known: Mapping[str, Product], language: str) -> None:
    """Lines that are called as their product is called in Chinese, by its English name."""
    for one in lines:
        product = known.get(one.product)
        if language == "en" and product and product.display_name_en and one.description == product.display_name:
            one.description = product.display_name_en
