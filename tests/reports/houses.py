"""A house with a record of each kind, and others that differ from it in one field alone: of what GET of a record gives,
and of whatever event tells the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.message import Message

from chassis import clock
from dealwright.activities.v1 import activities_pb2, files_pb2
from dealwright.activities.v1.events_pb2 import CheckInChanged, FollowUpChanged, TaskChanged
from dealwright.bus.v1.envelope_pb2 import Envelope
from dealwright.contracts.v1 import contracts_pb2
from dealwright.contracts.v1.events_pb2 import ContractChanged, InstalmentChanged, InvoiceChanged, PaymentChanged
from dealwright.customers.v1 import customers_pb2
from dealwright.customers.v1.events_pb2 import CustomerChanged
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1.events_pb2 import PersonChanged
from dealwright.leads.v1 import leads_pb2
from dealwright.leads.v1.leads_pb2 import Channel
from dealwright.opportunities.v1 import opportunities_pb2
from dealwright.reports.v1 import costs_pb2
from reports.domain.cost import ChannelCost
from reports.domain.folding import News
from reports.usecases import learning
from reports.wire import cost_messages, papers, telling
from reports.wire.news import units
from tests.reports.deals import Deal
from tests.reports.desk import Desk, envelope, moment, money
from tests.reports.leads import Lead, stamp

MESSAGES: Mapping[str, type[Message]] = {
    "channelCosts": costs_pb2.ChannelCost,
    "checkIns": files_pb2.CheckIn,
    "contracts": contracts_pb2.Contract,
    "customers": customers_pb2.Customer,
    "followUps": activities_pb2.FollowUp,
    "instalments": contracts_pb2.Instalment,
    "invoices": contracts_pb2.Invoice,
    "leads": leads_pb2.Lead,
    "opportunities": opportunities_pb2.Opportunity,
    "payments": contracts_pb2.Payment,
    "people": directory_pb2.Person,
    "tasks": activities_pb2.Task,
}
"""What GET of a record of each resource gives."""

# Where an event of its own tells what GET of the record gives by another name: (event, its field).
_ALSO = {
    ("leads", "owner"): [("LeadReleased", "previous_owner")],
    ("leads", "assign_time"): [("LeadAssigned", "assign_time")],
    ("leads", "first_response_time"): [("LeadContacted", "happen_time")],
    ("leads", "status_reason"): [("LeadDisqualified", "reason"), ("LeadReleased", "reason")],
    ("opportunities", "stage"): [("StageChanged", "to_stage"), ("OpportunityOpened", "stage")],
    ("opportunities", "status"): [("StageChanged", "to_status")],
    ("opportunities", "stage_time"): [("StageChanged", "change_time")],
    ("opportunities", "happen_time"): [("StageChanged", "change_time")],
}
_DAY = re.compile(r"\d{4}-\d\d(-\d\d)?")
_SOLD = {"source": "WEB", "industry": "汽车", "customer": "customers/1", "products": ["products/1", "products/2"]}
THEN, LATER = "2026-11-15T10:00", "2026-11-21T10:00"
_TODO = activities_pb2.Task.TODO


def build(desk: Desk, resource: str = "", field: str = "", away: str = "") -> None:
    """Lets the desk hear of a house that has another value in that field of that resource's records. Costs, of which
    each hour has its part, are there where it is their field alone. `away`: customers, or leads, are Wang's by then."""
    desk.bring(*_told(resource, field, away))
    if resource == "channelCosts":
        with desk.runtime.transaction() as tx:
            learning.learn(tx, [_cost(field)])
        desk.roll()


def heard(resource: str = "", field: str = "") -> list[News]:
    """What reports gathers from all that the house tells."""
    envelopes = [envelope for _, envelope in _told(resource, field)]
    return [
        *(one for envelope in envelopes if envelope.type in telling.TOLD for one in telling.told(envelope)),
        _cost(field if resource == "channelCosts" else ""),
    ]


def _told(resource: str, field: str, away: str = "") -> list[tuple[Message, Envelope]]:
    told = []
    for number, (whose, event, when) in enumerate(_events(away)):
        if whose == resource:
            _alter(event, field, resource)
        outside = envelope(event, when)
        if whose == resource == "opportunities" and field in ("open_time", "create_time"):
            outside.time.FromDatetime(moment("2026-10-14T07:00"))  # when it was opened is told by the envelope alone
        outside.id = f"event{number:04}"
        told.append((event, outside))
    return told


def _cost(field: str) -> News:
    cost = costs_pb2.ChannelCost(channel=Channel.WEB_FORM, month="2026-11", amount=money(700))
    _alter(cost, field, "channelCosts")
    moved = clock.now()
    whose = (Channel.Name(cost.channel), cost.month, units(cost.amount), "CNY", cost.note)
    told = cost_messages.said(ChannelCost("channelCosts/1", *whose, 1, moved, moved, None), gone=False)
    return News("channelCosts/1", "state", told, "cost", papers.day("2026-11-15"))


def _events(away: str = "") -> Iterator[tuple[str, Message, str]]:
    """Each with the resource that it is of, and when it was learnt."""
    for person in ("people/li", "people/zhao"):
        who = directory_pb2.Person(
            name=person, display_name="李", team="teams/east", manager="people/boss", region="华东"
        )
        yield "people", PersonChanged(person=who, version=5), THEN
    # The one is worth what its service says, the other what it bought.
    for customer, signed in ("customers/1", 60_000), ("customers/2", 0):
        said = customers_pb2.Customer(
            name=customer,
            display_name="客户",
            industry="医疗",
            region="华北",
            owner="people/li",
            channel=Channel.REFERRAL,
            tier=customers_pb2.Customer.A,
            stage=customers_pb2.Customer.INTENT,
            signed_amount=money(signed),
            create_time=stamp(THEN),
        )
        yield "customers", CustomerChanged(customer=said, version=1), THEN
        if away == "customers":
            given = customers_pb2.Customer()
            given.CopyFrom(said)
            given.owner = "people/wang"
            yield "customers", CustomerChanged(customer=given, version=2), LATER
    for number, ends in enumerate(("contact", "qualify", "disqualify", "release")):
        lead = Lead(f"leads/{number}", "2026-11-01T09:17").assign("people/li", "2026-11-01T10:00")
        if ends == "contact":
            lead.contact("2026-11-01T11:20")
        else:
            getattr(lead, ends)("2026-11-02T10:00")
        lead.correct("2026-11-03T10:00", "华南")
        if away == "leads":
            lead.assign("people/wang", LATER)
        yield from (("leads", event, when) for event, when in lead.told)
    made = {**_SOLD, "source": "", "industry": "", "lead": "leads/0"}
    won = Deal("opportunities/won", "2026-11-02T10:00", 2000, fields=made).move("need", "2026-11-05T10:00")
    lost = Deal("opportunities/lost", "2026-11-02T11:00", 3000, fields=_SOLD).move("quote", "2026-11-06T10:00")
    still = Deal("opportunities/open", "2026-11-02T12:00", 4000, fields=_SOLD).move("need", "2026-11-07T10:00")
    bought = Deal("opportunities/bought", "2026-11-02T13:00", 20_000, fields={"customer": "customers/2"})
    told = [*won.win("2026-11-12T10:00").told, *lost.lose("2026-11-13T10:00").told, *still.told]
    told += bought.win("2026-11-12T11:00").told
    yield from (("opportunities", event, when) for event, when in told)
    yield from _doings()
    yield from _papers()


def _doings() -> Iterator[tuple[str, Message, str]]:
    mine: dict[str, Any] = {"owner": "people/li", "customer": "customers/1"}
    for number, about in enumerate(({"opportunity": "opportunities/open"}, {"lead": "leads/0"}, {})):
        follow_up = activities_pb2.FollowUp(
            **{"name": f"followUps/{number}", **mine, **about, "method": 1, "outcome": 1},
            happen_time=stamp("2026-11-08T10:00"),
            create_time=stamp("2026-11-08T12:00"),
        )
        yield "followUps", FollowUpChanged(follow_up=follow_up, version=1), THEN
    there = files_pb2.CheckIn(name="checkIns/1", happen_time=stamp("2026-11-09T10:00"), **mine)
    yield "checkIns", CheckInChanged(check_in=there, version=1), THEN
    done = activities_pb2.Task(name="tasks/1", kind=_TODO, status=activities_pb2.Task.DONE, **mine)
    done.done_time.CopyFrom(stamp("2026-11-10T10:00"))
    bare = activities_pb2.Task()
    bare.CopyFrom(done)
    bare.name = "tasks/2"
    done.due_time.CopyFrom(stamp("2026-11-04T10:00"))
    due = activities_pb2.Task(name="tasks/3", kind=_TODO, status=activities_pb2.Task.OPEN, **mine)
    due.due_time.CopyFrom(stamp("2026-11-11T10:00"))
    for task in (done, bare, due):
        yield "tasks", TaskChanged(task=task, version=1), THEN


def _papers() -> Iterator[tuple[str, Message, str]]:
    mine: dict[str, Any] = {"owner": "people/li", "customer": "customers/1"}
    for number, amount, about in (
        (1, 5000, {"customer": "customers/1", "opportunity": "opportunities/won"}),
        (2, 20_000, {"customer": "customers/2"}),
    ):
        signed = contracts_pb2.Contract(
            **{"name": f"contracts/{number}", **mine, **about, "amount": money(amount)},
            sign_date="2026-11-13",
            expiry_date="2026-12-01",
            finance_mode=contracts_pb2.Contract.ONE_OFF,
            status=contracts_pb2.Contract.SIGNED,
        )
        yield "contracts", ContractChanged(contract=signed, version=1), THEN
    due = contracts_pb2.Instalment(name="instalments/1", amount=money(900), paid=money(300), **mine)
    due.contract = "contracts/1"
    due.due_date, due.status = "2026-11-10", contracts_pb2.Instalment.OVERDUE
    yield "instalments", InstalmentChanged(instalment=due, version=1), THEN
    bill = contracts_pb2.Invoice(name="invoices/1", amount=money(800), issue_date="2026-11-10", **mine)
    yield "invoices", InvoiceChanged(invoice=bill, version=1), THEN
    for number, amount in enumerate((500, -200)):
        paid = contracts_pb2.Payment(name=f"payments/{number}", amount=money(amount), method="BANK", **mine)
        paid.pay_date = "2026-11-10"
        yield "payments", PaymentChanged(payment=paid, version=1), THEN


def _alter(message: Message, field: str, resource: str) -> None:
    """Gives the field another value wherever the event, or a message in it, has it."""
    kind = message.DESCRIPTOR
    names = [own for event, own in _ALSO.get((resource, field), ()) if event == kind.name]
    closes = kind.name == "StageChanged" and message.to_status in (2, 3)  # type: ignore[attr-defined]
    if (resource, field) == ("opportunities", "stage_time") and closes:
        names = []
    if (resource, field) == ("opportunities", "close_time") and closes:
        names = ["change_time"]
    for part in kind.fields:
        if part.name == field or part.name in names:
            _change(message, part)
        elif part.message_type is not None and part.message_type.full_name in _OURS and message.HasField(part.name):
            _alter(getattr(message, part.name), field, resource)


_OURS = {message.DESCRIPTOR.full_name for message in MESSAGES.values()}


def _change(message: Message, part: Any) -> None:
    value = getattr(message, part.name)
    if part.message_type is not None:
        name = part.message_type.full_name
        if name.endswith("Timestamp"):
            value.FromSeconds((value.seconds or 1_790_000_000) - 19 * 86_400 - 10_800)
        elif name.endswith("Money") and not part.is_repeated:
            value.CopyFrom(money(-value.units + 7))
    elif part.is_repeated:
        value.append("products/9")
    elif part.enum_type is not None:
        numbers = [one.number for one in part.enum_type.values if one.number]
        setattr(message, part.name, numbers[(numbers.index(value) + 1) % len(numbers)] if value else numbers[0])
    elif isinstance(value, bool):
        setattr(message, part.name, not value)
    elif isinstance(value, str):
        setattr(message, part.name, _other(value, part.name))
    else:
        setattr(message, part.name, value + 1)


def _other(value: str, field: str) -> str:
    if _DAY.fullmatch(value):
        return f"2026-10-0{1 + len(value) % 7}"[: len(value)]
    if field == "owner":
        return "people/zhao"
    collection = value.partition("/")[0] if "/" in value else ""
    return f"{collection}/other" if collection else f"{value}x"
