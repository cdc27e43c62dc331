"""One line of the matrix against the running services: what each cell came to, and what it wrote."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import jwt

from chassis import clock
from chassis.access import AUDIENCE, Principal, Tokens
from tests.security.asking import PROBES, Probe
from tests.security.house import House
from tests.security.matrix import NOTHING_CHANGED, ROLES, Expected
from tests.security.watching import Commits, Watch, differences

_LETTER = {
    "PERMISSION_DENIED": "D",
    "NOT_FOUND": "N",
    "UNAUTHENTICATED": "A",
    "FAILED_PRECONDITION": "P",
}


@dataclass(frozen=True)
class Cell:
    """What one call came to; `wrote` tells whether a write transaction committed."""

    caller: str
    row: str
    letter: str
    expected: str
    wrote: bool
    text: str = ""

    @property
    def wrong(self) -> str:
        where = f"{self.caller}/{self.row}"
        if self.letter != self.expected:
            return f"{where}: {self.expected} expected, {self.letter} found {self.text}"
        return f"{where}: {self.letter}, and yet it wrote" if self.letter in NOTHING_CHANGED and self.wrote else ""


def forged(house: House, principal: Principal) -> Mapping[str, str]:
    """Internal tokens that are none, by what is wrong with them."""
    good = house.tokens.sign(principal)
    head, body, seal = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    # Its key is the house's: what is wrong is only what the name says.
    key = house.tokens._key
    more = base64.urlsafe_b64encode(json.dumps({**claims, "peer": "gateway"}).encode()).rstrip(b"=").decode()
    past = {**claims, "exp": int(clock.now().timestamp()) - 1}
    return {
        "expired": jwt.encode(past, key, algorithm="HS256"),
        "of another key": Tokens("another key, just as long as it must be").sign(principal),
        "unsigned": jwt.encode(claims, "", algorithm="none"),
        "of another algorithm": jwt.encode(claims, key, algorithm="HS512"),
        "for another audience": jwt.encode({**claims, "aud": "another"}, key, algorithm="HS256"),
        "without audience": jwt.encode({k: v for k, v in claims.items() if k != "aud"}, key, algorithm="HS256"),
        "without end": jwt.encode({k: v for k, v in claims.items() if k != "exp"}, key, algorithm="HS256"),
        "without grants": jwt.encode({"aud": AUDIENCE, "exp": claims["exp"]}, key, algorithm="HS256"),
        "with other claims": f"{head}.{more}.{seal}",
        "cut short": good[:-4],
        "no token": "abc",
        "empty": "",
        "a session's": house.session_token,
    }


def session_of(house: House, caller: str, probe: Probe) -> Principal:
    return house.sign_in(f"{caller}1") if probe.own_session else house.principals[caller]


class Runner:
    def __init__(self, house: House, watch: Watch, commits: Commits) -> None:
        self.house = house
        self.watch = watch
        self.commits = commits

    def run(self, line: Expected) -> list[str]:
        """Everything that is wrong with a line: first all its cells that may change nothing, then the others."""
        quiet = [(c, n) for c in (*ROLES, "anonymous") for n, x in enumerate(line.cells[c]) if x in NOTHING_CHANGED]
        loud = [(c, n) for c in (*ROLES, "anonymous") for n, x in enumerate(line.cells[c]) if x not in NOTHING_CHANGED]
        asked = [(caller, number, self._ask(line, caller, number)) for caller, number in quiet]
        before = self.watch.hashes()
        cells = [self._cell(line, caller, number, request) for caller, number, request in asked]
        cells += self._forged(line)
        wrong = [f"changed {name}" for name in differences(before, self.watch.hashes())]
        for caller, number in loud:
            cells.append(self._cell(line, caller, number, self._ask(line, caller, number)))
        return [*wrong, *(cell.wrong for cell in cells if cell.wrong)]

    def _ask(self, line: Expected, caller: str, number: int) -> object:
        probe = PROBES[line.rpc]
        return probe.ask(self.house, caller if caller in ROLES else "sales", probe.rows[number])

    def _cell(self, line: Expected, caller: str, number: int, request: object, token: str | None = None) -> Cell:
        probe = PROBES[line.rpc]
        row, who = probe.rows[number], caller if caller in ROLES else "sales"
        if caller in ROLES:
            token = self.house.tokens.sign(session_of(self.house, caller, probe))
        commits, versions = self.commits.count, self.watch.versions()
        answer = self.house.call(line.rpc, request, token)  # type: ignore[arg-type]
        wrote = (self.commits.count, self.watch.versions()) != (commits, versions)
        letter = _LETTER.get(answer.code, answer.code)
        if answer.code == "OK":
            letter = probe.told(self.house, who, row, answer.message)
        return Cell(caller, row, letter, line.cells[caller][number], wrote, answer.text)

    def _forged(self, line: Expected) -> list[Cell]:
        """Nobody gets in with a token that is none, not even where no token is needed."""
        request = self._requested_once(line)
        found = []
        for what, token in forged(self.house, self.house.principals["admin"]).items():
            cell = self._cell(line, "forged", 0, request, token)
            found.append(replace(cell, caller=f"a token {what}"))
        return found

    def _requested_once(self, line: Expected) -> object:
        return self.house.methods[line.rpc].input_type._concrete_class()
