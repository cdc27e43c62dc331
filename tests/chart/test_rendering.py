"""The chart lints, renders, and is valid for the oldest and the newest Kubernetes it claims."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils

from embedded.catalogue import NAMES

if TYPE_CHECKING:
    from tests.chart.conftest import Chart, Manifest

NEWEST = kubernetes_validate.latest_version()
# The library reads a megabyte of definitions anew for each object.
utils.schema_contents = cache(utils.schema_contents)
# Kinds that an operator brings. Anything else without a schema is a mistake, not a warning.
WITHOUT_SCHEMA = {("monitoring.coreos.com/v1", "ServiceMonitor"), ("monitoring.coreos.com/v1", "PrometheusRule")}


def oldest(chart: Chart) -> str:
    claimed = yaml.safe_load((chart.folder / "Chart.yaml").read_text())["kubeVersion"]
    found = re.fullmatch(r">=(\d+\.\d+)\.0-0", claimed)
    assert found, claimed
    return found[1]


def problem(manifest: Manifest, version: str) -> str:
    """Why a cluster of that version would refuse this object; empty when it would not."""
    if (manifest["apiVersion"], manifest["kind"]) in WITHOUT_SCHEMA:
        return ""
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        return f"no {manifest['apiVersion']} {manifest['kind']} in Kubernetes {version}"
    except kubernetes_validate.ValidationError as error:
        return f"{manifest['kind']} {manifest['metadata']['name']}: {error.message}"
    return ""


def test_U7_helm_lint_finds_nothing_even_when_strict(chart: Chart, values: str) -> None:
    done = chart.lint(values)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout


@pytest.mark.parametrize("end", ["oldest", "newest"])
def test_U7_every_object_is_valid_for_the_oldest_and_the_newest_kubernetes(
    chart: Chart, objects: list[Manifest], end: str
) -> None:
    version = oldest(chart) if end == "oldest" else NEWEST
    assert [found for found in (problem(o, version) for o in objects) if found] == []


@pytest.mark.parametrize(
    "manifest",
    [
        {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "metadata": {"name": "gone"}},
        {"apiVersion": "apps/v1", "kind": "Deploymemt", "metadata": {"name": "misspelt"}},
        {"apiVersion": "monitoring.coreos.com/v1", "kind": "Alertmanager", "metadata": {"name": "not-listed"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "field"}, "dta": {}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "type"}, "data": {"port": 1}},
    ],
    ids=lambda manifest: str(manifest["metadata"]["name"]),
)
def test_U7_an_unknown_kind_field_or_type_is_a_failure_and_not_a_warning(manifest: dict[str, Any]) -> None:
    assert problem(manifest, NEWEST)


def test_U7_rendering_twice_gives_the_same_bytes_so_an_upgrade_without_a_change_restarts_nothing(
    chart: Chart, values: str
) -> None:
    command = ["template", "dealwright", str(chart.folder)]
    assert chart.run(command, values).stdout == chart.run(command, values).stdout != ""


def test_U7_no_two_objects_share_a_name_and_every_object_names_its_namespace(objects: list[Manifest]) -> None:
    names = [(o["kind"], o["metadata"]["name"]) for o in objects]
    assert sorted(set(names)) == sorted(names)
    assert {o["metadata"]["namespace"] for o in objects} == {"crm"}


def test_U7_names_stay_so_that_an_upgrade_replaces_and_never_duplicates(chart: Chart) -> None:
    names = sorted(o["metadata"]["name"] for o in chart.render() if o["kind"] in ("Deployment", "Service", "Job"))
    expected = [f"dealwright-{service}-migrate" for service in NAMES]
    for service in NAMES:
        expected += [f"dealwright-{service}{end}" for end in ("", "-metrics", "-serve", "-work")]
    assert names == sorted(expected)


def test_U7_selectors_hold_nothing_that_changes_with_a_version(objects: list[Manifest]) -> None:
    for deployment in (o for o in objects if o["kind"] == "Deployment"):
        selector = deployment["spec"]["selector"]["matchLabels"]
        assert set(selector) == {
            "app.kubernetes.io/name",
            "app.kubernetes.io/instance",
            "app.kubernetes.io/component",
            "dealwright/role",
        }
        assert selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_U7_two_releases_in_one_namespace_do_not_touch(chart: Chart) -> None:
    one, other = (
        {(o["kind"], o["metadata"]["name"]) for o in chart.render(release=release)} for release in ("crm", "trial")
    )
    assert one.isdisjoint(other)


def test_U7_the_longest_names_still_fit_a_dns_label(chart: Chart) -> None:
    release, service = "a-very-long-release-name-of-fifty-three-characters-xx", "service-of-20-chars-"[:19] + "x"
    objects = chart.render("minimal", f'services.{service}={{"peers":["leads"]}}', release=release)
    names = {o["metadata"]["name"] for o in objects}
    assert max(map(len, names)) <= 63
    assert len([name for name in names if service in name]) >= 5
