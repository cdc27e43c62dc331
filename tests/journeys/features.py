"""Writes docs/features.md: each feature of this release, the tests that cite it, and the public calls they make; and
the table of settings in the operator's guide.

    python -m tests.journeys.features      (make features)

Read from the tests' source: a call is an address ("/v1/...") that a test, or a function of these journeys that it
calls, hands to the API; the protos say which address that is. Nothing is run.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gateway.doors.addresses import Book, Match, addresses, methods
from tests.journeys import settings_table
from tests.journeys.feature_list import FEATURES as FEATURES

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
DOCUMENT = ROOT / "docs" / "features.md"

# What no call can show: proven elsewhere, through the surface it has.
ELSEWHERE = {"U7": ("tests/chart", "`make chart`: the values file, and the manifests that come of it")}
_CITED = re.compile(r"_([A-Z]\d+)(?=_)")
# What stands in an address for a name: the variable that holds it says of what kind, where the address does not.
_KINDS = {
    "lead": "leads/x",
    "deal": "opportunities/x",
    "customer": "customers/x",
    "contact": "contacts/x",
    "waiting": "handOvers/x",
    "held": "opportunities/x",
    **dict.fromkeys(("task", "whole", "credit", "ticket"), "tasks/x"),
    "visit": "followUps/x",
    "requirement": "changeRequests/x",
    "order_kept": "interactions/x",
    "quote": "quotes/x",
    "approval": "approvals/x",
    **dict.fromkeys(("contract", "signed"), "contracts/x"),
    **dict.fromkeys(("instalment", "plan"), "instalments/x"),
    "invoice": "invoices/x",
    "payment": "payments/x",
    "change": "contractChanges/x",
    **dict.fromkeys(("person", "full", "off", "gone", "leaver"), "people/x"),
    "kpi": "x",  # of reports/{kpi}
    "board": "boards/x",
}
_ANY_KIND = tuple(
    f"{kind}/x"
    for kind in (
        *("leads", "people", "forms", "opportunities", "customers", "contracts", "quotes", "approvals", "tasks"),
        *("instalments", "invoices", "payments", "contractChanges", "followUps", "attachments", "templates"),
        *("notifications", "checkIns", "changeRequests", "products", "imports"),
    )
)
_VERBS = ("get", "post", "patch", "delete")
_SIGN_IN = "POST /v1/sessions"


@dataclass(frozen=True)
class Citation:
    """A test that cites features. `calls` are like "POST /v1/leads:capture"."""

    file: str
    name: str
    features: tuple[str, ...]
    calls: frozenset[str]


@cache
def _functions() -> Mapping[str, ast.FunctionDef]:
    """Every function of the journeys by its name, every method as ".name"; not what is set up for all of them."""
    found = {}
    for file in sorted(set(HERE.glob("*.py")) - {HERE / "conftest.py"}):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = node
            elif isinstance(node, ast.ClassDef):
                found |= {f".{inner.name}": inner for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return found


@cache
def _book() -> Book:
    return Book(addresses(methods()))


def _address(verb: str, node: ast.expr) -> str | None:
    """The proto's address for a path in the source. Raises LookupError for one that is nobody's."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        path = node.value
    elif isinstance(node, ast.JoinedStr):
        path = "".join(
            str(part.value) if isinstance(part, ast.Constant) else _kind_of(part)
            for part in node.values
            if isinstance(part, ast.Constant | ast.FormattedValue)
        )
    else:
        return None
    if not path.startswith("/v1/"):
        return None
    tried = [path.partition("?")[0].replace("*", kind) for kind in _ANY_KIND]
    found = next((m for p in tried if isinstance(m := _book().find(verb, p), Match)), None)
    if found is None:
        raise LookupError(f"{verb} {path} is no address of the API")
    return f"{verb} {re.sub(r'{[^}=]*=?([^}]*)}', lambda m: m[1] or '*', found.address.template)}"


def _kind_of(part: ast.FormattedValue) -> str:
    """A name of the kind that the variable's says, "*" where it says none."""
    root: ast.expr = part.value
    while isinstance(root, ast.Subscript | ast.Attribute | ast.Call):
        root = root.func if isinstance(root, ast.Call) else root.value
    name = root.id if isinstance(root, ast.Name) else ""
    return _KINDS.get(name, "*")


def calls(function: ast.FunctionDef) -> set[str]:
    """The public calls of a function and of the journeys' functions that it names."""
    found, waiting, seen = set[str](), [function], {function.name}
    while waiting:
        made, names = _said(waiting.pop())
        found |= made
        for name in names - seen:
            seen.add(name)
            inner = _functions().get(name)
            if inner is not None and inner is not function and not name.startswith("test_"):
                waiting.append(inner)
    return found


@cache
def _said(function: ast.FunctionDef) -> tuple[frozenset[str], frozenset[str]]:
    """The public calls in its own lines, and all names there, attributes as ".name"."""
    found, names = set[str](), set[str]()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in _VERBS and node.args:
                address = _address(name.upper(), node.args[0])
                found |= {address} if address else set()
            elif name == "submit" and len(node.args) > 1 and isinstance(node.args[0], ast.Attribute):
                address = _address(node.args[0].attr.upper(), node.args[1])
                found |= {address} if address else set()
            elif name == "feed":
                found.add("GET /v1/feed")
            elif name.endswith("Request") and isinstance(node.func, ast.Attribute):
                found |= _front_door(name.removesuffix("Request"))
        elif isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(f".{node.attr}")
    return frozenset(found), frozenset(names)


def _front_door(method: str) -> set[str]:
    return {f"gRPC {method}"} if any(m.name == method for m in methods()) else set()


@cache
def citations() -> tuple[Citation, ...]:
    """The journeys that cite features, in the order of the files."""
    found = []
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                features = _CITED.findall(node.name)
                if features:
                    made = calls(node)
                    shown = made - {_SIGN_IN} or made
                    found.append(Citation(file.name, node.name, tuple(features), frozenset(shown)))
    return tuple(found)


def uncited(known: Iterable[Citation]) -> list[str]:
    """Features without a test that makes a public call."""
    cited = {feature for citation in known if citation.calls for feature in citation.features}
    return [feature for feature in FEATURES if feature not in cited and feature not in ELSEWHERE]


def document() -> str:
    lines = [
        "# Features, their tests, and the public calls these make",
        "",
        "Generated by `make features` from `tests/journeys`; a test fails when it is stale, or when a feature has no",
        "test that goes through the public API of a running house or cluster.",
        "",
        "| feature | what | test | public calls |",
        "|---|---|---|---|",
    ]
    for feature, what in FEATURES.items():
        if feature in ELSEWHERE:
            where, how = ELSEWHERE[feature]
            lines.append(f"| {feature} | {what} | [{where}](../{where}) | {how} |")
            continue
        mine = [citation for citation in citations() if feature in citation.features]
        tests = "<br>".join(f"[{c.name.replace('_', ' ')}](../tests/journeys/{c.file})" for c in mine)
        made = sorted({call for citation in mine for call in citation.calls})
        lines.append(f"| {feature} | {what} | {tests} | {'<br>'.join(f'`{call}`' for call in made)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    DOCUMENT.write_text(document(), encoding="utf-8")
    settings_table.DOCUMENT.write_text(settings_table.document(), encoding="utf-8")
    missing = uncited(citations())
    print(f"{len(FEATURES)} features, {len(citations())} tests; without one: {', '.join(missing) or 'none'}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
