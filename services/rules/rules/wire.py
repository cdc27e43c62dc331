"""Between messages and the domain. Ids lose their collection on the way in and get it back on the way out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from google.protobuf import json_format, struct_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import calendar as working
from chassis.expressions import ConditionSet, contains_any
from chassis.expressions import compile as compile_expression
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events
from dealwright.leads.v1 import events_pb2 as lead_events
from dealwright.leads.v1 import leads_pb2
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules.domain import (
    LEAD,
    CalendarChanged,
    Decided,
    Explanation,
    LeadFacts,
    PersonChanged,
    Policy,
    PresenceChanged,
    cell,
    micros,
    moment_of,
    to_plain,
)
from rules.domain.entries import Condition
from rules.domain.ownership import Clock

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
COMPANY_CALENDAR = "company"


def bare(name: str) -> str:
    """ "leads/x" -> "x"."""
    return name.rsplit("/", 1)[-1]


def lead_name(lead: str) -> str:
    return f"leads/{lead}"


def person_name(person: str) -> str:
    return f"people/{person}" if person else ""


# --- events in --------------------------------------------------------------------------------------------------


def person_changed(event: directory_events.PersonChanged, at: datetime) -> PersonChanged:
    person = event.person
    capacity = person.capacity
    return PersonChanged(
        person=bare(person.name),
        version=event.version,
        role=person.role,
        state=directory_pb2.Person.State.Name(person.state or directory_pb2.Person.ACTIVE),
        team=bare(person.team),
        manager=bare(person.manager),
        region=person.region,
        skills=tuple(sorted(person.skills)),
        industries=tuple(sorted(person.industries)),
        seniority=person.seniority or "junior",
        weight=1000 * (person.weight or 1),
        open_limit=capacity.open if capacity.HasField("open") else None,
        day_limit=capacity.per_day if capacity.HasField("per_day") else None,
        cell=cell(person.location.latitude, person.location.longitude) if person.HasField("location") else None,
        calendar=bare(person.calendar) or COMPANY_CALENDAR,
        at=micros(at),
    )


def presence_of(event: directory_events.PersonChanged, at: datetime) -> PresenceChanged | None:
    person = event.person
    if not person.presence:
        return None
    return PresenceChanged(
        bare(person.name), event.version, directory_pb2.Person.Presence.Name(person.presence), micros(at)
    )


def presence_changed(event: directory_events.PresenceChanged, at: datetime) -> PresenceChanged:
    name = directory_pb2.Person.Presence.Name(event.presence or directory_pb2.Person.OFFLINE)
    return PresenceChanged(bare(event.person), event.version, name, micros(at))


def calendar_changed(event: directory_events.CalendarChanged, zone: str, at: datetime) -> CalendarChanged:
    calendar = event.calendar
    always = event.deleted or not calendar.spans
    if always:
        hours = working.always_open(calendar.time_zone or zone)
    else:
        weekly: dict[str, list[str]] = {}
        for span in calendar.spans:
            weekly.setdefault(working.WEEKDAYS[span.weekday - 1], []).append(f"{span.start}-{span.end}")
        hours = working.from_plain(
            {
                "timeZone": calendar.time_zone or zone,
                "weekly": weekly,
                "offDays": list(calendar.off_days),
                "workDays": list(calendar.work_days),
            }
        )
    return CalendarChanged(bare(calendar.name), event.version, hours, micros(at))


# --- facts ------------------------------------------------------------------------------------------------------

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
                    "returning": bool(event.previous_owner),
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


# --- events out -------------------------------------------------------------------------------------------------


def decided(seq: int, decision: Decided, respond_by: datetime | None) -> events_pb2.LeadAssignmentDecided:
    event = events_pb2.LeadAssignmentDecided(
        lead=lead_name(decision.facts.lead),
        owner=person_name(decision.owner),
        owner_version=decision.facts.owner_version,
        decision=seq,
        policy_hash=decision.policy_hash,
        step=decision.step,
        reason=decision.reason,
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


# --- answers ----------------------------------------------------------------------------------------------------


def struct(plain: Any) -> struct_pb2.Struct:
    found = struct_pb2.Struct()
    json_format.ParseDict(plain, found)
    return found


def plain(value: struct_pb2.Struct) -> dict[str, Any]:
    """A Struct as plain data; whole numbers as int, since JSON knows only one kind."""
    found: dict[str, Any] = json_format.MessageToDict(value)
    whole = _whole(found)
    assert isinstance(whole, dict)
    return whole


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {k: _whole(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return value


def policy_content(policy: Policy) -> dict[str, Any]:
    """The policy as people write it: persons by their resource names."""
    content = to_plain(policy)
    for step in content["steps"]:
        for rule in step.get("rules", ()):
            rule["people"] = [person_name(p) for p in rule["people"]]
        if step.get("to") not in (None, "queue", "manager"):
            step["to"] = person_name(step["to"])
    return content


def without_collections(content: Any) -> Any:
    """What people wrote, persons by their bare ids; whatever is not as it should be is left for the check to name."""
    if not isinstance(content, dict) or not isinstance(content.get("steps"), list):
        return content
    return {**content, "steps": [_bare_step(step) for step in content["steps"]]}


def _bare_step(step: Any) -> Any:
    if not isinstance(step, dict):
        return step
    found = dict(step)
    if isinstance(found.get("to"), str):
        found["to"] = found["to"].removeprefix("people/")
    if isinstance(found.get("rules"), list):
        found["rules"] = [_bare_rule(rule) for rule in found["rules"]]
    return found


def _bare_rule(rule: Any) -> Any:
    if not isinstance(rule, dict) or not isinstance(rule.get("people"), list):
        return rule
    return {**rule, "people": [p.removeprefix("people/") if isinstance(p, str) else p for p in rule["people"]]}


def policy_message(policy: Policy, published: datetime | None) -> rules_pb2.Policy:
    message = rules_pb2.Policy(
        name=f"policies/{policy.id}",
        content=struct(policy_content(policy)),
        version=policy.version,
        hash=policy.hash(),
        etag=f"{policy.version}",
    )
    if published is not None:
        message.publish_time.FromDatetime(published)
    return message


_DETAILS = {
    "LEFT": "has left / 已离职",
    "NOT_RECEIVING": "takes no leads / 不接收线索",
    "EXCLUDED": "had it before / 曾经跟进过",
    "OFFLINE": "is offline / 离线",
    "AWAY": "is away / 暂离",
    "OFF_SHIFT": "is off shift / 非工作时间",
    "FULL_OPEN": "holds as many open leads as allowed / 在手线索已满",
    "FULL_DAY": "has had the day's number / 今日名额已满",
    "WRONG_SKILL": "lacks a skill / 技能不符",
    "WRONG_INDUSTRY": "serves other industries / 行业不符",
    "NOT_SENIOR": "is not senior / 非资深",
    "OTHER_REGION": "serves another region / 负责其他区域",
    "TOO_FAR": "is too far away / 距离过远",
    "NOT_NEAREST": "is not the nearest / 不是最近",
    "NOT_THEIR_TURN": "was not next in turn / 未轮到",
}


def decision_message(seq: int, found: Explanation, returned: bool) -> rules_pb2.Decision:
    decision = found.decision
    seen = decision.facts
    message = rules_pb2.Decision(
        name=f"{lead_name(seen.lead)}/decisions/{seq}",
        lead=lead_name(seen.lead),
        owner=person_name(decision.owner),
        policy=rules_pb2.Decision.PolicyRef(
            id=found.policy_id, version=found.policy_version, hash=decision.policy_hash
        ),
        step=decision.step,
        entry=seq,
        reason=decision.reason,
        returned=returned,
        candidates=[
            rules_pb2.Decision.Candidate(
                person=person_name(c.person),
                outcome=rules_pb2.Decision.Candidate.Outcome.Value(c.outcome),
                reason=c.reason,
                credit=c.credit / LEAD,
                detail=_DETAILS.get(c.reason, ""),
            )
            for c in found.candidates
        ],
        ledger_before={person_name(p): c / LEAD for p, c in found.ledger_before.items()},
        ledger_after={person_name(p): c / LEAD for p, c in found.ledger_after.items()},
        steps=[rules_pb2.StepTrace(step=s.step, kind=s.kind, outcome=s.outcome) for s in found.steps],
        facts=struct(
            {
                "region": seen.region,
                "industry": seen.industry,
                "category": seen.category,
                "channel": seen.channel,
                "intent": seen.intent,
                "skills": list(seen.skills),
                "cell": list(seen.cell) if seen.cell else [],
                "urgent": decision.urgent,
                "conditions": list(seen.conditions),
                "excluded": [person_name(p) for p in seen.excluded],
                "attempt": seen.attempt,
            }
        ),
    )
    message.decide_time.FromDatetime(moment_of(decision.at))
    return message


def intent_name(intent: int) -> str:
    return leads_pb2.Lead.Intent.Name(leads_pb2.Lead.Intent.ValueType(intent)) if intent else ""


def timer_name(lead: str, kind: str) -> str:
    return f"timers/{lead}-{kind}"


def timer(lead: str, kind: str, clock: Clock, stopped: bool) -> rules_pb2.Timer:
    message = rules_pb2.Timer(
        name=timer_name(lead, kind),
        kind=rules_pb2.Timer.Kind.Value(kind),
        subject=lead_name(lead),
        cancelled=stopped,
    )
    if clock.due is not None:
        message.due_time.FromDatetime(clock.due)
    if clock.fired is not None:
        message.fire_time.FromDatetime(clock.fired)
    return message
