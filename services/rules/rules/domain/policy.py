"""A policy: an ordered list of steps, as data."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = ("keep_owner", "tag_urgent", "specialist", "nearest", "seniors", "roster", "fallback")
CHECKS = ("presence", "shift", "capacity", "skill")
"""What a step may leave out. That somebody works here, and has not had this lead before, is always checked."""
MATCH_FIELDS = ("channel", "intent", "industry", "category", "region")
CHANNELS = ("WEB_FORM", "TRADE_SHOW", "DOUYIN", "WECHAT", "PHONE_400", "REFERRAL", "IMPORT", "API")
INTENTS = ("HIGH", "MEDIUM", "LOW")
VALUES_OF_FACT = {"channel": CHANNELS, "intent": INTENTS}
"""Facts of which every value is known; one that is not listed would never match."""
RESERVED_STEP = "escalate"
KEYS_OF_KIND: dict[str, tuple[str, ...]] = {
    "keep_owner": ("chargesTurn",),
    "tag_urgent": ("words", "channels"),
    "specialist": ("rules", "chargesTurn"),
    "nearest": ("radius", "chargesTurn"),
    "seniors": ("industries",),
    "roster": (),
    "fallback": ("to", "chargesTurn"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """Key phrases and whom they go to: the first of `people` who may receive."""

    phrases: tuple[str, ...]
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a policy.

    `when`: a CEL condition ("" = always). `match`: fact -> allowed values. `words` and `channels`: tag_urgent.
    `rules`: specialist. `radius`: nearest, metres. `industries`: seniors. `to`: fallback, "queue", "manager" or
    a person. `charges_turn`: seniors and rosters always do; for other steps it charges the lead to the roster that
    would have dealt it. Only role `sales` receives, save where a step names people.
    """

    id: str
    kind: str
    when: str = ""
    match: tuple[tuple[str, tuple[str, ...]], ...] = ()
    checks: tuple[str, ...] = CHECKS
    charges_turn: bool = False
    words: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    radius: int = 3000
    industries: tuple[str, ...] = ()
    to: str = "queue"


@dataclass(frozen=True, slots=True)
class Clocks:
    """First response and reclaim: minutes and days, in working time or not.

    After `reassignments` timeouts the lead goes to the manager of the owner who let it lie.
    """

    response_minutes: int = 120
    response_working: bool = True
    reassignments: int = 1
    reclaim_days: int = 14
    low_intent_days: int = 3


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides. `skills`: category or industry -> skills a lead of it needs; `time_zone`: whose day it is."""

    id: str = "assignment"
    version: int = 1
    time_zone: str = "Asia/Shanghai"
    charge_manual_moves: bool = False
    skills: tuple[tuple[str, tuple[str, ...]], ...] = ()
    clocks: Clocks = Clocks()
    steps: tuple[Step, ...] = ()
    _hash: list[str] = field(default_factory=list, compare=False, repr=False)

    def conditions(self) -> tuple["ConditionSource", ...]:
        """What must be evaluated outside, in the order in which `LeadFacts.conditions` gives the values."""
        found: list[ConditionSource] = []
        for step in self.steps:
            if step.when:
                found.append(ConditionSource(f"{step.id}.when", cel=step.when))
            if step.kind == "tag_urgent":
                found.append(ConditionSource(f"{step.id}.words", phrases=step.words, channels=step.channels))
            for number, rule in enumerate(step.rules):
                found.append(ConditionSource(f"{step.id}.rules[{number}]", phrases=rule.phrases))
        return tuple(found)

    def hash(self) -> str:
        """SHA-256 of the policy's canonical bytes, version included, in hex."""
        if not self._hash:
            self._hash.append(hashlib.sha256(canonical(self)).hexdigest())
        return self._hash[0]


@dataclass(frozen=True, slots=True)
class ConditionSource:
    """A CEL expression, or phrases of which one must occur in the lead's text (and its channel be listed)."""

    name: str
    cel: str = ""
    phrases: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


def default_policy(time_zone: str = "Asia/Shanghai") -> Policy:
    """The seven steps of L13, such that they work before anything is configured."""
    return Policy(
        time_zone=time_zone,
        steps=(
            Step("keep-owner", "keep_owner", checks=("presence", "shift", "capacity")),
            Step("urgent", "tag_urgent", words=("急", "马上", "今天")),
            Step("specialist", "specialist", rules=(Rule(("高意向", "采购"), ()),)),
            Step("nearest", "nearest"),
            Step("seniors", "seniors", charges_turn=True),
            Step("roster", "roster", charges_turn=True),
            Step("fallback", "fallback"),
        ),
    )


def canonical(policy: Policy) -> bytes:
    """The bytes that are hashed: JSON, keys sorted, no spaces."""
    plain = {**to_plain(policy), "version": policy.version}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


_STEP_KEYS = {
    "when": "when",
    "checks": "checks",
    "chargesTurn": "charges_turn",
    "words": "words",
    "channels": "channels",
    "radius": "radius",
    "industries": "industries",
    "to": "to",
}
_CLOCK_KEYS = {
    "responseMinutes": "response_minutes",
    "responseWorking": "response_working",
    "reassignments": "reassignments",
    "reclaimDays": "reclaim_days",
    "lowIntentDays": "low_intent_days",
}


def to_plain(policy: Policy) -> dict[str, Any]:
    """The policy as JSON or YAML shows it, without its version.

    Every setting is spelt out, so that a journal does not change its meaning when a default does.
    """
    steps: list[dict[str, Any]] = []
    for step in policy.steps:
        plain: dict[str, Any] = {"id": step.id, "kind": step.kind}
        for key in ("when", "checks", *KEYS_OF_KIND[step.kind]):
            if key in _STEP_KEYS:
                value = getattr(step, _STEP_KEYS[key])
                plain[key] = list(value) if isinstance(value, tuple) else value
        if step.match:
            plain["match"] = {fact: list(values) for fact, values in step.match}
        if step.rules:
            plain["rules"] = [{"phrases": list(r.phrases), "people": list(r.people)} for r in step.rules]
        steps.append(plain)
    return {
        "id": policy.id,
        "timeZone": policy.time_zone,
        "chargeManualMoves": policy.charge_manual_moves,
        "skills": {name: list(needs) for name, needs in policy.skills},
        "clocks": {key: getattr(policy.clocks, name) for key, name in _CLOCK_KEYS.items()},
        "steps": steps,
    }


def with_version(policy: Policy, version: int) -> Policy:
    """The same policy as its `version`th publication."""
    return Policy(
        policy.id,
        version,
        policy.time_zone,
        policy.charge_manual_moves,
        policy.skills,
        policy.clocks,
        policy.steps,
    )


def _step(plain: Mapping[str, Any]) -> Step:
    values: dict[str, Any] = {"charges_turn": plain["kind"] in ("roster", "seniors")}
    for key, name in _STEP_KEYS.items():
        if key in plain:
            value = plain[key]
            values[name] = tuple(value) if isinstance(value, list) else value
    match = tuple((fact, tuple(values)) for fact, values in sorted(plain.get("match", {}).items()))
    rules = tuple(Rule(tuple(r["phrases"]), tuple(r["people"])) for r in plain.get("rules", ()))
    return Step(plain["id"], plain["kind"], match=match, rules=rules, **values)


def _clocks(plain: Mapping[str, Any]) -> Clocks:
    return Clocks(**{name: plain[key] for key, name in _CLOCK_KEYS.items() if key in plain})


def build(plain: Mapping[str, Any], version: int) -> Policy:
    """The policy of data already validated (or journalled: what was valid once stays readable)."""
    return Policy(
        id=plain.get("id", "assignment"),
        version=version,
        time_zone=plain.get("timeZone", "Asia/Shanghai"),
        charge_manual_moves=plain.get("chargeManualMoves", False),
        skills=tuple((str(name), tuple(needs)) for name, needs in sorted(plain.get("skills", {}).items())),
        clocks=_clocks(plain.get("clocks", {})),
        steps=tuple(_step(step) for step in plain["steps"]),
    )
