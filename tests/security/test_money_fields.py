"""P8: a role that may not know what deals are worth learns it nowhere: in no answer, sum, filter or order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from google.type.money_pb2 import Money

from chassis import access
from chassis.access import Principal
from dealwright.contracts.v1 import contracts_pb2, quotes_pb2
from dealwright.customers.v1 import customers_pb2
from dealwright.directory.v1 import directory_pb2 as directory
from dealwright.opportunities.v1 import opportunities_pb2
from directory.wire.organisation import fields_of
from tests.security.asking import PROBES
from tests.security.house import House, open_house
from tests.security.test_fields import messages_of

_MESSAGES: dict[str, Any] = {
    "contracts": contracts_pb2.Contract,
    "contractChanges": contracts_pb2.ContractChange,
    "customers": customers_pb2.Customer,
    "instalments": contracts_pb2.Instalment,
    "invoices": contracts_pb2.Invoice,
    "opportunities": opportunities_pb2.Opportunity,
    "payments": contracts_pb2.Payment,
    "quotes": quotes_pb2.Quote,
}


def _money(resource: str) -> list[str]:
    """Its fields that hold money, or what does."""
    found = [
        field.name
        for field in _MESSAGES[resource].DESCRIPTOR.fields
        if field.message_type and (field.message_type is Money.DESCRIPTOR or _holds_money(field.message_type))
    ]
    return sorted(set(found) & set(fields_of(resource).values()))


def _holds_money(message: Any) -> bool:
    return any(field.message_type is Money.DESCRIPTOR for field in message.fields)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("money")) as made:
        role = made.do("directory.DirectoryService.GetRole", directory.GetRoleRequest(name="roles/admin"))
        for grant in role.grants:
            if grant.resource in _MESSAGES:
                grant.hidden_fields.extend(_money(grant.resource))
        changed = directory.Role(name=role.name, grants=role.grants)
        made.do("directory.DirectoryService.UpdateRole", directory.UpdateRoleRequest(role=changed))
        yield made


@pytest.fixture(scope="module")
def blind(small: House) -> Principal:
    return small.sign_in("admin1")


_C, _O, _Q = "contracts.ContractService.", "opportunities.OpportunityService.", "contracts.QuoteService."
_READS = [
    *(f"{_C}{one}" for one in ("GetContract", "ListContracts", "SummarizeContracts", "SignContract")),
    *(f"{_C}{one}" for one in ("GetContractChange", "ListContractChanges", "GetInstalment", "ListInstalments")),
    *(f"{_C}{one}" for one in ("GetInvoice", "ListInvoices", "GetPayment", "ListPayments")),
    *(f"{_C}{one}" for one in ("ForecastPayments", "SummarizePayments", "DeletePayment")),
    *(f"{_O}{one}" for one in ("GetOpportunity", "ListOpportunities", "SummarizeOpportunities", "WinOpportunity")),
    *(f"{_Q}{one}" for one in ("GetQuote", "ListQuotes", "LinkQuote")),
    *("customers.CustomerService.GetCustomer", "customers.CustomerViewService.GetCustomerView"),
]


def told(house: House, who: Principal, rpc: str) -> list[str]:
    """Money in the answer, by the message that holds it; a refusal tells nothing."""
    answer = house.call(rpc, PROBES[rpc].ask(house, "admin", "own"), house.tokens.sign(who))
    if answer.code != "OK":
        assert answer.code in ("PERMISSION_DENIED", "INVALID_ARGUMENT"), (rpc, answer)
        return []
    found = [
        f"{one.DESCRIPTOR.name}.{field.name}"
        for one in messages_of(answer.message)
        for field, _ in one.ListFields()
        if field.message_type is Money.DESCRIPTOR
    ]
    # Whoever has a link sees the whole paper.
    return found + ["a link"] * bool(getattr(answer.message, "url", ""))


@pytest.mark.parametrize("rpc", [one for one in _READS if one in PROBES])
def test_P8_hidden_money_is_in_no_answer(rpc: str, small: House, blind: Principal) -> None:
    assert told(small, blind, rpc) == []


def test_P8_money_is_seen_by_who_may_and_without_the_mask(
    small: House, blind: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Contract.amount" in told(small, small.root, f"{_C}GetContract")
    monkeypatch.setattr(access, "mask", lambda principal, message: None)
    assert "Contract.amount" in told(small, blind, f"{_C}GetContract")


def test_P8_instalments_hidden_amount_is_not_found_out_by_a_forecast(small: House, blind: Principal) -> None:
    payments = blind.grants["payments"]
    who = replace(blind, grants={**blind.grants, "payments": replace(payments, hidden=frozenset())})
    assert told(small, who, f"{_C}ForecastPayments") == []
    request = contracts_pb2.ForecastPaymentsRequest(filter="amount > 5")
    assert small.call(f"{_C}ForecastPayments", request, small.tokens.sign(who)).code == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("rpc", "request_type", "column"),
    [
        (f"{_C}ListContracts", contracts_pb2.ListContractsRequest, "amount"),
        (f"{_C}SummarizeContracts", contracts_pb2.SummarizeContractsRequest, "amount"),
        (f"{_C}ListInstalments", contracts_pb2.ListInstalmentsRequest, "amount"),
        (f"{_C}ListInvoices", contracts_pb2.ListInvoicesRequest, "amount"),
        (f"{_C}ListPayments", contracts_pb2.ListPaymentsRequest, "amount"),
        (f"{_O}ListOpportunities", opportunities_pb2.ListOpportunitiesRequest, "amount"),
        (f"{_O}SummarizeOpportunities", opportunities_pb2.SummarizeOpportunitiesRequest, "amount"),
        (f"{_Q}ListQuotes", quotes_pb2.ListQuotesRequest, "total"),
    ],
)
def test_P8_hidden_money_is_neither_filtered_nor_sorted_by(
    rpc: str, request_type: Any, column: str, small: House, blind: Principal
) -> None:
    token = small.tokens.sign(blind)
    refused = small.call(rpc, request_type(filter=f"{column} > 5"), token)
    assert refused.code in ("INVALID_ARGUMENT", "PERMISSION_DENIED"), refused
    if "order_by" in request_type.DESCRIPTOR.fields_by_name:
        assert small.call(rpc, request_type(order_by=column), token).code == "INVALID_ARGUMENT"
