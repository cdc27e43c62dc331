"""The whole path over gRPC: directory, leads and rules in one process, as the embedded deployment runs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fakeredis
import grpc
import pytest
from pydantic import SecretStr

from chassis import cache, clock
from chassis.access import Principal
from chassis.embedding import Embedding
from chassis.settings import Settings
from chassis.testing.postgres import Postgres
from dealwright.directory.v1 import directory_pb2, directory_pb2_grpc
from dealwright.leads.v1 import leads_pb2, leads_pb2_grpc
from dealwright.rules.v1 import rules_pb2, rules_pb2_grpc
from directory.main import service as directory
from leads.main import service as leads
from rules.main import service as rules

NAMES = ("directory", "leads", "rules")


class Office:
    """Stubs of the three services, called as a peer; `travel` sets everybody's clock."""

    def __init__(self, embedding: Embedding, offset: list[timedelta]) -> None:
        self.embedding, self._offset = embedding, offset
        channel = {name: grpc.insecure_channel(embedding.addresses[name]) for name in NAMES}
        self.directory = directory_pb2_grpc.DirectoryServiceStub(channel["directory"])
        self.leads = leads_pb2_grpc.LeadServiceStub(channel["leads"])
        self.rules = rules_pb2_grpc.RuleServiceStub(channel["rules"])

    def call(self, method: Any, request: Any) -> Any:
        token = self.embedding.runtimes["leads"].tokens.sign(Principal(peer="test"))
        return method(request, metadata=(("authorization", f"Bearer {token}"),), timeout=20)

    def hire(self, name: str, role: str = "sales", **more: Any) -> str:
        person = directory_pb2.Person(display_name=name, login=name, password="a long enough one", role=role, **more)
        made: str = self.call(self.directory.CreatePerson, directory_pb2.CreatePersonRequest(person=person)).name
        self.settle()
        return made

    def capture(self, phone: str, **more: Any) -> leads_pb2.Lead:
        lead = leads_pb2.Lead(full_name="王", phone=phone, **more)
        found: leads_pb2.Lead = self.call(self.leads.CaptureLead, leads_pb2.CaptureLeadRequest(lead=lead)).lead
        return found

    def lead(self, name: str) -> leads_pb2.Lead:
        found: leads_pb2.Lead = self.call(self.leads.GetLead, leads_pb2.GetLeadRequest(name=name))
        return found

    def decisions(self, name: str) -> list[rules_pb2.Decision]:
        return list(self.call(self.rules.ListDecisions, rules_pb2.ListDecisionsRequest(parent=name)).decisions)

    def until(self, met: Callable[[], Any], within: float = 15) -> Any:
        end = time.monotonic() + within
        while time.monotonic() < end:
            found = met()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError("it did not come to that")

    def settle(self) -> None:
        self.until(self.embedding.bus.idle)

    def travel(self, moment: datetime) -> None:
        self._offset[0] += moment - clock.now()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def office(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    urls: dict[str, str] = {}
    monkeypatch.setattr(cache, "connect", lambda settings: fakeredis.FakeRedis(), raising=False)
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres_server")
        for name in NAMES:
            server.drop_database(f"office_{name}")
            urls[name] = server.create_database(f"office_{name}")
    # Not time-machine: gRPC's own waits would stand still with it.
    real, offset = clock.now, [datetime(2026, 11, 23, 2, tzinfo=UTC) - clock.now()]
    monkeypatch.setattr(clock, "now", lambda: real() + offset[0])
    embedding = Embedding([directory, leads, rules], Settings(data=tmp_path, token_key=SecretStr("k" * 40)), urls)
    embedding.start()
    yield Office(embedding, offset)
    embedding.stop()


def test_L7_L18_R20_a_captured_lead_reaches_its_owner_a_colleague_and_the_manager_by_the_clock(
    office: Office,
) -> None:
    boss = office.hire("boss", "manager")
    people = {office.hire(f"p{n}", region="上海", manager=boss) for n in range(2)}
    name = office.capture("13800000001", region="上海").name
    first = office.until(lambda: office.lead(name).owner)
    assert first in people
    lead = office.lead(name)
    assert lead.status == leads_pb2.Lead.ASSIGNED
    due = lead.respond_by.ToDatetime(UTC)
    office.travel(due - timedelta(seconds=3))
    time.sleep(1.2)
    assert office.lead(name).owner == first
    office.travel(due)
    second = office.until(lambda: (found := office.lead(name).owner) != first and found, within=5)
    assert {first, second} == people
    office.settle()
    office.travel(office.lead(name).respond_by.ToDatetime(UTC))
    lead = office.until(lambda: (found := office.lead(name)).owner == boss and found)
    assert (lead.escalated_to, lead.HasField("respond_by")) == (boss, True)
    assert [d.owner for d in office.decisions(name)] == [boss, second, first]
    assert [d.reason for d in office.decisions(name)] == ["ESCALATED", "NO_RESPONSE", ""]
    office.settle()
    loads = {row.person for ledger in _ledgers(office) for row in ledger.rows if row.person}
    assert loads == people
    report = office.call(office.rules.VerifyJournal, rules_pb2.VerifyJournalRequest())
    assert (report.first_wrong_entry, report.decisions) == (0, 3)


def _ledgers(office: Office) -> Any:
    return office.call(office.rules.ListLedgers, rules_pb2.ListLedgersRequest()).ledgers


def test_L17_L21_L31_a_lead_waits_for_somebody_is_reclaimed_and_comes_back_by_a_new_touch(office: Office) -> None:
    person = office.hire("only", region="上海", presence="OFFLINE")
    name = office.capture("13800000001", region="上海").name
    lead = office.until(lambda: (found := office.lead(name)).status == leads_pb2.Lead.UNASSIGNED and found)
    assert lead.status_reason == "OFFLINE"
    office.call(office.directory.SetPresence, directory_pb2.SetPresenceRequest(name=person, presence="ONLINE"))  # type: ignore[arg-type]
    office.until(lambda: office.lead(name).owner == person)
    office.call(office.leads.ContactLead, leads_pb2.ContactLeadRequest(name=name))
    office.settle()
    timers = office.call(office.rules.ListTimers, rules_pb2.ListTimersRequest(parent=name)).timers
    reclaim = next(t for t in timers if t.kind == rules_pb2.Timer.RECLAIM)
    assert [t.cancelled for t in timers] == [True, False]
    office.travel(reclaim.due_time.ToDatetime(UTC))
    office.until(lambda: office.lead(name).status == leads_pb2.Lead.POOLED)
    # Whoever is still there gets it when the contact shows up again; the presence of 14 days ago may have expired.
    office.call(office.directory.SetPresence, directory_pb2.SetPresenceRequest(name=person, presence="ONLINE"))  # type: ignore[arg-type]
    office.settle()
    assert office.capture("13800000001").name == name
    office.until(lambda: office.lead(name).owner == person)
    assert next(d.step for d in office.decisions(name)) == "roster"  # nobody else may take it
    assert office.lead(name).status == leads_pb2.Lead.ASSIGNED
