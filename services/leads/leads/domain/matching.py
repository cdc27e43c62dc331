"""Which captures are of one contact: by phone and by e-mail (I1, V6). A licence number never merges.

A phone with an extension is another key than the number alone, and than every other extension: those who sit behind one
switchboard are not one contact. Who gives the number alone is a contact of that number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from leads.domain.lead import Capture


def keys(phone: str, email: str) -> list[str]:
    """The keys under which a contact is known, the phone's first."""
    return [*((f"phone:{phone}",) if phone else ()), *((f"email:{email}",) if email else ())]


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one capture. `lead` is its lead; `other` the lead that the e-mail alone would have named, to be
    looked at by a person; `refused` where a known contact is not to be touched."""

    lead: str
    created: bool
    other: str = ""
    refused: bool = False


def match(
    captures: Sequence[Capture],
    known: Mapping[str, str],
    new_name: Callable[[int], str],
    refuse_known: Callable[[int], bool],
) -> tuple[list[Match], dict[str, str]]:
    """Takes the captures one after another, as if each came alone.

    `known` maps keys to leads; `new_name(i)` names the lead that capture i makes; `refuse_known(i)` says whether it
    is turned away when its contact is known. Returns what became of each, and every key with its lead, old and new.
    """
    leads = dict(known)
    matches: list[Match] = []
    for index, capture in enumerate(captures):
        mine = keys(capture.phone, capture.email)
        found = [lead for key in mine if (lead := leads.get(key))]
        if found and refuse_known(index):
            matches.append(Match(found[0], created=False, refused=True))
            continue
        lead = found[0] if found else new_name(index)
        for key in mine:
            leads.setdefault(key, lead)
        other = found[-1] if found and found[-1] != lead else ""
        matches.append(Match(lead, created=not found, other=other))
    return matches, leads
