"""Alerts and dashboards speak of metrics that exist, and each alert has a page that says what to do."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prometheus_client import REGISTRY

import chassis.telemetry  # noqa: F401  (defines the metrics)
import gateway.doors.rest  # noqa: F401  (defines those of the gateway)
from tests.programs import program

if TYPE_CHECKING:
    from tests.chart.conftest import Chart, Manifest

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SAMPLES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "gauge": ("",)}


@pytest.fixture(scope="module")
def promtool() -> str:
    return program("promtool", "prometheus")


def alerts(chart: Chart) -> list[dict[str, Any]]:
    groups = yaml.safe_load((chart.folder / "alerts" / "dealwright.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels(chart: Chart) -> list[dict[str, Any]]:
    files = sorted((chart.folder / "dashboards").glob("*.json"))
    assert files
    return [panel for file in files for panel in json.loads(file.read_text())["panels"]]


def queries(chart: Chart) -> list[str]:
    return [target["expr"] for panel in panels(chart) for target in panel["targets"]]


def names(expression: str) -> set[str]:
    return set(re.findall(r"\b(dealwright_\w+|up)\b(?=[\s{)\[])", re.sub(r'"[^"]*"', '""', expression)))


def exported() -> set[str]:
    """The series that a service's processes really offer, read from the definitions they use."""
    families = [f for f in REGISTRY.collect() if f.name.startswith("dealwright_")]
    return {f.name + end for f in families for end in SAMPLES[f.type]}


def rendered(objects: list[Manifest], kind: str) -> list[Manifest]:
    return [o for o in objects if o["kind"] == kind]


def test_U7_every_alert_has_a_severity_two_languages_and_a_runbook_that_exists(chart: Chart) -> None:
    assert len(alerts(chart)) >= 7
    for alert in alerts(chart):
        assert alert["labels"]["severity"] in ("critical", "warning")
        assert re.search(r"[\u4e00-\u9fff]", alert["annotations"]["summary_zh"])
        assert not re.search(r"[\u4e00-\u9fff]", alert["annotations"]["summary"])
        page = REPOSITORY / alert["annotations"]["runbook_url"]
        assert page.stem == alert["alert"]
        assert page.read_text(encoding="utf-8").startswith(f"# {alert['alert']}\n")


def test_U7_every_runbook_belongs_to_an_alert_and_links_to_pages_that_exist(chart: Chart) -> None:
    pages = {page.stem: page for page in (REPOSITORY / "docs" / "operations").glob("Dealwright*.md")}
    assert set(pages) == {alert["alert"] for alert in alerts(chart)}
    for page in pages.values():
        for link in re.findall(r"\]\((\w+\.md)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_U7_alerts_and_dashboards_ask_only_for_metrics_that_services_export(chart: Chart) -> None:
    asked = [alert["expr"] for alert in alerts(chart)] + queries(chart)
    for expression in asked:
        assert names(expression), expression
        assert names(expression) <= exported() | {"up"}, expression
    # And they leave none of those out that tell of trouble.
    signs = {"outbox_depth", "outbox_age_seconds", "inbox_lag_seconds", "parked_events", "rpc_seconds_bucket"}
    signs |= {"queue_messages", "queue_held_seconds", "handled_events_total", "audit_unsealed_seconds"}
    seen = {"failing_events", "denied_total", "http_seconds_count", "http_seconds_bucket"}
    for places, wanted in (([a["expr"] for a in alerts(chart)], signs), (queries(chart), signs | seen)):
        assert set().union(*map(names, places)) >= {f"dealwright_{sign}" for sign in wanted}


def test_U7_alerts_and_dashboards_use_only_labels_that_exist(chart: Chart) -> None:
    from_scrape = {"component", "role", "job", "le"}
    ours = {"service", "method", "code", "queue", "of", "right"}
    for expression in [alert["expr"] for alert in alerts(chart)] + queries(chart):
        grouped = {part.strip() for by in re.findall(r"by \(([^)]*)\)", expression) for part in by.split(",")}
        matched = set(re.findall(r"(\w+)=~?\"", expression))
        assert grouped | matched <= from_scrape | ours, expression


def test_U7_every_panel_has_a_title_a_unit_a_query_and_room_of_its_own(chart: Chart) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels(chart):
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_U7_monitoring_is_off_until_it_is_asked_for(chart: Chart) -> None:
    kinds = {o["kind"] for o in chart.render()}
    assert not kinds & {"ServiceMonitor", "PrometheusRule", "Ingress", "HorizontalPodAutoscaler"}


def test_U7_the_monitor_finds_the_metrics_of_every_role_exactly_once(chart: Chart) -> None:
    objects = chart.render("everything")
    (monitor,) = rendered(objects, "ServiceMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    services = [s for s in rendered(objects, "Service") if wanted <= s["metadata"]["labels"].items()]
    scraped: list[str] = []
    for service in services:
        assert [port["name"] for port in service["spec"]["ports"]] == [monitor["spec"]["endpoints"][0]["port"]]
        scraped += [
            d["metadata"]["name"]
            for d in rendered(objects, "Deployment")
            if service["spec"]["selector"].items() <= d["spec"]["template"]["metadata"]["labels"].items()
        ]
    assert sorted(scraped) == sorted(d["metadata"]["name"] for d in rendered(objects, "Deployment"))
    # The names that alerts and dashboards group by.
    labels = {r["targetLabel"] for r in monitor["spec"]["endpoints"][0]["relabelings"]}
    assert labels == {"component", "role"}
    job = monitor["spec"]["jobLabel"]
    assert {s["metadata"]["labels"][job] for s in services} == {"dealwright"}


def test_U7_the_rule_object_holds_the_alerts_as_they_stand_with_runbooks_at_their_address(chart: Chart) -> None:
    (rule,) = rendered(chart.render("everything"), "PrometheusRule")
    (group,) = rule["spec"]["groups"]
    assert [r["expr"] for r in group["rules"]] == [a["expr"] for a in alerts(chart)]
    assert [r["annotations"]["summary"] for r in group["rules"]] == [a["annotations"]["summary"] for a in alerts(chart)]
    base = "https://docs.example.com/dealwright/operations/"
    assert all(r["annotations"]["runbook_url"] == f"{base}{r['alert']}.md" for r in group["rules"])
    assert rule["metadata"]["labels"]["release"] == "prometheus"


def test_U7_dashboards_reach_grafana_unchanged(chart: Chart) -> None:
    (folder,) = (o for o in rendered(chart.render("everything"), "ConfigMap") if "dashboard" in o["metadata"]["name"])
    assert folder["metadata"]["labels"]["grafana_dashboard"] == "1"
    for file, text in folder["data"].items():
        assert json.loads(text) == json.loads((chart.folder / "dashboards" / file).read_text())


def test_U7_promtool_accepts_every_alert_and_every_query_of_the_dashboards(
    chart: Chart, promtool: str, tmp_path: Path
) -> None:
    as_rules = tmp_path / "dashboards.yaml"
    filled = [q.replace("$__rate_interval", "1m").replace("$component", ".*") for q in queries(chart)]
    rules = [{"record": f"panel:{i}", "expr": expression} for i, expression in enumerate(filled)]
    as_rules.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    for file in (chart.folder / "alerts" / "dealwright.yaml", as_rules):
        done = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_U7_every_alert_fires_when_it_is_due_and_is_silent_when_all_is_well(chart: Chart, promtool: str) -> None:
    cases = HERE / "alerts_test.yaml"
    # The cases name every alert, so that a new one cannot come without its own.
    told = {r["alertname"] for t in yaml.safe_load(cases.read_text())["tests"] for r in t["alert_rule_test"]}
    assert told == {alert["alert"] for alert in alerts(chart)}
    done = subprocess.run(
        [promtool, "test", "rules", cases.name], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
