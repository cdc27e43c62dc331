"""How an RPC is asked for one of the rows that it is about, and how one tells that the row was told."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from tests.security.house import House
from tests.security.matrix import ALL

Ask = Callable[[House, str, str], Message]
# Given the house, the caller, the row and the answer: "Y", "O" (told in outline), "S" or "U" (in the list or not).
Told = Callable[[House, str, str, Any], str]
numbers = itertools.count(1)


@dataclass(frozen=True)
class Probe:
    """`ask(house, who, row)` makes the request; `own_session`: the call ends the session it comes with."""

    rows: tuple[str, ...]
    ask: Ask
    told: Told
    own_session: bool = False


PROBES: dict[str, Probe] = {}


def done(house: House, who: str, row: str, answer: Any) -> str:
    return "Y"


def asks(rpc: str, rows: tuple[str, ...] = ALL, told: Told = done, **more: bool) -> Callable[[Ask], Ask]:
    def keep(ask: Ask) -> Ask:
        assert rpc not in PROBES, rpc
        PROBES[rpc] = Probe(rows, ask, told, **more)
        return ask

    return keep


def listed(field: str, name_of: Callable[[House, str, str], str], key: str = "name") -> Told:
    def told(house: House, who: str, row: str, answer: Any) -> str:
        return "S" if name_of(house, who, row) in {getattr(one, key) for one in getattr(answer, field)} else "U"

    return told
