"""What other services tell the rules of opportunities, customers, follow-ups, contracts and payments, in tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.message import Message
from google.type.money_pb2 import Money

from chassis.access import Grant, Principal, Scope
from dealwright.activities.v1 import activities_pb2
from dealwright.activities.v1 import events_pb2 as activity_events
from dealwright.contracts.v1 import contracts_pb2
from dealwright.contracts.v1 import events_pb2 as contract_events
from dealwright.customers.v1 import customers_pb2
from dealwright.customers.v1 import events_pb2 as customer_events
from dealwright.opportunities.v1 import events_pb2 as opportunity_events
from dealwright.opportunities.v1 import opportunities_pb2
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules import subscribers
from rules.usecases import automations, firing, reading
from tests.rules.house import House

Opportunity = opportunities_pb2.Opportunity
OPEN, WON, LOST, ON_HOLD = Opportunity.OPEN, Opportunity.WON, Opportunity.LOST, Opportunity.ON_HOLD
IMPORTANT = Opportunity.IMPORTANT

_HANDLERS: dict[type[Message], Any] = {
    opportunity_events.OpportunityChanged: subscribers.watch_opportunities,
    opportunity_events.StageChanged: subscribers.watch_opportunities,
    customer_events.CustomerChanged: subscribers.watch_customers,
    activity_events.FollowUpLogged: subscribers.watch_follow_ups,
    activity_events.FollowUpChanged: subscribers.watch_follow_ups,
    contract_events.ContractExpiring: subscribers.watch_contracts,
    contract_events.PaymentOverdue: subscribers.watch_contracts,
    activity_events.TaskChanged: subscribers.watch_tasks,
    activity_events.TaskDone: subscribers.watch_tasks,
    contract_events.InvoiceIssued: subscribers.watch_money,
    contract_events.PaymentReceived: subscribers.watch_money,
    contract_events.PaymentRefunded: subscribers.watch_money,
}


def principal(person: str, scope: Scope, *teams: str, **scopes: Scope) -> Principal:
    """Somebody with this scope on everything that matters here, or on one thing with another."""
    every = dict.fromkeys(("policies", "leads", "opportunities", "customers", "tasks"), scope)
    grants = {name: Grant(of, of, of, of) for name, of in {**every, **scopes}.items()}
    return Principal(f"people/{person}", "admin", teams[0] if teams else "", teams, grants)


ADMIN = principal("admin", Scope.ALL)


def opportunity(number: int) -> str:
    return f"opportunities/{number:032x}"


def customer(number: int) -> str:
    return f"customers/{number:032x}"


class Deal:
    """One opportunity as its service would tell of it; each change is told at once."""

    def __init__(self, deals: Deals, number: int, **fields: Any) -> None:
        self.deals = deals
        self.version = 0
        state = Opportunity(
            name=opportunity(number),
            number=f"CRM-20261123-{number:04}",
            title=f"仓储系统{number}",
            pipeline="pipelines/six-stage",
            stage="first-visit",
            status=OPEN,
            importance=Opportunity.NORMAL,
            owner="people/li",
        )
        state.MergeFrom(Opportunity(**fields))
        for stamp in (state.create_time, state.stage_time):
            stamp.FromDatetime(deals.house.now)
        self.state = state
        if not state.HasField("open_time"):
            self.deals.tell(self.changed())

    @property
    def name(self) -> str:
        return self.state.name

    def changed(self, deleted: bool = False, **fields: Any) -> opportunity_events.OpportunityChanged:
        """The next version of it, which is not told yet."""
        self.version += 1
        for key, value in fields.items():
            setattr(self.state, key, value)
        self.state.update_time.FromDatetime(self.deals.house.now)
        event = opportunity_events.OpportunityChanged(version=self.version, deleted=deleted)
        event.opportunity.CopyFrom(self.state)
        return event

    def change(self, deleted: bool = False, **fields: Any) -> None:
        self.deals.tell(self.changed(deleted, **fields))

    def moved(self, stage: str = "", status: int = OPEN, reason: str = "") -> list[Message]:
        """What a move announces, which is not told yet."""
        before = Opportunity()
        before.CopyFrom(self.state)
        self.state.stage, self.state.status = stage or self.state.stage, status  # type: ignore[assignment]
        if before.stage != self.state.stage:
            self.state.stage_time.FromDatetime(self.deals.house.now)
        changed = self.changed()
        move = opportunity_events.StageChanged(
            opportunity=self.name,
            from_stage=before.stage,
            to_stage=self.state.stage,
            from_status=before.status,
            to_status=self.state.status,
            owner=self.state.owner,
            reason=reason,
            version=self.version,
        )
        move.state.CopyFrom(self.state)
        move.change_time.FromDatetime(self.deals.house.now)
        return [changed, move]

    def move(self, stage: str = "", status: int = OPEN) -> None:
        self.deals.tell(*self.moved(stage, status))

    def hold(self) -> None:
        self.move(status=ON_HOLD)

    def resume(self) -> None:
        self.move(status=OPEN)


class Deals:
    """The house, as it watches deals."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._numbers = 0

    def tell(self, *events: Message) -> None:
        """Hands these events, all of one subscriber, over in one transaction."""
        with self.house.transaction() as tx:
            _HANDLERS[type(events[0])](tx, list(events))

    def staff(self) -> None:
        """Li and his manager, a colleague of his team, somebody in finance."""
        self.house.hire("boss", role="manager")
        self.house.hire("li", "wu", manager="people/boss", team="teams/east")
        self.house.hire("fin", role="finance")

    def open(self, number: int = 1, **fields: Any) -> Deal:
        return Deal(self, number, **fields)

    def entered(self, number: int, opened: timedelta, moved: timedelta, stage: str) -> Deal:
        """One that was opened and moved so long ago, and is entered now."""
        fields: dict[str, Any] = {"stage": stage, "open_time": self.house.now - opened}
        deal = Deal(self, number, **fields)
        deal.state.stage_time.FromDatetime(self.house.now - moved)
        move = opportunity_events.StageChanged(
            opportunity=deal.name,
            from_stage="first-visit",
            to_stage=stage,
            from_status=OPEN,
            to_status=OPEN,
            version=1,
            state=deal.state,
        )
        move.change_time.FromDatetime(self.house.now - moved)
        self.tell(deal.changed(), move)
        return deal

    def customer(self, number: int = 1, version: int = 1, **fields: Any) -> None:
        of = customers_pb2.Customer(
            **{"name": customer(number), "display_name": f"华东物流{number}", "owner": "people/li", **fields}
        )
        of.create_time.FromDatetime(self.house.now)
        self.tell(customer_events.CustomerChanged(customer=of, version=version))

    def logged(
        self, record: str, at: datetime | None = None, next_time: datetime | None = None, **fields: Any
    ) -> activity_events.FollowUpLogged:
        self._numbers += 1
        name = f"followUps/{self._numbers:032x}"
        of = activities_pb2.FollowUp(**{"name": name, "record": record, "owner": "people/li", **fields})
        kind = record.partition("/")[0]
        if kind in ("opportunities", "customers"):
            setattr(of, {"opportunities": "opportunity", "customers": "customer"}[kind], record)
        of.happen_time.FromDatetime(at or self.house.now)
        if next_time is not None:
            of.next_time.FromDatetime(next_time)
        return activity_events.FollowUpLogged(follow_up=of)

    def follow_up(self, record: str, at: datetime | None = None, **fields: Any) -> activity_events.FollowUpLogged:
        event = self.logged(record, at, **fields)
        self.tell(event)
        return event

    def expiring(self, days: int = 30, number: int = 1) -> None:
        of = contracts_pb2.Contract(
            name=f"contracts/{number:032x}",
            number=f"C-20261123-{number:04}",
            title="年度框架",
            owner="people/li",
            team="teams/east",
            customer=customer(1),
            expiry_date="2026-12-23",
            amount=Money(currency_code="CNY", units=600_000),
        )
        self.tell(contract_events.ContractExpiring(contract=of, days=days))

    def overdue(self, number: int = 1) -> None:
        of = contracts_pb2.Instalment(
            name=f"instalments/{number:032x}",
            contract=f"contracts/{number:032x}",
            customer=customer(1),
            title="首付款",
            owner="people/li",
            due_date="2026-11-20",
            amount=Money(currency_code="CNY", units=100_000),
        )
        self.tell(contract_events.PaymentOverdue(instalment=of))

    # --- loops and what came of it ---

    def fire(self, rounds: int = 50) -> list[events_pb2.ActionRequested]:
        """What the clocks that are due now, and the daily looks, ask for."""
        self.house.announced()
        for _ in range(rounds):
            with self.house.transaction() as tx:
                more = firing.automations_due(tx)
            if not more:
                return self.asked()
        raise AssertionError("there is always more")

    def asked(self) -> list[events_pb2.ActionRequested]:
        """What was asked for since the last look."""
        return self.house.announced(events_pb2.ActionRequested)

    def pass_days(self, days: float) -> list[str]:
        """What fires when so much time has passed, as "automation:ACTION:person"."""
        self.house.now += timedelta(days=days)
        return brief(self.fire())

    def apply(self, document: Sequence[dict[str, Any]], who: Principal | None = None) -> int:
        with self.house.transaction(who or ADMIN) as tx:
            return automations.apply(tx, list(document))

    def document(self) -> list[dict[str, Any]]:
        with self.house.reading() as tx:
            return automations.document(tx)[0]

    def timers(self, name: str, who: Principal) -> list[rules_pb2.Timer]:
        with self.house.reading(who) as tx:
            return reading.timers_of(tx, name)


def brief(asked: Sequence[events_pb2.ActionRequested]) -> list[str]:
    return [f"{e.automation}:{e.action}:{e.person.removeprefix('people/')}".rstrip(":") for e in asked]
