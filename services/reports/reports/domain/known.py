"""What others keep and tell: names, exchange rates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """What a record, or a stage ("pipelines/six-stage#quote"), is called; of a stage, which of its pipeline's way it
    is, from 1, and 0 for one that is not on it."""

    name: str
    display_name: str
    version: int
    place: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """One of `from_currency` is `rate` (a decimal's text) of `to_currency` on `date` and after it: as it is since
    `learn_time`, in microseconds since 1970."""

    name: str
    version: int
    from_currency: str
    to_currency: str
    date: str
    rate: str
    gone: bool
    learn_time: int
