"""Each database is migrated before the pods that use it change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedded.catalogue import NAMES

if TYPE_CHECKING:
    from tests.chart.conftest import Chart, Manifest

WEIGHT = "helm.sh/hook-weight"


def hooks(objects: list[Manifest]) -> list[Manifest]:
    return [o for o in objects if "helm.sh/hook" in o["metadata"].get("annotations", {})]


def test_U7_every_service_with_a_database_is_migrated_before_install_and_upgrade(objects: list[Manifest]) -> None:
    jobs = {o["metadata"]["labels"]["app.kubernetes.io/component"]: o for o in objects if o["kind"] == "Job"}
    with_database = {
        o["metadata"]["labels"]["app.kubernetes.io/component"]
        for o in objects
        if o["kind"] == "Deployment"
        and any(e["name"] == "DEALWRIGHT_DATABASE_URL" for e in o["spec"]["template"]["spec"]["containers"][0]["env"])
    }
    assert set(jobs) == with_database >= {*NAMES}
    for job in jobs.values():
        notes = job["metadata"]["annotations"]
        assert notes["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert notes["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
        assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
        assert job["spec"]["activeDeadlineSeconds"] > 0


def test_U7_a_migration_needs_nothing_that_is_installed_after_it(objects: list[Manifest]) -> None:
    earlier = {(o["kind"], o["metadata"]["name"]) for o in hooks(objects)}
    for job in (o for o in objects if o["kind"] == "Job"):
        spec = job["spec"]["template"]["spec"]
        assert ("ServiceAccount", spec["serviceAccountName"]) in earlier
        container = spec["containers"][0]
        assert "envFrom" not in container
        assert "configMapKeyRef" not in str(container)


def test_U7_the_account_and_the_policy_of_a_migration_come_before_its_job(objects: list[Manifest]) -> None:
    by_name: dict[str, dict[str, int]] = {}
    for hook in hooks(objects):
        by_name.setdefault(hook["metadata"]["name"], {})[hook["kind"]] = int(hook["metadata"]["annotations"][WEIGHT])
    assert len(by_name) >= 3
    for weights in by_name.values():
        assert weights["ServiceAccount"] < weights["Job"]
        assert weights.get("NetworkPolicy", -99) < weights["Job"]


def test_U7_a_migration_sees_its_database_its_broker_and_the_same_settings_but_no_redis(chart: Chart) -> None:
    objects = chart.render("everything")
    (settings,) = (o for o in objects if o["kind"] == "ConfigMap" and "dashboard" not in o["metadata"]["name"])
    for job in (o for o in objects if o["kind"] == "Job"):
        env = job["spec"]["template"]["spec"]["containers"][0]["env"]
        plain = {e["name"]: e["value"] for e in env if "value" in e}
        assert settings["data"].items() <= plain.items()
        names = [e["name"] for e in env]
        assert len(set(names)) == len(names)
        assert {"DEALWRIGHT_DATABASE_URL", "DEALWRIGHT_BROKER_URL"} <= set(names)
        assert "DEALWRIGHT_REDIS_URL" not in names


def test_U7_nothing_but_migrations_hooks_into_a_release(objects: list[Manifest]) -> None:
    assert {o["metadata"]["labels"]["dealwright/role"] for o in hooks(objects)} == {"migrate"}
