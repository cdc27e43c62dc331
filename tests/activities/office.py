"""The desk with what others tell it of their records, and with what people do about them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import clock, ids
from chassis.access import Grant, Principal, Scope
from chassis.bus import inbox
from chassis.messages import stamp
from dealwright.activities.v1 import activities_pb2 as pb
from dealwright.bus.v1.envelope_pb2 import Envelope
from dealwright.customers.v1.customers_pb2 import Contact, Customer
from dealwright.customers.v1.events_pb2 import ContactChanged, CustomerChanged
from dealwright.leads.v1.events_pb2 import LeadAssigned, LeadCaptured
from dealwright.leads.v1.leads_pb2 import WEB_FORM
from dealwright.opportunities.v1.events_pb2 import OpportunityChanged
from dealwright.opportunities.v1.opportunities_pb2 import Opportunity
from tests.activities.desk import ADMIN, LI, Desk, principal

# Of another department, with a right to what is his own alone.
FANG = principal("people/fang", "finance", Scope.OWN, "teams/finance", leads=Grant())
_numbers = itertools.count(1000)


def name(kind: str) -> str:
    return f"{kind}/{next(_numbers):032x}"


def at(moment: datetime) -> Timestamp:
    found = stamp(moment)
    assert found is not None
    return found


def ago(**span: float) -> datetime:
    return clock.now() - timedelta(**span)


def utc(moment: Timestamp) -> datetime:
    return moment.ToDatetime(UTC)


class Office(Desk):
    # --- what others tell ---

    def tell(self, *events: Message, time: datetime | None = None, actor: str = "services/test") -> list[Envelope]:
        """Delivers events to all who listen to them, each of one kind at once; their envelopes."""
        now = time or clock.now()
        envelopes = [
            Envelope(
                id=ids.new_id(),
                type=event.DESCRIPTOR.full_name,
                subject=_subject(event),
                actor=actor,
                time=at(now),
                receive_time=at(clock.now()),
                data=event.SerializeToString(),
            )
            for event in events
        ]
        self.deliver(*envelopes)
        return envelopes

    def deliver(self, *envelopes: Envelope) -> None:
        for subscription in self.runtime.service.subscribers():
            mine = [envelope for envelope in envelopes if envelope.type in subscription.types]
            if mine:
                inbox.handle(self.runtime, subscription, mine)

    def customer(self, owner: str = "people/li", of: str = "", version: int = 1, **fields: Any) -> str:
        deleted = fields.pop("deleted", False)
        known = Customer(name=of or name("customers"), owner=owner, team=self._team(owner), **fields)
        self.tell(CustomerChanged(customer=known, version=version, deleted=deleted))
        return known.name

    def contact(self, customer: str) -> str:
        known = Contact(name=name("contacts"), customer=customer)
        self.tell(ContactChanged(contact=known, version=1))
        return known.name

    def opportunity(self, owner: str = "people/li", of: str = "", version: int = 1, **fields: Any) -> str:
        known = Opportunity(name=of or name("opportunities"), owner=owner, team=self._team(owner), **fields)
        self.tell(OpportunityChanged(opportunity=known, version=version))
        return known.name

    def lead(self, owner: str = "people/li", text: str = "") -> str:
        found = name("leads")
        self.tell(LeadCaptured(lead=found, channel=WEB_FORM, text=text, capture_time=at(ago(seconds=2))))
        if owner:
            self.tell(LeadAssigned(lead=found, owner=owner, owner_version=1, assign_time=at(ago(seconds=1))))
        return found

    @staticmethod
    def _team(owner: str) -> str:
        return "teams/west" if owner == "people/wang" else "teams/east" if owner else ""

    # --- calls ---

    def log(
        self, record: str, who: Principal = LI, *, more: dict[str, Any] | None = None, **fields: Any
    ) -> pb.FollowUp:
        """Logs a follow-up; `more` is of the request itself."""
        for moment in ("happen_time", "next_time"):
            if isinstance(fields.get(moment), datetime):
                fields[moment] = at(fields[moment])
        follow_up = pb.FollowUp(record=record, **{"outcome": pb.FollowUp.PROGRESS, **fields})
        made: pb.FollowUp = self.call(
            "CreateFollowUp", pb.CreateFollowUpRequest(follow_up=follow_up, **(more or {})), who
        )
        return made

    def task(self, who: Principal = LI, **fields: Any) -> pb.Task:
        made: pb.Task = self.call("CreateTask", pb.CreateTaskRequest(task=pb.Task(**{"title": "报价", **fields})), who)
        return made

    def act(self, verb: str, of: str, who: Principal = LI, **fields: Any) -> Any:
        """A verb on a task: "Claim", "Start", "Complete", "Get", ..."""
        return self.call(f"{verb}Task", getattr(pb, f"{verb}TaskRequest")(name=of, **fields), who)

    def tasks(self, filter: str = "", who: Principal = ADMIN, **more: Any) -> list[pb.Task]:
        answer = self.call("ListTasks", pb.ListTasksRequest(filter=filter, **more), who)
        return list(answer.tasks)

    def follow_ups(self, filter: str = "", who: Principal = ADMIN, **more: Any) -> list[pb.FollowUp]:
        answer = self.call("ListFollowUps", pb.ListFollowUpsRequest(filter=filter, **more), who)
        return list(answer.follow_ups)

    def timeline(self, record: str, who: Principal = ADMIN, **more: Any) -> list[pb.TimelineEntry]:
        answer = self.call("ListTimeline", pb.ListTimelineRequest(record=record, **more), who)
        return list(answer.entries)

    def titles(self, record: str, who: Principal = ADMIN, **more: Any) -> list[str]:
        return [entry.title_zh for entry in self.timeline(record, who, **more)]

    def rows(self, table: str) -> int:
        with self.runtime.reading() as tx:
            return int(tx.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one())


def _subject(event: Any) -> str:
    first = event.DESCRIPTOR.fields[0]
    value = getattr(event, first.name)
    return str(value.name if first.message_type is not None else value)
