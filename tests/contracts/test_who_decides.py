"""Nobody decides twice where two are to decide, and nobody on a request of whom he reports to (Q2, Q3, Q9, Q12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
import sqlalchemy as sa

from chassis.errors import Refused
from contracts.domain import approval_moves, approval_run
from contracts.domain.approval import Status
from contracts.domain.approval_flow import Words
from contracts.domain.approvers import Colleague, Group
from contracts.storage.tables import settings
from contracts.usecases.settings import PART
from dealwright.contracts.v1 import approvals_pb2 as pb
from tests.contracts.approving import applied, as_, asked, flow, got, node, people, say, staffed, world, written
from tests.contracts.desk import Desk, refused
from tests.contracts.test_approval_run import APPROVE, LI, STAFF, WORLD, begun, lines, names, said


def delegated(desk: Desk, name: str, who: str, to: str) -> pb.Approval:
    request = pb.DelegateApprovalRequest(name=name, to=f"people/{to}")
    answer: pb.Approval = desk.call("DelegateApproval", request, as_(who))
    return answer


@pytest.fixture
def company(desk: Desk) -> Desk:
    """A director with a manager below him, and somebody for finance."""
    staffed(
        desk,
        *(("li", "sales", "boss"), ("boss", "manager", "chief"), ("chief", "manager", ""), ("gold", "finance", "")),
        *(("silver", "finance", "chief"), ("admin", "admin", ""), ("money", "finance", ""), ("zhao", "sales", "chief")),
    )
    applied(desk, approverGroups={"finance-director": ["people/gold"]})
    return desk


def test_Q3_a_discount_over_15_percent_takes_two_people_however_it_is_handed_on(company: Desk) -> None:
    made = asked(company, "quote", discount=20)
    assert people(say(company, made.name, "chief")) == "gold"
    with refused("ALREADY_AGREED"):
        delegated(company, made.name, "gold", "chief")
    assert got(company, made.name).status == pb.Approval.PENDING
    handed = delegated(company, made.name, "gold", "silver")
    assert people(handed) == "silver"
    with refused("ALREADY_DECIDED"):
        say(company, made.name, "chief")
    done = say(company, made.name, "silver")
    assert done.status == pb.Approval.APPROVED
    assert [seat.person for step in done.steps for seat in step.seats] == ["people/chief", "people/silver"]


def test_Q3_one_who_is_both_directors_decides_as_one_of_them(company: Desk) -> None:
    applied(company, approverGroups={"finance-director": ["people/chief"]})
    made = asked(company, "quote", discount=20)
    after = say(company, made.name, "chief")
    assert (after.status, people(after)) == (pb.Approval.PENDING, "admin"), "an administrator where the group has none"
    assert say(company, made.name, "admin").status == pb.Approval.APPROVED


def test_Q3_what_one_person_alone_could_decide_twice_is_refused_with_the_cure(desk: Desk) -> None:
    everybody = ("boss", "money", "zhao", "wang")
    staffed(desk, *((one, "sales", "") for one in everybody), active=False)
    made = asked(desk, "quote", discount=15)
    assert people(got(desk, made.name)) == "admin"
    with pytest.raises(Refused) as problem:
        asked(desk, "quote", "quotes/2", discount=20)
    assert problem.value.reason == "NO_APPROVER"
    for word in ("Finance director", "approverGroups", "switch distinctPeople off in the flow quote."):
        assert word in problem.value.english
    assert "财务总监审批" in problem.value.chinese


def test_Q12_an_escalation_passes_over_who_has_agreed_or_reports_to_who_asks() -> None:
    made = flow(
        node("one", "people/boss"),
        node("two", "people/a", timeoutHours=2, onTimeout="ESCALATE"),
        distinctPeople=True,
    )
    run = said(begun(made), ("boss", APPROVE))
    later = replace(WORLD, now=WORLD.now + timedelta(hours=2))
    run, told = approval_moves.ring(run, later)
    assert (told[0].people, names(run)) == (("people/top",), "a top"), "not his manager, who has agreed"
    loose = said(begun(replace(made, distinct_people=False)), ("boss", APPROVE))
    assert names(approval_moves.ring(loose, later)[0]) == "a boss"
    # One who asks has his own people's manager above them: nobody is asked who reports to him.
    run, _ = approval_run.begin(made, "people/top", {"fields": {}}, WORLD)
    assert names(said(run, ("boss", APPROVE))) == "a"
    run, told = approval_moves.ring(said(run, ("boss", APPROVE)), later)
    assert (told[0].reason, names(run)) == (approval_run.REMINDER, "a")


def test_Q3_a_rehearsal_spares_whom_a_later_step_needs() -> None:
    """Whoever could decide at the first step is kept for the second, which nobody else can take."""
    alone = world(*(one for one in STAFF if one.role != "admin"))
    groups = {"both": ("people/a", "people/b"), "only": ("people/a",)}
    named = {id: Group(id, Words("", ""), members) for id, members in groups.items()}
    at = replace(alone, house=replace(alone.house, groups=named))
    made = flow(node("one", "group:both"), node("two", "group:only"), distinctPeople=True)
    run, vacant = approval_run.rehearse(made, LI, {"fields": {}}, at)
    assert (run.status, vacant) == (Status.APPROVED, ())
    assert [seat.person for step in run.steps for seat in step.seats] == lines("b", "a")


def test_Q2_nobody_who_reports_to_the_requester_decides_on_his_quote(company: Desk) -> None:
    made = asked(company, "quote", who="chief", discount=20)
    assert people(got(company, made.name)) == "admin", "not the manager below him"
    with refused("REPORTS_TO_ASKER"):
        delegated(company, made.name, "admin", "boss")
    with refused("REPORTS_TO_ASKER"):
        delegated(company, made.name, "admin", "li")
    after = say(company, made.name, "admin")
    assert people(after) == "gold"
    with refused("REPORTS_TO_ASKER"):
        delegated(company, made.name, "gold", "silver")
    # His manager is next in line where he has one; a line of a role passes over who reports to him.
    assert people(asked_by(company, "boss")) == "chief"
    applied(company, approvalFlows={"trial": written(node("one", "role:finance"))})
    assert people(got(company, asked(company, "trial", "quotes/7", who="chief").name)) == "gold money"
    applied(company, approvalFlows={"trial": written(node("one", "each:role:finance"))})
    assert people(got(company, asked(company, "trial", "quotes/8", who="chief").name)) == "gold money"


def asked_by(desk: Desk, who: str) -> pb.Approval:
    return got(desk, asked(desk, "quote", f"quotes/{who}", who=who).name)


def test_Q2_who_is_named_himself_decides_on_his_managers_quote_all_the_same(company: Desk) -> None:
    applied(
        company,
        approverGroups={"director": ["people/boss"], "finance-director": {"otherwise": ["people/silver"]}},
    )
    assert people(asked_by(company, "chief")) == "boss"
    made = asked(company, "quote", "quotes/9", who="chief", discount=20)
    assert people(say(company, made.name, "boss")) == "silver"


def test_Q11_the_heir_of_who_leaves_does_not_report_to_who_asks() -> None:
    made = flow(node("one", "people/a"))
    crowd = [replace(one, manager="people/mid") if one.name == "people/a" else one for one in STAFF]
    crowd.append(Colleague("people/mid", "manager", "", "people/top"))
    run, _ = approval_run.begin(made, "people/top", {"fields": {}}, world(*crowd))
    assert names(run) == "a", "named himself"
    gone = world(*(replace(one, active=one.name != "people/a") for one in crowd))
    run, _ = approval_moves.leave(run, "people/a", gone)
    assert names(run) == "root"


def test_Q19_a_stored_default_flow_of_quotes_becomes_the_present_one_and_a_companys_own_stays(desk: Desk) -> None:
    upgrade = import_module("contracts.migrations.versions.0011_two_people_for_a_discount")
    with desk.runtime.reading() as tx:
        flows = PART.read(tx)[0]["approvalFlows"]
    assert flows["quote"] == upgrade.AFTER, "as every new system begins"
    own = {**upgrade.BEFORE, "displayName": {"zh": "本公司", "en": "Ours"}}
    unset = {key: value for key, value in upgrade.BEFORE.items() if key != "distinctPeople"}
    for stored, expected in ((upgrade.BEFORE, upgrade.AFTER), (unset, upgrade.AFTER), (own, own)):
        with desk.runtime.database.write() as connection:
            content = {"approvalFlows": {**flows, "quote": stored}, "company": {"currency": "CNY"}}
            connection.execute(sa.delete(settings))
            connection.execute(sa.insert(settings).values(id=PART.service, content=content, version=3))
            upgrade.run(connection)
            row = connection.execute(sa.select(settings.c.content, settings.c.version)).one()
        assert row.content["approvalFlows"]["quote"] == expected
        assert row.version == (3 if expected is own else 4)
        assert row.content["approvalFlows"]["contract"] == flows["contract"]
