"""A state as bytes, so that a process starts from the last snapshot instead of the first entry.

A snapshot is a convenience, never the truth: `verify` from the first entry is what proves it.
"""

import hashlib
import json
from typing import Any, TypeVar

from rules.domain.codec import Unreadable, decode, encode
from rules.domain.entries import CalendarChanged, Decided, Entry, PersonChanged, PolicyPublished, PresenceChanged
from rules.domain.fairness import Ledger
from rules.domain.state import State, Waiting

_FORMAT = "state2"
E = TypeVar("E")


def snapshot(state: State) -> bytes:
    """The state's canonical bytes: equal states give equal bytes."""
    ledgers = {
        key: [
            dict(sorted(ledger.credits.items())),
            ledger.people,
            ledger.weights,
            ledger.taken,
            ledger.turns,
            ledger.epoch,
            ledger.at_par,
            ledger.period,
            ledger.without,
        ]
        for key, ledger in state.ledgers.items()
    }
    plain = [
        _FORMAT,
        state.seq,
        state.last,
        _text(PolicyPublished(state.policy, 0)),
        {key: _text(person) for key, person in state.people.items()},
        {key: _text(presence) for key, presence in state.presence.items()},
        {key: _text(calendar) for key, calendar in state.calendars.items()},
        dict(state.load),
        ledgers,
        {key: [_text(_as_decided(w)), w.reason, w.urgent, w.since] for key, w in state.waiting.items()},
    ]
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def restore(data: bytes) -> State:
    """The state of these bytes. Raises Unreadable."""
    try:
        kind, seq, last, policy, people, presence, calendars, load, ledgers, waiting = json.loads(data)
        if kind != _FORMAT:
            raise Unreadable(f"unknown snapshot format {kind!r}")
        return State(
            seq,
            _entry(policy, PolicyPublished).policy,
            {key: _entry(text, PersonChanged) for key, text in people.items()},
            {key: _entry(text, PresenceChanged) for key, text in presence.items()},
            {key: _entry(text, CalendarChanged) for key, text in calendars.items()},
            {key: (counts[0], counts[1], counts[2]) for key, counts in load.items()},
            {key: _ledger(*fields) for key, fields in ledgers.items()},
            {key: Waiting(_entry(text, Decided).facts, *rest) for key, (text, *rest) in waiting.items()},
            last,
        )
    except Unreadable:
        raise
    except Exception as error:  # whatever broke, the bytes are no snapshot
        raise Unreadable(str(error) or type(error).__name__) from error


def digest(head: bytes, data: bytes) -> bytes:
    """What is kept beside a snapshot, so that damage shows: SHA-256 over its entry's hash and its bytes."""
    return hashlib.sha256(head + data).digest()


def _text(entry: Entry) -> str:
    return encode(entry).decode()


def _as_decided(waiting: Waiting) -> Decided:
    return Decided(waiting.facts, "", "", "", "", "", 0, False, 0)


def _entry(text: str, kind: type[E]) -> E:
    entry = decode(text.encode())
    if not isinstance(entry, kind):
        raise Unreadable(f"{type(entry).__name__} where a {kind.__name__} belongs")
    return entry


def _ledger(credits: dict[str, int], people: list[str], weights: list[int], *more: Any) -> Ledger:
    ledger = Ledger(credits, tuple(people), tuple(weights), *more)
    ledger.without = tuple(ledger.without)
    return ledger
