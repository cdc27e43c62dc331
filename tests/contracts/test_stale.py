"""Two people at one quote, contract, product or price list: the second hears what the first changed, and own fields
change key by key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import Stale
from dealwright.contracts.v1 import contracts_pb2, quotes_pb2
from tests.contracts.desk import BOSS, Desk, money
from tests.contracts.papers import Papers
from tests.contracts.quoting import change, line, price_list, product, quote

Change = Callable[..., Any]


def _quote(desk: Desk) -> tuple[Any, Change]:
    desk.deal()
    made = quote(desk, line())
    return made, lambda **of: change(desk, made.name, **of)


def _contract(desk: Desk) -> tuple[Any, Change]:
    papers = Papers(desk)
    made = papers.draw()
    return made, lambda **of: papers.change(made.name, **of)


def _product(desk: Desk) -> tuple[Any, Change]:
    made = product(desk)

    def changed(mask: str = "", **of: Any) -> Any:
        paths = FieldMask(paths=mask.split(",") if mask else list(of))
        given = quotes_pb2.Product(name=made.name, **of)
        return desk.call("UpdateProduct", quotes_pb2.UpdateProductRequest(product=given, update_mask=paths), BOSS)

    return made, changed


KINDS = {"quote": _quote, "contract": _contract, "product": _product}


@pytest.mark.parametrize("kind", KINDS)
def test_Q1_K1_O24_own_fields_that_a_patch_does_not_name_stay(desk: Desk, kind: str) -> None:
    _, changed = KINDS[kind](desk)
    for mask, given, kept in (
        ("", {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ("", {"c": 3}, {"a": 1, "b": 2, "c": 3}),
        ("custom", {"c": 4}, {"a": 1, "b": 2, "c": 4}),
        ("custom.a", {}, {"b": 2, "c": 4}),
        ("custom", {}, {"b": 2, "c": 4}),
        ("custom.b,custom.c", {}, {}),
    ):
        own = contracts_pb2.Contract()
        own.custom.update(given)
        assert dict(changed(mask=mask, custom=own.custom).custom) == kept, mask


def test_Q1_what_somebody_changed_of_a_quote_is_told_under_the_names_of_its_fields(desk: Desk) -> None:
    made, changed = _quote(desk)
    changed(who=BOSS, mask="lines,discount_percent", lines=[line(50)], discount_percent="10")
    with pytest.raises(Stale) as stale:
        changed(mask="terms", terms="x", etag=made.etag)
    found = {one.field: one.value for one in stale.value.changes}
    assert found["discount_percent"] == "10"
    assert found["net_total"] == {"currencyCode": "CNY", "units": "45", "nanos": 0}
    assert found["lines"][0]["description"] == "实施服务"
    assert {one.actor for one in stale.value.changes} == {BOSS.person}
    assert not {"discount", "terms"} & found.keys()


def test_K1_what_somebody_changed_of_a_contract_is_told(desk: Desk) -> None:
    made, changed = _contract(desk)
    changed(who=BOSS, amount=money(7, currency="USD"), terms="款到发货")
    with pytest.raises(Stale) as stale:
        changed(title="x", etag=made.etag)
    found = {one.field: one.value for one in stale.value.changes}
    assert found == {"amount": {"currencyCode": "USD", "units": "7", "nanos": 0}, "terms": "款到发货"}


def test_O24_what_somebody_changed_of_a_price_list_is_told(desk: Desk) -> None:
    made = price_list(desk, (product(desk).name, 5))
    request = quotes_pb2.UpdatePriceListRequest(
        price_list=quotes_pb2.PriceList(name=made.name, region="上海", etag="1"),
        update_mask=FieldMask(paths=["region"]),
    )
    desk.call("UpdatePriceList", request, BOSS)
    with pytest.raises(Stale) as stale:
        desk.call("UpdatePriceList", request, BOSS)
    assert [(one.field, one.value) for one in stale.value.changes] == [("region", "上海")]
