"""Products, by the standard methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chassis import custom, records
from chassis.columns import Column
from chassis.errors import Refused
from chassis.records import Kind
from chassis.transaction import Transaction
from contracts.domain.shelf import Product
from contracts.storage import shelf
from contracts.storage.tables import people
from contracts.usecases.unique import unique
from contracts.wire import shelf_messages

_c = shelf.products.c
PRODUCTS: Kind[Product] = Kind(
    resource="products",
    word="product",
    table=shelf.products,
    type=Product,
    people=people,
    shown=shelf_messages.product,
    spelt={"tax": "tax_percent", "price": "unit_price", "currency": "unit_price"},
    owner="",
    columns={
        "code": Column(_c.code, "text", order=True),
        "display_name": Column(_c.display_name, "text", order=True),
        "display_name_en": Column(_c.display_name_en, "text"),
        "unit": Column(_c.unit, "text"),
        "category": Column(_c.category, "text", order=True),
        "active": Column(_c.active, "bool"),
        "create_time": Column(_c.create_time, "time", order=True),
        "update_time": Column(_c.update_time, "time", order=True),
    },
)


def _taken() -> Refused:
    return Refused("CODE_TAKEN", "Another product has this code.", "该编码已属于另一个产品。", code="ALREADY_EXISTS")


def create(tx: Transaction, values: Mapping[str, Any]) -> Product:
    """Raises CODE_TAKEN."""
    empty = {"display_name_en": "", "unit": "", "category": "", "tax": 0, "price": None, "currency": "", "custom": None}
    kept = {"version": 1, "create_time": tx.now, "update_time": tx.now, "delete_time": None}
    made = Product(**{**empty, **values, **kept, "name": PRODUCTS.new_name()})
    with unique(_taken()):
        return records.create(tx, PRODUCTS, made, {"code": made.code})


def change(tx: Transaction, name: str, etag: str, values: Mapping[str, Any]) -> Product:
    """The company's own fields change key by key. Raises CODE_TAKEN."""
    before = records.hold(tx, PRODUCTS, name, etag)
    after = replace(before, **custom.laid(before.custom, values, "product"))
    with unique(_taken()):
        return records.save(tx, PRODUCTS, before, after)


def undelete(tx: Transaction, name: str) -> Product:
    """Raises CODE_TAKEN when another took its code meanwhile."""
    with unique(_taken()):
        return records.undelete(tx, PRODUCTS, name)


def purge(tx: Transaction) -> bool:
    return records.purge(tx, PRODUCTS)
