"""Requests about quotes: which fields, and their values as they are kept, all that is wrong named at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chassis import fields
from chassis.fields import FieldCheck
from chassis.messages import read_money
from contracts.domain.company import LANGUAGES
from contracts.domain.quote import MOST_LINES, Wanted
from contracts.wire import numbers
from contracts.wire.shelf_reading import own, refuse
from dealwright.contracts.v1 import quotes_pb2 as pb

_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "contact": numbers.named("contacts"),
    "currency": lambda value: fields.currency(value) if value else "",
    "discount_percent": numbers.percent,
    "valid_until": numbers.day,
    "terms": lambda value: fields.text(value, 5000, multiline=True),
    "price_list": numbers.named("priceLists"),
}
CHANGEABLE = (*_FIELDS, "lines", "custom")
CREATED = (*CHANGEABLE, "opportunity")
_COLUMN = {"discount_percent": "discount"}


def quote(message: pb.Quote, named: Sequence[str]) -> dict[str, Any]:
    """Values by column; `lines` as Wanted, the currency left out where it is empty. Raises Invalid."""
    check, found = FieldCheck(), dict[str, Any]()
    for name in named:
        if name == "lines":
            found[name] = _lines(message.lines, check)
        elif name == "opportunity":
            found[name] = check.take(f"quote.{name}", numbers.named("opportunities"), message.opportunity)
            if not message.opportunity:
                check.refuse("quote.opportunity", "is required", "必填")
        elif name == "custom" or name.startswith("custom."):
            found[name] = own(message.custom, name, "quote.custom", check)
        else:
            found[_COLUMN.get(name, name)] = check.take(f"quote.{name}", _FIELDS[name], getattr(message, name))
    refuse(check)
    if not found.get("currency", "-"):
        del found["currency"]
    return found


def _lines(given: Sequence[pb.Quote.Line], check: FieldCheck) -> list[Wanted]:
    if len(given) > MOST_LINES:
        check.refuse("quote.lines", f"at most {MOST_LINES}", f"最多 {MOST_LINES} 行")
        return []
    return [_line(one, f"quote.lines[{index}]", check) for index, one in enumerate(given)]


def _line(given: pb.Quote.Line, path: str, check: FieldCheck) -> Wanted:
    product = check.take(f"{path}.product", numbers.named("products"), given.product)
    description = check.take(f"{path}.description", fields.text, given.description, 500)
    if product == "" and description == "":
        check.refuse(f"{path}.description", "is required where there is no product", "没有产品时必填")
    price = check.take(f"{path}.unit_price", read_money, given.unit_price) if given.HasField("unit_price") else None
    tax = check.take(f"{path}.tax_percent", numbers.percent, given.tax_percent) if given.tax_percent else None
    return Wanted(
        product=product or "",
        description=description or "",
        unit=check.take(f"{path}.unit", fields.text, given.unit, 32) or "",
        quantity=check.take(f"{path}.quantity", numbers.quantity, given.quantity) or 0,
        unit_price=price.units if price else None,
        currency=price.currency if price else "",
        discount=check.take(f"{path}.discount_percent", numbers.percent, given.discount_percent) or 0,
        tax=tax,
    )


def language(given: str) -> str:
    """ "zh", "en", or nothing. Raises Invalid."""
    check = FieldCheck()
    if given and given not in LANGUAGES:
        check.refuse("language", "must be zh or en", "须为 zh 或 en")
    refuse(check)
    return given
