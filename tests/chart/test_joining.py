"""A service joins by its entry in the values, and overrides what it must."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.chart.conftest import Chart, Manifest


def of(objects: list[Manifest], service: str) -> dict[tuple[str, str], Manifest]:
    """What belongs to one service, by kind and name."""
    return {
        (o["kind"], o["metadata"]["name"]): o
        for o in objects
        if o["metadata"]["labels"].get("app.kubernetes.io/component") == service
    }


def renamed(manifest: Manifest, old: str, new: str) -> Any:
    # The settings' checksum and PEER list name every service; everything else follows the one name.
    return json.loads(json.dumps(manifest, sort_keys=True).replace(old, new))


def deployment(objects: list[Manifest], name: str) -> Manifest:
    return next(o for o in objects if o["kind"] == "Deployment" and o["metadata"]["name"] == name)


def container(objects: list[Manifest], name: str) -> dict[str, Any]:
    found: dict[str, Any] = deployment(objects, name)["spec"]["template"]["spec"]["containers"][0]
    return found


def plain(container: dict[str, Any]) -> dict[str, str]:
    return {e["name"]: e["value"] for e in container["env"] if "value" in e}


def test_U7_a_later_service_joins_by_its_entry_in_the_values_alone(chart: Chart) -> None:
    objects = chart.render("one-more-service")
    model, joined = of(objects, "rules"), of(objects, "deliveries")
    as_joined = {(kind, name.replace("rules", "deliveries")): o for (kind, name), o in model.items()}
    assert set(joined) == set(as_joined)
    for key, manifest in joined.items():
        if key[0] == "Job":  # carries the settings, in which both are named
            continue
        assert manifest == renamed(as_joined[key], "rules", "deliveries"), key
    assert len(joined) == 12


def test_U7_everybody_learns_the_address_of_a_service_that_joined(chart: Chart) -> None:
    objects = chart.render("one-more-service")
    settings = next(o for o in objects if o["kind"] == "ConfigMap")["data"]
    services = {o["metadata"]["name"] for o in objects if o["kind"] == "Service"}
    assert settings["DEALWRIGHT_PEER_DELIVERIES"] == "dealwright-deliveries:50051"
    assert {"dealwright-deliveries", "dealwright-deliveries-metrics"} <= services


def test_U7_each_peer_address_is_a_service_that_the_chart_renders(objects: list[Manifest]) -> None:
    settings = next(o for o in objects if o["kind"] == "ConfigMap" and "dashboard" not in o["metadata"]["name"])
    services = {o["metadata"]["name"]: o for o in objects if o["kind"] == "Service"}
    peers = {key: value for key, value in settings["data"].items() if key.startswith("DEALWRIGHT_PEER_")}
    assert len(peers) >= 3
    for address in peers.values():
        name, port = address.split(":")
        assert int(port) in [p["port"] for p in services[name]["spec"]["ports"]]


def test_U7_a_service_that_joined_restarts_the_others_so_that_they_learn_of_it(chart: Chart) -> None:
    def checksum(values: str) -> str:
        template = deployment(chart.render(values), "dealwright-leads-serve")["spec"]["template"]
        found: str = template["metadata"]["annotations"]["checksum/settings"]
        return found

    assert checksum("minimal") != checksum("one-more-service")


def test_U7_replicas_resources_and_environment_are_overridden_per_service_and_role(chart: Chart) -> None:
    objects = chart.render("everything")
    serve, work = container(objects, "crm-leads-serve"), container(objects, "crm-leads-work")
    assert serve["resources"]["limits"]["memory"] == "1Gi"
    assert serve["resources"]["limits"]["cpu"] == work["resources"]["limits"]["cpu"] == "2"
    own = {"DEALWRIGHT_SERVICE": "leads"}
    assert plain(serve) == own | {"DEALWRIGHT_BATCH_ROWS": "500", "DEALWRIGHT_GRPC_THREADS": "64"}
    assert plain(work) == own | {"DEALWRIGHT_BATCH_ROWS": "500"}
    assert deployment(objects, "crm-rules-serve")["spec"]["replicas"] == 3
    assert deployment(objects, "crm-rules-work")["spec"]["replicas"] == 2


def test_U7_zero_replicas_and_a_role_that_is_off_are_taken_at_their_word(chart: Chart) -> None:
    objects = chart.render("smallest")
    names = {o["metadata"]["name"] for o in objects if o["kind"] == "Deployment"}
    assert "dealwright-rules-serve" not in names
    assert deployment(objects, "dealwright-rules-work")["spec"]["replicas"] == 0
    assert deployment(objects, "dealwright-leads-work")["spec"]["replicas"] == 1


def test_U7_a_service_set_to_null_leaves_with_all_it_had_but_its_name(chart: Chart) -> None:
    objects = chart.render("minimal", "services.rules=null")
    assert of(objects, "rules") == {}
    assert len(of(objects, "leads")) == 12


def test_U7_an_autoscaled_role_leaves_its_replicas_to_the_autoscaler(chart: Chart) -> None:
    objects = chart.render("everything")
    scaled = {o["spec"]["scaleTargetRef"]["name"]: o["spec"] for o in objects if "Autoscaler" in o["kind"]}
    assert set(scaled) == {"crm-leads-serve", "crm-leads-work"}
    assert (scaled["crm-leads-serve"]["minReplicas"], scaled["crm-leads-serve"]["maxReplicas"]) == (2, 12)
    for name in scaled:
        assert "replicas" not in deployment(objects, name)["spec"]


def test_U7_every_role_has_a_disruption_budget_that_lets_a_node_be_drained(objects: list[Manifest]) -> None:
    budgets = {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "PodDisruptionBudget"}
    deployments = {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "Deployment"}
    assert set(budgets) == set(deployments)
    for name, budget in budgets.items():
        assert budget["maxUnavailable"] == 1
        assert budget["selector"] == deployments[name]["selector"]
