"""What `leads` announces as facts, and decisions as it hears them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.expressions import ConditionSet
from chassis.expressions import compile as compile_expression
from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.leads.v1 import leads_pb2
from dealwright.rules.v1 import events_pb2
from rules.domain.entries import Condition, Decided, LeadFacts, cell
from rules.domain.policy import Policy
from rules.domain.state import micros
from rules.domain.words import contains_any
from rules.wire.names import bare, lead_name, person_name

# The variables of a policy's CEL conditions.
CONDITION_SCHEMA: Mapping[str, str] = {
    "region": "string",
    "industry": "string",
    "category": "string",
    "channel": "string",
    "intent": "string",
    "company": "string",
    "text": "string",
    "tags": "list(string)",
    "skills": "list(string)",
    "returning": "bool",
}


_compiled: dict[str, tuple[list[tuple[str, Any]], ConditionSet]] = {}


def _conditions_of(policy: Policy) -> tuple[list[tuple[str, Any]], ConditionSet]:
    known = _compiled.get(policy.hash())
    if known is None:
        sources = [(c.name, c) for c in policy.conditions()]
        cel = ConditionSet([(c.name, compile_expression(c.cel, CONDITION_SCHEMA)) for _, c in sources if c.cel])
        if len(_compiled) > 32:
            _compiled.clear()
        known = _compiled[policy.hash()] = (sources, cel)
    return known


def facts(event: lead_events.LeadCaptured, policy: Policy) -> LeadFacts:
    """What a decision may see of a lead: no name, no phone, no text; the text's words only as conditions' values."""
    channel = leads_pb2.Channel.Name(event.channel) if event.channel else ""
    intent = leads_pb2.Lead.Intent.Name(event.intent) if event.intent else ""
    sources, cel = _conditions_of(policy)
    values: dict[str, Condition] = {}
    if cel.conditions:
        values.update(
            cel.evaluate(
                {
                    "region": event.region,
                    "industry": event.industry,
                    "category": event.category,
                    "channel": channel,
                    "intent": intent,
                    "company": event.company,
                    "text": event.text,
                    "tags": list(event.tags),
                    "skills": list(event.skills),
                    "returning": bool(event.previous_owner) or event.cause == "RETURNED",
                }
            )
        )
    conditions: list[Condition] = []
    for name, source in sources:
        if source.cel:
            conditions.append(values[name])
        else:
            listed = not source.channels or channel in source.channels
            conditions.append(bool(source.phrases) and listed and contains_any(event.text, source.phrases))
    missed = event.cause == "FIRST_RESPONSE_MISSED"
    excluded = tuple(bare(p) for p in event.excluded)  # in the order in which they had it
    return LeadFacts(
        lead=bare(event.lead),
        policy_version=policy.version,
        conditions=tuple(conditions),
        region=event.region,
        industry=event.industry,
        category=event.category,
        channel=channel,
        intent=intent,
        skills=tuple(sorted(event.skills)),
        cell=cell(event.location.latitude, event.location.longitude) if event.HasField("location") else None,
        owner=bare(event.previous_owner) if not missed else "",
        excluded=excluded,
        attempt=max(1, len(excluded)) if missed else 0,
        owner_version=event.owner_version,
        captured_at=event.capture_time.seconds * 1_000_000 + event.capture_time.nanos // 1000,
    )


def decided(seq: int, decision: Decided, respond_by: datetime | None) -> events_pb2.LeadAssignmentDecided:
    event = events_pb2.LeadAssignmentDecided(
        lead=lead_name(decision.facts.lead),
        owner=person_name(decision.owner),
        owner_version=decision.facts.owner_version,
        decision=seq,
        policy_hash=decision.policy_hash,
        step=decision.step,
        reason=decision.why,
        urgent=decision.urgent,
        add_tags=["urgent"] if decision.urgent else [],
    )
    _stamp(event.decide_time, decision.at)
    if respond_by is not None:
        _stamp(event.respond_by, micros(respond_by))
    return event


def _stamp(stamp: Timestamp, at: int) -> None:
    """Sets microseconds since 1970; protobuf's own way over a datetime took a fifth of a decision's time."""
    stamp.seconds, part = divmod(at, 1_000_000)
    stamp.nanos = part * 1000


def intent_name(intent: int) -> str:
    return leads_pb2.Lead.Intent.Name(leads_pb2.Lead.Intent.ValueType(intent)) if intent else ""
