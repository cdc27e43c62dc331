"""gRPC in: unpack, call, pack."""

from __future__ import annotations

from typing import Any

from google.protobuf.empty_pb2 import Empty

from chassis.errors import Denied, Invalid
from chassis.rpc import Call, command, outside, query
from chassis.service import Runtime
from chassis.transaction import Transaction
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.directory.v1 import directory_pb2 as pb
from directory import wire
from directory.domain.people import Person
from directory.usecases import blueprint, calendars, invitations, passwords, people, presence, roles, sessions, teams
from directory.usecases.settings import settings
from directory.wire import organisation as wire_organisation


def _new_person(servicer: Any, call: Call[pb.CreatePersonRequest]) -> tuple[dict[str, Any], str]:
    """Before the transaction: checks the values and hashes the password, which takes its time."""
    values = wire.read_new_person(call.request.person)
    return values, passwords.hashed(values["password"]) if values.get("password") else ""


def _changed_person(servicer: Any, call: Call[pb.UpdatePersonRequest]) -> tuple[dict[str, Any], str]:
    person = call.request.person
    wire.name_of(person.name, "people", "person.name")
    paths = wire.mask_paths(call.request.update_mask, person, wire.PERSON_PATHS)
    values = wire.read_person(person, paths)
    return values, passwords.hashed(values["password"]) if "password" in values else ""


class DirectoryServicer:
    """People, teams, roles, sign-in, presence, working calendars."""

    descriptor = pb.DESCRIPTOR.services_by_name["DirectoryService"]

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    # --- people ---

    @command(fetch=_new_person)
    def CreatePerson(self, tx: Transaction, request: pb.CreatePersonRequest) -> pb.Person:
        values, password_hash = tx.fetched
        return wire.person(people.create(tx, values, password_hash))

    @query
    def GetPerson(self, tx: Transaction, request: pb.GetPersonRequest) -> pb.Person:
        return wire.person(people.get(tx, wire.name_of(request.name, "people")))

    @query
    def ListPeople(self, tx: Transaction, request: pb.ListPeopleRequest) -> pb.ListPeopleResponse:
        found, token, total = people.listing(tx, request)
        return pb.ListPeopleResponse(people=map(wire.person, found), next_page_token=token, total_size=total)

    @command(fetch=_changed_person)
    def UpdatePerson(self, tx: Transaction, request: pb.UpdatePersonRequest) -> pb.Person:
        values, password_hash = tx.fetched
        return wire.person(people.update(tx, request.person.name, values, request.person.etag, password_hash))

    @command
    def SetPresence(self, tx: Transaction, request: pb.SetPresenceRequest) -> pb.Person:
        name = wire.name_of(request.name, "people")
        return wire.person(people.set_presence(tx, name, wire.checked_presence(request.presence)))

    @outside
    def Heartbeat(self, call: Call[pb.HeartbeatRequest]) -> pb.Person:
        name = wire.name_of(call.request.name, "people")
        return wire.person(presence.heartbeat(self._runtime, call.origin, call.principal, name))

    # --- invitations and passwords ---

    @outside
    def InvitePerson(self, call: Call[pb.InvitePersonRequest]) -> pb.InvitePersonResponse:
        # Not a @command: its stored answer would hold the link.
        name = wire.name_of(call.request.name, "people")
        token = invitations.token_for(self._runtime, call.principal.actor, call.request.request_id, name)
        with self._runtime.transaction(call.principal, call.origin) as tx:
            made = invitations.invite(tx, name, token)
        answer = pb.InvitePersonResponse(link=made.link, mailed=made.mailed)
        answer.expire_time.FromDatetime(made.expires)
        return answer

    @command
    def RequestPasswordReset(self, tx: Transaction, request: pb.RequestPasswordResetRequest) -> Empty:
        invitations.request_reset(tx, wire.sign_in_login(request.login))
        return Empty()

    @outside
    def RedeemPasswordToken(self, call: Call[pb.RedeemPasswordTokenRequest]) -> Empty:
        password = wire.checked_password(call.request.password, "password")
        invitations.redeem(self._runtime, call.origin, call.request.token, password)
        return Empty()

    @outside
    def ChangePassword(self, call: Call[pb.ChangePasswordRequest]) -> Empty:
        request = call.request
        name = wire.name_of(request.name, "people")
        if name != call.principal.person and not call.principal.scope("people", "write") > 1:
            raise Denied("people.write")
        new = wire.checked_password(request.new_password, "new_password")
        invitations.change(self._runtime, call.principal, call.origin, name, request.current_password, new)
        return Empty()

    # --- teams ---

    @command
    def CreateTeam(self, tx: Transaction, request: pb.CreateTeamRequest) -> pb.Team:
        return wire.team(teams.create(tx, wire_organisation.read_team(request.team, wire_organisation.TEAM_PATHS)))

    @query
    def GetTeam(self, tx: Transaction, request: pb.GetTeamRequest) -> pb.Team:
        return wire.team(teams.get(tx, wire.name_of(request.name, "teams"), request.show_deleted))

    @query
    def ListTeams(self, tx: Transaction, request: pb.ListTeamsRequest) -> pb.ListTeamsResponse:
        size = wire_organisation.page_size(request.page_size)
        after = wire.name_of(request.page_token, "teams", "page_token") if request.page_token else ""
        found = teams.listing(tx, after, size + 1, request.show_deleted)
        more = len(found) > size
        return pb.ListTeamsResponse(
            teams=[wire.team(t) for t in found[:size]], next_page_token=found[size - 1].name if more else ""
        )

    @command
    def UpdateTeam(self, tx: Transaction, request: pb.UpdateTeamRequest) -> pb.Team:
        name = wire.name_of(request.team.name, "teams", "team.name")
        paths = wire.mask_paths(request.update_mask, request.team, wire_organisation.TEAM_PATHS)
        return wire.team(teams.update(tx, name, wire_organisation.read_team(request.team, paths), request.team.etag))

    @command
    def DeleteTeam(self, tx: Transaction, request: pb.DeleteTeamRequest) -> pb.Team:
        return wire.team(teams.delete(tx, wire.name_of(request.name, "teams"), request.etag))

    @command
    def UndeleteTeam(self, tx: Transaction, request: pb.UndeleteTeamRequest) -> pb.Team:
        return wire.team(teams.undelete(tx, wire.name_of(request.name, "teams")))

    # --- roles ---

    @query
    def GetRole(self, tx: Transaction, request: pb.GetRoleRequest) -> pb.Role:
        return wire.role(roles.get(tx, wire.name_of(request.name, "roles")))

    @query
    def ListRoles(self, tx: Transaction, request: pb.ListRolesRequest) -> pb.ListRolesResponse:
        return pb.ListRolesResponse(roles=map(wire.role, roles.listing(tx)))

    @command
    def UpdateRole(self, tx: Transaction, request: pb.UpdateRoleRequest) -> pb.Role:
        name = wire.name_of(request.role.name, "roles", "role.name")
        paths = wire.mask_paths(request.update_mask, request.role, wire_organisation.ROLE_PATHS)
        display_name, grants = wire_organisation.read_role(request.role, paths)
        return wire.role(roles.update(tx, name, display_name, grants, request.role.etag))

    # --- calendars ---

    @command
    def CreateCalendar(self, tx: Transaction, request: pb.CreateCalendarRequest) -> pb.Calendar:
        calendar = request.calendar
        name = calendars.name_for(wire_organisation.calendar_id(request.calendar_id), calendar.display_name)
        return wire.calendar(
            calendars.create(tx, wire_organisation.read_calendar(calendar, name, settings().company_time_zone))
        )

    @query
    def GetCalendar(self, tx: Transaction, request: pb.GetCalendarRequest) -> pb.Calendar:
        name = wire.name_of(request.name, "calendars")
        return wire.calendar(calendars.get(tx, name, deleted=request.show_deleted))

    @query
    def ListCalendars(self, tx: Transaction, request: pb.ListCalendarsRequest) -> pb.ListCalendarsResponse:
        return pb.ListCalendarsResponse(calendars=map(wire.calendar, calendars.listing(tx, request.show_deleted)))

    @command
    def UpdateCalendar(self, tx: Transaction, request: pb.UpdateCalendarRequest) -> pb.Calendar:
        name = wire.name_of(request.calendar.name, "calendars", "calendar.name")
        paths = wire.mask_paths(request.update_mask, request.calendar, wire_organisation.CALENDAR_PATHS)
        before = calendars.get(tx, name, lock=True)
        merged = wire_organisation.merged_calendar(before, request.calendar, paths)
        after = wire_organisation.read_calendar(merged, name, settings().company_time_zone)
        return wire.calendar(calendars.update(tx, before, after, paths, request.calendar.etag))

    @command
    def DeleteCalendar(self, tx: Transaction, request: pb.DeleteCalendarRequest) -> pb.Calendar:
        return wire.calendar(calendars.delete(tx, wire.name_of(request.name, "calendars"), request.etag))

    @command
    def UndeleteCalendar(self, tx: Transaction, request: pb.UndeleteCalendarRequest) -> pb.Calendar:
        return wire.calendar(calendars.undelete(tx, wire.name_of(request.name, "calendars")))

    # --- sessions ---

    @outside
    def CreateSession(self, call: Call[pb.CreateSessionRequest]) -> pb.Session:
        request = call.request
        if not request.login or not request.password:
            field = "password" if request.login else "login"
            raise Invalid([(field, "is required", "必填")])
        login = wire.sign_in_login(request.login)
        # A one-time code is asked only of who has enrolled, which nobody can yet: it is not looked at.
        return _session(sessions.sign_in(self._runtime, call.origin, login, request.password[:1000], call.address))

    @query
    def GetSession(self, tx: Transaction, request: pb.GetSessionRequest) -> pb.Session:
        return _session(sessions.current(tx))

    @command
    def DeleteSession(self, tx: Transaction, request: pb.DeleteSessionRequest) -> Empty:
        sessions.sign_out(tx)
        return Empty()

    @outside
    def ResolveSession(self, call: Call[pb.ResolveSessionRequest]) -> pb.ResolveSessionResponse:
        live, covered = sessions.resolve(self._runtime, call.request.token)
        answer = pb.ResolveSessionResponse(principal=wire.principal(live.person, live.role, covered, live.session.id))
        answer.expire_time.FromDatetime(live.expires)
        answer.cache_for.FromNanoseconds(int(settings().session_cache * 1e9))
        return answer

    @query
    def ResolvePerson(self, tx: Transaction, request: pb.ResolvePersonRequest) -> pb.ResolvePersonResponse:
        person, role, covered = sessions.away(tx, wire.name_of(request.name, "people"))
        return pb.ResolvePersonResponse(principal=wire.principal(person, role, covered, ""), email=person.email or "")


def _session(live: sessions.SignedIn) -> pb.Session:
    person: Person = live.person
    return wire.session(live.token, person, live.role, live.expires)


class BlueprintServicer:
    """Directory's part of the blueprint: the keys "roles" and "calendars"."""

    descriptor = blueprint_pb2.DESCRIPTOR.services_by_name["BlueprintService"]

    @query
    def GetPart(self, tx: Transaction, request: blueprint_pb2.GetPartRequest) -> blueprint_pb2.Part:
        return blueprint.part(tx)

    @query
    def PlanPart(self, tx: Transaction, request: blueprint_pb2.PlanPartRequest) -> blueprint_pb2.PlanPartResponse:
        return blueprint.plan(tx, request.content)

    @command
    def ApplyPart(self, tx: Transaction, request: blueprint_pb2.ApplyPartRequest) -> blueprint_pb2.Part:
        return blueprint.apply(tx, request.content, request.expected_version)
