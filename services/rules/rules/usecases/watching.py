"""What others tell of opportunities, customers, follow-ups, tasks, contracts and payments: clocks start, stop and begin
anew, and what asks at once asks.

None of it touches the journal: only its state is read, for people and hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from chassis.transaction import Transaction
from dealwright.activities.v1 import events_pb2 as activity_events
from dealwright.contracts.v1 import events_pb2 as contract_events
from dealwright.customers.v1 import events_pb2 as customer_events
from dealwright.opportunities.v1 import events_pb2 as opportunity_events
from dealwright.opportunities.v1 import opportunities_pb2
from rules import storage, wire
from rules.domain import automation as kinds
from rules.domain import watching
from rules.domain.asking import Occasion
from rules.domain.watching import Watched
from rules.usecases.book import Desk, facts_of

_Opportunity = opportunities_pb2.Opportunity
_CLOSED = (_Opportunity.WON, _Opportunity.LOST)

DealEvent = opportunity_events.OpportunityChanged | opportunity_events.StageChanged
FollowUpEvent = activity_events.FollowUpLogged | activity_events.FollowUpChanged
ContractEvent = contract_events.ContractExpiring | contract_events.PaymentOverdue
TaskEvent = activity_events.TaskChanged | activity_events.TaskDone
MoneyEvent = contract_events.InvoiceIssued | contract_events.PaymentReceived | contract_events.PaymentRefunded


def deals_came(tx: Transaction, events: Sequence[DealEvent]) -> None:
    """Opportunities as they are now, and their moves."""
    desk = Desk.open(tx)
    known = storage.hold_watched(tx, [_deal(event) for event in events])
    before = dict(known)
    for event in events:
        name = _deal(event)
        if isinstance(event, opportunity_events.StageChanged):
            known[name] = _moved(desk, known[name], event)
        else:
            known[name] = _state(known[name], event.opportunity, event.version, event.deleted)
            if event.version == 1 and not event.deleted and not wire.entered_afterwards(event.opportunity):
                facts = wire.opportunity_facts(event.opportunity)
                desk.ask_at_once(kinds.OPPORTUNITY_OPENED, Occasion(name, wire.bare(name), facts))
    desk.save(of for name, of in known.items() if of != before[name])
    desk.announce()


def _deal(event: DealEvent) -> str:
    return event.opportunity if isinstance(event, opportunity_events.StageChanged) else event.opportunity.name


def _state(known: Watched, of: opportunities_pb2.Opportunity, version: int, deleted: bool) -> Watched:
    runs = wire.opportunity_runs(of, deleted)
    # Where it came from is told by its move alone.
    came_from = {key: known.facts[key] for key in ("fromStage",) if key in known.facts}
    back = known.version and version > known.version and runs and not known.runs
    after = watching.told(
        known,
        version,
        wire.bare(of.owner),
        {**wire.opportunity_facts(of), **came_from},
        runs,
        wire.moment(of.create_time),
        # No clock has run before it was entered.
        max(wire.moment(of.stage_time), wire.moment(of.create_time)),
    )
    return watching.touched(after, wire.moment(of.update_time)) if back else after


def _moved(desk: Desk, known: Watched, event: opportunity_events.StageChanged) -> Watched:
    at = wire.moment(event.change_time) if event.HasField("change_time") else desk.tx.now
    if event.HasField("state"):
        known = _state(known, event.state, event.version, deleted=False)
    held, went_on = event.to_status == _Opportunity.ON_HOLD, event.from_status == _Opportunity.ON_HOLD
    if held or went_on:
        return watching.turned(known, at, held)
    if event.HasField("state") and at < wire.moment(event.state.create_time):
        return known  # it was so when it was entered: nothing is begun because of it
    staged = known.staged
    after = watching.moved(known, at)
    if after.staged != staged or "fromStage" not in known.facts:
        after = watching.with_facts(after, {"fromStage": event.from_stage})
    if event.from_stage != event.to_stage:
        facts = {**facts_of(after, kinds.STAGE_CHANGED), **wire.stage_facts(event)}
        key = f"{wire.bare(known.name)}/{event.version or int(at.timestamp() * 1_000_000)}"
        occasion = Occasion(known.name, key, facts, version=known.version, since=at)
        desk.ask_at_once(kinds.STAGE_CHANGED, occasion)
    return after


def customers_came(tx: Transaction, events: Sequence[customer_events.CustomerChanged]) -> None:
    """Customers as they are now."""
    desk = Desk.open(tx)
    known = storage.hold_watched(tx, [event.customer.name for event in events])
    before = dict(known)
    for event in events:
        of, opened = event.customer, wire.moment(event.customer.create_time)
        known[of.name] = watching.told(
            known[of.name],
            event.version,
            wire.bare(of.owner),
            wire.customer_facts(of),
            not event.deleted,
            opened,
            opened,
        )
    desk.save(of for name, of in known.items() if of != before[name])


def follow_ups_came(tx: Transaction, events: Sequence[FollowUpEvent]) -> None:
    """Follow-ups begin the clocks of their opportunity and customer anew, from when they were."""
    desk = Desk.open(tx)
    # The first version is what was logged.
    news = [e for e in events if isinstance(e, activity_events.FollowUpLogged) or e.version > 1]
    known = storage.hold_watched(tx, [name for event in news for name in _touched_by(event)])
    before = dict(known)
    for event in news:
        of = event.follow_up
        logged = isinstance(event, activity_events.FollowUpLogged)
        if isinstance(event, activity_events.FollowUpChanged) and event.deleted:
            known[of.record] = watching.withdrawn(known[of.record], of.name)
            continue
        version = 1 if isinstance(event, activity_events.FollowUpLogged) else event.version
        follow_up = wire.follow_up(of, version)
        at = min(follow_up.at, tx.now)  # nothing has happened that is yet to come
        for name in (of.opportunity, of.customer):
            if name:
                known[name] = watching.touched(known[name], at)
        known[of.record] = watching.followed_up(known[of.record], follow_up)
        if logged:
            facts = {**facts_of(known[of.record], kinds.FOLLOW_UP_LOGGED), **follow_up.facts}
            occasion = Occasion(of.record, wire.bare(of.name), facts, since=at)
            desk.ask_at_once(kinds.FOLLOW_UP_LOGGED, occasion)
    desk.save(of for name, of in known.items() if of != before[name])
    desk.announce()


def _touched_by(event: FollowUpEvent) -> Iterable[str]:
    of = event.follow_up
    return (name for name in {of.record, of.opportunity, of.customer} if name)


def tasks_came(tx: Transaction, events: Sequence[TaskEvent]) -> None:
    """Tasks and service tickets: when there is one, when it is done, and by their clocks (C26)."""
    desk = Desk.open(tx)
    changed = [event for event in events if isinstance(event, activity_events.TaskChanged)]
    known = storage.hold_watched(tx, [event.task.name for event in changed])
    before = dict(known)
    for event in events:
        of, facts = event.task, wire.task_facts(event.task)
        if isinstance(event, activity_events.TaskDone):
            desk.ask_at_once(kinds.TASK_DONE, Occasion(of.name, f"{wire.bare(of.name)}/{of.etag}", facts))
            continue
        runs, opened = wire.task_runs(of, event.deleted), wire.moment(of.create_time)
        owner = wire.bare(of.owner)
        known[of.name] = watching.told(known[of.name], event.version, owner, facts, runs, opened, opened)
        if event.version == 1 and runs:
            desk.ask_at_once(kinds.TASK_OPENED, Occasion(of.name, wire.bare(of.name), facts))
    desk.save(of for name, of in known.items() if of != before[name])
    desk.announce()


def money_came(tx: Transaction, events: Sequence[MoneyEvent]) -> None:
    """Invoices and payments, of which a finance system may be told (K8)."""
    desk = Desk.open(tx)
    for event in events:
        if isinstance(event, contract_events.InvoiceIssued):
            on, name, facts = kinds.INVOICE_ISSUED, event.invoice.name, wire.invoice_facts(event)
        else:
            refund = isinstance(event, contract_events.PaymentRefunded)
            on = kinds.PAYMENT_REFUNDED if refund else kinds.PAYMENT_RECEIVED
            name, facts = event.payment.name, wire.payment_facts(event)
        desk.ask_at_once(on, Occasion(name, wire.bare(name), facts))
    desk.announce()


def contracts_came(tx: Transaction, events: Sequence[ContractEvent]) -> None:
    """`contracts` says itself when one expires and when a payment is late; we say who is told."""
    desk = Desk.open(tx)
    today = _today(desk, tx.now)
    for event in events:
        if isinstance(event, contract_events.ContractExpiring):
            name, facts = event.contract.name, wire.contract_facts(event)
            key = f"{wire.bare(name)}/{event.contract.expiry_date}/{event.days}"
            desk.ask_at_once(kinds.CONTRACT_EXPIRING, Occasion(name, key, facts, days=event.days))
        else:
            name, facts = event.instalment.name, wire.instalment_facts(event)
            late = (date.fromisoformat(today) - date.fromisoformat(facts["dueDate"] or today)).days
            # Once a day at most, however often it is told.
            desk.ask_at_once(kinds.INSTALMENT_DUE, Occasion(name, f"{wire.bare(name)}/{today}", facts, days=late))
    desk.announce()


def _today(desk: Desk, now: datetime) -> str:
    return now.astimezone(UTC).astimezone(ZoneInfo(desk.state.policy.time_zone)).date().isoformat()
