"""Between messages and the domain."""

from rules.wire.automations import (
    action_requested,
    automation_timer,
    automation_timer_name,
    contract_facts,
    customer_facts,
    entered_afterwards,
    follow_up,
    instalment_facts,
    invoice_facts,
    moment,
    opportunity_facts,
    opportunity_runs,
    payment_facts,
    stage_facts,
    task_facts,
    task_runs,
)
from rules.wire.clocks import timer, timer_name
from rules.wire.decisions import decision_message
from rules.wire.directory import COMPANY_CALENDAR, calendar_changed, person_changed, presence_changed, presence_of
from rules.wire.leads import CONDITION_SCHEMA, decided, facts, intent_name
from rules.wire.names import bare, lead_name, person_name
from rules.wire.policies import people_named, plain, policy_content, policy_message, struct

__all__ = [
    "COMPANY_CALENDAR",
    "CONDITION_SCHEMA",
    "action_requested",
    "automation_timer",
    "automation_timer_name",
    "bare",
    "calendar_changed",
    "contract_facts",
    "customer_facts",
    "decided",
    "decision_message",
    "entered_afterwards",
    "facts",
    "follow_up",
    "instalment_facts",
    "intent_name",
    "invoice_facts",
    "lead_name",
    "moment",
    "opportunity_facts",
    "opportunity_runs",
    "payment_facts",
    "people_named",
    "person_changed",
    "person_name",
    "plain",
    "policy_content",
    "policy_message",
    "presence_changed",
    "presence_of",
    "stage_facts",
    "struct",
    "task_facts",
    "task_runs",
    "timer",
    "timer_name",
]
