"""What others announce, as facts of automations; and what automations ask for, as they announce it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from dealwright.activities.v1 import activities_pb2
from dealwright.contracts.v1 import events_pb2 as contract_events
from dealwright.customers.v1 import customers_pb2
from dealwright.opportunities.v1 import events_pb2 as opportunity_events
from dealwright.opportunities.v1 import opportunities_pb2
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules.domain.asking import Asked
from rules.domain.watching import FollowUp
from rules.wire.names import bare, person_name
from rules.wire.policies import struct

_Opportunity = opportunities_pb2.Opportunity
_FollowUp = activities_pb2.FollowUp
_Task = activities_pb2.Task
_RUNNING = (_Opportunity.OPEN, _Opportunity.ON_HOLD)


def moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)


def opportunity_facts(of: opportunities_pb2.Opportunity) -> dict[str, Any]:
    parts: dict[str, list[str]] = {}
    for one in of.collaborators:
        parts.setdefault(one.part, []).append(one.person)
    return {
        **{key: getattr(of, key) for key in ("owner", "team", "customer", "number", "title", "stage")},
        "pipeline": bare(of.pipeline),
        "importance": _Opportunity.Importance.Name(of.importance) if of.importance else "",
        "amount": whole(of.amount),
        "currency": of.amount.currency_code,
        "source": of.source,
        "industry": of.industry,
        "opportunity": of.name,
        "parts": parts,
    }


def opportunity_runs(of: opportunities_pb2.Opportunity, deleted: bool) -> bool:
    return of.status in _RUNNING and not deleted


def entered_afterwards(of: opportunities_pb2.Opportunity) -> bool:
    """Whether it was opened before it was entered."""
    return of.HasField("open_time") and moment(of.open_time) < moment(of.create_time)


def stage_facts(event: opportunity_events.StageChanged) -> dict[str, Any]:
    return {"fromStage": event.from_stage, "toStage": event.to_stage, "forced": event.forced}


def customer_facts(of: customers_pb2.Customer) -> dict[str, Any]:
    return {
        "owner": of.owner,
        "team": of.team,
        "customer": of.name,
        "number": "",
        "title": of.display_name,
        "tier": customers_pb2.Customer.Tier.Name(of.tier) if of.tier else "",
        "region": of.region,
        "industry": of.industry,
        "stage": customers_pb2.Customer.Stage.Name(of.stage) if of.stage else "",
    }


def follow_up(of: activities_pb2.FollowUp, version: int) -> FollowUp:
    facts = {
        "owner": of.next_owner or of.owner,
        "team": of.team,
        "customer": of.customer,
        "opportunity": of.opportunity,
        "outcome": _FollowUp.Outcome.Name(of.outcome) if of.outcome else "",
        "channel": _FollowUp.Method.Name(of.method) if of.method else "",
        "record": of.record.partition("/")[0],
    }
    due = moment(of.next_time) if of.HasField("next_time") else None
    return FollowUp(of.name, version, moment(of.happen_time), due, facts)


def contract_facts(event: contract_events.ContractExpiring) -> dict[str, Any]:
    of = event.contract
    return {
        **{key: getattr(of, key) for key in ("owner", "team", "customer", "number", "title", "opportunity")},
        "amount": whole(of.amount),
        "currency": of.amount.currency_code,
        "days": event.days,
    }


def instalment_facts(event: contract_events.PaymentOverdue) -> dict[str, Any]:
    of = event.instalment
    return {
        **{key: getattr(of, key) for key in ("owner", "customer", "title", "contract")},
        "amount": whole(of.amount) - whole(of.paid),
        "currency": of.amount.currency_code,
        "dueDate": of.due_date,
    }


def invoice_facts(event: contract_events.InvoiceIssued) -> dict[str, Any]:
    of = event.invoice
    return {
        **{key: getattr(of, key) for key in ("owner", "customer", "number", "title", "contract")},
        "amount": whole(of.amount),
        "currency": of.amount.currency_code,
        "issueDate": of.issue_date,
    }


def payment_facts(event: contract_events.PaymentReceived | contract_events.PaymentRefunded) -> dict[str, Any]:
    """What was paid back is an amount below zero."""
    of = event.payment
    return {
        **{key: getattr(of, key) for key in ("owner", "team", "customer", "contract", "method", "reference")},
        "amount": whole(of.amount),
        "currency": of.amount.currency_code,
        "payDate": of.pay_date,
    }


def task_facts(of: activities_pb2.Task) -> dict[str, Any]:
    """`about` is the record that it is about."""
    maker, _, rest = of.origin.partition("/")
    return {
        **{key: getattr(of, key) for key in ("owner", "team", "customer", "opportunity", "title", "part", "result")},
        "kind": _Task.Kind.Name(of.kind) if of.kind else "",
        "record": of.record.partition("/")[0],
        "about": of.record,
        "dueTime": moment(of.due_time).isoformat() if of.HasField("due_time") else "",
        "automation": rest.partition("/")[0] if maker == "automations" else "",
    }


def task_runs(of: activities_pb2.Task, deleted: bool) -> bool:
    return of.status in (_Task.OPEN, _Task.IN_PROGRESS) and not deleted


def whole(amount: Money) -> int:
    """In units of its currency, rounded down."""
    units: int = amount.units
    return units


def action_requested(asked: Asked) -> events_pb2.ActionRequested:
    return events_pb2.ActionRequested(
        subject=asked.subject,
        action=asked.action,
        person=person_name(asked.person),
        parameters=struct(dict(asked.parameters)),
        text_zh=asked.text_zh,
        text_en=asked.text_en,
        author=asked.author,
        origin=asked.origin,
        automation=asked.automation,
    )


def automation_timer(
    subject: str, automation: str, owner: str, due: datetime | None, fired: datetime | None, base: datetime | None
) -> rules_pb2.Timer:
    """The clock of an automation on this subject; without a due time it stands still."""
    moment_ = due or base
    message = rules_pb2.Timer(
        name=automation_timer_name(subject, automation, moment_),
        kind=rules_pb2.Timer.AUTOMATION,
        subject=subject,
        owner=person_name(owner),
        automation=automation,
        paused=due is None,
    )
    if due is not None:
        message.due_time.FromDatetime(due)
    if fired is not None:
        message.fire_time.FromDatetime(fired)
    return message


def automation_timer_name(subject: str, automation: str, at: datetime | None) -> str:
    micros = int(at.timestamp() * 1_000_000) if at is not None else 0
    return f"timers/{bare(subject)}-{automation}-{micros}"
