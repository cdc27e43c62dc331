"""For every RPC: which rows it is about, how it is asked for one of them, and how one tells that the row was told."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from dealwright.api.v1 import belongings_pb2, history_pb2
from dealwright.blueprint.v1 import blueprint_pb2 as blueprint
from dealwright.directory.v1 import directory_pb2 as directory
from dealwright.gateway.v1 import gateway_pb2 as gateway
from dealwright.leads.v1 import leads_pb2 as leads
from dealwright.rules.v1 import rules_pb2 as rules
from tests.security import asking_activities as asking_activities
from tests.security import asking_approvals as asking_approvals
from tests.security import asking_contracts as asking_contracts
from tests.security import asking_customers as asking_customers
from tests.security import asking_exports as asking_exports
from tests.security import asking_files as asking_files
from tests.security import asking_imports as asking_imports
from tests.security import asking_opportunities as asking_opportunities
from tests.security import asking_quotes as asking_quotes
from tests.security import asking_reports as asking_reports
from tests.security import asking_targets as asking_targets
from tests.security.house import PASSWORD, House
from tests.security.matrix import LEADS, PEOPLE
from tests.security.probes import PROBES as PROBES
from tests.security.probes import Probe as Probe
from tests.security.probes import asks, listed, numbers

# --- directory ---

_D = "directory.DirectoryService."
_team = lambda house, who, row: house.teams[row]  # noqa: E731
_person = House.person


@asks(_D + "CreatePerson", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    team = {"own": h.teams["own"], "mate": h.teams["mate"], "other": h.teams["other"]}[row]
    person = directory.Person(login=f"new{next(numbers)}", display_name="新", role="sales", team=team)
    return directory.CreatePersonRequest(person=person)


asks(_D + "GetPerson", PEOPLE)(lambda h, who, row: directory.GetPersonRequest(name=h.person(who, row)))
asks(_D + "ListPeople", PEOPLE, listed("people", _person))(
    lambda h, who, row: directory.ListPeopleRequest(page_size=1000)
)


@asks(_D + "UpdatePerson", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    person = directory.Person(name=h.person(who, row), display_name=f"改{next(numbers)}")
    return directory.UpdatePersonRequest(person=person)


@asks(_D + "SetPresence", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    presence = directory.Person.AWAY if next(numbers) % 2 else directory.Person.ONLINE
    return directory.SetPresenceRequest(name=h.person(who, row), presence=presence)


asks(_D + "Heartbeat", PEOPLE)(lambda h, who, row: directory.HeartbeatRequest(name=h.person(who, row)))
asks(_D + "InvitePerson", PEOPLE)(lambda h, who, row: directory.InvitePersonRequest(name=h.person(who, row)))
# Anybody may ask for anybody's, and is told the same.
asks(_D + "RequestPasswordReset", PEOPLE)(
    lambda h, who, row: directory.RequestPasswordResetRequest(login=f"{who if row == 'own' else row}1")
)


@asks(_D + "RedeemPasswordToken")
def _(h: House, who: str, row: str) -> Message:
    invited = directory.InvitePersonRequest(name=h.add_person(f"invited{next(numbers)}"))
    link = h.do(_D + "InvitePerson", invited).link
    return directory.RedeemPasswordTokenRequest(token=link.partition("#token=")[2], password=PASSWORD)


@asks(_D + "ChangePassword", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    name = h.person(who, row)
    return directory.ChangePasswordRequest(name=name, current_password=PASSWORD, new_password=PASSWORD)


asks(_D + "CreateTeam", PEOPLE)(
    lambda h, who, row: directory.CreateTeamRequest(
        team=directory.Team(display_name=f"新组{next(numbers)}", parent=h.teams[row])
    )
)
asks(_D + "GetTeam", PEOPLE)(lambda h, who, row: directory.GetTeamRequest(name=h.teams[row]))
asks(_D + "ListTeams", PEOPLE, listed("teams", _team))(lambda h, who, row: directory.ListTeamsRequest(page_size=1000))
asks(_D + "UpdateTeam", PEOPLE)(
    lambda h, who, row: directory.UpdateTeamRequest(
        team=directory.Team(name=h.teams[row], display_name=f"组{next(numbers)}")
    )
)


@asks(_D + "DeleteTeam", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    """His own has people in it, himself for one; the others are empty ones within his and within another."""
    below = {"mate": "own", "other": "other"}
    name = h.teams["own"] if row == "own" else h.add_team(f"空{next(numbers)}", h.teams[below[row]])
    return directory.DeleteTeamRequest(name=name)


@asks(_D + "UndeleteTeam", PEOPLE)
def _(h: House, who: str, row: str) -> Message:
    """His own was never deleted; the others were, one within his and one within another."""
    if row == "own":
        return directory.UndeleteTeamRequest(name=h.teams["own"])
    name = h.add_team(f"空{next(numbers)}", h.teams["own" if row == "mate" else "other"])
    h.do(_D + "DeleteTeam", directory.DeleteTeamRequest(name=name))
    return directory.UndeleteTeamRequest(name=name)


asks(_D + "GetRole")(lambda h, who, row: directory.GetRoleRequest(name="roles/sales"))
asks(_D + "ListRoles")(lambda h, who, row: directory.ListRolesRequest())
asks(_D + "UpdateRole")(
    lambda h, who, row: directory.UpdateRoleRequest(
        role=directory.Role(name="roles/finance", display_name=f"财务 {next(numbers)}")
    )
)


def _calendar(h: House) -> str:
    request = directory.CreateCalendarRequest(
        calendar=directory.Calendar(display_name="展会"), calendar_id=f"show-{next(numbers)}"
    )
    return str(h.do(_D + "CreateCalendar", request).name)


@asks(_D + "CreateCalendar")
def _(h: House, who: str, row: str) -> Message:
    calendar = directory.Calendar(display_name="展会")
    return directory.CreateCalendarRequest(calendar=calendar, calendar_id=f"show-{next(numbers)}")


asks(_D + "GetCalendar")(lambda h, who, row: directory.GetCalendarRequest(name="calendars/company"))
asks(_D + "ListCalendars")(lambda h, who, row: directory.ListCalendarsRequest())
asks(_D + "UpdateCalendar")(
    lambda h, who, row: directory.UpdateCalendarRequest(
        calendar=directory.Calendar(name="calendars/company", display_name=f"公司 {next(numbers)}")
    )
)
asks(_D + "DeleteCalendar")(lambda h, who, row: directory.DeleteCalendarRequest(name=_calendar(h)))


@asks(_D + "UndeleteCalendar")
def _(h: House, who: str, row: str) -> Message:
    gone = h.do(_D + "DeleteCalendar", directory.DeleteCalendarRequest(name=_calendar(h)))
    return directory.UndeleteCalendarRequest(name=gone.name)


asks(_D + "CreateSession")(lambda h, who, row: directory.CreateSessionRequest(login="other1", password=PASSWORD))
asks(_D + "GetSession")(lambda h, who, row: directory.GetSessionRequest())
asks(_D + "DeleteSession", own_session=True)(lambda h, who, row: directory.DeleteSessionRequest())


@asks(_D + "ResolveSession")
def _(h: House, who: str, row: str) -> Message:
    request = directory.CreateSessionRequest(login="other1", password=PASSWORD)
    token = h.call(_D + "CreateSession", request, None).message.token
    return directory.ResolveSessionRequest(token=token)


asks(_D + "ResolvePerson")(lambda h, who, row: directory.ResolvePersonRequest(name=h.person("sales", "own")))

# --- leads ---

_L = "leads.LeadService."


def _capture(h: House, who: str, row: str) -> leads.CaptureLeadRequest:
    """A second touch of a lead that is known."""
    lead = h.lead(h.fresh(who, row))
    return leads.CaptureLeadRequest(lead=leads.Lead(phone=lead.phone, text="再次来访"))


def _outline(lead: Any) -> str:
    return "Y" if lead.phone else "O"


asks(_L + "CaptureLead", LEADS, lambda h, who, row, answer: _outline(answer.lead))(_capture)
asks(_L + "BatchCaptureLeads", LEADS, lambda h, who, row, answer: _outline(answer.results[0].lead))(
    lambda h, who, row: leads.BatchCaptureLeadsRequest(requests=[_capture(h, who, row)])
)


def _form(h: House) -> str:
    request = leads.CreateFormRequest(form=_a_form(), form_id=f"booth-{next(numbers)}")
    return str(h.do(_L + "CreateForm", request).name)


def _a_form() -> leads.Form:
    return leads.Form(display_name="展位", channel=leads.WEB_FORM, fields=["full_name", "phone"], open=True)


_THANKS = leads.SubmitFormResponse(
    message="谢谢，我们已收到，会尽快与您联系。Thank you, it arrived; we will contact you soon."
)


@asks(_L + "SubmitForm", LEADS, lambda h, who, row, answer: "Y" if answer == _THANKS else "O")
def _(h: House, who: str, row: str) -> Message:
    """A visitor whose lead is known already: whosever it is, he learns nothing of it."""
    return leads.SubmitFormRequest(form=_form(h), lead=leads.Lead(phone=h.lead(h.fresh(who, row)).phone))


asks(_L + "DescribeForm")(lambda h, who, row: leads.DescribeFormRequest(name=_form(h)))
asks(_L + "GetLead", LEADS)(lambda h, who, row: leads.GetLeadRequest(name=h.fresh(who, row)))


def _one_lead(h: House, who: str, row: str) -> str:
    return f'phone = "{h.lead(h.fresh(who, row)).phone}"'


asks(_L + "ListLeads", LEADS, lambda h, who, row, answer: "S" if answer.leads else "U")(
    lambda h, who, row: leads.ListLeadsRequest(filter=_one_lead(h, who, row))
)
asks(_L + "SummarizeLeads", LEADS, lambda h, who, row, answer: "S" if answer.rows else "U")(
    lambda h, who, row: leads.SummarizeLeadsRequest(group_by=["channel"], filter=_one_lead(h, who, row))
)
asks(_L + "ListTouchpoints", LEADS)(lambda h, who, row: leads.ListTouchpointsRequest(parent=h.fresh(who, row)))


@asks(_L + "UpdateLead", LEADS)
def _(h: House, who: str, row: str) -> Message:
    return leads.UpdateLeadRequest(lead=leads.Lead(name=h.fresh(who, row), company=f"甲{next(numbers)}"))


asks(_L + "DeleteLead", LEADS)(lambda h, who, row: leads.DeleteLeadRequest(name=h.fresh(who, row)))


@asks(_L + "UndeleteLead", LEADS)
def _(h: House, who: str, row: str) -> Message:
    name = h.fresh(who, row)
    h.do(_L + "DeleteLead", leads.DeleteLeadRequest(name=name))
    return leads.UndeleteLeadRequest(name=name)


asks(_L + "ContactLead", LEADS)(lambda h, who, row: leads.ContactLeadRequest(name=h.fresh(who, row)))
asks(_L + "ClaimLead", LEADS)(lambda h, who, row: leads.ClaimLeadRequest(name=h.fresh(who, row)))
asks(_L + "QualifyLead", LEADS)(lambda h, who, row: leads.QualifyLeadRequest(name=h.fresh(who, row)))
asks(_L + "DisqualifyLead", LEADS)(
    lambda h, who, row: leads.DisqualifyLeadRequest(name=h.fresh(who, row), reason="无意向")
)
asks(_L + "ReleaseLead", LEADS)(lambda h, who, row: leads.ReleaseLeadRequest(name=h.fresh(who, row)))


@asks(_L + "ReassignLead", LEADS)
def _(h: House, who: str, row: str) -> Message:
    taker = h.people["mate" if row == "other" else "other"]
    return leads.ReassignLeadRequest(name=h.fresh(who, row), owner=taker)


asks(_L + "CreateForm")(lambda h, who, row: leads.CreateFormRequest(form=_a_form(), form_id=f"booth-{next(numbers)}"))
asks(_L + "GetForm")(lambda h, who, row: leads.GetFormRequest(name=_form(h)))
asks(_L + "ListForms")(lambda h, who, row: leads.ListFormsRequest())
asks(_L + "UpdateForm")(
    lambda h, who, row: leads.UpdateFormRequest(
        form=leads.Form(name=_form(h), display_name="新名"), update_mask=FieldMask(paths=["display_name"])
    )
)
asks(_L + "DeleteForm")(lambda h, who, row: leads.DeleteFormRequest(name=_form(h)))
asks(_L + "UndeleteForm")(
    lambda h, who, row: leads.UndeleteFormRequest(
        name=h.do(_L + "DeleteForm", leads.DeleteFormRequest(name=_form(h))).name
    )
)

# --- rules ---

_R = "rules.RuleService."
_POLICY = "policies/assignment"


def _policy(h: House) -> Any:
    return h.do(_R + "GetPolicy", rules.GetPolicyRequest(name=_POLICY))


asks(_R + "GetPolicy")(lambda h, who, row: rules.GetPolicyRequest(name=_POLICY))
asks(_R + "ListPolicies")(lambda h, who, row: rules.ListPoliciesRequest())


@asks(_R + "UpdatePolicy")
def _(h: House, who: str, row: str) -> Message:
    policy = _policy(h)
    policy.content["clocks"]["responseMinutes"] = 60 + next(numbers) % 60
    return rules.UpdatePolicyRequest(policy=rules.Policy(name=_POLICY, content=policy.content))


asks(_R + "ListDecisions", PEOPLE)(lambda h, who, row: rules.ListDecisionsRequest(parent=h.decided_for(who, row)))
asks(_R + "ListTimers", PEOPLE)(lambda h, who, row: rules.ListTimersRequest(parent=h.decided_for(who, row)))


def _in_ledgers(h: House, who: str, row: str, answer: Any) -> str:
    ledgers = answer.ledgers if hasattr(answer, "ledgers") else [answer]
    return "S" if h.person(who, row) in {one.person for ledger in ledgers for one in ledger.rows} else "U"


@asks(_R + "GetLedger", PEOPLE, _in_ledgers)
def _(h: House, who: str, row: str) -> Message:
    every = h.do(_R + "ListLedgers", rules.ListLedgersRequest()).ledgers
    return rules.GetLedgerRequest(
        name=next(one.name for one in every if h.person(who, row) in {r.person for r in one.rows})
    )


asks(_R + "ListLedgers", PEOPLE, _in_ledgers)(lambda h, who, row: rules.ListLedgersRequest())
asks(_R + "PreviewAutomations")(lambda h, who, row: rules.PreviewAutomationsRequest(on="OPPORTUNITY_SILENT"))
asks(_R + "VerifyJournal")(lambda h, who, row: rules.VerifyJournalRequest())


@asks(_R + "SimulatePolicy", PEOPLE, listed("differences", House.decided_for, "lead"))
def _(h: House, who: str, row: str) -> Message:
    content = _policy(h).content
    fallback = content["steps"].values[-1]
    content["steps"].Clear()
    content["steps"].values.add().CopyFrom(fallback)  # nobody gets anything: every decision would differ
    return rules.SimulatePolicyRequest(content=content)


# --- the blueprint ---


for _keeper in ("customers", "opportunities", "contracts", "activities"):
    asks(f"{_keeper}.BelongingsService.FindBelongings")(
        lambda h, who, row: belongings_pb2.FindBelongingsRequest(names=["customers/" + "0" * 32])
    )


def _ask_for_history(keeper: str, event: str) -> None:
    request = history_pb2.ListMessagesRequest(types=[f"dealwright.{keeper}.v1.{event}"])
    asks(f"{keeper}.HistoryService.ListMessages")(lambda h, who, row: request)


_ask_for_history("leads", "LeadCaptured")
_ask_for_history("customers", "CustomerCreated")
_ask_for_history("opportunities", "OpportunityOpened")
_ask_for_history("contracts", "ContractSigned")
_ask_for_history("activities", "FollowUpLogged")


def _part(h: House, owner: str) -> Any:
    return h.do(f"{owner}.BlueprintService.GetPart", blueprint.GetPartRequest())


def _ask_for_part(owner: str) -> None:
    def plan(h: House, who: str, row: str) -> Message:
        return blueprint.PlanPartRequest(content=_part(h, owner).content)

    def apply(h: House, who: str, row: str) -> Message:
        part = _part(h, owner)
        return blueprint.ApplyPartRequest(content=part.content, expected_version=part.version)

    asks(f"{owner}.BlueprintService.GetPart")(lambda h, who, row: blueprint.GetPartRequest())
    asks(f"{owner}.BlueprintService.PlanPart")(plan)
    asks(f"{owner}.BlueprintService.ApplyPart")(apply)


for _owner in ("directory", "leads", "rules", "customers", "opportunities", "activities", "contracts", "reports"):
    _ask_for_part(_owner)

asks("gateway.GatewayService.GetBlueprint")(lambda h, who, row: gateway.GetBlueprintRequest())


@asks("gateway.GatewayService.ApplyBlueprint")
def _(h: House, who: str, row: str) -> Message:
    whole = h.do("gateway.GatewayService.GetBlueprint", gateway.GetBlueprintRequest())
    return gateway.ApplyBlueprintRequest(content=whole.content, etag=whole.etag)
