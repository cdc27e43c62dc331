"""Products, price lists and exchange rates."""

from __future__ import annotations

from datetime import date

from chassis import clock
from chassis.nouns import Noun
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

_PRODUCTS = Noun(PRODUCTS, "product", products, reading.product, messages.product, reading.PRODUCT_FIELDS)
_PRICE_LISTS = Noun(
    *(PRICE_LISTS, "price_list", price_lists, reading.price_list, messages.price_list), reading.PRICE_LIST_FIELDS
)
_RATES = Noun(
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
