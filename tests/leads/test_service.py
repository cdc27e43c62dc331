"""The service as a whole: over gRPC, on the bus, from several processes, and its schema."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from chassis import clock
from chassis.access import Tokens, peer
from chassis.embedding import Embedding
from chassis.errors import Refused
from chassis.settings import Settings
from dealwright.directory.v1 import directory_pb2
from dealwright.directory.v1 import events_pb2 as directory_events_pb2
from dealwright.leads.v1 import leads_pb2, leads_pb2_grpc
from dealwright.rules.v1 import events_pb2 as rules_events_pb2
from dealwright.rules.v1 import rules_pb2
from leads.domain.settings import LeadSettings
from leads.main import service
from leads.storage import settings
from tests.leads.desk import ADMIN, LI, Desk, open_runtime
from tests.leads.racing import capture_rounds


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Embedding]:
    house = Embedding([service], Settings(data=tmp_path))
    house.start()
    yield house
    house.stop()


@pytest.fixture
def stub(house: Embedding) -> Iterator[leads_pb2_grpc.LeadServiceStub]:
    with grpc.insecure_channel(house.addresses["leads"]) as channel:
        yield leads_pb2_grpc.LeadServiceStub(channel)


def signed(house: Embedding, who: Any = ADMIN) -> Any:
    tokens: Tokens = house.runtimes["leads"].tokens
    return (("authorization", f"Bearer {tokens.sign(who)}"),)


def eventually(check: Any, seconds: float = 10.0) -> Any:
    end = clock.monotonic() + seconds
    while clock.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come about in time")


def test_L6_a_batch_answers_each_row_in_the_order_of_the_request(
    house: Embedding, stub: leads_pb2_grpc.LeadServiceStub
) -> None:
    rows = [leads_pb2.Lead(phone=p) for p in ("13812345678", "12", "138 1234 5678", "")]
    batch = leads_pb2.BatchCaptureLeadsRequest(
        requests=[leads_pb2.CaptureLeadRequest(request_id=f"r{n}", lead=lead) for n, lead in enumerate(rows)]
    )
    answer = stub.BatchCaptureLeads(batch, metadata=signed(house))
    assert [(r.outcome, r.error.status, r.error.reason) for r in answer.results] == [
        (1, 0, ""),
        (0, 400, "INVALID"),
        (2, 0, ""),
        (0, 400, "INVALID"),
    ]
    (field,) = answer.results[1].error.fields
    assert (field.field, field.message, field.message_zh) == (
        "lead.phone", "is no valid phone number", "不是有效的电话号码",
    )  # fmt: skip
    # The same again is answered the same, and nothing is touched.
    assert stub.BatchCaptureLeads(batch, metadata=signed(house)) == answer


@pytest.mark.parametrize("size", [0, 1001])
def test_a_batch_has_1_to_1000_rows(house: Embedding, stub: leads_pb2_grpc.LeadServiceStub, size: int) -> None:
    batch = leads_pb2.BatchCaptureLeadsRequest(requests=[leads_pb2.CaptureLeadRequest()] * size)
    with pytest.raises(grpc.RpcError) as problem:
        stub.BatchCaptureLeads(batch, metadata=signed(house))
    assert problem.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_L19_L20_people_decisions_clocks_and_actions_arrive_over_the_bus(
    house: Embedding, stub: leads_pb2_grpc.LeadServiceStub
) -> None:
    runtime = house.runtimes["leads"]
    lead = stub.CaptureLead(
        leads_pb2.CaptureLeadRequest(lead=leads_pb2.Lead(phone="13812345678")), metadata=signed(house)
    ).lead

    def get(who: Any = ADMIN) -> leads_pb2.Lead:
        return stub.GetLead(leads_pb2.GetLeadRequest(name=lead.name), metadata=signed(house, who))

    with runtime.transaction(peer("rules")) as tx:
        person = directory_pb2.Person(name="people/li", display_name="李", team="teams/east", role="sales")
        tx.emit(directory_events_pb2.PersonChanged(person=person, version=2))
        tx.emit(rules_events_pb2.LeadAssignmentDecided(lead=lead.name, owner="people/li", decision=3, add_tags=["x"]))
    now = eventually(lambda: (found := get()).owner and found)
    assert (now.owner, now.status, list(now.tags)) == ("people/li", leads_pb2.Lead.ASSIGNED, ["x"])
    assert get(LI).name == lead.name
    with runtime.transaction(peer("rules")) as tx:
        timer = rules_events_pb2.TimerSet(kind=rules_pb2.Timer.FIRST_RESPONSE, subject=lead.name, owner_version=1)
        timer.due_time.FromJsonString("2026-12-01T10:00:00Z")
        tx.emit(timer)
    assert eventually(lambda: get().HasField("respond_by"))
    with runtime.transaction(peer("rules")) as tx:
        tx.emit(rules_events_pb2.ActionRequested(action="RECLAIM", subject=lead.name, owner_version=1))
    assert eventually(lambda: get().status == leads_pb2.Lead.POOLED)
    with runtime.reading() as tx:
        people = tx.execute(sa.select(service.metadata.tables["people"])).mappings().one()
    assert (people["display_name"], people["active"], people["version"]) == ("李", True, 2)


def test_an_older_state_of_a_person_never_overwrites_a_newer(desk: Desk) -> None:
    person = ("people/li", "teams/east", "sales")
    desk.hire(person, version=3)
    desk.hire(("people/li", "teams/old", "sales"), version=2)
    desk.hire(person, active=False, version=4)
    desk.hire(person, version=4)
    with desk.runtime.reading() as tx:
        row = tx.execute(sa.select(service.metadata.tables["people"])).mappings().one()
    assert (row["team"], row["active"], row["version"]) == ("teams/east", False, 4)


def test_the_migrations_make_the_tables_that_the_code_has(desk: Desk) -> None:
    with desk.runtime.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        # Those that migrations alone, and these tests, put there.
        foreign = re.compile("alembic_version|owner_changes")
        differences = [d for d in compare_metadata(context, service.metadata) if not foreign.search(str(d))]
    assert differences == []


# --- several at once ---


def test_I1_a_known_key_decides_for_the_whole_capture(desk: Desk) -> None:
    first = desk.capture(phone="13812345678").lead.name
    answer = desk.capture(phone="13812345678", email="a@example.cn")
    assert (answer.lead.name, answer.outcome) == (first, leads_pb2.CaptureLeadResponse.TOUCHED)
    assert desk.keyed() == {"phone:+8613812345678": first, "email:a@example.cn": first}
    assert desk.count("leads") == 1


def test_I1_a_refused_capture_keeps_no_key_and_hides_none_of_its_neighbours(desk: Desk) -> None:
    """Where duplicates are refused: the first is known by its phone, so its e-mail is free for the second."""
    first = desk.capture(phone="13812345678").lead.name
    with desk.runtime.transaction() as tx:
        settings.save(tx, LeadSettings(hard_reject_duplicates=True))
    refused, taken = desk.capture_all(
        [
            leads_pb2.Lead(phone="13812345678", email="b@example.cn"),
            leads_pb2.Lead(phone="13912345678", email="b@example.cn"),
        ]
    )
    assert isinstance(refused, Refused)
    assert isinstance(taken, leads_pb2.CaptureLeadResponse)
    assert desk.keyed() == {
        "phone:+8613812345678": first,
        "email:b@example.cn": taken.lead.name,
        "phone:+8613912345678": taken.lead.name,
    }


@pytest.mark.cluster
def test_I1_processes_that_capture_the_same_contacts_at_once_make_one_lead_of_each(
    postgres_url: str, tmp_path: Path
) -> None:
    processes = 3
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(processes), context.Queue()
    workers = [
        context.Process(target=capture_rounds, args=(postgres_url, str(tmp_path), seed, start, results))
        for seed in range(processes)
    ]
    for worker in workers:
        worker.start()
    merged: dict[str, set[str]] = {}
    ended = 0
    try:
        while ended < processes:
            kind, value = results.get(timeout=60)
            assert kind == "found", value
            ended += 1
            for contact, names in value.items():
                merged.setdefault(contact, set()).update(names)
    finally:
        for worker in workers:
            worker.join(10)
            worker.kill()
    assert len(merged) == 12 * 60
    assert {contact: names for contact, names in merged.items() if len(names) != 1} == {}
    desk = Desk(open_runtime(postgres_url, tmp_path))
    assert desk.count("leads") == 12 * 60
    assert desk.count("touchpoints") == processes * 12 * 60
    keys = desk.keyed()
    assert len(keys) == 2 * 12 * 60
    assert {f"phone:+86138123{contact:05d}": min(names) for contact, names in merged.items()}.items() <= keys.items()
    assert {f"email:c{contact}@example.cn": min(names) for contact, names in merged.items()}.items() <= keys.items()
    desk.runtime.database.dispose()
