"""Between messages and the domain."""

from rules.wire.clocks import timer, timer_name
from rules.wire.decisions import decision_message
from rules.wire.directory import COMPANY_CALENDAR, calendar_changed, person_changed, presence_changed, presence_of
from rules.wire.leads import CONDITION_SCHEMA, decided, facts, intent_name
from rules.wire.names import bare, lead_name, person_name
from rules.wire.policies import people_named, plain, policy_content, policy_message, struct

__all__ = [
    "COMPANY_CALENDAR",
    "CONDITION_SCHEMA",
    "bare",
    "calendar_changed",
    "decided",
    "decision_message",
    "facts",
    "intent_name",
    "lead_name",
    "people_named",
    "person_changed",
    "person_name",
    "plain",
    "policy_content",
    "policy_message",
    "presence_changed",
    "presence_of",
    "struct",
    "timer",
    "timer_name",
]
