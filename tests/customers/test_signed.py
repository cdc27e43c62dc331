"""Whoever signed stays: a customer is not deleted while a contract with it stands."""

from __future__ import annotations

import pytest

from chassis.errors import Denied, Refused
from dealwright.customers.v1 import customers_pb2 as pb
from tests.customers.desk import LI, MANAGER, Desk
from tests.customers.test_vip import change, contract, sign


def delete(desk: Desk, name: str) -> None:
    desk.call("DeleteCustomer", pb.DeleteCustomerRequest(name=name), MANAGER)


def test_C1_a_customer_with_a_signed_contract_is_not_deleted_and_the_refusal_names_it(desk: Desk) -> None:
    made = desk.create(owner="people/li")
    sign(desk, contract(made.name, 100, "contracts/1", status="COMPLETED"))
    with pytest.raises(Refused) as problem:
        delete(desk, made.name)
    assert problem.value.reason == "CONTRACTED"
    assert "C-contracts/1" in problem.value.english
    assert "C-contracts/1" in problem.value.chinese
    # Void ones, and those that were never signed, do not count.
    change(desk, contract(made.name, 100, "contracts/1", status="VOID"), 2)
    change(desk, contract(made.name, 100, "contracts/2", status="APPROVED"), 1)
    delete(desk, made.name)
    assert desk.get(made.name, show_deleted=True).HasField("delete_time")


def test_C1_who_may_not_delete_is_told_that_first(desk: Desk) -> None:
    made = desk.create(owner="people/wang")
    sign(desk, contract(made.name, 100))
    with pytest.raises((Denied, Exception)) as problem:
        desk.call("DeleteCustomer", pb.DeleteCustomerRequest(name=made.name), LI)
    assert getattr(problem.value, "reason", "") != "CONTRACTED"


def test_C20_what_both_signed_counts_for_the_one_that_they_became(desk: Desk) -> None:
    kept, gone = desk.create(owner="people/li"), desk.create()
    sign(desk, contract(gone.name, 100))
    desk.call("MergeCustomer", pb.MergeCustomerRequest(name=kept.name, other=gone.name))
    with pytest.raises(Refused, match="C-contracts/1"):
        delete(desk, kept.name)
