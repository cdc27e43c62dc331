"""How each RPC about quotes is asked for what is his own, a team mate's, and another team's; and those about the
company's products, prices and rates."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from google.protobuf.message import Message
from google.type.money_pb2 import Money

from chassis import ids
from contracts.storage.quotes import quotes
from contracts.usecases import parties
from contracts.usecases.parties import Party
from dealwright.contracts.v1 import quotes_pb2 as pb
from tests.security.house import House
from tests.security.matrix import PEOPLE
from tests.security.probes import Told, asks, numbers

_Q = "contracts.QuoteService."
_APPROVED = 3


def _money(units: int) -> Money:
    return Money(currency_code="CNY", units=units)


def _deal(h: House, who: str, row: str) -> str:
    """An opportunity of that person with a customer, as contracts was told of it."""
    name, customer = f"opportunities/{ids.new_id()}", f"customers/{ids.new_id()}"
    with h.runtimes["contracts"].transaction() as tx:
        parties.know(
            tx, [Party(customer, 1, False, "客户"), Party(name, 1, False, "采购", h.person(who, row), "", customer)]
        )
    return name


def _request(h: House, who: str, row: str) -> pb.CreateQuoteRequest:
    line = pb.Quote.Line(description="实施", unit_price=_money(100))
    return pb.CreateQuoteRequest(quote=pb.Quote(opportunity=_deal(h, who, row), lines=[line]))


def _fresh(h: House, who: str, row: str) -> Any:
    return h.do(_Q + "CreateQuote", _request(h, who, row))


def _name(h: House, who: str, row: str, status: int = 0) -> str:
    """With a status: as if it had been decided."""
    name = str(_fresh(h, who, row).name)
    if status:
        with h.runtimes["contracts"].transaction() as tx:
            tx.execute(sa.update(quotes).where(quotes.c.name == name).values(status=status))
    return name


def _any(field: str) -> Told:
    return lambda h, who, row, answer: "S" if getattr(answer, field) else "U"


asks(_Q + "CreateQuote", PEOPLE)(_request)
asks(_Q + "QuoteOpportunity", PEOPLE)(lambda h, who, row: pb.QuoteOpportunityRequest(opportunity=_deal(h, who, row)))
asks(_Q + "GetQuote", PEOPLE)(lambda h, who, row: pb.GetQuoteRequest(name=_name(h, who, row)))
asks(_Q + "ListQuotes", PEOPLE, _any("quotes"))(
    lambda h, who, row: pb.ListQuotesRequest(filter=f"number = {_fresh(h, who, row).number}")
)
asks(_Q + "UpdateQuote", PEOPLE)(
    lambda h, who, row: pb.UpdateQuoteRequest(quote=pb.Quote(name=_name(h, who, row), terms="预付"))
)
asks(_Q + "DeleteQuote", PEOPLE)(lambda h, who, row: pb.DeleteQuoteRequest(name=_name(h, who, row)))


@asks(_Q + "UndeleteQuote", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _name(h, who, row)
    h.do(_Q + "DeleteQuote", pb.DeleteQuoteRequest(name=name))
    return pb.UndeleteQuoteRequest(name=name)


asks(_Q + "SubmitQuote", PEOPLE)(lambda h, who, row: pb.SubmitQuoteRequest(name=_name(h, who, row)))
asks(_Q + "ReviseQuote", PEOPLE)(lambda h, who, row: pb.ReviseQuoteRequest(name=_name(h, who, row, _APPROVED)))
asks(_Q + "AcceptQuote", PEOPLE)(lambda h, who, row: pb.AcceptQuoteRequest(name=_name(h, who, row, _APPROVED)))
asks(_Q + "RenderQuote", PEOPLE)(lambda h, who, row: pb.RenderQuoteRequest(name=_name(h, who, row)))
asks(_Q + "LinkQuote", PEOPLE)(lambda h, who, row: pb.LinkQuoteRequest(name=_name(h, who, row, _APPROVED)))


@asks(_Q + "UnlinkQuote", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _name(h, who, row, _APPROVED)
    h.do(_Q + "LinkQuote", pb.LinkQuoteRequest(name=name))
    return pb.UnlinkQuoteRequest(name=name)


def _token(h: House) -> str:
    name = _name(h, "admin", "own", _APPROVED)
    return str(h.do(_Q + "LinkQuote", pb.LinkQuoteRequest(name=name)).url).removeprefix("/q/")


asks(_Q + "OpenQuoteLink")(lambda h, who, row: pb.OpenQuoteLinkRequest(token=_token(h), seen=True))
asks(_Q + "DownloadQuoteLink")(lambda h, who, row: pb.DownloadQuoteLinkRequest(token=_token(h)))

# --- products, prices, rates ---


def _product_request() -> pb.CreateProductRequest:
    return pb.CreateProductRequest(product=pb.Product(code=f"P{next(numbers)}", display_name="产品"))


def _list_request() -> pb.CreatePriceListRequest:
    return pb.CreatePriceListRequest(price_list=pb.PriceList(display_name="价目", currency="CNY"))


def _rate_request() -> pb.CreateExchangeRateRequest:
    number = next(numbers)
    day = f"{2000 + number // 336 % 100}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"
    return pb.CreateExchangeRateRequest(
        exchange_rate=pb.ExchangeRate(from_currency="USD", to_currency="CNY", date=day, rate="7.1")
    )


def _shelf(noun: str, plural: str, field: str, make: Any, **change: Any) -> None:
    def made(h: House, deleted: bool = False) -> str:
        name = str(h.do(f"{_Q}Create{noun}", make()).name)
        if deleted:
            h.do(f"{_Q}Delete{noun}", getattr(pb, f"Delete{noun}Request")(name=name))
        return name

    def changed(h: House, who: str, row: str) -> Message:
        request: Message = getattr(pb, f"Update{noun}Request")()
        part = getattr(request, field)
        part.name = made(h)
        for name, value in change.items():
            setattr(part, name, value)
        return request

    asks(f"{_Q}Create{noun}")(lambda h, who, row: make())
    asks(f"{_Q}Get{noun}")(lambda h, who, row: getattr(pb, f"Get{noun}Request")(name=made(h)))
    asks(f"{_Q}List{plural}")(lambda h, who, row: getattr(pb, f"List{plural}Request")())
    asks(f"{_Q}Update{noun}")(changed)
    asks(f"{_Q}Delete{noun}")(lambda h, who, row: getattr(pb, f"Delete{noun}Request")(name=made(h)))
    asks(f"{_Q}Undelete{noun}")(lambda h, who, row: getattr(pb, f"Undelete{noun}Request")(name=made(h, True)))


_shelf("Product", "Products", "product", _product_request, unit="套")
_shelf("PriceList", "PriceLists", "price_list", _list_request, display_name="新价目")
_shelf("ExchangeRate", "ExchangeRates", "exchange_rate", _rate_request, rate="7.2")
asks(_Q + "ConvertMoney")(
    lambda h, who, row: pb.ConvertMoneyRequest(amount="1", from_currency="CNY", to_currency="CNY")
)
