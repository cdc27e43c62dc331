"""How each kind of record is folded and posted: `fold(state, learnt)` takes news in any order and any number of times,
`postings(state)` says what the record adds to the figures, `links(state)` who tells more of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from reports.domain.posting import Posting, shape


class News(NamedTuple):
    """One thing that an event tells of a record: `what` is the kind of news, `values` what is said. `time` is when it
    was learnt, in microseconds; `event` the id of the event."""

    record: str
    what: str
    values: Mapping[str, Any]
    event: str = ""
    time: int = 0


Part = tuple[str, tuple[str | int, ...]]
"""What a record counts for with another: that one's name, and what with. For its customer, a won deal is
("customers/a", ("deal", "opportunities/b", "people/c", 1764000000000000, 500000))."""


def _no_links(state: Any) -> tuple[str, str, str]:
    return "", "", ""


def _no_parts(name: str, state: Any) -> Sequence[Part]:
    return ()


@dataclass(frozen=True)
class Folding:
    """`plain` and `read` turn the state into plain data and back. `tells(state)` is what the records that name it as
    their customer, their lead (of an instalment its contract) or their rate want to know of it; they hear it as news
    called `customer`, `lead`, `contract` or `rate` with those values. `links` are those names, that of the rate with
    the day of which it is wanted ("rates/EUR/2026-11-05"). `holder` is whose the record is now, of one that was deleted
    whose it was.

    `parts(name, state)` is the other way: what a record of this name counts for with others. They hear of each that is
    new or not so any more, as news called `part` with {"part": ..., "count": 1 or -1}, once."""

    new: Any
    fold: Callable[[Any, News], Any]
    postings: Callable[[Any], Sequence[Posting]]
    plain: Callable[[Any], Any]
    read: Callable[[Any], Any]
    links: Callable[[Any], tuple[str, str, str]] = _no_links
    tells: Callable[[Any], Mapping[str, Any]] = lambda state: {}
    parts: Callable[[str, Any], Sequence[Part]] = _no_parts
    holder: Callable[[Any], str] = lambda state: ""

    @property
    def alone(self) -> bool:
        """Whether such a record neither belongs to others nor counts for them."""
        return self.links is _no_links and self.parts is _no_parts


def plainly(value: Any) -> Any:
    """A frozen dataclass as the list of its fields' values, all the way down. What `dataclasses.astuple` does, at a
    tenth of its cost: it copies each text, and every event of a record writes the whole of what is known of it."""
    kind: Any = type(value)
    if kind is tuple or kind is list:
        return [plainly(one) for one in value]
    if kind in _PLAIN:
        return value
    return [one if type(one) in _PLAIN else plainly(one) for one in shape(kind)[0](value)]


_PLAIN = frozenset({str, int, bool, float, type(None), dict})


class Kept(Protocol):
    """What is known of a record whose state is told."""

    @property
    def version(self) -> int: ...
    @property
    def deleted(self) -> bool: ...


def newer(values: Mapping[str, Any], known: Kept) -> bool:
    """Whether a state is news. One that is gone for good (an import was undone) is told at the version it had."""
    return (int(values["version"]), bool(values["deleted"])) > (known.version, known.deleted)
