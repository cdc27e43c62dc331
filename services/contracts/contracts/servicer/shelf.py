"""Products, price lists and exchange rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from chassis import clock, records
from chassis.access import refuse_read_only
from chassis.records import Kind
from chassis.rpc import command, query
from chassis.service import Runtime
from chassis.transaction import Transaction
from contracts.usecases import price_lists, products, rates
from contracts.usecases.price_lists import PRICE_LISTS
from contracts.usecases.products import PRODUCTS
from contracts.usecases.rates import RATES
from contracts.wire import shelf_messages as messages
from contracts.wire import shelf_reading as reading
from dealwright.contracts.v1 import quotes_pb2 as pb

M = TypeVar("M", bound=Message)
T = TypeVar("T", bound=Message)


@dataclass(frozen=True)
class _Noun(Generic[M]):
    """What is kept on the shelf, by the standard methods. `field` is its name in requests, `does` the use cases' module
    with create, change and undelete; `read(message, fields)` gives values by column; `given` may be said of a new one,
    and `changeable`, all of it unless said, of one that is there."""

    kind: Kind[Any]
    field: str
    does: Any
    read: Callable[[Any, Sequence[str]], Mapping[str, Any]]
    show: Callable[[Any], M]
    given: Sequence[str]
    changeable: Sequence[str] = ()

    def create(self, tx: Transaction, request: Any) -> M:
        reading.request_id(request)
        of = getattr(request, self.field)
        writes(tx, self.kind, of)
        return self.show(self.does.create(tx, self.read(of, self.given)))

    def get(self, tx: Transaction, request: Any) -> M:
        return self.show(records.find(tx, self.kind, request.name, request.show_deleted))

    def list(self, tx: Transaction, request: Any, answer: Callable[..., T]) -> T:
        found, token, total = records.page(tx, self.kind, request)
        return answer(**{f"{self.field}s": map(self.show, found)}, next_page_token=token, total_size=total or 0)

    def update(self, tx: Transaction, request: Any) -> M:
        reading.request_id(request)
        of = getattr(request, self.field)
        named = records.paths(request.update_mask.paths, of, self.changeable or self.given)
        writes(tx, self.kind, of, named)
        return self.show(self.does.change(tx, of.name, of.etag, self.read(of, named)))

    def delete(self, tx: Transaction, request: Any) -> M:
        reading.request_id(request)
        return self.show(records.delete(tx, self.kind, request.name, request.etag))

    def undelete(self, tx: Transaction, request: Any) -> M:
        reading.request_id(request)
        return self.show(self.does.undelete(tx, request.name))


def writes(tx: Transaction, kind: Kind[Any], message: Message, named: Sequence[str] | None = None) -> None:
    """Raises Denied for a field that the caller's role may not change: those that are named, or else all that are
    given."""
    given = [field.name for field, _ in message.ListFields()] if named is None else named
    refuse_read_only(tx.principal, kind.resource, given)


_PRODUCTS = _Noun(PRODUCTS, "product", products, reading.product, messages.product, reading.PRODUCT_FIELDS)
_PRICE_LISTS = _Noun(
    *(PRICE_LISTS, "price_list", price_lists, reading.price_list, messages.price_list), reading.PRICE_LIST_FIELDS
)
_RATES = _Noun(
    *(RATES, "exchange_rate", rates, reading.exchange_rate, messages.exchange_rate, tuple(reading.RATE)), ("rate",)
)


class ShelfMethods:
    """The company's time zone tells which day it is: for prices and rates."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.zone = clock.company_zone(runtime.settings.company_time_zone)

    def today(self, tx: Transaction) -> str:
        day: date = tx.now.astimezone(self.zone).date()
        return day.isoformat()

    @command
    def CreateProduct(self, tx: Transaction, request: pb.CreateProductRequest) -> pb.Product:
        return _PRODUCTS.create(tx, request)

    @query
    def GetProduct(self, tx: Transaction, request: pb.GetProductRequest) -> pb.Product:
        return _PRODUCTS.get(tx, request)

    @query
    def ListProducts(self, tx: Transaction, request: pb.ListProductsRequest) -> pb.ListProductsResponse:
        return _PRODUCTS.list(tx, request, pb.ListProductsResponse)

    @command
    def UpdateProduct(self, tx: Transaction, request: pb.UpdateProductRequest) -> pb.Product:
        return _PRODUCTS.update(tx, request)

    @command
    def DeleteProduct(self, tx: Transaction, request: pb.DeleteProductRequest) -> pb.Product:
        return _PRODUCTS.delete(tx, request)

    @command
    def UndeleteProduct(self, tx: Transaction, request: pb.UndeleteProductRequest) -> pb.Product:
        return _PRODUCTS.undelete(tx, request)

    @command
    def CreatePriceList(self, tx: Transaction, request: pb.CreatePriceListRequest) -> pb.PriceList:
        return _PRICE_LISTS.create(tx, request)

    @query
    def GetPriceList(self, tx: Transaction, request: pb.GetPriceListRequest) -> pb.PriceList:
        return _PRICE_LISTS.get(tx, request)

    @query
    def ListPriceLists(self, tx: Transaction, request: pb.ListPriceListsRequest) -> pb.ListPriceListsResponse:
        return _PRICE_LISTS.list(tx, request, pb.ListPriceListsResponse)

    @command
    def UpdatePriceList(self, tx: Transaction, request: pb.UpdatePriceListRequest) -> pb.PriceList:
        return _PRICE_LISTS.update(tx, request)

    @command
    def DeletePriceList(self, tx: Transaction, request: pb.DeletePriceListRequest) -> pb.PriceList:
        return _PRICE_LISTS.delete(tx, request)

    @command
    def UndeletePriceList(self, tx: Transaction, request: pb.UndeletePriceListRequest) -> pb.PriceList:
        return _PRICE_LISTS.undelete(tx, request)

    @command
    def CreateExchangeRate(self, tx: Transaction, request: pb.CreateExchangeRateRequest) -> pb.ExchangeRate:
        return _RATES.create(tx, request)

    @query
    def GetExchangeRate(self, tx: Transaction, request: pb.GetExchangeRateRequest) -> pb.ExchangeRate:
        return _RATES.get(tx, request)

    @query
    def ListExchangeRates(self, tx: Transaction, request: pb.ListExchangeRatesRequest) -> pb.ListExchangeRatesResponse:
        return _RATES.list(tx, request, pb.ListExchangeRatesResponse)

    @command
    def UpdateExchangeRate(self, tx: Transaction, request: pb.UpdateExchangeRateRequest) -> pb.ExchangeRate:
        return _RATES.update(tx, request)

    @command
    def DeleteExchangeRate(self, tx: Transaction, request: pb.DeleteExchangeRateRequest) -> pb.ExchangeRate:
        return _RATES.delete(tx, request)

    @command
    def UndeleteExchangeRate(self, tx: Transaction, request: pb.UndeleteExchangeRateRequest) -> pb.ExchangeRate:
        return _RATES.undelete(tx, request)

    @query
    def ConvertMoney(self, tx: Transaction, request: pb.ConvertMoneyRequest) -> pb.ConvertMoneyResponse:
        amount, currency, day = reading.conversion(request, self.today(tx))
        return messages.converted(*rates.convert(tx, amount, currency, day))
