"""People who act on a lead, and changes of owner: one compare-and-set, whoever wants what."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

import leads
from chassis.errors import Denied, Refused, Stale
from chassis.transaction import Transaction
from dealwright.leads.v1 import events_pb2, leads_pb2
from leads.domain.lead import Status as Standing
from leads.domain.ownership import Change, Decided
from leads.domain.settings import LeadSettings
from leads.storage import leads as stored
from leads.storage import settings
from leads.storage.tables import OF_DELETED
from leads.storage.tables import leads as table
from leads.usecases import ownership
from tests.leads.desk import ADMIN, CLERK, LI, MANAGER, WANG, Desk
from tests.leads.sources import called, replaced, writers

Status = leads_pb2.Lead
PHONE = "13812345678"

pytestmark = pytest.mark.usefixtures("staff")


def refused(desk: Desk, method: str, request: object, who: object = ADMIN) -> str:
    with pytest.raises(Refused) as problem:
        desk.call(method, request, who)  # type: ignore[arg-type]
    assert problem.value.english
    assert problem.value.chinese
    return problem.value.reason


def pooled(desk: Desk, owner: str = "people/li") -> str:
    name: str = desk.capture(phone=PHONE).lead.name
    desk.assign(name, owner)
    desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name, reason="busy"))
    return name


def test_L30_the_first_contact_stops_the_clock_and_later_ones_are_follow_ups(desk: Desk) -> None:
    name = desk.capture(phone=PHONE, channel="DOUYIN").lead.name
    assert refused(desk, "ContactLead", leads_pb2.ContactLeadRequest(name=name)) == "NOT_OWNED"
    desk.assign(name, "people/li")
    desk.announced()
    first = desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name, note="called"), LI)
    assert first.status == Status.CONTACTED
    again = desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI)
    assert again.first_response_time == first.first_response_time
    assert again.last_activity_time.ToNanoseconds() > first.last_activity_time.ToNanoseconds()
    assert [(e.first, e.owner, e.channel) for e in desk.announced()] == [
        (True, "people/li", leads_pb2.DOUYIN),
        (False, "people/li", leads_pb2.DOUYIN),
    ]


def test_L21_a_pooled_lead_is_claimed_by_whoever_comes_first(desk: Desk) -> None:
    name = pooled(desk)
    desk.announced()
    request = leads_pb2.ClaimLeadRequest(name=name)
    assert refused(desk, "ClaimLead", request, LI) == "COOL_DOWN"
    assert refused(desk, "ClaimLead", request, CLERK) == "CANNOT_RECEIVE"
    lead = desk.call("ClaimLead", request, WANG)
    assert (lead.owner, lead.status, lead.owner_version) == ("people/wang", Status.ASSIGNED, 3)
    event, moved = desk.announced()
    assert (moved.how, moved.previous_owner, moved.owner_version) == ("CLAIM", "", 3)
    assert (event.how, event.previous_owner, list(event.owners)) == ("CLAIM", "people/li", ["people/li", "people/wang"])
    assert refused(desk, "ClaimLead", request, ADMIN) == "NOT_POOLED"


def test_L22_the_cool_down_ends_and_is_a_setting(desk: Desk) -> None:
    name = pooled(desk)
    with desk.runtime.transaction() as tx:
        settings.save(tx, LeadSettings(cool_down_hours=0))
    assert desk.call("ClaimLead", leads_pb2.ClaimLeadRequest(name=name), LI).owner == "people/li"


def test_L22_nobody_picks_more_than_the_days_limit_and_a_refused_pick_does_not_count(desk: Desk) -> None:
    with desk.runtime.transaction() as tx:
        settings.save(tx, LeadSettings(pick_limit_per_day=2))
    names = [desk.capture(phone=f"1381234560{n}").lead.name for n in range(3)]
    for name in names:
        desk.assign(name, "people/li")
        desk.call("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name))
    for name in names[:2]:
        desk.call("ClaimLead", leads_pb2.ClaimLeadRequest(name=name), WANG)
    request = leads_pb2.ClaimLeadRequest(name=names[2])
    assert [refused(desk, "ClaimLead", request, WANG) for _ in range(2)] == ["PICK_LIMIT"] * 2
    with desk.runtime.transaction() as tx:
        settings.save(tx, LeadSettings(pick_limit_per_day=3))
    assert desk.call("ClaimLead", request, WANG).owner == "people/wang"


def test_P5_a_manager_moves_a_lead_by_hand_and_others_do_not(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    desk.announced()
    request = leads_pb2.ReassignLeadRequest(name=name, owner="people/wang", reason="holiday")
    for who in (LI, CLERK):
        with pytest.raises(Denied):
            desk.call("ReassignLead", request, who)
    assert refused(desk, "ReassignLead", leads_pb2.ReassignLeadRequest(name=name, owner="people/boss")) == (
        "CANNOT_RECEIVE"
    )
    desk.hire(("people/gone", "teams/east", "sales"), active=False)
    assert refused(desk, "ReassignLead", leads_pb2.ReassignLeadRequest(name=name, owner="people/gone")) == (
        "CANNOT_RECEIVE"
    )
    assert desk.call("ReassignLead", request, MANAGER).owner == "people/wang"
    event, moved = desk.announced()
    assert (moved.how, moved.previous_owner, moved.contacted) == ("MANUAL", "people/li", False)
    assert (event.how, event.owner, event.previous_owner) == ("MANUAL", "people/wang", "people/li")


def test_L13_without_a_name_the_rules_choose_somebody_who_has_not_had_it(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI)
    desk.announced()
    lead = desk.call("ReassignLead", leads_pb2.ReassignLeadRequest(name=name), MANAGER)
    assert lead.owner == "people/li"
    (event,) = desk.announced()
    assert (event.cause, list(event.excluded), event.owner_version) == ("REASSIGNED", ["people/li"], 1)
    # A contact in between does not undo what the manager wanted.
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=name), LI)
    desk.decide(Decided(name, "people/wang", 1, 9))
    now = desk.get(name)
    assert (now.owner, now.status) == ("people/wang", Status.ASSIGNED)


def test_L24_a_lead_is_qualified_once_and_by_an_owner(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    request = leads_pb2.QualifyLeadRequest(name=name)
    assert refused(desk, "QualifyLead", request) == "NOT_OWNED"
    desk.assign(name, "people/li")
    desk.announced()
    assert desk.call("QualifyLead", request, LI).status == Status.QUALIFIED
    (told,) = desk.announced()
    assert told == events_pb2.LeadQualified(lead=name, owner="people/li", owner_version=1, contact=told.contact)
    assert (told.contact.name, told.contact.phone) == (name, desk.get(name).phone)
    assert refused(desk, "QualifyLead", request) == "ALREADY_QUALIFIED"
    for method, late in (
        ("ReleaseLead", leads_pb2.ReleaseLeadRequest(name=name)),
        ("ReassignLead", leads_pb2.ReassignLeadRequest(name=name, owner="people/wang")),
        ("DisqualifyLead", leads_pb2.DisqualifyLeadRequest(name=name, reason="x")),
    ):
        assert refused(desk, method, late) == "CLOSED"


def test_an_old_etag_changes_nothing(desk: Desk) -> None:
    lead = desk.capture(phone=PHONE).lead
    desk.assign(lead.name, "people/li")
    desk.call("ContactLead", leads_pb2.ContactLeadRequest(name=lead.name, etag=lead.etag))
    for method in ("ContactLead", "ReleaseLead", "QualifyLead", "ReassignLead"):
        request = getattr(leads_pb2, method + "Request")(name=lead.name, etag=lead.etag)
        with pytest.raises(Stale):
            desk.call(method, request)
    assert desk.get(lead.name).owner == "people/li"


def test_L31_two_people_claim_at_once_and_one_gets_it(desk: Desk) -> None:
    name = pooled(desk)
    desk.hire(("people/zhao", "teams/east", "sales"))
    together = threading.Barrier(2)

    def claim(person: str) -> str:
        who = type(WANG)(person, "sales", "", (), WANG.grants)
        together.wait()
        try:
            owner: str = desk.call("ClaimLead", leads_pb2.ClaimLeadRequest(name=name), who).owner
            return owner
        except Refused as problem:  # It is out of his sight by now, and yet he saw it in the pool.
            return problem.reason

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(claim, ["people/wang", "people/zhao"]))
    assert sorted(results)[0] == "NOT_POOLED"
    assert desk.get(name).owner == sorted(results)[1]
    assert len(desk.announced(events_pb2.LeadAssigned)) == 2


def test_L31_the_write_itself_compares_what_was_read(desk: Desk) -> None:
    name = desk.capture(phone=PHONE).lead.name
    with desk.runtime.transaction() as tx:
        read = stored.by_name(tx, [name])[name]
        wanted = [Change(read, owner, Standing.ASSIGNED) for owner in ("people/li", "people/wang")]
        results = [ownership.change(tx, [one]) for one in wanted]
        # Nor does an old status pass, whatever the number of the ownership.
        closed = replace(stored.by_name(tx, [name])[name], status=Standing.POOLED)
        results.append(ownership.change(tx, [Change(closed, "people/wang", Standing.ASSIGNED)]))
        with pytest.raises(Stale):
            ownership.change_one(tx, wanted[1])
    assert [list(found) for found in results] == [[name], [], []]
    assert desk.get(name).owner == "people/li"


EVASIONS = (
    lambda tx, name: tx.execute(table.update().values(owner="people/wang").where(table.c.name == name)),
    lambda tx, name: tx.execute(
        sa.update(table).values({"owner": "people/wang", "owner_version": table.c.owner_version + 1})
    ),
    lambda tx, name: tx.connection.exec_driver_sql("UPDATE leads SET owner = 'people/wang', owner_version = 2"),
    lambda tx, name: stored.insert(tx, [replace(stored.by_name(tx, [name])[name], name="leads/copy")]),
)


@pytest.mark.parametrize("evade", EVASIONS, ids=["table", "function", "text", "insert"])
def test_L31_whoever_else_writes_an_owner_is_caught_by_the_database(
    desk: Desk, evade: Callable[[Transaction, str], object]
) -> None:
    """Every test on a desk ends with this look."""
    name = desk.capture(phone=PHONE).lead.name
    desk.assign(name, "people/li")
    assert desk.owners.strangers() == []
    with desk.runtime.transaction() as tx:
        evade(tx, name)
    assert len(desk.owners.strangers()) == 1
    desk.owners.forget()


WRITERS = {
    ("storage/leads.py", "insert"),
    ("storage/leads.py", "save_facts"),
    ("storage/leads.py", "save_standing"),
    ("storage/leads.py", "save_deletion"),
    ("storage/ownership.py", "compare_and_set"),
    # An import taken back, or 30 days after a deletion: leads go, and others are not to be looked at with them.
    ("storage/removing.py", "remove"),
    ("storage/removing.py", "clear_review"),
}


def test_L31_nobody_writes_an_owner_but_the_one_compare_and_set() -> None:
    """Read from the source, for what no test drives: who writes the table at all, and who calls the statement."""
    package = Path(leads.__file__).parent
    trees = {
        str(path.relative_to(package)): ast.parse(path.read_text())
        for path in package.rglob("*.py")
        if "migrations" not in path.parts
    }
    assert {(file, function) for file, tree in trees.items() for function in writers(tree, "leads")} == WRITERS
    for columns in (stored._FACTS, stored._STANDING, OF_DELETED):
        assert not {"owner", "owner_version", "owners"} & set(columns)
    calls = {file for file, tree in trees.items() if "compare_and_set" in called(tree)}
    assert calls == {"usecases/ownership.py"}
    # A lead in memory gets its owner in one place alone.
    assert {file for file, tree in trees.items() if "owner" in replaced(tree)} == {"domain/ownership.py"}


@pytest.mark.parametrize(
    "line",
    [
        "tx.execute(leads.update().values(owner=who))",
        "tx.execute(tables.leads.insert(), rows)",
        "tx.execute(sa.update(leads).values(owner=who))",
        "update_rows(tx.connection, leads, ('name',), ('owner',), rows)",
        "tx.insert_at_end(leads, COLUMNS, rows)",
        'tx.execute(sa.text("UPDATE leads SET owner = 1"))',
        "tx.connection.exec_driver_sql('insert into \"leads\" values (1)')",
    ],
)
def test_the_reader_of_sources_sees_each_way_to_write(line: str) -> None:
    tree = ast.parse(f"from leads.storage.tables import leads\ndef steal(tx, who):\n    {line}\n")
    assert writers(tree, "leads") == {"steal"}
    other = f"from leads.storage.tables import leads as table\ndef steal(tx, who):\n    {line}\n"
    renamed = other.replace("(leads", "(table").replace(", leads", ", table").replace("tables.leads", "table")
    assert writers(ast.parse(renamed), "leads") == {"steal"}


def test_the_reader_of_sources_lets_readers_be() -> None:
    source = "from leads.storage.tables import leads\ndef look(tx):\n    held.update(leads); sa.select(leads)\n"
    assert writers(ast.parse(source), "leads") == set()
