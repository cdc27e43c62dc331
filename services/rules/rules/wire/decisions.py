"""Decisions as people read them."""

from __future__ import annotations

from dealwright.rules.v1 import rules_pb2
from rules.domain.explanation import Explanation
from rules.domain.fairness import LEAD
from rules.domain.state import moment_of
from rules.wire.names import lead_name, person_name
from rules.wire.policies import struct

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
        reason=decision.why,
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
