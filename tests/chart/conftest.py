"""The chart as the tests see it: rendered by the real helm, parsed into plain dicts."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).resolve().parent
CHART = HERE.parents[1] / "deploy" / "helm" / "dealwright"

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """The chart and the helm that renders it. `values` are names of files under tests/chart/values."""

    helm: Path
    folder: Path = CHART

    def run(self, command: list[str], values: str, *sets: str) -> subprocess.CompletedProcess[str]:
        options = [part for each in sets for part in ("--set-json", each)]
        files = ["--values", str(HERE / "values" / f"{values}.yaml")] if values else []
        return subprocess.run(
            [str(self.helm), *command, *files, *options], capture_output=True, text=True, check=False, timeout=60
        )

    def lint(self, values: str) -> subprocess.CompletedProcess[str]:
        return self.run(["lint", "--strict", str(self.folder)], values)

    def render(self, values: str = "minimal", *sets: str, release: str = "dealwright") -> list[Manifest]:
        """Every object of an install, hooks included. `sets` are helm's --set-json assignments."""
        # Read anew each time: callers may change them. The loader in C is ten times as fast.
        text = _rendered(self, release, values, sets)
        return [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]

    def refusal(self, values: str, *sets: str) -> str:
        """What helm says when it refuses these values; fails when it accepts them."""
        done = self.run(["template", "dealwright", str(self.folder)], values, *sets)
        assert done.returncode != 0, f"accepted: {sets}"
        return done.stderr


@cache
def _rendered(chart: Chart, release: str, values: str, sets: tuple[str, ...]) -> str:
    """Once for all tests that look at these values."""
    done = chart.run(["template", release, str(chart.folder), "--namespace", "crm"], values, *sets)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def chart() -> Chart:
    found = subprocess.run(
        [sys.executable, str(HERE / "fetch_helm.py")], capture_output=True, text=True, check=False, timeout=300
    )
    assert found.returncode == 0, found.stderr
    return Chart(Path(found.stdout.strip()))


@pytest.fixture(scope="session", params=sorted(p.stem for p in (HERE / "values").glob("*.yaml")))
def values(request: pytest.FixtureRequest) -> str:
    """Each file of tests/chart/values in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def objects(chart: Chart, values: str) -> list[Manifest]:
    """Everything rendered with each values file in turn."""
    return chart.render(values)


@pytest.fixture(scope="session")
def pods(objects: list[Manifest]) -> dict[str, Manifest]:
    """Pod templates by the name of what creates them: {"dealwright-leads-serve": {"metadata":…, "spec":…}}."""
    return {o["metadata"]["name"]: o["spec"]["template"] for o in objects if o["kind"] in ("Deployment", "Job")}
