"""What the gateway remembers of other services for its feed; a state event older than what is there changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.transaction import Transaction
from gateway.storage import copies

_RESPONSE = "responseMinutes"


def keep_people(tx: Transaction, told: Sequence[tuple[str, str, int]]) -> None:
    """(person, team, version) of each event; of several about one person the newest counts."""
    newest: dict[str, tuple[str, str, int]] = {}
    for person in told:
        if person[0] not in newest or person[2] >= newest[person[0]][2]:
            newest[person[0]] = person
    copies.keep_people(tx, list(newest.values()))


def keep_response_time(tx: Transaction, minutes: int, version: int) -> None:
    """The first-response time of the policy of this version, which the notice of a new lead repeats."""
    copies.keep_term(tx, _RESPONSE, minutes, version)


def response_minutes(tx: Transaction) -> int:
    """0 before the first policy was heard of."""
    return copies.term(tx, _RESPONSE)
