"""How soon a lead wants to be followed up, by colour (L29): red within 24 h, yellow within 72 h, green long-term."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from leads.domain.lead import CLOSED, Attention, Intent, Status

_DAY = timedelta(hours=24)
# From the last activity until the next follow-up is due; low intent is nurtured without a date.
_FOLLOW_UP = {Intent.HIGH: _DAY, Intent.MEDIUM: 3 * _DAY, Intent.INTENT_UNSPECIFIED: 3 * _DAY}
_ANY_INTENT = frozenset(Intent)
_OPEN = frozenset(Status) - CLOSED


@dataclass(frozen=True)
class Case:
    """One line of the rule: the colour of leads in these statuses, of these intents, last active before `before`
    (whenever, if None)."""

    attention: Attention
    statuses: Set[Status]
    intents: Set[Intent]
    before: datetime | None = None


def rule(now: datetime) -> list[Case]:
    """The rule at a moment: the first case that fits tells the colour, a lead that fits none has none.

    Red: nobody has responded yet, or the follow-up falls due within 24 h. Yellow: within 72 h. Green: low intent.
    """
    return [
        Case(Attention.RED, frozenset({Status.WAITING, Status.UNASSIGNED, Status.ASSIGNED}), _ANY_INTENT),
        *(
            Case(Attention.RED, _OPEN, frozenset({intent}), None if wait <= _DAY else now - (wait - _DAY))
            for intent, wait in _FOLLOW_UP.items()
        ),
        Case(Attention.YELLOW, _OPEN, frozenset(_FOLLOW_UP)),
        Case(Attention.GREEN, _OPEN, frozenset({Intent.LOW})),
    ]


def attention(status: int, intent: int, last_activity: datetime, cases: list[Case]) -> Attention:
    """The colour of one lead by `rule(now)`."""
    for case in cases:
        in_time = case.before is None or last_activity <= case.before
        if status in case.statuses and intent in case.intents and in_time:
            return case.attention
    return Attention.ATTENTION_UNSPECIFIED
