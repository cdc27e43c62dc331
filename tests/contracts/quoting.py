"""Products and quotes at a desk."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import Principal
from dealwright.contracts.v1 import approvals_pb2
from dealwright.contracts.v1 import quotes_pb2 as pb
from tests.contracts.desk import ADMIN, BOSS, LI, OPPORTUNITY, Desk, money

Line = pb.Quote.Line


def product(desk: Desk, code: str = "WMS", price: int = 100, **of: Any) -> pb.Product:
    given = pb.Product(**{"code": code, "display_name": f"{code} 系统", "unit_price": money(price), **of})
    made: pb.Product = desk.call("CreateProduct", pb.CreateProductRequest(product=given), ADMIN)
    return made


def price_list(desk: Desk, *prices: tuple[str, int], **of: Any) -> pb.PriceList:
    currency = of.setdefault("currency", "CNY")
    lines = [pb.PriceList.Line(product=name, unit_price=money(price, currency=currency)) for name, price in prices]
    given = pb.PriceList(**{"display_name": "标准价", "lines": lines, **of})
    made: pb.PriceList = desk.call("CreatePriceList", pb.CreatePriceListRequest(price_list=given), ADMIN)
    return made


def line(price: int = 100, **of: Any) -> pb.Quote.Line:
    return Line(**{"description": "实施服务", "unit_price": money(price), **of})


def quote(desk: Desk, *lines: pb.Quote.Line, who: Principal = LI, **of: Any) -> pb.Quote:
    given = pb.Quote(**{"opportunity": OPPORTUNITY, "lines": lines, **of})
    made: pb.Quote = desk.call("CreateQuote", pb.CreateQuoteRequest(quote=given), who)
    return made


def change(desk: Desk, name: str, who: Principal = LI, mask: str = "", **of: Any) -> pb.Quote:
    request = pb.UpdateQuoteRequest(
        quote=pb.Quote(name=name, **of), update_mask=FieldMask(paths=mask.split(",") if mask else list(of))
    )
    changed: pb.Quote = desk.call("UpdateQuote", request, who)
    return changed


def act(desk: Desk, verb: str, name: str, who: Principal = LI, **of: Any) -> Any:
    """ "Submit", "Revise", "Accept", "Link", "Delete", ..."""
    return desk.call(f"{verb}Quote", getattr(pb, f"{verb}QuoteRequest")(name=name, **of), who)


def get(desk: Desk, name: str, who: Principal = ADMIN) -> pb.Quote:
    found: pb.Quote = desk.call("GetQuote", pb.GetQuoteRequest(name=name), who)
    return found


def listed(desk: Desk, who: Principal = ADMIN, **request: Any) -> list[str]:
    """The names that a list has, in its order."""
    return [one.name for one in desk.call("ListQuotes", pb.ListQuotesRequest(**request), who).quotes]


def decide(desk: Desk, approval: str, who: Principal, verdict: str = "APPROVE") -> None:
    number = approvals_pb2.Approval.Verdict.Value(verdict)
    desk.call("DecideApproval", approvals_pb2.DecideApprovalRequest(name=approval, verdict=number), who)


def approve(desk: Desk, name: str) -> None:
    decide(desk, act(desk, "Submit", name).approval, BOSS)
