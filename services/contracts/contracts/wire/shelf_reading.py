"""Requests about products, price lists and exchange rates: which fields, and their values as they are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from chassis import custom, fields
from chassis.errors import Invalid
from chassis.fields import FieldCheck, FieldProblem
from chassis.messages import read_money
from chassis.money import LARGEST, Money, rounded
from contracts.wire import numbers
from dealwright.contracts.v1 import quotes_pb2 as pb

Reader = Callable[[Any], Any]
MOST_PRICES = 2000
_LONGEST_REQUEST_ID = 128


def _text(longest: int, required: bool = False) -> Reader:
    return lambda value: fields.text(value, longest, required=required)


def _tier(value: str) -> str:
    if value not in ("", "A", "B", "C"):
        raise FieldProblem("must be A, B or C", "须为 A、B 或 C")
    return value


PRODUCT: Mapping[str, Reader] = {
    "code": _text(64, required=True),
    "display_name": _text(200, required=True),
    "display_name_en": _text(200),
    "unit": _text(32),
    "category": _text(100),
    "tax_percent": numbers.percent,
}
PRODUCT_FIELDS = (*PRODUCT, "unit_price", "active", "custom")
PRICE_LIST: Mapping[str, Reader] = {
    "display_name": _text(200, required=True),
    "currency": fields.currency,
    "valid_from": numbers.day,
    "valid_until": numbers.day,
    "tier": _tier,
    "region": lambda value: fields.region(value) if value else "",
    "is_default": bool,
}
PRICE_LIST_FIELDS = (*PRICE_LIST, "lines")
RATE: Mapping[str, Reader] = {
    "from_currency": fields.currency,
    "to_currency": fields.currency,
    "date": numbers.required_day,
    "rate": numbers.rate,
}
_COLUMN = {"tax_percent": "tax"}


def request_id(request: Any) -> None:
    """Raises Invalid for one that is too long."""
    check = FieldCheck()
    if request.request_id:
        check.take("request_id", fields.text, request.request_id, _LONGEST_REQUEST_ID)
    refuse(check)


def refuse(check: FieldCheck) -> None:
    """Raises Invalid where anything is wrong."""
    if check.violations:
        raise Invalid(check.violations)


def own(given: Any, name: str, path: str, check: FieldCheck) -> Any:
    """The company's own fields: all for "custom", one for "custom.key", None for one that is to go."""
    found = check.take(path, custom.values, given)
    key = name.partition(".")[2]
    return (found or {}).get(key) if key else found or None


def product(message: pb.Product, named: Sequence[str]) -> dict[str, Any]:
    """Values by column. Raises Invalid."""
    check, found = FieldCheck(), dict[str, Any]()
    for name in named:
        if name == "unit_price":
            given = message.unit_price if message.HasField("unit_price") else None
            price = check.take("product.unit_price", read_money, given) if given is not None else None
            found |= {"price": price.units if price else None, "currency": price.currency if price else ""}
        elif name == "custom" or name.startswith("custom."):
            found[name] = own(message.custom, name, "product.custom", check)
        elif name == "active":
            found[name] = message.active if message.HasField("active") else True
        else:
            found[_COLUMN.get(name, name)] = check.take(f"product.{name}", PRODUCT[name], getattr(message, name))
    refuse(check)
    return found


def price_list(message: pb.PriceList, named: Sequence[str]) -> dict[str, Any]:
    """Values by column; `prices` as product to Money. Raises Invalid."""
    check, found = FieldCheck(), dict[str, Any]()
    for name in named:
        if name == "lines":
            found["prices"] = _prices(message.lines, check)
        else:
            found[name] = check.take(f"price_list.{name}", PRICE_LIST[name], getattr(message, name))
    refuse(check)
    return found


def _prices(lines: Sequence[pb.PriceList.Line], check: FieldCheck) -> dict[str, Money]:
    if len(lines) > MOST_PRICES:
        check.refuse("price_list.lines", f"at most {MOST_PRICES}", f"最多 {MOST_PRICES} 行")
        return {}
    found: dict[str, Money] = {}
    for index, line in enumerate(lines):
        path = f"price_list.lines[{index}]"
        name = check.take(f"{path}.product", numbers.named("products"), line.product)
        price = check.take(f"{path}.unit_price", read_money, line.unit_price)
        if name == "" or name in found:
            check.refuse(f"{path}.product", "is required, once", "必填，且不能重复")
        if name and price:
            found[name] = price
    return found


def exchange_rate(message: pb.ExchangeRate, named: Sequence[str]) -> dict[str, Any]:
    """Raises Invalid."""
    check = FieldCheck()
    found = {name: check.take(f"exchange_rate.{name}", RATE[name], getattr(message, name)) for name in named}
    refuse(check)
    return found


def conversion(request: pb.ConvertMoneyRequest, today: str) -> tuple[Money, str, str]:
    """The amount, the currency to turn it into, and the day. Raises Invalid."""
    check = FieldCheck()
    amount = check.take("amount", numbers.decimal, request.amount)
    source = check.take("from_currency", fields.currency, request.from_currency)
    target = check.take("to_currency", fields.currency, request.to_currency)
    day = check.take("date", numbers.day, request.date)
    if amount is not None and amount >= LARGEST:
        check.refuse("amount", f"must be less than {LARGEST}", f"须小于 {LARGEST}")
    refuse(check)
    assert amount is not None
    assert source is not None
    assert target is not None
    return Money(rounded(Decimal(amount), source), source), target, day or today
