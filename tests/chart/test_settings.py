"""Settings reach the pods; secrets do so by reference only; wrong values are refused before anything runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from directory.usecases.settings import DirectorySettings
from gateway.settings import GatewaySettings

if TYPE_CHECKING:
    from tests.chart.conftest import Chart, Manifest

SECRET = {
    "DEALWRIGHT_TOKEN_KEY": "token-key",
    "DEALWRIGHT_DATABASE_URL": "-database-url",
    "DEALWRIGHT_BROKER_URL": "broker-url",
    "DEALWRIGHT_REDIS_URL": "redis-url",
}


def environment(pod: Manifest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pod["spec"]["containers"][0]["env"]
    return found


def test_U7_secrets_come_by_reference_and_never_stand_inline(
    objects: list[Manifest], pods: dict[str, Manifest]
) -> None:
    assert not [o for o in objects if o["kind"] == "Secret"]
    for name, pod in pods.items():
        by_name = {entry["name"]: entry for entry in environment(pod)}
        assert "DEALWRIGHT_TOKEN_KEY" in by_name, name
        for key in set(SECRET) & set(by_name):
            reference = by_name[key]["valueFrom"]["secretKeyRef"]
            assert reference["name"], name
            assert reference["key"], name
            assert "optional" not in reference, name
    text = json.dumps([o for o in objects if o["kind"] == "ConfigMap"])
    plain = ("http://collector.monitoring:4318", "https://sales.example.com", "http://127.0.0.1:8080")
    for address in plain:
        text = text.replace(address, "")
    assert "://" not in text


def test_U7_each_service_gets_its_own_database(chart: Chart) -> None:
    urls: dict[str, set[str]] = {}
    for deployment in (o for o in chart.render() if o["kind"] == "Deployment"):
        pod = deployment["spec"]["template"]
        keys = [e["valueFrom"]["secretKeyRef"]["key"] for e in environment(pod) if "DATABASE" in e["name"]]
        urls.setdefault(pod["metadata"]["labels"]["app.kubernetes.io/component"], set()).update(keys)
    assert urls == {
        "directory": {"directory-database-url"},
        "leads": {"leads-database-url"},
        "rules": {"rules-database-url"},
        "customers": {"customers-database-url"},
        "opportunities": {"opportunities-database-url"},
        "activities": {"activities-database-url"},
        "contracts": {"contracts-database-url"},
        "reports": {"reports-database-url"},
        "gateway": {"gateway-database-url"},
    }


def test_U7_a_secret_of_its_own_wins_over_the_shared_one(chart: Chart) -> None:
    pod = next(
        o
        for o in chart.render("everything")
        if o["metadata"]["name"] == "crm-directory-serve" and o["kind"] == "Deployment"
    )["spec"]["template"]
    found = {e["name"]: tuple(e["valueFrom"]["secretKeyRef"].values()) for e in environment(pod) if "valueFrom" in e}
    assert found == {
        "DEALWRIGHT_TOKEN_KEY": ("keys", "signing"),
        "DEALWRIGHT_DATABASE_URL": ("directory-postgres", "uri"),
        "DEALWRIGHT_BROKER_URL": ("rabbit", "url"),
        "DEALWRIGHT_REDIS_URL": ("shared", "redis-url"),
        "DEALWRIGHT_ADMIN_PASSWORD": ("shared", "admin-password", True),
        "DEALWRIGHT_SMTP_URL": ("mail", "url"),
    }


def test_U7_every_long_running_pod_reads_the_shared_settings(chart: Chart) -> None:
    objects = chart.render("minimal", 'companyTimeZone="Europe/Berlin"', 'otlpEndpoint="http://otel:4318"')
    (settings,) = (o for o in objects if o["kind"] == "ConfigMap")
    assert settings["data"]["DEALWRIGHT_COMPANY_TIME_ZONE"] == "Europe/Berlin"
    assert settings["data"]["DEALWRIGHT_PRODUCTION"] == "true"
    assert settings["data"]["DEALWRIGHT_HOST"] == "0.0.0.0"
    assert settings["data"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://otel:4318"
    for deployment in (o for o in objects if o["kind"] == "Deployment"):
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        assert container["envFrom"] == [{"configMapRef": {"name": settings["metadata"]["name"]}}]
        assert not {e["name"] for e in container["env"]} & set(settings["data"])


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        ((), "http://127.0.0.1:8080"),
        (("ingress.enabled=true", 'ingress.host="crm.example.com"'), "https://crm.example.com"),
        (('ingress.host="crm.example.com"',), "http://127.0.0.1:8080"),
        (
            ("ingress.enabled=true", 'ingress.host="crm.example.com"', 'publicUrl="http://sales.example.com:81/crm/"'),
            "http://sales.example.com:81/crm",
        ),
    ],
)
def test_U7_every_pod_learns_the_address_with_which_links_in_invitations_begin(
    chart: Chart, sets: tuple[str, ...], told: str
) -> None:
    objects = chart.render("minimal", *sets)
    (settings,) = (o for o in objects if o["kind"] == "ConfigMap")
    assert settings["data"]["DEALWRIGHT_PUBLIC_URL"] == told
    assert "DEALWRIGHT_TRUSTED_PROXIES" not in settings["data"]
    for job in (o for o in objects if o["kind"] == "Job"):
        env = environment(job["spec"]["template"])
        assert {"name": "DEALWRIGHT_PUBLIC_URL", "value": told} in env


def test_U7_the_services_read_from_the_settings_where_links_lead_and_which_proxies_are_believed(
    chart: Chart, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = chart.render(
        "minimal", 'trustedProxies=["10.42.0.0/16", "fd00::7"]', 'publicUrl="https://crm.example.com"'
    )
    (settings,) = (o for o in objects if o["kind"] == "ConfigMap")
    for name, value in settings["data"].items():
        monkeypatch.setenv(name, value)
    assert GatewaySettings().trusted_proxies == "10.42.0.0/16,fd00::7"
    assert DirectorySettings().public_url == "https://crm.example.com"


def test_U7_a_changed_setting_rolls_the_pods(chart: Chart) -> None:
    def templates(*sets: str) -> list[Any]:
        return [o["spec"]["template"] for o in chart.render("minimal", *sets) if o["kind"] == "Deployment"]

    for before, after in zip(templates(), templates('logLevel="debug"'), strict=True):
        assert before["metadata"]["annotations"] != after["metadata"]["annotations"]


def test_U7_without_its_secret_the_chart_refuses_and_says_which_value_is_missing(chart: Chart) -> None:
    assert "/existingSecret" in chart.refusal("")


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("replicaCount=3", "replicaCount"),
        ('image.repo="x"', "repo"),
        ("services.leads.replicas=3", "replicas"),
        ("services.leads.serve.replica=3", "replica"),
        ('services.leads.serve.replicas="three"', "replicas"),
        ("services.leads.serve.replicas=-1", "replicas"),
        ("services.leads.serve.resources.limit={}", "limit"),
        ('services.leads.serve.resources.limits.memory="1 GB"', "memory"),
        ('services.leads.database.url="postgresql://u:p@h/d"', "url"),
        ("services.Leads={}", "Leads"),
        ('services.leads.peers=["directry"]', "directry"),
        ('broker.url="amqp://u:p@h"', "url"),
        ('broker.key=""', "key"),
        ('tokenKey="secret"', "tokenKey"),
        ('services.leads.env.DEALWRIGHT_TOKEN_KEY="x"', "DEALWRIGHT_TOKEN_KEY"),
        ('services.leads.env.DEALWRIGHT_DATABASE_URL="x"', "DEALWRIGHT_DATABASE_URL"),
        ('services.leads.work.env.SMTP_PASSWORD="x"', "SMTP_PASSWORD"),
        ("services.leads.env.DEALWRIGHT_GRPC_PORT=1", "DEALWRIGHT_GRPC_PORT"),
        ('services.leads.env.lower="x"', "lower"),
        ("services.leads.secretEnv.X={}", "key"),
        ("serviceDefaults.migrate.backofLimit=1", "backofLimit"),
        ('companyTimeZone="Beijing time"', "companyTimeZone"),
        ('logLevel="loud"', "logLevel"),
        ('otlpEndpoint="collector:4318"', "otlpEndpoint"),
        ("drainSeconds=0", "drainSeconds"),
        ('publicUrl="crm.example.com"', "publicUrl"),
        ('publicUrl="https://crm.example.com/#top"', "publicUrl"),
        ('trustedProxies="10.0.0.7"', "trustedProxies"),
        ('trustedProxies=["ingress"]', "trustedProxies"),
        ('services.directory.env.DEALWRIGHT_PUBLIC_URL="x"', "DEALWRIGHT_PUBLIC_URL"),
        ('image.digest="latest"', "digest"),
        ('image.pullPolicy="Sometimes"', "pullPolicy"),
        ('frontService.type="Loadbalancer"', "type"),
        ("ingress.enabled=true", "host"),
        ("ingress.grpc.enabled=true", "host"),
        ("networkPolicy.database.to=[]", "to"),
        ("networkPolicy.clients=[{}]", "clients"),
        ("networkPolicy.broker.port=5672", "port"),
        ("monitoring.serviceMonitors.enabled=true", "serviceMonitors"),
        ('monitoring.runbooks="docs"', "runbooks"),
    ],
)
def test_U7_a_misspelt_wrong_or_inline_secret_value_is_refused_by_name(
    chart: Chart, assignment: str, told: str
) -> None:
    assert told in chart.refusal("minimal", assignment)


def test_U7_every_object_of_the_schema_refuses_unknown_keys_or_says_what_they_are(chart: Chart) -> None:
    schema = json.loads((chart.folder / "values.schema.json").read_text())
    loose: set[str] = set()

    def walk(node: Any, path: str) -> None:
        if isinstance(node, dict):
            typed = node.get("type", "")
            if "object" in typed and "additionalProperties" not in node:
                loose.add(path)
            for key, child in node.items():
                walk(child, f"{path}/{key}")

    walk(schema, "")
    service, peer = "/definitions/service/properties", "/definitions/peers/items/properties"
    assert loose == {
        "/properties/global",  # Helm's own
        "/properties/serviceDefaults",  # closed through the definition of a service
        # Kubernetes' own shapes, which its schemas check in the rendered objects:
        f"{service}/affinity",
        f"{service}/tolerations/items",
        f"{service}/egress/items",
        f"{peer}/namespaceSelector",
        f"{peer}/podSelector",
    }


def test_U7_every_value_is_in_the_schema_and_every_key_of_the_schema_has_a_default(chart: Chart) -> None:
    schema = json.loads((chart.folder / "values.schema.json").read_text())
    defaults = yaml.safe_load((chart.folder / "values.yaml").read_text())
    service = schema["definitions"]["service"]["properties"]
    assert set(schema["properties"]) - {"global"} == set(defaults)
    assert set(service) == set(defaults["serviceDefaults"])
    for role in ("serve", "work"):
        assert set(schema["definitions"]["role"]["properties"]) == set(defaults["serviceDefaults"][role])
