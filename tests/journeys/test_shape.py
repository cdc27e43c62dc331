"""The shape of the whole: services that own their data, a bus between them, one gateway, a chart, a load test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
import sqlalchemy as sa

from dealwright.directory.v1 import directory_pb2, directory_pb2_grpc
from dealwright.leads.v1 import leads_pb2, leads_pb2_grpc
from dealwright.rules.v1 import rules_pb2, rules_pb2_grpc
from embedded.catalogue import NAMES
from tests.journeys.api import Api, Refused, until
from tests.journeys.desk import Desk, phone
from tests.journeys.running import PASSWORD, RunningCluster, RunningHouse

ROOT = Path(__file__).parents[2]
# What a service must know of another's records: small copies, fed by events.
COPIES = {
    "people": {"directory", "leads", "customers", "opportunities", "activities", "contracts", "reports", "gateway"},
    "parties": {"opportunities", "contracts"},  # of customers, to either
    "shares": {"opportunities", "activities", "contracts"},
    "collaborators": {"opportunities", "activities", "contracts"},
    "deciders": {"opportunities", "activities"},
    "roles": {"directory", "customers"},
    "teams": {"directory", "reports"},
    "exchange_rates": {"contracts", "customers", "reports"},
}
# One shape by one name, with rows that are each service's own.
SHAPES = {
    "settings": {"rules", "activities", "contracts", "reports"},  # its documents of the blueprint
    "numbers": {"opportunities", "contracts"},  # the last one given of each day
    "mails": {"directory", "activities"},  # what waits to be sent
}
LOCUSTFILE = str(ROOT / "loadtests" / "locustfile.py")


def test_U1_each_domain_is_a_grpc_service_that_owns_its_data(desk: Desk, house: RunningHouse, region: str) -> None:
    person = desk.hire("甲", region=region)
    token = desk.api.post("/v1/sessions", {"login": "admin", "password": PASSWORD})["token"]
    signed_in = (("authorization", f"Bearer {token}"),)
    with grpc.insecure_channel(house.front_door) as door:
        leads, rules = leads_pb2_grpc.LeadServiceStub(door), rules_pb2_grpc.RuleServiceStub(door)
        directory = directory_pb2_grpc.DirectoryServiceStub(door)
        request = leads_pb2.CaptureLeadRequest(lead=leads_pb2.Lead(phone=phone(), region=region))
        name = leads.CaptureLead(request, metadata=signed_in, timeout=10).lead.name
        assert desk.decided(name)["owner"] == person["name"]
        owner = directory.GetPerson(directory_pb2.GetPersonRequest(name=person["name"]), metadata=signed_in, timeout=10)
        assert owner.display_name == "甲"
        decisions = rules.ListDecisions(
            rules_pb2.ListDecisionsRequest(parent=name), metadata=signed_in, timeout=10
        ).decisions
        assert [decision.owner for decision in decisions] == [person["name"]]
        with pytest.raises(grpc.RpcError) as refused:
            leads.CaptureLead(request, timeout=10)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    # A service's own port takes the internal token alone.
    with grpc.insecure_channel(house.house.embedding.addresses["leads"]) as inside, pytest.raises(grpc.RpcError) as no:
        leads_pb2_grpc.LeadServiceStub(inside).CaptureLead(request, metadata=signed_in, timeout=10)
    assert no.value.code() is grpc.StatusCode.UNAUTHENTICATED
    own: dict[str, set[str]] = {}
    for service, mine in house.house.embedding.runtimes.items():
        with mine.reading() as tx:
            for table in set(sa.inspect(tx.connection).get_table_names()) - {t.name for t in _chassis_tables(mine)}:
                own.setdefault(table, set()).add(service)
    assert {"leads", "touchpoints", "journal", "sessions"} <= own.keys()
    versions = {"alembic_version": {service for services in own.values() for service in services}}
    assert {name: services for name, services in own.items() if len(services) > 1} == versions | COPIES | SHAPES


def _chassis_tables(mine: Any) -> list[sa.Table]:
    return [table for table in vars(mine.service.tables).values() if isinstance(table, sa.Table)]


@pytest.mark.cluster
@pytest.mark.timeout(240)
def test_U2_R9_rules_decide_over_a_real_bus_what_leads_in_another_process_captured(
    cluster: RunningCluster, region: str
) -> None:
    desk = Desk(Api(cluster.url, "admin", PASSWORD), cluster.settle, cluster.later)
    assert {process.rpartition(" ")[2] for process in cluster.cluster.processes} == {"serve", "work"}
    before = int(desk.api.post("/v1/journal:verify")["decisions"])
    people = [desk.hire(name, region=region) for name in ("甲", "乙")]
    leads = desk.capture_all([{"region": region, "text": "今天"}] * 10)
    assert Counter(lead["owner"] for lead in leads) == {person["name"]: 5 for person in people}
    told = desk.sign_in(people[0]).feed(lambda event: event["type"] == "LeadAssigned" and "notice" in event)
    assert told["notice"] == "您有一条新线索待处理,请在2小时内联系客户"
    report = desk.api.post("/v1/journal:verify")
    assert (int(report["decisions"]), int(report["firstWrongEntry"])) == (before + 10, 0)


def test_U4_locust_drives_the_hot_path_through_rest_and_grpc(desk: Desk, house: RunningHouse, tmp_path: Path) -> None:
    token = desk.api.post("/v1/sessions", {"login": "admin", "password": PASSWORD})["token"]
    before = desk.api.get("/v1/leads", pageSize=1)["totalSize"]
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", LOCUSTFILE, "--headless", "--only-summary", "--host", house.url],
        env={
            **os.environ,
            "DEALWRIGHT_TOKEN": token,
            "DEALWRIGHT_FRONT_DOOR": house.front_door,
            "LOAD_STEPS": "2,4",
            "LOAD_STEP_SECONDS": "2",
            "LOAD_REPORT": str(tmp_path / "report.json"),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert desk.api.get("/v1/leads", pageSize=1)["totalSize"] > before + 10
    samples = json.loads((tmp_path / "report.json").read_text())["samples"]
    good = Counter(name for _, name, milliseconds, well in samples if well and milliseconds > 0)
    assert good["gRPC CaptureLead"] >= 5
    assert good["POST /v1/leads:capture"] >= 5
    assert sum(good.values()) == len(samples), "every sample of both kinds of user went well"
    kept = desk.api.get("/v1/leads", pageSize=1)["totalSize"] - before
    assert kept >= good["gRPC CaptureLead"] + good["POST /v1/leads:capture"], "each was a lead"


def test_U5_the_gateway_says_what_it_offers_and_offers_what_it_says(desk: Desk, house: RunningHouse) -> None:
    page = requests.get(house.url + "/openapi.json", timeout=20).json()
    assert page["openapi"].startswith("3.1")
    operations = {(verb.upper(), path) for path, verbs in page["paths"].items() for verb in verbs}
    assert {("POST", "/v1/leads:capture"), ("GET", "/v1/leads")} <= operations
    offered = 0
    for service in (
        leads_pb2.DESCRIPTOR.services_by_name["LeadService"],
        directory_pb2.DESCRIPTOR.services_by_name["DirectoryService"],
        rules_pb2.DESCRIPTOR.services_by_name["RuleService"],
    ):
        offered += len(service.methods)
    assert len(operations) >= offered - 1, "all but ResolveSession, which is for the gateway itself"
    visitor = Api(house.url)
    with pytest.raises(Refused) as refused:
        visitor.get("/v1/leads")
    assert (refused.value.status, refused.value.reason) == (401, "UNAUTHENTICATED")
    assert requests.get(house.url + "/docs", timeout=20).headers["Content-Type"].startswith("text/html")
    me = desk.api.get("/v1/sessions/current")
    assert me["person"]["login"] == "admin"


def test_U6_health_and_metrics_tell_how_the_house_is(desk: Desk, house: RunningHouse, region: str) -> None:
    desk.capture(region=region)
    for path in ("/healthz", "/readyz"):
        assert requests.get(house.url + path, timeout=20).status_code == 200

    def metrics() -> str:
        return requests.get(house.url + "/metrics", timeout=20).text

    assert 'dealwright_rpc_seconds_count{code="OK",method="CaptureLead",service="leads"}' in metrics()
    until(lambda: 'dealwright_parked_events{service="rules"} 0.0' in metrics())


def test_names_of_services_are_the_houses(house: RunningHouse) -> None:
    assert set(house.house.embedding.runtimes) == set(NAMES)
