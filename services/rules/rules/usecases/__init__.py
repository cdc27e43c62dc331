"""What the rules service can do, each in one transaction."""

from rules.usecases.assignment import decide_owners, drain_waiting, return_turns
from rules.usecases.people import calendars_changed, loads_changed, people_changed, presence_changed
from rules.usecases.policies import plan_policy, publish_policy, seed
from rules.usecases.reading import decisions_about, ledger, ledgers, simulate, verify_journal

__all__ = [
    "calendars_changed",
    "decide_owners",
    "decisions_about",
    "drain_waiting",
    "ledger",
    "ledgers",
    "loads_changed",
    "people_changed",
    "plan_policy",
    "presence_changed",
    "publish_policy",
    "return_turns",
    "seed",
    "simulate",
    "verify_journal",
]
