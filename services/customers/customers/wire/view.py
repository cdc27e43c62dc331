"""The sides of a customer that other services keep: what each is asked, and the whole as an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from customers.domain.customer import Contact, Customer
from customers.wire import messages
from dealwright.activities.v1 import activities_pb2, files_pb2
from dealwright.contracts.v1 import contracts_pb2, quotes_pb2
from dealwright.customers.v1 import view_pb2
from dealwright.opportunities.v1 import opportunities_pb2

DEFAULT_SIZE, MOST = 50, 200


@dataclass(frozen=True)
class Side:
    """`request(names, size)` asks for the newest of a customer who goes by these names; `field` of the answer has
    them."""

    name: str
    service: str
    path: str
    request: Callable[[list[str], int], Message]
    answer: Any
    field: str


@dataclass(frozen=True)
class Answer:
    """What a side said; `state` a CustomerView.Part.State."""

    state: int
    found: Sequence[Message] = ()


def _of(names: list[str]) -> str:
    return " OR ".join(f'customer = "{name}"' for name in names)


def _side(name: str, proto: Any, service: str, method: str, order: str = "create_time desc") -> Side:
    """A list of the service whose rows have a column `customer`."""
    owner = proto.DESCRIPTOR.package.split(".")[1]
    request, answer = getattr(proto, f"{method}Request"), getattr(proto, f"{method}Response")
    return Side(
        name,
        owner,
        f"/{proto.DESCRIPTOR.package}.{service}/{method}",
        lambda names, size: request(filter=_of(names), page_size=size, order_by=order),
        answer,
        name,
    )


SIDES = (
    Side(
        "timeline",
        "activities",
        "/dealwright.activities.v1.ActivityService/ListTimeline",
        # The timeline of one that was merged is part of the other's.
        lambda names, size: activities_pb2.ListTimelineRequest(record=names[0], page_size=size),
        activities_pb2.ListTimelineResponse,
        "entries",
    ),
    _side("attachments", files_pb2, "FileService", "ListAttachments"),
    _side("opportunities", opportunities_pb2, "OpportunityService", "ListOpportunities"),
    _side("quotes", quotes_pb2, "QuoteService", "ListQuotes"),
    _side("contracts", contracts_pb2, "ContractService", "ListContracts"),
    _side("payments", contracts_pb2, "ContractService", "ListPayments"),
)


def size(request: view_pb2.GetCustomerViewRequest) -> int:
    return min(max(request.page_size, 0), MOST) or DEFAULT_SIZE


def view(
    of: Customer, contacts: Sequence[Contact] | None, more: bool, sides: Mapping[str, Answer]
) -> view_pb2.CustomerView:
    """`contacts`: None where the caller may see none; `more`: there are more of them."""
    part = view_pb2.CustomerView.Part
    state = part.DENIED if contacts is None else part.MORE if more else part.COMPLETE
    made = view_pb2.CustomerView(
        customer=messages.customer(of),
        contacts=[messages.contact(one) for one in contacts or ()],
        parts=[part(name="contacts", state=state)],
    )
    for name, answer in sides.items():
        getattr(made, name).extend(answer.found)
        made.parts.add(name=name, state=answer.state)
    return made
