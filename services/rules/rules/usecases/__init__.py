"""What the rules service can do, each in one transaction."""

from rules.usecases.assignment import decide_owners, drain_waiting
from rules.usecases.ownerships import LeadFact, facts_came, return_turns
from rules.usecases.people import calendars_changed, people_changed, presence_changed
from rules.usecases.policies import plan_policy, publish_policy, seed
from rules.usecases.reading import decisions_about, ledger, ledgers, timers_of
from rules.usecases.simulation import simulate
from rules.usecases.verification import verify_journal

__all__ = [
    "LeadFact",
    "calendars_changed",
    "decide_owners",
    "decisions_about",
    "drain_waiting",
    "facts_came",
    "ledger",
    "ledgers",
    "people_changed",
    "plan_policy",
    "presence_changed",
    "publish_policy",
    "return_turns",
    "seed",
    "simulate",
    "timers_of",
    "verify_journal",
]
