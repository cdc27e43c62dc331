"""Price lists, and what a product costs by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from chassis import records
from chassis.columns import Column
from chassis.errors import Changed, Invalid, Stale
from chassis.money import Money, of_units
from chassis.records import Kind
from chassis.transaction import Transaction
from contracts.domain import shelf as domain
from contracts.domain.shelf import PriceList, Product
from contracts.storage import shelf
from contracts.storage.tables import people
from contracts.usecases import rates
from contracts.usecases.unique import unique
from contracts.wire import shelf_messages

_c = shelf.price_lists.c
PRICE_LISTS: Kind[PriceList] = Kind(
    resource="priceLists",
    word="price_list",
    table=shelf.price_lists,
    type=PriceList,
    people=people,
    shown=shelf_messages.price_list,
    spelt={"prices": "lines"},
    owner="",
    columns={
        "display_name": Column(_c.display_name, "text", order=True),
        "currency": Column(_c.currency, "name"),
        "valid_from": Column(_c.valid_from, "name", order=True),
        "valid_until": Column(_c.valid_until, "name", order=True),
        "tier": Column(_c.tier, "name"),
        "region": Column(_c.region, "text"),
        "is_default": Column(_c.is_default, "bool"),
        "create_time": Column(_c.create_time, "time", order=True),
        "update_time": Column(_c.update_time, "time", order=True),
    },
)
_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("valid_from", "valid_until", "tier", "region"), ""),
    "is_default": False,
    "prices": {},
}


def create(tx: Transaction, values: Mapping[str, Any]) -> PriceList:
    """Raises Invalid for what does not go together, Stale when another became the default at the same time."""
    kept = {"version": 1, "create_time": tx.now, "update_time": tx.now, "delete_time": None}
    made = PriceList(**{**_EMPTY, **_plain(values), **kept, "name": PRICE_LISTS.new_name()})
    _check(tx, made, made, values.get("prices", {}))
    _only_default(tx, made)
    with unique(_overtaken(made.name)):
        return records.create(tx, PRICE_LISTS, made)


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> PriceList:
    """Raises Invalid, Stale."""
    before = records.hold(tx, PRICE_LISTS, name, etag)
    after = replace(before, **_plain(values))
    _check(tx, before, after, values.get("prices", {}))
    _only_default(tx, after)
    with unique(_overtaken(name)):
        return records.save(tx, PRICE_LISTS, before, after)


def undelete(tx: Transaction, name: str) -> PriceList:
    """Raises Stale for a default one whose place another took."""
    with unique(_overtaken(name)):
        return records.undelete(tx, PRICE_LISTS, name)


def purge(tx: Transaction) -> bool:
    return records.purge(tx, PRICE_LISTS)


def _overtaken(name: str) -> Stale:
    return Stale(name, changes=[Changed("is_default", False)])


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """`prices` are product to Money as they were given; kept are their units."""
    given = dict(values)
    if "prices" in given:
        given["prices"] = {product: price.units for product, price in given["prices"].items()}
    return given


def _check(tx: Transaction, before: PriceList, of: PriceList, prices: Mapping[str, Money]) -> None:
    wrong: list[tuple[str, str, str]] = []
    if of.valid_from and of.valid_until and of.valid_until < of.valid_from:
        wrong.append(("price_list.valid_until", "must not be before valid_from", "不能早于生效日期"))
    known = shelf.products_of(tx, list(prices))
    for index, (product, price) in enumerate(prices.items()):
        if product not in known:
            wrong.append((f"price_list.lines[{index}].product", "is not known", "产品不存在"))
        if price.currency != of.currency:
            wrong.append(
                (f"price_list.lines[{index}].unit_price", f"must be in {of.currency}", f"币种须为 {of.currency}")
            )
    if of.currency != before.currency and of.prices and not prices:
        wrong.append(("price_list.currency", "has prices: give the lines, too", "已有价格，须同时给出价目行"))
    if wrong:
        raise Invalid(wrong)


def _only_default(tx: Transaction, of: PriceList) -> None:
    """Takes the place of the one that was the default."""
    if not of.is_default:
        return
    query = sa.select(_c.name).where(_c.is_default, _c.currency == of.currency, _c.delete_time.is_(None))
    names = [name for name in tx.execute(query).scalars() if name != of.name]
    for other in records.of_names(tx, PRICE_LISTS, names, lock=True).values():
        records.save(tx, PRICE_LISTS, other, replace(other, is_default=False), "replaced")


# --- what things cost ---


@dataclass(frozen=True, slots=True)
class Buyer:
    """For whom it is: `price_list` is the one that was named, or empty; `day` is ISO text."""

    price_list: str
    tier: str
    region: str
    currency: str
    day: str


def costs(tx: Transaction, products: Iterable[Product], buyer: Buyer) -> dict[str, Money]:
    """What these products cost, in the buyer's currency; those that have no price are left out."""
    left = {product.name: product for product in products}
    found: dict[str, Money] = {}
    lists = domain.in_order(shelf.list_heads(tx), buyer.price_list, buyer.tier, buyer.region, buyer.day)
    # A list in the buyer's own currency comes before one that has to be converted, save the one that was named.
    for one in sorted(lists, key=lambda head: (head.name != buyer.price_list, head.currency != buyer.currency)):
        if not left:
            break
        prices = shelf.prices_of(tx, one.name)
        for name in [name for name in left if name in prices]:
            price = rates.converted(tx, of_units(prices[name], one.currency), buyer.currency, buyer.day)
            if price is not None:
                found[name] = price
                del left[name]
    for name, product in left.items():
        price = rates.converted(tx, product.unit_price, buyer.currency, buyer.day)
        if price is not None:
            found[name] = price
    return found


def is_there(tx: Transaction, name: str) -> bool:
    return any(one.name == name for one in shelf.list_heads(tx))
