"""What the protos promise in comments: each method says which errors it adds, and no reason that a service gives is
missing there or made up."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import grpc
import pytest

ROOT = Path(__file__).resolve().parents[2]
STATUSES = {code.name for code in grpc.StatusCode}
NONE = "No errors of its own"
# The functions that say no with a reason for programs (chassis.errors).
SAY_NO = {"Refused", "exhausted", "unauthenticated", "NotYet", "Unfit"}

_COMMENTED = re.compile(r"((?:^[ ]*//[^\n]*\n)*)^[ ]*(service|rpc) (\w+)", re.MULTILINE)
_CAPITALS = re.compile(r"\b[A-Z][A-Z_]{2,}\b")

PROTOS = {path.stem: path.read_text() for path in sorted(ROOT.glob("proto/dealwright/*/v1/*.proto"))}
SERVICES = sorted(path.name for path in (ROOT / "services").iterdir() if path.name in PROTOS)


def comments(proto: str) -> dict[str, str]:
    """ "rpc GetLead" or "service LeadService" -> the comment above it as one line."""
    return {
        f"{kind} {name}": " ".join(text.replace("//", " ").split()) for text, kind, name in _COMMENTED.findall(proto)
    }


def silent(proto: str) -> list[str]:
    """The methods whose comment names no status and does not say that there is none of their own."""
    return [
        name
        for name, text in comments(proto).items()
        if name.startswith("rpc ") and NONE not in text and not STATUSES & set(_CAPITALS.findall(text))
    ]


def reasons(source: str) -> set[str]:
    """The reasons that a module's code gives when it says no, statuses left out."""
    return {reason for call in _calls(ast.parse(source)) for reason in _CAPITALS.findall(call)} - STATUSES


def _calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in SAY_NO:
            given = [*node.args, *(word.value for word in node.keywords)]
            yield from (
                str(a.value) for a in given if isinstance(a, ast.Constant) and _CAPITALS.fullmatch(str(a.value))
            )


def given_by(folder: Path) -> set[str]:
    return set().union(*(reasons(path.read_text()) for path in folder.rglob("*.py")))


def unnamed(proto: str, given: set[str]) -> set[str]:
    return given - set(_CAPITALS.findall(" ".join(comments(proto).values())))


def invented(proto: str, given: set[str]) -> set[str]:
    """Reasons in the comments that nobody gives; those of one word are hard to tell from other capitals."""
    told = {word for text in comments(proto).values() for word in _CAPITALS.findall(text) if "_" in word}
    return told - given - STATUSES


# RATE_LIMITED is what chassis.errors.exhausted says unless told otherwise.
EVERYWHERE = given_by(ROOT / "chassis/chassis") | {"RATE_LIMITED"}
# Reasons that come from the services behind a method.
FROM_OTHERS: Mapping[str, set[str]] = {"gateway": {"LAST_ADMINISTRATOR"}}


@pytest.mark.parametrize("proto", PROTOS)
def test_each_rpc_names_an_error_or_says_that_it_has_none_of_its_own(proto: str) -> None:
    assert silent(PROTOS[proto]) == []


@pytest.mark.parametrize("service", SERVICES)
def test_each_reason_that_a_service_gives_stands_in_its_proto_and_no_other(service: str) -> None:
    given = given_by(ROOT / "services" / service / service)
    protos = "\n".join(path.read_text() for path in sorted(ROOT.glob(f"proto/dealwright/{service}/v1/*.proto")))
    assert unnamed(protos, given) == set()
    assert invented(protos, given | EVERYWHERE | FROM_OTHERS.get(service, set())) == set()


SOUND = """
// About things.
// Errors common to all methods: NOT_FOUND.
service ThingService {
  // One thing. FAILED_PRECONDITION IN_USE.
  rpc DeleteThing(A) returns (B) {
"""


def test_planted_a_method_that_names_no_error_is_found() -> None:
    assert silent(SOUND) == []
    assert silent(SOUND.replace("FAILED_PRECONDITION IN_USE", "In order of creation")) == ["rpc DeleteThing"]
    assert silent(SOUND.replace("  // One thing. FAILED_PRECONDITION IN_USE.\n", "")) == ["rpc DeleteThing"]
    assert silent(SOUND.replace("FAILED_PRECONDITION IN_USE", NONE)) == []


def test_planted_a_reason_that_is_missing_or_made_up_is_found() -> None:
    code = 'def f():\n    raise Refused("IN_USE", "It is in use.", "使用中", code="FAILED_PRECONDITION")\n'
    assert reasons(code) == {"IN_USE"}
    assert unnamed(SOUND, reasons(code)) == set()
    assert unnamed(SOUND, reasons(code.replace("IN_USE", "AWAY"))) == {"AWAY"}
    assert invented(SOUND, reasons(code)) == set()
    assert invented(SOUND, set()) == {"IN_USE"}
