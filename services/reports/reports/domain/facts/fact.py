"""What a fact is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple


class Source(NamedTuple):
    """A field of a resource, as whoever may read it reads it there."""

    resource: str
    field: str


@dataclass(frozen=True, slots=True)
class Fact:
    """`resource` is the right that shows its records, `verb` what one must be allowed to do with them. `stock`: its sum
    over all time is what there is now, and its times are since when. `hourly`: people look at it by the hour, in all
    and by channel. `held`: each record of it is one person's at a time, and he sees what it adds. `amounts_to`: what
    its amount is: "money", "seconds", or the "count" of something. `once`: each of its records counts once in a period,
    on however many days of it there was something; of its latest day the amount is 1. `borrows`: it is what somebody
    did with a lead, and counts for him for good, whoever has that since; these of its `fields` are the lead's, and told
    to those alone who may read it.
    `gathered`: it is made of others' records, of which not all who see it may see all: they are not told which events
    it comes from.

    The rest says where it comes from, as fields of its own resource and of others: "source leads.channel". Who may not
    see one of them may not see what is made of it. `fields`: what each dimension, and "amount", "seconds", are made of.
    `moment`: what tells when it happened. `defined`: what tells that it happened at all, besides that there is such a
    record."""

    id: str
    resource: str
    display_name: str
    display_name_zh: str
    fields: Mapping[str, str] = field(default_factory=dict)
    stock: bool = False
    hourly: bool = False
    verb: str = "read"
    held: bool = True
    moment: str = ""
    defined: str = ""
    amounts_to: str = "money"
    once: bool = False
    borrows: tuple[str, ...] = ()
    gathered: bool = False

    @property
    def lenders(self) -> frozenset[str]:
        """The resources whose records lend it something."""
        made_of = [*self.fields.values(), self.moment, self.defined]
        of_others = frozenset(one.resource for text in made_of for one in self.sources(text)) - {self.resource}
        return of_others | {self.resource} if self.borrows else of_others

    def sources(self, text: str) -> Sequence[Source]:
        """The fields that `moment`, `defined` or one of `fields` names."""
        return _sources(self.resource, text)


@lru_cache(maxsize=1_024)
def _sources(resource: str, text: str) -> Sequence[Source]:
    return tuple(
        Source(other, name) if name else Source(resource, other)
        for other, _, name in (word.partition(".") for word in text.split())
    )
