"""What customers signed and when they were last followed up; what makes a VIP, and grading everybody anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from google.type.money_pb2 import Money

from chassis.errors import Invalid
from customers.usecases.grading import grade
from dealwright.activities.v1 import activities_pb2
from dealwright.activities.v1 import events_pb2 as activity_events_pb2
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.contracts.v1 import contracts_pb2, quotes_pb2
from dealwright.contracts.v1 import events_pb2 as contract_events_pb2
from dealwright.customers.v1 import customers_pb2 as pb
from dealwright.customers.v1 import events_pb2
from dealwright.rules.v1 import events_pb2 as rule_events_pb2
from tests.customers.desk import LI, Desk

Contract = contracts_pb2.Contract
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def contract(
    customer: str,
    units: int,
    name: str = "contracts/1",
    currency: str = "CNY",
    status: str = "SIGNED",
    day: str = "2026-03-02",
) -> Any:
    money = Money(currency_code=currency, units=units)
    made = Contract(name=name, customer=customer, amount=money, sign_date=day, number=f"C-{name}")
    made.status = Contract.Status.Value(status)
    return made


def sign(desk: Desk, of: Any, version: int = 1) -> None:
    """As the bus tells of a signing: the fact and the state."""
    of.etag = str(version)
    desk.hear("contracts", [contract_events_pb2.ContractSigned(contract=of)])
    desk.hear("contracts", [contract_events_pb2.ContractChanged(contract=of, version=version)])


def change(desk: Desk, of: Any, version: int, deleted: bool = False) -> None:
    desk.hear("contracts", [contract_events_pb2.ContractChanged(contract=of, version=version, deleted=deleted)])


def signed(desk: Desk, name: str) -> tuple[int, bool]:
    now = desk.get(name)
    return now.signed_amount.units, now.vip


def test_C12_over_the_line_a_customer_is_a_vip_and_its_owner_gets_what_there_is_to_do(desk: Desk) -> None:
    made = desk.create(owner="people/li")
    sign(desk, contract(made.name, 300_000))
    assert signed(desk, made.name) == (300_000, False)
    desk.announced()
    sign(desk, contract(made.name, 200_000, "contracts/2"))
    # Over, not at.
    assert signed(desk, made.name) == (500_000, False)
    sign(desk, contract(made.name, 1, "contracts/3"))
    now = desk.get(made.name)
    assert (now.signed_amount.units, now.vip, now.HasField("vip_time")) == (500_001, True, True)
    events = desk.announced()
    (told,) = [e for e in events if isinstance(e, events_pb2.CustomerBecameVip)]
    assert (told.customer.name, told.signed_amount.units, told.threshold.units) == (made.name, 500_001, 500_000)
    assert [e.customer.vip for e in events if isinstance(e, events_pb2.CustomerChanged)] == [False, True]
    tasks = [e for e in events if isinstance(e, rule_events_pb2.ActionRequested)]
    assert [(e.action, e.person, e.subject) for e in tasks] == [("CREATE_TASK", "people/li", made.name)] * 2
    assert len({e.origin for e in tasks}) == 2
    assert all(json_format.MessageToDict(e.parameters)["origin"] == e.origin for e in tasks)
    assert all(json_format.MessageToDict(e.parameters)["due_time"] for e in tasks)
    # A VIP stays one without being told again.
    sign(desk, contract(made.name, 7, "contracts/4"))
    assert desk.announced(events_pb2.CustomerBecameVip) == []
    assert desk.get(made.name).vip_time == now.vip_time


def test_C12_a_contract_counts_once_and_a_void_one_not_at_all(desk: Desk) -> None:
    made, other = desk.create(), desk.create()
    one = contract(made.name, 600_000)
    sign(desk, one)
    sign(desk, one)
    assert signed(desk, made.name) == (600_000, True)
    change(desk, contract(made.name, 600_000, status="VOID"), 3)
    assert signed(desk, made.name) == (0, False)
    # Late news of when it stood.
    change(desk, one, 2)
    assert signed(desk, made.name) == (0, False)
    change(desk, contract(made.name, 700_000, status="COMPLETED"), 4)
    assert signed(desk, made.name) == (700_000, True)
    change(desk, contract(made.name, 700_000), 5, deleted=True)
    assert signed(desk, made.name) == (0, False)
    for status in ("DRAFT", "SUBMITTED", "APPROVED", "REJECTED", "RETURNED"):
        change(desk, contract(made.name, 900_000, f"contracts/{status}", status=status), 1)
    sign(desk, contract(made.name, 900_000, "contracts/usd", "USD"))
    sign(desk, contract(f"customers/{9:032x}", 900_000, "contracts/stranger"))
    assert signed(desk, made.name) == (0, False)
    assert signed(desk, other.name) == (0, False)


def rate(
    desk: Desk, text: str, day: str, pair: tuple[str, str] = ("USD", "CNY"), version: int = 1, deleted: bool = False
) -> None:
    of = quotes_pb2.ExchangeRate(
        name=f"exchangeRates/{day}{pair[0]}", from_currency=pair[0], to_currency=pair[1], date=day, rate=text
    )
    told = contract_events_pb2.ExchangeRateChanged(exchange_rate=of, version=version, deleted=deleted)
    desk.hear("rates", [told])


def uncounted(desk: Desk, name: str) -> list[tuple[str, int]]:
    return [(one.currency_code, one.units) for one in desk.get(name).uncounted_amounts]


def test_C12_what_is_signed_in_other_currencies_counts_by_the_rate_of_the_day(desk: Desk) -> None:
    made = desk.create(owner="people/li")
    rate(desk, "7.1", "2026-03-01")
    rate(desk, "9", "2026-03-03")
    sign(desk, contract(made.name, 5_000_000, currency="USD"))
    assert signed(desk, made.name) == (35_500_000, True)
    # A quarter of a fen is lost, half a fen is one.
    one = contract(made.name, 0, "contracts/2", "USD")
    one.amount.nanos = 10_000_000
    rate(desk, "7.45", "2026-03-02")
    sign(desk, one)
    now = desk.get(made.name).signed_amount
    assert (now.units, now.nanos) == (37_250_000, 70_000_000)


def test_C12_a_rate_that_is_learnt_late_corrects_the_sum_and_without_any_it_says_so(desk: Desk) -> None:
    made, other = desk.create(owner="people/li"), desk.create()
    sign(desk, contract(made.name, 100_000, currency="USD"))
    sign(desk, contract(made.name, 3, "contracts/2", currency="EUR"))
    sign(desk, contract(other.name, 7, "contracts/3", currency="USD", day="2026-02-01"))
    assert signed(desk, made.name) == (0, False)
    assert uncounted(desk, made.name) == [("EUR", 3), ("USD", 100_000)]
    etag = desk.get(other.name).etag
    rate(desk, "8", "2026-03-03")
    assert signed(desk, made.name) == (0, False)
    rate(desk, "7.1", "2026-03-02")
    assert signed(desk, made.name) == (710_000, True)
    assert uncounted(desk, made.name) == [("EUR", 3)]
    # The other way round, and newer than the straight one.
    rate(desk, "0.25", "2026-03-02", ("CNY", "EUR"))
    assert (signed(desk, made.name), uncounted(desk, made.name)) == ((710_012, True), [])
    rate(desk, "4", "2026-03-02", version=3)
    rate(desk, "7.1", "2026-03-02", version=2)
    assert signed(desk, made.name) == (400_012, False)
    rate(desk, "4", "2026-03-02", version=4, deleted=True)
    assert (signed(desk, made.name), uncounted(desk, made.name)) == ((12, False), [("USD", 100_000)])
    assert desk.get(other.name).etag == etag


def asked(desk: Desk, action: str) -> list[str]:
    every = desk.announced(rule_events_pb2.ActionRequested)
    return [e.origin for e in every if e.action == action]


def test_C12_what_a_vip_is_owed_is_asked_for_once_each_time_and_taken_back_with_the_reason(desk: Desk) -> None:
    made = desk.create(owner="people/li")
    desk.announced()
    begun, ended = [], []
    for turn in range(2):
        sign(desk, contract(made.name, 600_000, f"contracts/{turn}"), 1)
        begun += asked(desk, "CREATE_TASK")
        if turn:  # the company asks for less meanwhile
            apply(desk, vip={"tasks": []})
        change(desk, contract(made.name, 600_000, f"contracts/{turn}", status="VOID"), 2)
        over = [e for e in desk.announced(rule_events_pb2.ActionRequested) if e.action == "CANCEL_TASK"]
        assert all("VIP" in json_format.MessageToDict(e.parameters)["result"] for e in over)
        ended += [e.origin for e in over]
    assert len(set(begun)) == 4
    assert ended == begun


def test_C12_two_customers_that_become_one_have_signed_together(desk: Desk) -> None:
    kept, gone = desk.create(owner="people/li"), desk.create()
    sign(desk, contract(kept.name, 300_000))
    sign(desk, contract(gone.name, 300_000, "contracts/2"))
    desk.hear("followed_up", [follow_up(gone.name, MONDAY)])
    desk.announced()
    desk.call("MergeCustomer", pb.MergeCustomerRequest(name=kept.name, other=gone.name))
    assert signed(desk, kept.name) == (600_000, True)
    assert len(desk.announced(events_pb2.CustomerBecameVip)) == 1
    assert desk.get(kept.name).last_follow_up_time.ToDatetime(UTC) == MONDAY
    # What is still told of the other belongs to the one.
    sign(desk, contract(gone.name, 400_000, "contracts/3"))
    change(desk, contract(gone.name, 300_000, "contracts/2", status="VOID"), 9)
    assert signed(desk, kept.name) == (700_000, True)
    desk.hear("followed_up", [follow_up(gone.name, MONDAY + timedelta(days=1))])
    assert desk.get(kept.name).last_follow_up_time.ToDatetime(UTC) == MONDAY + timedelta(days=1)


def apply(desk: Desk, **part: Any) -> Any:
    content = Struct()
    now = desk.call("GetPart", blueprint_pb2.GetPartRequest())
    content.update({"customers": part})
    return desk.call("ApplyPart", blueprint_pb2.ApplyPartRequest(content=content, expected_version=now.version))


def graded(desk: Desk) -> int:
    """Runs the loop until it has nothing to do; how often that was."""
    for times in range(1, 20):
        with desk.runtime.transaction() as tx:
            if not grade(tx):
                return times
    raise AssertionError("it never ends")


def test_C12_the_line_is_the_companys_and_everybody_is_judged_by_a_new_one(desk: Desk) -> None:
    made = desk.create(owner="people/li")
    sign(desk, contract(made.name, 400_000))
    sign(desk, contract(made.name, 2_000, "contracts/usd", "USD"))
    desk.announced()
    apply(desk, vip={"amount": 399_999, "tasks": [{"title": "专属客服", "days": 1}]})
    graded(desk)
    events = desk.announced()
    assert signed(desk, made.name) == (400_000, True)
    assert [e.text_zh for e in events if isinstance(e, rule_events_pb2.ActionRequested)] == ["专属客服"]
    assert sum(isinstance(e, events_pb2.CustomerBecameVip) for e in events) == 1
    apply(desk, vip={"amount": "1000.5", "currency": "USD", "tasks": []})
    graded(desk)
    now = desk.get(made.name)
    assert (now.signed_amount.units, now.signed_amount.currency_code, now.vip) == (2_000, "USD", True)
    wrong: list[tuple[Any, str]] = [
        ("much", "customers.vip"),
        ({"amount": 1.5}, "customers.vip.amount"),
        ({"amount": "-1"}, "customers.vip.amount"),
        ({"currency": "yuan"}, "customers.vip.currency"),
        ({"tasks": [{"title": ""}]}, "customers.vip.tasks[0].title"),
        ({"tasks": [{"title": "x", "days": 999}]}, "customers.vip.tasks[0].days"),
        ({"colour": "red"}, "customers.vip.colour"),
    ]
    for given, path in wrong:
        with pytest.raises(Invalid) as problem:
            apply(desk, vip=given)
        assert path in [violation.field for violation in problem.value.violations]


def test_C11_C13_a_new_standard_grades_everybody_but_whom_somebody_graded_by_hand(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("customers.usecases.grading._PAGE", 3)
    names = [desk.create(employees=50).name for _ in range(7)]
    by_hand = desk.create(employees=50, tier="B").name
    assert {desk.get(name).tier for name in names} == {pb.Customer.C}
    assert graded(desk) == 1
    apply(desk, tiers={"A": "employees >= 50"})
    desk.announced()
    assert graded(desk) >= 3
    assert {desk.get(name).tier for name in names} == {pb.Customer.A}
    assert desk.get(by_hand).tier == pb.Customer.B
    told = desk.announced(events_pb2.CustomerTierChanged)
    assert sorted(e.customer.name for e in told) == sorted(names)
    assert {(e.previous_tier, e.customer.tier) for e in told} == {(pb.Customer.C, pb.Customer.A)}
    # Once, and once more for the next.
    assert graded(desk) == 1
    assert desk.announced() == []
    apply(desk, tiers={"A": "employees >= 5000"})
    graded(desk)
    assert {desk.get(name).tier for name in names} == {pb.Customer.C}


def follow_up(customer: str, at: datetime) -> Any:
    made = activities_pb2.FollowUp(name="followUps/1", customer=customer)
    made.happen_time.FromDatetime(at)
    return activity_events_pb2.FollowUpLogged(follow_up=made)


def test_F17_who_was_not_followed_up_for_long_is_found_by_that(desk: Desk) -> None:
    long_ago, lately, never = desk.create(owner="people/li"), desk.create(owner="people/li"), desk.create()
    desk.hear("followed_up", [follow_up(long_ago.name, MONDAY), follow_up("", MONDAY)])
    desk.hear("followed_up", [follow_up(lately.name, MONDAY), follow_up(lately.name, MONDAY + timedelta(days=3))])
    # Learnt late: the latest stays.
    desk.hear("followed_up", [follow_up(lately.name, MONDAY - timedelta(days=9))])
    now = desk.get(lately.name)
    assert now.last_follow_up_time.ToDatetime(UTC) == MONDAY + timedelta(days=3)
    # Whoever edits it meanwhile is not stale for that.
    assert now.etag == lately.etag
    since = (MONDAY + timedelta(days=1)).isoformat()
    assert desk.names(filter=f'NOT last_follow_up_time >= "{since}"', order_by="create_time") == [
        long_ago.name,
        never.name,
    ]
    assert desk.names(LI, filter=f'last_follow_up_time < "{since}"') == [long_ago.name]
    assert desk.names(order_by="last_follow_up_time desc")[0] in (lately.name, never.name)
