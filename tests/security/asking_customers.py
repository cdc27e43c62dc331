"""How each RPC of customers is asked for what is his own, a team mate's, and another team's."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from customers.domain.customer import LeftBehind
from customers.storage import hand_overs
from dealwright.api.v1.bringing_pb2 import TakenBack
from dealwright.customers.v1 import customers_pb2 as pb
from dealwright.customers.v1 import view_pb2
from tests.security.house import House
from tests.security.matrix import PEOPLE
from tests.security.probes import Told, asks, numbers

_C = "customers.CustomerService."


def _customer(h: House, who: str, row: str) -> str:
    # Finance, who may not change customers, is given none.
    owner = h.person("mate" if who == "finance" else who, row)
    customer = pb.Customer(display_name=f"公司{next(numbers)}", owner=owner)
    return str(h.do(_C + "CreateCustomer", pb.CreateCustomerRequest(customer=customer)).name)


def _contact(h: House, who: str, row: str) -> str:
    contact = pb.Contact(customer=_customer(h, who, row), full_name="王小明")
    return str(h.do(_C + "CreateContact", pb.CreateContactRequest(contact=contact)).name)


def _hand_over(h: House, who: str, row: str) -> str:
    """As if its owner had left."""
    name = _customer(h, who, row)
    with h.runtimes["customers"].transaction() as tx:
        (made,) = hand_overs.put(tx, [LeftBehind(name, name, h.person(who, row), "公司", 1)])
    return made.name


def _any(field: str) -> Told:
    return lambda h, who, row, answer: "S" if getattr(answer, field) else "U"


def of_results(h: House, who: str, row: str, answer: Any) -> str:
    """The answer to the one row of a batch."""
    reason = answer.results[0].error.reason
    return {"": "Y", "DENIED": "O", "NOT_FOUND": "O"}[reason]


@asks(_C + "BatchCreateCustomers", PEOPLE, of_results)
def _(h: House, who: str, row: str) -> Message:
    customer = pb.Customer(display_name=f"公司{next(numbers)}", owner=h.person(who, row))
    return pb.BatchCreateCustomersRequest(requests=[pb.CreateCustomerRequest(customer=customer)])


@asks(_C + "BatchFindCustomers", PEOPLE, lambda h, who, row, answer: "S" if answer.names[0] else "U")
def _(h: House, who: str, row: str) -> Message:
    made: Any = h.do(_C + "GetCustomer", pb.GetCustomerRequest(name=_customer(h, who, row)))
    one = pb.BatchFindCustomersRequest.One(display_name=made.display_name)
    return pb.BatchFindCustomersRequest(customers=[one])


@asks(_C + "TakeBackCustomers", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    return pb.TakeBackCustomersRequest(records=[TakenBack(name=_customer(h, who, row), left="v1")])


@asks(_C + "BatchCreateContacts", PEOPLE, of_results)
def _(h: House, who: str, row: str) -> Message:
    contact = pb.Contact(customer=_customer(h, who, row), full_name="王小明")
    return pb.BatchCreateContactsRequest(requests=[pb.CreateContactRequest(contact=contact)])


@asks(_C + "CreateCustomer", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    customer = pb.Customer(display_name=f"公司{next(numbers)}", owner=h.person(who, row))
    return pb.CreateCustomerRequest(customer=customer)


asks(_C + "GetCustomer", PEOPLE)(lambda h, who, row: pb.GetCustomerRequest(name=_customer(h, who, row)))


asks("customers.CustomerViewService.GetCustomerView", PEOPLE)(
    lambda h, who, row: view_pb2.GetCustomerViewRequest(name=_customer(h, who, row))
)


@asks(_C + "ListCustomers", PEOPLE, _any("customers"))
def _(h: House, who: str, row: str) -> Message:
    made: Any = h.do(_C + "GetCustomer", pb.GetCustomerRequest(name=_customer(h, who, row)))
    return pb.ListCustomersRequest(filter=f'display_name = "{made.display_name}"')


@asks(_C + "UpdateCustomer", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    return pb.UpdateCustomerRequest(customer=pb.Customer(name=_customer(h, who, row), address="新址"))


asks(_C + "DeleteCustomer", PEOPLE)(lambda h, who, row: pb.DeleteCustomerRequest(name=_customer(h, who, row)))


@asks(_C + "UndeleteCustomer", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _customer(h, who, row)
    h.do(_C + "DeleteCustomer", pb.DeleteCustomerRequest(name=name))
    return pb.UndeleteCustomerRequest(name=name)


asks(_C + "MergeCustomer", PEOPLE)(
    lambda h, who, row: pb.MergeCustomerRequest(name=_customer(h, who, row), other=_customer(h, who, row))
)


@asks(_C + "TransferCustomer", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    taker = h.people["mate" if row == "other" else "other"]
    return pb.TransferCustomerRequest(name=_customer(h, who, row), owner=taker)


@asks(_C + "CreateContact", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    return pb.CreateContactRequest(contact=pb.Contact(customer=_customer(h, who, row), full_name="李雷"))


asks(_C + "GetContact", PEOPLE)(lambda h, who, row: pb.GetContactRequest(name=_contact(h, who, row)))


@asks(_C + "ListContacts", PEOPLE, _any("contacts"))
def _(h: House, who: str, row: str) -> Message:
    made: Any = h.do(_C + "GetContact", pb.GetContactRequest(name=_contact(h, who, row)))
    return pb.ListContactsRequest(filter=f'customer = "{made.customer}"')


@asks(_C + "UpdateContact", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    return pb.UpdateContactRequest(contact=pb.Contact(name=_contact(h, who, row), title="经理"))


asks(_C + "DeleteContact", PEOPLE)(lambda h, who, row: pb.DeleteContactRequest(name=_contact(h, who, row)))


@asks(_C + "UndeleteContact", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = _contact(h, who, row)
    h.do(_C + "DeleteContact", pb.DeleteContactRequest(name=name))
    return pb.UndeleteContactRequest(name=name)


@asks(_C + "ListHandOvers", PEOPLE, _any("hand_overs"))
def _(h: House, who: str, row: str) -> Message:
    _hand_over(h, who, row)
    return pb.ListHandOversRequest(filter=f'person = "{h.person(who, row)}"')


asks(_C + "GetHandOver", PEOPLE)(lambda h, who, row: pb.GetHandOverRequest(name=_hand_over(h, who, row)))


@asks(_C + "ConfirmHandOver", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    return pb.ConfirmHandOverRequest(name=_hand_over(h, who, row), owner=h.people["mate"])


@asks(_C + "BatchConfirmHandOvers", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    names = [_hand_over(h, who, row) for _ in range(2)]
    return pb.BatchConfirmHandOversRequest(names=names, owner=h.people["mate"])
