"""Lines of a quote that the price list does not know: what they give away nobody can tell (Q3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from contracts.domain.quote import Line, unlisted
from contracts.usecases.settings import PART
from dealwright.contracts.v1 import approvals_pb2 as pb
from dealwright.contracts.v1 import quotes_pb2
from tests.contracts.desk import BOSS, FINANCE, LI, Desk, money, principal
from tests.contracts.quoting import act, decide, line, product, quote


def submitted(desk: Desk, *lines: quotes_pb2.Quote.Line) -> pb.Approval:
    approval = act(desk, "Submit", quote(desk, *lines).name).approval
    found: pb.Approval = desk.call("GetApproval", pb.GetApprovalRequest(name=approval), BOSS)
    return found


def listed(of: pb.Approval) -> Any:
    return json_format.MessageToDict(of.facts)["fields"]["listed_products"]


def ends_with(desk: Desk, of: pb.Approval) -> str:
    """What becomes of it when the director agrees."""
    decide(desk, of.name, BOSS)
    after = desk.call("GetApproval", pb.GetApprovalRequest(name=of.name), FINANCE)
    return " ".join(after.pending) or pb.Approval.Status.Name(after.status)


def test_Q3_a_line_that_is_called_as_a_product_is_that_product_at_its_list_price(desk: Desk) -> None:
    desk.deal(products=[])
    name = product(desk, "WMS", 100, display_name="仓储系统", display_name_en="Warehouse").name
    for called in ("WMS", "仓储系统", "Warehouse"):
        made = quote(desk, line(50, description=called))
        assert (made.lines[0].product, made.lines[0].description) == (name, called)
        assert (made.lines[0].list_price, made.total_discount_percent) == (money(100), "50")
    asked = submitted(desk, line(50, description="仓储系统"))
    assert asked.facts["discount"] == 50
    assert ends_with(desk, asked) == "people/money"


@pytest.mark.parametrize(
    ("lines", "percent", "after"),
    [
        ([("WMS 特价", 50)], 100, "people/money"),
        ([("", 100), ("运费", 10)], 9.091, "APPROVED"),
        ([("", 85), ("培训", 15)], 15, "APPROVED"),
        ([("", 100), ("培训", 18)], 15.2543, "people/money"),
        ([("", 100), ("培训", 17)], 14.5300, "APPROVED"),
    ],
)
def test_Q3_more_than_15_percent_beside_the_list_takes_the_finance_director_too(
    lines: list[tuple[str, int]], percent: float, after: str, desk: Desk
) -> None:
    """`""` is the product, at this price instead of 100."""
    desk.deal(products=["WMS"])
    name = product(desk).name
    asked = submitted(
        desk, *(line(price, description=said, **({} if said else {"product": name})) for said, price in lines)
    )
    assert asked.facts["unlisted_percent"] == pytest.approx(percent, abs=0.0001)
    assert listed(asked) == ["WMS 系统"]
    assert ends_with(desk, asked) == after


def test_Q3_what_the_list_has_nothing_to_do_with_is_the_directors_alone(desk: Desk) -> None:
    desk.deal(products=["现场服务"])
    asked = submitted(desk, line(50, description="定制开发"))
    assert asked.facts["unlisted_percent"] == 0, "a company without a price list"
    assert ends_with(desk, asked) == "APPROVED"
    product(desk)
    asked = submitted(desk, line(50, description="定制开发"))
    assert (asked.facts["unlisted_percent"], listed(asked)) == (100, [])
    assert ends_with(desk, asked) == "APPROVED"


def test_Q3_Q19_a_company_may_look_at_whatever_has_no_list_price(desk: Desk) -> None:
    desk.deal(products=[])
    product(desk)
    admin = principal("people/admin", "admin", BOSS.scope("quotes", "read"))
    with desk.runtime.transaction(admin) as tx:
        now, _ = PART.read(tx)
        flow = now["approvalFlows"]["quote"]
    strict = {**flow["nodes"][1], "when": "discount > 15 || unlisted_percent > 0"}
    simulated = desk.call(
        "SimulateApprovalFlow",
        pb.SimulateApprovalFlowRequest(
            flow=_struct({**flow, "nodes": [flow["nodes"][0], strict]}),
            samples=[_struct({"discount": 5}), _struct({"discount": 5, "unlisted_percent": 0.01})],
        ),
        LI,
    )
    outcomes = [[pb.Approval.Step.Outcome.Name(step.outcome) for step in run.steps] for run in simulated.runs]
    assert outcomes == [["PASSED", "SKIPPED"], ["PASSED", "PASSED"]]


def _struct(plain: dict[str, Any]) -> Struct:
    made = Struct()
    made.update(plain)
    return made


def test_Q3_the_share_beside_the_list_is_rounded_up() -> None:
    def of(amount: int, listed: int | None) -> Line:
        return Line("", "", "", 10_000, amount, 0, 0, listed, amount)

    assert unlisted([of(3, None), of(17, 17)]) == Decimal(15)
    assert unlisted([of(1_500_001, None), of(8_499_999, 9)]) == Decimal("15.0001")
    assert unlisted([of(0, None)]) == 0
