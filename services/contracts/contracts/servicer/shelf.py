"""Products, price lists and exchange rates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

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


class ShelfMethods:
    """The company's time zone tells which day it is: for prices and rates."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.zone = clock.company_zone(runtime.settings.company_time_zone)

    def today(self, tx: Transaction) -> str:
        day: date = tx.now.astimezone(self.zone).date()
        return day.isoformat()

    def writes(self, tx: Transaction, kind: Kind[Any], message: Message, named: Sequence[str] | None = None) -> None:
        """Raises Denied for a field that the caller's role may not change: those that are named, or else all that are
        given."""
        given = [field.name for field, _ in message.ListFields()] if named is None else named
        refuse_read_only(tx.principal, kind.resource, given)

    @command
    def CreateProduct(self, tx: Transaction, request: pb.CreateProductRequest) -> pb.Product:
        reading.request_id(request)
        self.writes(tx, PRODUCTS, request.product)
        values = reading.product(request.product, reading.PRODUCT_FIELDS)
        return messages.product(products.create(tx, values))

    @query
    def GetProduct(self, tx: Transaction, request: pb.GetProductRequest) -> pb.Product:
        return messages.product(records.find(tx, PRODUCTS, request.name, request.show_deleted))

    @query
    def ListProducts(self, tx: Transaction, request: pb.ListProductsRequest) -> pb.ListProductsResponse:
        found, token, total = records.page(tx, PRODUCTS, request)
        return pb.ListProductsResponse(
            products=map(messages.product, found), next_page_token=token, total_size=total or 0
        )

    @command
    def UpdateProduct(self, tx: Transaction, request: pb.UpdateProductRequest) -> pb.Product:
        reading.request_id(request)
        of = request.product
        named = records.paths(request.update_mask.paths, of, reading.PRODUCT_FIELDS)
        self.writes(tx, PRODUCTS, of, named)
        return messages.product(products.change(tx, of.name, of.etag, reading.product(of, named)))

    @command
    def DeleteProduct(self, tx: Transaction, request: pb.DeleteProductRequest) -> pb.Product:
        reading.request_id(request)
        return messages.product(records.delete(tx, PRODUCTS, request.name, request.etag))

    @command
    def UndeleteProduct(self, tx: Transaction, request: pb.UndeleteProductRequest) -> pb.Product:
        reading.request_id(request)
        return messages.product(products.undelete(tx, request.name))

    @command
    def CreatePriceList(self, tx: Transaction, request: pb.CreatePriceListRequest) -> pb.PriceList:
        reading.request_id(request)
        self.writes(tx, PRICE_LISTS, request.price_list)
        values = reading.price_list(request.price_list, reading.PRICE_LIST_FIELDS)
        return messages.price_list(price_lists.create(tx, values))

    @query
    def GetPriceList(self, tx: Transaction, request: pb.GetPriceListRequest) -> pb.PriceList:
        return messages.price_list(records.find(tx, PRICE_LISTS, request.name, request.show_deleted))

    @query
    def ListPriceLists(self, tx: Transaction, request: pb.ListPriceListsRequest) -> pb.ListPriceListsResponse:
        found, token, total = records.page(tx, PRICE_LISTS, request)
        return pb.ListPriceListsResponse(
            price_lists=map(messages.price_list, found), next_page_token=token, total_size=total or 0
        )

    @command
    def UpdatePriceList(self, tx: Transaction, request: pb.UpdatePriceListRequest) -> pb.PriceList:
        reading.request_id(request)
        of = request.price_list
        named = records.paths(request.update_mask.paths, of, reading.PRICE_LIST_FIELDS)
        self.writes(tx, PRICE_LISTS, of, named)
        return messages.price_list(price_lists.change(tx, of.name, of.etag, reading.price_list(of, named)))

    @command
    def DeletePriceList(self, tx: Transaction, request: pb.DeletePriceListRequest) -> pb.PriceList:
        reading.request_id(request)
        return messages.price_list(records.delete(tx, PRICE_LISTS, request.name, request.etag))

    @command
    def UndeletePriceList(self, tx: Transaction, request: pb.UndeletePriceListRequest) -> pb.PriceList:
        reading.request_id(request)
        return messages.price_list(price_lists.undelete(tx, request.name))

    @command
    def CreateExchangeRate(self, tx: Transaction, request: pb.CreateExchangeRateRequest) -> pb.ExchangeRate:
        reading.request_id(request)
        self.writes(tx, RATES, request.exchange_rate)
        values = reading.exchange_rate(request.exchange_rate, tuple(reading.RATE))
        return messages.exchange_rate(rates.create(tx, values))

    @query
    def GetExchangeRate(self, tx: Transaction, request: pb.GetExchangeRateRequest) -> pb.ExchangeRate:
        return messages.exchange_rate(records.find(tx, RATES, request.name, request.show_deleted))

    @query
    def ListExchangeRates(self, tx: Transaction, request: pb.ListExchangeRatesRequest) -> pb.ListExchangeRatesResponse:
        found, token, total = records.page(tx, RATES, request)
        return pb.ListExchangeRatesResponse(
            exchange_rates=map(messages.exchange_rate, found), next_page_token=token, total_size=total or 0
        )

    @command
    def UpdateExchangeRate(self, tx: Transaction, request: pb.UpdateExchangeRateRequest) -> pb.ExchangeRate:
        reading.request_id(request)
        of = request.exchange_rate
        named = records.paths(request.update_mask.paths, of, ("rate",))
        self.writes(tx, RATES, of, named)
        return messages.exchange_rate(rates.change(tx, of.name, of.etag, reading.exchange_rate(of, named)))

    @command
    def DeleteExchangeRate(self, tx: Transaction, request: pb.DeleteExchangeRateRequest) -> pb.ExchangeRate:
        reading.request_id(request)
        return messages.exchange_rate(records.delete(tx, RATES, request.name, request.etag))

    @command
    def UndeleteExchangeRate(self, tx: Transaction, request: pb.UndeleteExchangeRateRequest) -> pb.ExchangeRate:
        reading.request_id(request)
        return messages.exchange_rate(rates.undelete(tx, request.name))

    @query
    def ConvertMoney(self, tx: Transaction, request: pb.ConvertMoneyRequest) -> pb.ConvertMoneyResponse:
        amount, currency, day = reading.conversion(request, self.today(tx))
        return messages.converted(*rates.convert(tx, amount, currency, day))
