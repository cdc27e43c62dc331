"""Field rights: what a role never sees is in no answer, and what it may not change is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from chassis import access
from chassis.access import Principal
from dealwright.api.v1 import access_pb2
from dealwright.directory.v1 import directory_pb2 as directory
from dealwright.leads.v1 import leads_pb2 as leads
from dealwright.rules.v1 import rules_pb2 as rules
from directory.wire.organisation import fields_of
from tests.security.asking import PROBES
from tests.security.cells import session_of
from tests.security.house import Answer, House, open_house
from tests.security.matrix import table

TABLE = table()
RESOURCES = ("leads", "people", "teams", "forms", "calendars")
# What leads hold here, and nothing else does.
SECRETS = {
    "full_name": "欧阳秘密",
    "company": "不可说有限公司",
    "text": "绝不外传的留言",
    "industry": "隐行业",
    "category": "隐类别",
    "region": "隐州",
    "tags": "隐标签",
    "skills": "隐技能",
}
# Facts of a decision that tell a field of its lead.
FACTS = {"location": "cell"}


def set_fields(house: House, role: str, hidden: bool, chosen: Callable[[str], list[str]]) -> None:
    """Sets a role's hidden (or read-only) fields of every resource that has any."""
    found = house.do("directory.DirectoryService.GetRole", directory.GetRoleRequest(name=f"roles/{role}"))
    for grant in found.grants:
        del grant.hidden_fields[:]
        del grant.read_only_fields[:]
        if grant.resource in RESOURCES:
            (grant.hidden_fields if hidden else grant.read_only_fields).extend(chosen(grant.resource))
    changed = directory.Role(name=found.name, grants=found.grants)
    house.do("directory.DirectoryService.UpdateRole", directory.UpdateRoleRequest(role=changed))


def every_field(resource: str) -> list[str]:
    return sorted(set(fields_of(resource).values()))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of its own, whose roles change here; the rules know a lead with secrets."""
    with open_house(tmp_path_factory.mktemp("fields")) as made:
        made.extra = {
            **{key: [value] if key in ("tags", "skills") else value for key, value in SECRETS.items()},
            "location": leads.Location(latitude=31.2, longitude=121.5),
        }
        yield made


@pytest.fixture
def blind(small: House) -> Principal:
    """One with every right and no field."""
    set_fields(small, "admin", True, every_field)
    return small.sign_in("admin1")


def messages_of(message: Message) -> Iterator[Message]:
    yield message
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for inner in value if field.is_repeated else [value]:
            yield from messages_of(inner)


def told_anyway(house: House, principal: Principal, rpc: str) -> list[str]:
    """Hidden fields that an answer of this RPC tells."""
    probe = PROBES[rpc]
    token = house.tokens.sign(session_of(house, "admin", probe) if probe.own_session else principal)
    if house.methods[rpc].GetOptions().Extensions[access_pb2.access].peer:
        return []  # no session may
    request = UNFILTERED[rpc]() if rpc in UNFILTERED else probe.ask(house, "admin", probe.rows[0])
    answer = house.call(rpc, request, token)
    assert answer.code in ("OK", "FAILED_PRECONDITION", "PERMISSION_DENIED", "INVALID_ARGUMENT"), (rpc, answer)
    if answer.code != "OK":
        assert rpc in REFUSED, (rpc, answer.code, answer.text)
        return []
    found = []
    for message in messages_of(answer.message):
        resource = message.DESCRIPTOR.GetOptions().Extensions[access_pb2.resource]
        hidden = principal.grant(resource).hidden if resource else frozenset()
        found += [f"{message.DESCRIPTOR.name}.{f.name}" for f, _ in message.ListFields() if f.name in hidden]
    plain = str(MessageToDict(answer.message))
    return found + [f"{field} ({secret})" for field, secret in SECRETS.items() if secret in plain]


# An update of a hidden field is refused, and an invitation sets a password; a lead in the pool needs a receiver, a team
# that goes must be empty, and one that comes back must have been deleted.
REFUSED = {
    "directory.DirectoryService.CreatePerson",
    "directory.DirectoryService.UpdatePerson",
    "directory.DirectoryService.InvitePerson",
    "directory.DirectoryService.CreateTeam",
    "directory.DirectoryService.UpdateTeam",
    "directory.DirectoryService.DeleteTeam",
    "directory.DirectoryService.UndeleteTeam",
    "directory.DirectoryService.UpdateCalendar",
    "leads.LeadService.UpdateLead",
    "leads.LeadService.UpdateForm",
    "leads.LeadService.ClaimLead",
}
# Nobody decides on what he asked for himself.
REFUSED |= {"contracts.ApprovalService.DecideApproval", "contracts.ApprovalService.DelegateApproval"}
# Their probes filter by phone, which is refused here.
UNFILTERED: dict[str, Callable[[], Message]] = {
    "leads.LeadService.ListLeads": lambda: leads.ListLeadsRequest(page_size=100),
    "leads.LeadService.SummarizeLeads": lambda: leads.SummarizeLeadsRequest(group_by=["region"]),
}
REFUSED.add("leads.LeadService.SummarizeLeads")


@pytest.mark.parametrize("rpc", sorted(TABLE))
def test_P7_hidden_fields_are_in_no_answer(rpc: str, small: House, blind: Principal) -> None:
    small.fresh("admin", "own")
    assert told_anyway(small, blind, rpc) == []


def test_P7_decisions_tell_no_fact_that_is_hidden_on_leads(small: House) -> None:
    set_fields(small, "admin", True, lambda resource: ["region", "channel"] if resource == "leads" else [])
    token = small.tokens.sign(small.sign_in("admin1"))
    request = rules.ListDecisionsRequest(parent=small.decided["mate"])
    answer = small.call("rules.RuleService.ListDecisions", request, token)
    (decision,) = answer.message.decisions
    assert decision.owner
    assert "industry" in decision.facts.fields
    assert not {"region", "channel"} & set(decision.facts.fields)
    assert "北京" not in str(MessageToDict(decision.facts))
    set_fields(small, "admin", True, lambda resource: ["owner"] if resource == "leads" else [])
    answer = small.call("rules.RuleService.ListDecisions", request, small.tokens.sign(small.sign_in("admin1")))
    assert small.people["mate"] not in str(MessageToDict(answer.message))


def test_P7_a_planted_defect_with_the_mask_off_is_noticed(
    small: House, blind: Principal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "mask", lambda principal, message: None)
    assert "Lead.phone" in told_anyway(small, blind, "leads.LeadService.GetLead")
    assert "Person.login" in told_anyway(small, blind, "directory.DirectoryService.ListPeople")
    assert "text (绝不外传的留言)" in told_anyway(small, blind, "leads.LeadService.ListTouchpoints")


def fields_named(answer: Answer) -> set[str]:
    for detail in status_pb2.Status.FromString(answer.details).details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            return {v.field for v in bad.field_violations}
    return set()


def _filters() -> list[tuple[str, Any, str]]:
    text = {"time": "2026-01-01T00:00:00Z", "enum": "ONLINE"}
    columns = {
        "leads": ["owner", "region", "industry", "category", "phone", "email", "company"],
        "people": ["role", "team", "region", "login", "display_name"],
    }
    asked = {"leads": leads.ListLeadsRequest, "people": directory.ListPeopleRequest}
    rpc = {"leads": "leads.LeadService.ListLeads", "people": "directory.DirectoryService.ListPeople"}
    found: list[tuple[str, Any, str]] = []
    for resource, names in columns.items():
        for name in names:
            for value in ('"a"', '"b*"'):
                found.append((rpc[resource], asked[resource](filter=f"{name} = {value}"), "filter"))
            found.append((rpc[resource], asked[resource](filter=f'NOT ({name} < "x" OR {name} > "x")'), "filter"))
        found.append((rpc[resource], asked[resource](filter=f'create_time > "{text["time"]}"'), "filter"))
    found += [
        (rpc["leads"], leads.ListLeadsRequest(filter=f"{name} = {value}"), "filter")
        for name, value in {
            "status": "POOLED",
            "channel": "API",
            "intent": "HIGH",
            "attention": "RED",
            "capture_time": f'"{text["time"]}"',
            "captureTime": f'"{text["time"]}"',
            "last_activity_time": f'"{text["time"]}"',
            "respond_by": f'"{text["time"]}"',
        }.items()
    ]
    found += [(rpc["leads"], leads.ListLeadsRequest(order_by=n), "orderBy") for n in ("capture_time", "respondBy desc")]
    found += [(rpc["people"], directory.ListPeopleRequest(order_by=n), "orderBy") for n in ("login", "display_name")]
    summary = "leads.LeadService.SummarizeLeads"
    for name in ("channel", "region", "status", "owner", "intent", "attention"):
        found.append((summary, leads.SummarizeLeadsRequest(group_by=[name]), "group_by"))
    return found


@pytest.mark.parametrize(("rpc", "request_", "field"), _filters(), ids=lambda value: str(value)[:60])
def test_P7_hidden_fields_cannot_be_guessed_by_filters_orders_and_groups(
    rpc: str, request_: Message, field: str, small: House, blind: Principal
) -> None:
    answer = small.call(rpc, request_, small.tokens.sign(blind))
    assert (answer.code, fields_named(answer)) == ("INVALID_ARGUMENT", {field})


def test_P7_the_order_of_a_list_tells_nothing_of_a_hidden_default_order(small: House, blind: Principal) -> None:
    for _ in range(3):
        small.fresh("admin", "own")
    request = leads.ListLeadsRequest(page_size=2)
    answer = small.call("leads.LeadService.ListLeads", request, small.tokens.sign(blind)).message
    assert len(answer.leads) == 2
    names = [lead.name for lead in answer.leads]
    assert names == sorted(names)


UPDATES: list[tuple[str, str, Callable[[House], Message]]] = [
    (
        "leads",
        "leads.LeadService.UpdateLead",
        lambda h: leads.UpdateLeadRequest(lead=leads.Lead(name=h.fresh("admin", "own"), company="乙")),
    ),
    (
        "people",
        "directory.DirectoryService.UpdatePerson",
        lambda h: directory.UpdatePersonRequest(person=directory.Person(name=h.people["mate"], region="上海")),
    ),
    (
        "people",
        "directory.DirectoryService.UpdatePerson",
        lambda h: directory.UpdatePersonRequest(
            person=directory.Person(name=h.people["mate"], capacity=directory.Capacity(open=3))
        ),
    ),
    (
        "teams",
        "directory.DirectoryService.UpdateTeam",
        lambda h: directory.UpdateTeamRequest(team=directory.Team(name=h.teams["mate"], display_name="改名")),
    ),
    (
        "forms",
        "leads.LeadService.UpdateForm",
        lambda h: PROBES["leads.LeadService.UpdateForm"].ask(h, "admin", "any"),
    ),
    (
        "calendars",
        "directory.DirectoryService.UpdateCalendar",
        lambda h: PROBES["directory.DirectoryService.UpdateCalendar"].ask(h, "admin", "any"),
    ),
]


@pytest.mark.parametrize("number", range(len(UPDATES)), ids=lambda n: UPDATES[n][1])
def test_P7_a_read_only_field_is_refused_and_a_hidden_one_unknown(small: House, number: int) -> None:
    _, rpc, ask = UPDATES[number]
    outcomes = []
    for hidden in (False, True):
        set_fields(small, "admin", hidden, every_field)
        outcomes.append(small.call(rpc, ask(small), small.tokens.sign(small.sign_in("admin1"))).code)
    set_fields(small, "admin", True, lambda resource: [])
    outcomes.append(small.call(rpc, ask(small), small.tokens.sign(small.sign_in("admin1"))).code)
    assert outcomes == ["PERMISSION_DENIED", "INVALID_ARGUMENT", "OK"]
