"""Dimensions of which a record may have several values: an opportunity's products.

What such a record adds is posted once, under all of its values as one; it is in each of their groups, and once in the
total.
"""

from __future__ import annotations

from collections.abc import Sequence

DIMENSIONS = frozenset(("product",))
# A character that no text of the services has.
_EDGE = "\x1f"
# Bytes: what no index of PostgreSQL's takes is not kept.
_MOST = 1_500


def joined(values: Sequence[str]) -> str:
    """One value is itself, none is "". Of more than there is room for those that are said first."""
    kept: list[str] = []
    room = _MOST
    for value in dict.fromkeys(values):
        room -= len(marked(value).encode())
        if room < 0:
            break
        kept.append(value)
    return f"{_EDGE}{_EDGE.join(sorted(kept))}{_EDGE}" if len(kept) > 1 else "".join(kept)


def parted(text: str) -> Sequence[str]:
    """The values of what was joined; [""] of none."""
    return text.strip(_EDGE).split(_EDGE)


def marked(value: str) -> str:
    """What is in the text of several, where this one is among them."""
    return f"{_EDGE}{value}{_EDGE}"
