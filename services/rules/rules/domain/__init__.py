"""The pure heart of assignment: facts and a state in, a decision and the next state out; everything replayable."""

from rules.domain.assignment import decide_all, drain, is_urgent, next_wake, turn_ledger, waiting_in_order
from rules.domain.chain import GENESIS, Record, Report, next_hash, seal, verify
from rules.domain.codec import Unreadable, decode, encode
from rules.domain.entries import (
    CalendarChanged,
    Decided,
    Entry,
    LeadFacts,
    LeadWithdrawn,
    LoadChanged,
    PersonChanged,
    PolicyPublished,
    PresenceChanged,
    TurnReturned,
    cell,
)
from rules.domain.explanation import Candidate, Explanation, StepTrace, explain, why_passed_over
from rules.domain.fairness import LEAD
from rules.domain.policy import Clocks, ConditionSource, Policy, Rule, Step, default_policy, to_plain, with_version
from rules.domain.policy_form import PolicyInvalid, from_plain
from rules.domain.replay import Diverged, fold, fold_all
from rules.domain.snapshot import restore, snapshot
from rules.domain.state import State, Waiting, credits_of, initial_state, micros, moment_of

__all__ = [
    "GENESIS",
    "LEAD",
    "CalendarChanged",
    "Candidate",
    "Clocks",
    "ConditionSource",
    "Decided",
    "Diverged",
    "Entry",
    "Explanation",
    "LeadFacts",
    "LeadWithdrawn",
    "LoadChanged",
    "PersonChanged",
    "Policy",
    "PolicyInvalid",
    "PolicyPublished",
    "PresenceChanged",
    "Record",
    "Report",
    "Rule",
    "State",
    "Step",
    "StepTrace",
    "TurnReturned",
    "Unreadable",
    "Waiting",
    "cell",
    "credits_of",
    "decide_all",
    "decode",
    "default_policy",
    "drain",
    "encode",
    "explain",
    "fold",
    "fold_all",
    "from_plain",
    "initial_state",
    "is_urgent",
    "micros",
    "moment_of",
    "next_hash",
    "next_wake",
    "restore",
    "seal",
    "snapshot",
    "to_plain",
    "turn_ledger",
    "verify",
    "waiting_in_order",
    "why_passed_over",
    "with_version",
]
