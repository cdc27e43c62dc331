"""Lines of a quote: from what somebody wrote, or from the opportunity's products; prices from the price lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chassis.errors import Invalid
from chassis.money import UNITS
from chassis.transaction import Transaction
from contracts.domain.party import Party
from contracts.domain.quote import Line, Wanted
from contracts.domain.shelf import Product
from contracts.storage import shelf
from contracts.usecases import price_lists
from contracts.usecases.price_lists import Buyer
from contracts.usecases.price_lists import is_there as is_there


def buyer(customer: Party | None, price_list: str, currency: str, day: str) -> Buyer:
    tier, region = (customer.tier, customer.region) if customer else ("", "")
    return Buyer(price_list, tier, region, currency, day)


def filled(tx: Transaction, wanted: Sequence[Wanted], who: Buyer) -> list[Line]:
    """The lines with what the products know; one that is described as a product is called is that product's, whoever
    typed it. Raises Invalid naming each that is not known, has no price or another currency."""
    wrong: list[tuple[str, str, str]] = []
    called = shelf.products_called(tx, [one.description for one in wanted if not one.product and one.description])
    wanted = [
        replace(one, product=called[one.description].name) if not one.product and one.description in called else one
        for one in wanted
    ]
    known = shelf.products_of(tx, [one.product for one in wanted])
    costs = price_lists.costs(tx, known.values(), who)
    lines: list[Line] = []
    for index, one in enumerate(wanted):
        path = f"quote.lines[{index}]"
        product = known.get(one.product)
        if one.product and product is None:
            wrong.append((f"{path}.product", "is not known", "产品不存在"))
        if one.unit_price is not None and one.currency != who.currency:
            wrong.append(
                (f"{path}.unit_price", f"must be in {who.currency}, as the quote", f"币种须与报价一致：{who.currency}")
            )
        listed = costs[one.product].units if one.product in costs else None
        price = listed if one.unit_price is None else one.unit_price
        if price is None and not wrong:
            wrong.append(
                (f"{path}.unit_price", f"is required: there is no price in {who.currency}", "必填：没有该币种的价格")
            )
        lines.append(_line(product, one, price or 0, listed))
    if wrong:
        raise Invalid(wrong)
    return lines


def _line(product: Product | None, wanted: Wanted, price: int, listed: int | None) -> Line:
    return Line(
        product=wanted.product,
        description=wanted.description or (product.display_name if product else ""),
        unit=wanted.unit or (product.unit if product else ""),
        quantity=wanted.quantity,
        unit_price=price,
        discount=wanted.discount,
        tax=wanted.tax if wanted.tax is not None else (product.tax if product else 0),
        list_price=listed,
    )


def listed(tx: Transaction, lines: Sequence[Line], deal: Party | None) -> list[str]:
    """The products of the list that a quote or its opportunity names, as they are called; sorted."""
    named = shelf.products_of(tx, [line.product for line in lines]).values()
    meant = shelf.products_called(tx, list(deal.products) if deal else []).values()
    return sorted({one.display_name for one in (*named, *meant)})


_ONE = Wanted("", "", "", UNITS, None, "", 0, None)


def of_opportunity(tx: Transaction, deal: Party, who: Buyer) -> list[Line]:
    """One of each product of the opportunity, as the shelf knows it by code or name, else as it is called there, still
    without a price. Where it names none, all of it for the amount that it is expected to bring."""
    words = list(dict.fromkeys(deal.products))
    called = shelf.products_called(tx, words)
    costs = price_lists.costs(tx, called.values(), who)
    lines: list[Line] = []
    for word in words:
        product = called.get(word)
        listed = costs[product.name].units if product and product.name in costs else None
        wanted = replace(_ONE, product=product.name if product else "", description="" if product else word)
        lines.append(_line(product, wanted, listed or 0, listed))
    if not lines:
        amount = deal.amount if deal.currency == who.currency else None
        lines.append(_line(None, replace(_ONE, description=deal.title), amount or 0, None))
    return lines
