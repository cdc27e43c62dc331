"""The image is what the chart expects of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from tests.chart.conftest import Chart, Manifest

REPOSITORY = Path(__file__).resolve().parents[2]


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (REPOSITORY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    start = max(i for i, (word, _) in enumerate(found) if word == "FROM")
    return found[start:]


def test_U7_the_image_runs_as_the_user_that_the_chart_names(pods: dict[str, Manifest]) -> None:
    user = dict(last_stage())["USER"]
    for pod in pods.values():
        context = pod["spec"]["securityContext"]
        assert user == f"{context['runAsUser']}:{context['runAsGroup']}"


def test_U7_the_entry_point_is_the_command_itself_so_that_it_hears_the_stop(chart: Chart) -> None:
    # The shell form would put a shell at PID 1, which passes no signal on.
    assert dict(last_stage())["ENTRYPOINT"] == '["dealwright"]'
    assert "CMD" not in dict(last_stage())


def test_U7_the_image_opens_the_ports_that_the_chart_uses(pods: dict[str, Manifest]) -> None:
    exposed = {int(port) for port in dict(last_stage())["EXPOSE"].split()}
    used = {p["containerPort"] for pod in pods.values() for p in pod["spec"]["containers"][0].get("ports", [])}
    assert used == exposed


def test_U7_the_image_holds_the_bus_worker_and_nothing_for_developers() -> None:
    syncs = [rest for word, rest in instructions() if word == "RUN" and "uv sync" in rest]
    assert len(syncs) == 2
    for sync in syncs:
        assert "--no-dev" in sync
        assert "--extra cluster" in sync
    assert "--locked" in syncs[-1]
    assert "--no-editable" in syncs[-1]
    assert "/opt/uv" not in " ".join(rest for _, rest in last_stage())


def test_U7_the_builder_sees_sources_alone_and_no_local_files() -> None:
    rules = (REPOSITORY / ".dockerignore").read_text().split("\n")
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    assert rules[0] == "*"
    assert {rule for rule in rules if rule.startswith("!")} == {
        "!pyproject.toml",
        "!uv.lock",
        "!LICENSE",
        "!proto/",
        "!chassis/",
        "!services/",
        "!deploy/embedded/",
    }
    assert {"**/.env*", "**/.venv"} <= set(rules)


def test_U7_every_workspace_member_reaches_the_builder() -> None:
    pyproject = (REPOSITORY / "pyproject.toml").read_text()
    (members,) = re.findall(r"^members = (\[.*\])$", pyproject, re.MULTILINE)
    sent = {rule[1:].rstrip("/") for rule in (REPOSITORY / ".dockerignore").read_text().split() if rule[0] == "!"}
    for member in yaml.safe_load(members):
        assert member.removesuffix("/*") in sent, member
