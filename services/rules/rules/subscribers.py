"""What the rules listen to."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.bus.subscriptions import subscriber
from chassis.transaction import Transaction
from dealwright.activities.v1.events_pb2 import FollowUpChanged, FollowUpLogged, TaskChanged, TaskDone
from dealwright.contracts.v1.events_pb2 import (
    ContractExpiring,
    InvoiceIssued,
    PaymentOverdue,
    PaymentReceived,
    PaymentRefunded,
)
from dealwright.customers.v1.events_pb2 import CustomerChanged
from dealwright.directory.v1 import events_pb2 as directory_events
from dealwright.leads.v1.events_pb2 import (
    AssignmentRefused,
    LeadCaptured,
    LeadContacted,
    LeadDeleted,
    LeadDisqualified,
    LeadMoved,
    LeadQualified,
    LeadReleased,
    LeadRemoved,
    LeadUndeleted,
)
from dealwright.opportunities.v1.events_pb2 import OpportunityChanged, StageChanged
from rules import usecases
from rules.usecases import watching


@subscriber(LeadCaptured, batch=256)
def assign(tx: Transaction, events: Sequence[LeadCaptured]) -> None:
    usecases.decide_owners(tx, events)


@subscriber(AssignmentRefused, batch=256)
def return_turns(tx: Transaction, events: Sequence[AssignmentRefused]) -> None:
    usecases.return_turns(tx, events)


@subscriber(
    LeadMoved,
    LeadReleased,
    LeadQualified,
    LeadDisqualified,
    LeadContacted,
    LeadDeleted,
    LeadUndeleted,
    LeadRemoved,
    batch=256,
)
def know_owners(tx: Transaction, events: Sequence[usecases.LeadFact]) -> None:
    usecases.facts_came(tx, events)


@subscriber(directory_events.PersonChanged, batch=256)
def know_people(tx: Transaction, events: Sequence[directory_events.PersonChanged]) -> None:
    usecases.people_changed(tx, events)


@subscriber(directory_events.PresenceChanged, batch=256)
def know_presence(tx: Transaction, events: Sequence[directory_events.PresenceChanged]) -> None:
    usecases.presence_changed(tx, events)


@subscriber(directory_events.CalendarChanged, batch=64)
def know_calendars(tx: Transaction, events: Sequence[directory_events.CalendarChanged]) -> None:
    usecases.calendars_changed(tx, events)


@subscriber(OpportunityChanged, StageChanged, batch=256)
def watch_opportunities(tx: Transaction, events: Sequence[OpportunityChanged | StageChanged]) -> None:
    watching.deals_came(tx, events)


@subscriber(CustomerChanged, batch=256)
def watch_customers(tx: Transaction, events: Sequence[CustomerChanged]) -> None:
    watching.customers_came(tx, events)


@subscriber(FollowUpLogged, FollowUpChanged, batch=256)
def watch_follow_ups(tx: Transaction, events: Sequence[FollowUpLogged | FollowUpChanged]) -> None:
    watching.follow_ups_came(tx, events)


@subscriber(TaskChanged, TaskDone, batch=256)
def watch_tasks(tx: Transaction, events: Sequence[TaskChanged | TaskDone]) -> None:
    watching.tasks_came(tx, events)


@subscriber(InvoiceIssued, PaymentReceived, PaymentRefunded, batch=64)
def watch_money(tx: Transaction, events: Sequence[InvoiceIssued | PaymentReceived | PaymentRefunded]) -> None:
    watching.money_came(tx, events)


@subscriber(ContractExpiring, PaymentOverdue, batch=64)
def watch_contracts(tx: Transaction, events: Sequence[ContractExpiring | PaymentOverdue]) -> None:
    watching.contracts_came(tx, events)
