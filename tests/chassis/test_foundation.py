"""The chassis knows no service: of the protos it reads those that are its own. import-linter cannot say so, since to
it all generated code is one foreign package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What every service needs: the envelope, the parts of a blueprint, access options and problems.
OWN = {"api", "blueprint", "bus"}
SOURCES = sorted((ROOT / "chassis" / "chassis").rglob("*.py"))


def protos(text: str) -> set[str]:
    """The packages below `dealwright` that a module names: in its imports, or in a text such as a method's name."""

    def names() -> Iterator[str]:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count(".") > 1:
                yield node.value

    split = [name.split(".") for name in names()]
    return {parts[1] for parts in split if parts[0] == "dealwright"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "chassis")))
def test_the_chassis_names_no_proto_of_a_service(source: Path) -> None:
    assert protos(source.read_text()) <= OWN


@pytest.mark.parametrize(
    "line",
    [
        "from dealwright.leads.v1 import leads_pb2",
        "from dealwright.leads import v1",
        "from dealwright import leads",
        "import dealwright.leads.v1.leads_pb2 as pb",
        "def late():\n    from dealwright.leads.v1.events_pb2 import LeadCaptured",
        "import importlib\nimportlib.import_module('dealwright.leads.v1.leads_pb2')",
        "METHOD = 'dealwright.leads.v1.LeadService.CaptureLead'",
    ],
)
def test_a_service_is_seen_however_it_is_named(line: str) -> None:
    assert protos(line) == {"leads"}


def test_the_own_protos_and_names_that_only_begin_like_one_pass() -> None:
    own = "from dealwright.bus.v1.envelope_pb2 import Envelope\nname, metric = 'dealwright.events', 'dealwright_leads'"
    assert protos(own) == {"bus"}
    assert len(SOURCES) > 40
