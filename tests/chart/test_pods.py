"""What every container runs as, how it is asked whether it is well, and what it may use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.chart.conftest import Chart, Manifest


def container(pod: Manifest) -> dict[str, Any]:
    """The only container of a pod; a second one would need rules of its own here."""
    assert "initContainers" not in pod["spec"]
    (only,) = pod["spec"]["containers"]
    found: dict[str, Any] = only
    return found


def role(pod: Manifest) -> str:
    found: str = pod["metadata"]["labels"]["dealwright/role"]
    return found


def component(pod: Manifest) -> str:
    found: str = pod["metadata"]["labels"]["app.kubernetes.io/component"]
    return found


def bytes_of(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Ki|Mi|Gi)", quantity).groups()  # type: ignore[union-attr]
    return int(number) << {"Ki": 10, "Mi": 20, "Gi": 30}[unit]


def cpu_of(quantity: str) -> float:
    return int(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def test_U7_every_container_meets_the_restricted_pod_security_standard(pods: dict[str, Manifest]) -> None:
    assert len(pods) >= 10
    for name, pod in pods.items():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] == 10001, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert container(pod)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        assert all("hostPort" not in port for port in container(pod).get("ports", [])), name


def test_U7_the_root_is_read_only_and_tmp_alone_is_writable_and_bounded(pods: dict[str, Manifest]) -> None:
    for name, pod in pods.items():
        files = [{"name": "files", "mountPath": "/files"}] if name.endswith("-activities-serve") else []
        assert container(pod)["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}, *files], name
        volume, *others = pod["spec"]["volumes"]
        assert [list(other) for other in others] == [["name", "persistentVolumeClaim"]] * len(files), name
        limit = container(pod)["resources"]["limits"]["ephemeral-storage"]
        assert bytes_of(volume["emptyDir"]["sizeLimit"]) < bytes_of(limit), name


def test_U7_no_pod_gets_a_token_of_the_cluster(objects: list[Manifest], pods: dict[str, Manifest]) -> None:
    accounts = {o["metadata"]["name"]: o for o in objects if o["kind"] == "ServiceAccount"}
    for name, pod in pods.items():
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        assert accounts[pod["spec"]["serviceAccountName"]]["automountServiceAccountToken"] is False, name
    assert not [o for o in objects if o["kind"] in ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")]


def test_U7_the_kubelet_adds_no_variables_under_our_prefix(pods: dict[str, Manifest]) -> None:
    # DEALWRIGHT_GATEWAY_PORT=tcp://10.0.0.1:8080 would be read as a setting.
    assert {pod["spec"]["enableServiceLinks"] for pod in pods.values()} == {False}


def test_U7_one_image_serves_every_service_and_role(pods: dict[str, Manifest]) -> None:
    assert len({container(pod)["image"] for pod in pods.values()}) == 1
    for pod in pods.values():
        assert container(pod)["args"] == [role(pod), component(pod)]
        assert "command" not in container(pod)  # the image's own entry point


def test_U7_the_image_is_named_by_digest_where_one_is_given_and_else_by_the_charts_version(chart: Chart) -> None:
    def image(values: str) -> set[str]:
        return {
            o["spec"]["template"]["spec"]["containers"][0]["image"]
            for o in chart.render(values)
            if o["kind"] == "Deployment"
        }

    assert image("minimal") == {"dealwright:0.1.0"}
    (by_digest,) = image("everything")
    assert re.fullmatch(r"registry\.example\.com/crm/dealwright@sha256:[0-9a-f]{64}", by_digest)


def test_U7_every_container_has_requests_and_limits_that_fit_each_other(pods: dict[str, Manifest]) -> None:
    for name, pod in pods.items():
        asked, most = (container(pod)["resources"][key] for key in ("requests", "limits"))
        assert set(asked) == set(most) == {"cpu", "memory", "ephemeral-storage"}, name
        assert cpu_of(asked["cpu"]) <= cpu_of(most["cpu"]), name
        for key in ("memory", "ephemeral-storage"):
            assert bytes_of(asked[key]) <= bytes_of(most[key]), name
        # A service process is held to 130 MB at rest.
        assert bytes_of(asked["memory"]) >= 128 << 20, name


def test_U7_readiness_is_asked_in_the_protocol_that_the_role_serves(pods: dict[str, Manifest]) -> None:
    for name, pod in pods.items():
        if role(pod) == "migrate":
            assert not {key for key in container(pod) if key.endswith("Probe")}, name
            continue
        probe, front = container(pod)["readinessProbe"], component(pod) == "gateway"
        asked = {key: value for key, value in probe.items() if key in ("grpc", "httpGet", "exec", "tcpSocket")}
        if role(pod) == "work":
            assert asked == {"httpGet": {"path": "/readyz", "port": "metrics"}}, name
        elif front:
            assert asked == {"httpGet": {"path": "/readyz", "port": "http"}}, name
        else:
            assert asked == {"grpc": {"port": 50051}}, name


def test_U7_a_database_that_is_away_restarts_nothing(pods: dict[str, Manifest]) -> None:
    # /healthz asks the process alone; gRPC health and /readyz also ask the parts behind it.
    for name, pod in pods.items():
        if role(pod) == "migrate":
            continue
        for probe in ("startupProbe", "livenessProbe"):
            assert container(pod)[probe]["httpGet"]["path"] == "/healthz", name
        patience = container(pod)["livenessProbe"]
        assert patience["periodSeconds"] * patience["failureThreshold"] >= 60, name


def test_U7_probes_and_services_name_ports_that_the_container_opens(
    objects: list[Manifest], pods: dict[str, Manifest]
) -> None:
    for name, pod in pods.items():
        open_ports = {port["name"]: port["containerPort"] for port in container(pod).get("ports", [])}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container(pod).get(probe, {})
            if "httpGet" in asked:
                assert asked["httpGet"]["port"] in open_ports, name
            if "grpc" in asked:
                assert asked["grpc"]["port"] in open_ports.values(), name
    for service in (o for o in objects if o["kind"] == "Service"):
        selector = service["spec"]["selector"].items()
        chosen = [p for p in pods.values() if selector <= p["metadata"]["labels"].items() and role(p) != "migrate"]
        assert chosen, service["metadata"]["name"]
        for port in service["spec"]["ports"]:
            for pod in chosen:
                assert port["targetPort"] in {p["name"] for p in container(pod)["ports"]}, service["metadata"]["name"]


@pytest.mark.parametrize(("drain", "pause"), [(20, 5), (120, 10)])
def test_U7_a_stopping_pod_has_longer_than_it_needs_to_drain(chart: Chart, drain: int, pause: int) -> None:
    objects = chart.render("minimal", f"drainSeconds={drain}", f"preStopSeconds={pause}")
    settings = next(o for o in objects if o["kind"] == "ConfigMap")["data"]
    assert settings["DEALWRIGHT_DRAIN_SECONDS"] == str(drain)
    for deployment in (o for o in objects if o["kind"] == "Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        assert spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", str(pause)]
        assert spec["terminationGracePeriodSeconds"] > drain + pause


def test_U7_a_roll_out_never_has_fewer_pods_than_before(objects: list[Manifest]) -> None:
    for deployment in (o for o in objects if o["kind"] == "Deployment"):
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_U7_replicas_spread_over_nodes_and_zones(objects: list[Manifest]) -> None:
    for deployment in (o for o in objects if o["kind"] == "Deployment"):
        spread = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert {s["topologyKey"] for s in spread} == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
        for constraint in spread:
            assert constraint["labelSelector"]["matchLabels"] == deployment["spec"]["selector"]["matchLabels"]


def test_U7_grpc_services_are_headless_so_that_calls_spread_over_pods(objects: list[Manifest]) -> None:
    for service in (o for o in objects if o["kind"] == "Service"):
        front = service["metadata"]["labels"]["app.kubernetes.io/component"] == "gateway"
        ports = {port["name"] for port in service["spec"]["ports"]}
        assert (service["spec"].get("clusterIP") == "None") is (not front or ports == {"metrics"})


def test_U7_the_front_service_never_carries_metrics_outside(chart: Chart) -> None:
    outside = [o for o in chart.render("everything") if o["kind"] == "Service" and "type" in o["spec"]]
    assert [o["metadata"]["name"] for o in outside] == ["crm-gateway"]
    assert {port["port"] for port in outside[0]["spec"]["ports"]} == {8080, 50051}


def test_U7_pods_that_take_files_share_a_volume_that_outlives_the_release(chart: Chart) -> None:
    objects = chart.render()
    (claim,) = [o for o in objects if o["kind"] == "PersistentVolumeClaim"]
    assert claim["metadata"]["name"] == "dealwright-activities-files"
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"] == {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "20Gi"}}}
    pods = {o["metadata"]["name"]: o["spec"]["template"] for o in objects if o["kind"] == "Deployment"}
    mounted = {
        name: volume["persistentVolumeClaim"]["claimName"]
        for name, pod in pods.items()
        for volume in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert mounted == {"dealwright-activities-serve": "dealwright-activities-files"}
    env = {e["name"]: e.get("value") for e in container(pods["dealwright-activities-serve"])["env"]}
    assert env["DEALWRIGHT_FILES_URL"] == "/files"


def test_U7_files_lie_in_a_claim_or_an_object_store_of_the_companys_own(chart: Chart) -> None:
    assert not [o for o in chart.render("everything") if o["kind"] == "PersistentVolumeClaim"]
    outside = (
        "services.activities.files.enabled=false",
        'services.activities.secretEnv.DEALWRIGHT_FILES_URL={"key":"files-url"}',
    )
    objects = chart.render("minimal", *outside)
    assert not [o for o in objects if o["kind"] == "PersistentVolumeClaim"]
    pod = next(
        o for o in objects if o["metadata"]["name"] == "dealwright-activities-serve" and o["kind"] == "Deployment"
    )
    env = {e["name"]: e for e in container(pod["spec"]["template"])["env"]}
    assert env["DEALWRIGHT_FILES_URL"]["valueFrom"]["secretKeyRef"]["key"] == "files-url"
    assert "keep attachments to themselves" in chart.refusal("minimal", outside[0])
