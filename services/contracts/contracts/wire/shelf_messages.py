"""Products, price lists and exchange rates as answers."""

from __future__ import annotations

from decimal import Decimal

from chassis.messages import money, stamp
from chassis.money import Money, of_units
from contracts.domain.shelf import ExchangeRate, PriceList, Product
from contracts.wire.quote_messages import decimal, percent
from dealwright.contracts.v1 import events_pb2
from dealwright.contracts.v1 import quotes_pb2 as pb


def product(of: Product) -> pb.Product:
    message = pb.Product(
        name=of.name,
        code=of.code,
        display_name=of.display_name,
        display_name_en=of.display_name_en,
        unit=of.unit,
        category=of.category,
        tax_percent=percent(of.tax),
        unit_price=money(of.unit_price),
        active=of.active,
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
    )
    if of.custom:
        message.custom.update(of.custom)
    return message


def price_list(of: PriceList) -> pb.PriceList:
    return pb.PriceList(
        name=of.name,
        display_name=of.display_name,
        currency=of.currency,
        valid_from=of.valid_from,
        valid_until=of.valid_until,
        tier=of.tier,
        region=of.region,
        is_default=of.is_default,
        lines=[
            pb.PriceList.Line(product=product, unit_price=money(of_units(price, of.currency)))
            for product, price in sorted(of.prices.items())
        ],
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
    )


def exchange_rate(of: ExchangeRate) -> pb.ExchangeRate:
    return pb.ExchangeRate(
        name=of.name,
        from_currency=of.from_currency,
        to_currency=of.to_currency,
        date=of.date,
        rate=of.rate,
        etag=str(of.version),
        create_time=stamp(of.create_time),
        update_time=stamp(of.update_time),
        delete_time=stamp(of.delete_time),
    )


def exchange_rate_changed(of: ExchangeRate, gone: bool = False) -> events_pb2.ExchangeRateChanged:
    """`gone`: for good."""
    deleted = gone or of.delete_time is not None
    return events_pb2.ExchangeRateChanged(exchange_rate=exchange_rate(of), version=of.version + gone, deleted=deleted)


def converted(amount: Money, rate: Decimal, day: str) -> pb.ConvertMoneyResponse:
    """The rate to ten decimals."""
    shown = decimal(rate.quantize(Decimal("1.0000000000")))
    return pb.ConvertMoneyResponse(amount=money(amount), rate=shown, date=day)
