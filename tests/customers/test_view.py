"""A customer from all sides: by the caller's rights, at once, and without the sides that do not answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from chassis import clock
from chassis.access import Grant, Principal, Scope
from chassis.errors import NotFound
from chassis.rpc import Call
from chassis.transaction import Origin
from customers.servicer import CustomerViewServicer
from customers.wire.view import SIDES
from dealwright.contracts.v1 import contracts_pb2
from dealwright.customers.v1 import customers_pb2 as pb
from dealwright.customers.v1 import view_pb2
from dealwright.opportunities.v1 import opportunities_pb2
from tests.customers.desk import ADMIN, LI, WANG, Desk

Part = view_pb2.CustomerView.Part
BY_PATH = {side.path: side for side in SIDES}


class Sides(grpc.GenericRpcHandler):
    """All other services in one server. `rules` says by side what comes instead of an answer; `asked` keeps what was
    asked, with the caller."""

    def __init__(self) -> None:
        self.rules: dict[str, Callable[[Any], object]] = {}
        self.answers: dict[str, Any] = {}
        self.asked: dict[str, tuple[Any, str, float]] = {}

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        side = BY_PATH[details.method]

        def run(request: bytes, context: grpc.ServicerContext) -> bytes:
            name = side.name
            token = dict(context.invocation_metadata())["authorization"]
            self.asked[name] = (request, str(token), context.time_remaining())
            self.rules.get(name, lambda context: None)(context)
            answer: Any = self.answers.get(name) or side.answer()
            return bytes(answer.SerializeToString())

        return grpc.unary_unary_rpc_method_handler(run)


@pytest.fixture
def sides(desk: Desk) -> Iterator[Sides]:
    handler = Sides()
    server = grpc.server(ThreadPoolExecutor(16), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for service in ("activities", "opportunities", "contracts"):
        desk.runtime.peers[service] = f"127.0.0.1:{port}"
    yield handler
    server.stop(0)


@pytest.fixture
def viewer(desk: Desk, sides: Sides) -> CustomerViewServicer:
    return CustomerViewServicer(desk.runtime)


def look(viewer: CustomerViewServicer, name: str, who: Principal = ADMIN, seconds: float = 5.0, size: int = 0) -> Any:
    request = view_pb2.GetCustomerViewRequest(name=name, page_size=size)
    return viewer.GetCustomerView(Call(request, who, Origin(who.actor), deadline=clock.monotonic() + seconds))


def states(found: view_pb2.CustomerView) -> dict[str, int]:
    return {part.name: part.state for part in found.parts}


def test_C5_C6_one_call_gathers_a_customer_from_all_sides(
    desk: Desk, sides: Sides, viewer: CustomerViewServicer
) -> None:
    made = desk.create(owner="people/li")
    desk.contact(made.name)
    sides.answers["opportunities"] = opportunities_pb2.ListOpportunitiesResponse(
        opportunities=[opportunities_pb2.Opportunity(name="opportunities/1")], next_page_token="more"
    )
    sides.answers["payments"] = contracts_pb2.ListPaymentsResponse(payments=[contracts_pb2.Payment(name="payments/1")])
    found = look(viewer, made.name, LI)
    assert (found.customer.name, [one.full_name for one in found.contacts]) == (made.name, ["王小明"])
    assert [one.name for one in found.opportunities] == ["opportunities/1"]
    assert [one.name for one in found.payments] == ["payments/1"]
    expected = dict.fromkeys(("contacts", *(side.name for side in SIDES)), Part.COMPLETE)
    assert states(found) == {**expected, "opportunities": Part.MORE}
    assert set(sides.asked) == {side.name for side in SIDES}
    for name, (request, token, _) in sides.asked.items():
        # Under the caller's rights, of this customer.
        assert desk.runtime.tokens.read(token.removeprefix("Bearer ")) == LI
        assert made.name in request.decode(errors="ignore"), name


def test_C5_P6_each_side_by_its_own_right_and_a_customer_out_of_reach_not_at_all(
    desk: Desk, sides: Sides, viewer: CustomerViewServicer
) -> None:
    made = desk.create(owner="people/li")
    desk.contact(made.name)

    def deny(context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")

    sides.rules.update(quotes=deny, payments=deny)
    found = states(look(viewer, made.name))
    assert {name for name, state in found.items() if state == Part.DENIED} == {"quotes", "payments"}
    with pytest.raises(NotFound):
        look(viewer, made.name, WANG)
    asked = len(sides.asked)
    assert asked == len(SIDES), "nobody is asked about a customer whom the caller may not see"
    blind = Principal("people/li", "sales", "teams/east", ("teams/east",), {"customers": Grant(Scope.OWN)})
    found = look(viewer, made.name, blind)
    assert (states(found)["contacts"], list(found.contacts)) == (Part.DENIED, [])


def test_C5_a_side_that_is_away_or_slow_is_named_and_the_rest_comes_in_time(
    desk: Desk, sides: Sides, viewer: CustomerViewServicer
) -> None:
    made = desk.create()
    over = threading.Event()

    def fail(context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    sides.rules.update(contracts=fail, timeline=lambda context: over.wait(5))
    started = time.monotonic()
    found = look(viewer, made.name, seconds=1.0)
    took = time.monotonic() - started
    over.set()
    assert {name for name, state in states(found).items() if state == Part.AWAY} == {"contracts", "timeline"}
    assert took < 1.0, took
    assert all(left <= 1.0 for _, _, left in sides.asked.values())
    desk.runtime.peers["contracts"] = "127.0.0.1:1"
    gone = states(look(CustomerViewServicer(desk.runtime), made.name, seconds=1.0))
    assert {name for name, state in gone.items() if state == Part.AWAY} == {"quotes", "contracts", "payments"}


def test_C5_the_sides_are_asked_at_once_and_not_one_after_the_other(
    desk: Desk, sides: Sides, viewer: CustomerViewServicer
) -> None:
    made = desk.create()
    together = threading.Barrier(len(SIDES), timeout=3)
    sides.rules.update({side.name: lambda context: together.wait() for side in SIDES})
    found = look(viewer, made.name)
    assert set(states(found).values()) == {Part.COMPLETE}


def test_C5_C20_what_belongs_to_one_that_was_merged_is_seen_with_the_other(
    desk: Desk, sides: Sides, viewer: CustomerViewServicer
) -> None:
    kept, gone = desk.create(), desk.create()
    desk.call("MergeCustomer", pb.MergeCustomerRequest(name=kept.name, other=gone.name))
    assert look(viewer, gone.name, size=7).customer.name == kept.name
    request = opportunities_pb2.ListOpportunitiesRequest.FromString(sides.asked["opportunities"][0])
    assert request.filter == f'customer = "{kept.name}" OR customer = "{gone.name}"'
    assert request.page_size == 7
