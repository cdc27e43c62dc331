"""Who may do what with people, and what roles are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import Grant, Principal, Scope
from dealwright.api.v1 import access_pb2
from dealwright.directory.v1 import directory_pb2 as pb
from directory.domain import rights

ALL = Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)


def test_P1_the_five_roles_stand_in_a_new_system_and_are_announced(any_house: Any) -> None:
    roles = any_house.admin.ListRoles().roles
    assert [r.name.removeprefix("roles/") for r in roles] == ["admin", "manager", "sales", "backoffice", "finance"]
    assert [e.role for e in any_house.events("RoleChanged")] == list(roles)


def test_P3_every_resource_a_method_asks_for_can_be_granted() -> None:
    from dealwright.blueprint.v1 import blueprint_pb2
    from dealwright.leads.v1 import leads_pb2
    from dealwright.rules.v1 import rules_pb2

    asked = {
        method.GetOptions().Extensions[access_pb2.access].resource
        for file in (pb, leads_pb2, rules_pb2, blueprint_pb2)
        for s in file.DESCRIPTOR.services_by_name.values()
        for method in s.methods
    }
    assert asked - {""} <= set(rights.RESOURCES)


def test_P5_sales_see_their_own_leads_a_manager_the_team_s_an_administrator_all() -> None:
    by_id = {role.id: role for role in rights.default_roles()}
    assert by_id["sales"].scope("leads", "read") == rights.OWN
    assert by_id["manager"].scope("leads", "read") == rights.TEAM
    assert by_id["admin"].scope("leads", "read") == rights.ALL
    assert by_id["finance"].scope("leads", "read") == rights.NONE


def test_P5_the_principal_covers_the_own_team_those_below_it_and_those_one_manages(any_house: Any) -> None:
    boss = any_house.add("boss", role="manager")
    top = any_house.admin.CreateTeam(team=pb.Team(display_name="Top")).name
    north = any_house.admin.CreateTeam(team=pb.Team(display_name="North", parent=top, manager=boss.name)).name
    far = any_house.admin.CreateTeam(team=pb.Team(display_name="Far north", parent=north)).name
    south = any_house.admin.CreateTeam(team=pb.Team(display_name="South", parent=top)).name
    principal = any_house.principal(any_house.token("boss"))
    assert set(principal.teams) == {north, far}
    assert principal.scope("leads", "export") is Scope.TEAM
    any_house.admin.UpdatePerson(person=pb.Person(name=boss.name, team=south))
    assert set(any_house.principal(any_house.token("boss")).teams) == {north, far, south}


def test_P3_sales_may_read_people_and_change_none_not_even_their_own_weight(house: Any) -> None:
    me, other = house.add("li"), house.add("wang")
    sales = house.as_login("li")
    before = house.texts()
    for name in (me.name, other.name):
        for path in ("weight", "capacity", "role"):
            with pytest.raises(Exception, match="PERMISSION_DENIED"):
                sales.UpdatePerson(
                    person=pb.Person(name=name, weight=100, role="admin"), update_mask=FieldMask(paths=[path])
                )
    tries: list[Callable[[], Any]] = [
        lambda: sales.CreatePerson(person=pb.Person(login="x", role="sales")),
        lambda: sales.SetPresence(name=other.name, presence="OFFLINE"),
        lambda: sales.Heartbeat(name=other.name),
        lambda: sales.InvitePerson(name=other.name),
        lambda: sales.ChangePassword(name=other.name, new_password="another long one"),
        lambda: sales.CreateTeam(team=pb.Team(display_name="x")),
        lambda: sales.ListRoles(),
        lambda: sales.ResolveSession(token="x"),
        lambda: sales.UpdateRole(role=pb.Role(name="roles/sales")),
    ]
    for denied in tries:
        with pytest.raises(Exception, match="PERMISSION_DENIED"):
            denied()
    assert house.texts() == before


def test_P3_everyone_sets_his_own_presence(house: Any) -> None:
    me = house.add("li")
    assert house.as_login("li").SetPresence(name=me.name, presence="AWAY").presence == pb.Person.AWAY


def test_P7_sales_see_colleagues_without_login_and_email_and_cannot_search_them(house: Any) -> None:
    other = house.add("wang", email="wang@example.com")
    house.add("li")
    sales = house.as_login("li")
    seen = sales.GetPerson(name=other.name)
    assert (seen.display_name, seen.login, seen.email) == ("wang", "", "")
    assert all(not p.login and not p.email for p in sales.ListPeople().people)
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        sales.ListPeople(filter='login = "wang"')
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        sales.ListPeople(order_by="login")
    assert house.as_login("wang").GetPerson(name=other.name).login == ""
    assert house.admin.GetPerson(name=other.name).login == "wang"


def test_P7_a_field_that_a_role_only_reads_is_not_changed_by_it(house: Any) -> None:
    person = house.add("li")
    everything = dict.fromkeys(rights.RESOURCES, ALL)
    everything["people"] = replace(ALL, read_only=frozenset({"capacity"}), hidden=frozenset({"email"}))
    chief = house.by(Principal("people/chief", "x", "", (), everything))
    assert chief.UpdatePerson(person=pb.Person(name=person.name, weight=2)).weight == 2
    with pytest.raises(Exception, match=r"PERMISSION_DENIED"):
        chief.UpdatePerson(person=pb.Person(name=person.name, capacity=pb.Capacity(open=1)))
    with pytest.raises(Exception, match=r"no such field"):
        chief.UpdatePerson(person=pb.Person(name=person.name, email="x@example.com"))
    with pytest.raises(Exception, match=r"PERMISSION_DENIED"):
        chief.CreatePerson(person=pb.Person(login="n", role="sales", capacity=pb.Capacity(open=1)))
    assert chief.CreatePerson(person=pb.Person(login="n", role="sales")).weight == 1


def test_P5_who_may_write_a_team_s_people_writes_no_others_and_hands_out_no_greater_role(house: Any) -> None:
    team = house.admin.CreateTeam(team=pb.Team(display_name="North")).name
    mine, other, boss = house.add("mine", team=team), house.add("other"), house.add("chief", role="admin", team=team)
    own_role = {g.resource: g for g in next(r for r in rights.default_roles() if r.id == "manager").grants}
    grants = {r: Grant(Scope(g.read), Scope(g.write), Scope(g.delete), Scope(g.export)) for r, g in own_role.items()}
    grants["people"] = Grant(Scope.TEAM, Scope.TEAM)
    lead = house.by(Principal("people/lead", "manager", team, (team,), grants | {"ledgers": Grant(Scope.ALL)}))

    def put(name: str, **values: Any) -> Any:
        return lead.UpdatePerson(person=pb.Person(name=name, **values))

    with pytest.raises(Exception, match="PERMISSION_DENIED"):
        put(mine.name, weight=2)  # the sales role reads people of all teams: more than TEAM
    grants["people"] = Grant(Scope.ALL, Scope.TEAM)
    lead = house.by(Principal("people/lead", "manager", team, (team,), grants))
    assert put(mine.name, weight=2).weight == 2
    tries: list[Callable[[], Any]] = [
        lambda: put(other.name, weight=2),
        lambda: put(mine.name, role="admin"),
        lambda: put(boss.name, weight=2),
        lambda: lead.InvitePerson(name=boss.name),
        lambda: lead.ChangePassword(name=boss.name, new_password="taken over at last"),
        lambda: lead.CreatePerson(person=pb.Person(login="n", role="sales")),
        lambda: lead.UpdatePerson(person=pb.Person(name=mine.name), update_mask=FieldMask(paths=["team"])),
    ]
    for denied in tries:
        with pytest.raises(Exception, match="PERMISSION_DENIED"):
            denied()


def test_P5_a_manager_says_how_much_work_his_team_takes_and_nothing_else_of_it(house: Any) -> None:
    boss = house.add("boss", role="manager")
    top = house.admin.CreateTeam(team=pb.Team(display_name="Top", manager=boss.name)).name
    below = house.admin.CreateTeam(team=pb.Team(display_name="Below", parent=top)).name
    mates = [
        house.add("mate", team=top),
        house.add("far", team=below),
        house.add("inside", role="backoffice", team=top),
    ]
    stranger = house.add("other", team=house.admin.CreateTeam(team=pb.Team(display_name="South")).name)
    manager = house.as_login("boss")
    for mate in mates:
        changed = manager.UpdatePerson(person=pb.Person(name=mate.name, capacity=pb.Capacity(open=3, per_day=2)))
        assert (changed.capacity.open, changed.capacity.per_day) == (3, 2)
        assert manager.SetPresence(name=mate.name, presence="AWAY").presence == pb.Person.AWAY
        assert manager.UpdatePerson(person=pb.Person(name=mate.name, presence=pb.Person.ONLINE)).presence == 1
    mate = mates[0].name
    before = house.admin.ListPeople()
    tries: list[Callable[[], Any]] = [
        lambda: manager.SetPresence(name=stranger.name, presence="AWAY"),
        lambda: manager.UpdatePerson(person=pb.Person(name=stranger.name, capacity=pb.Capacity(open=1))),
        lambda: manager.InvitePerson(name=mate),
        lambda: manager.ChangePassword(name=mate, new_password="taken over at last"),
        lambda: manager.CreatePerson(person=pb.Person(login="n", role="sales", team=top)),
        lambda: manager.CreatePerson(person=pb.Person(login="n", role="sales")),
        *(
            (lambda field=field, value=value: manager.UpdatePerson(person=pb.Person(name=mate, **{field: value})))
            for field, value in {
                "display_name": "x", "login": "x", "password": "taken over at last", "role": "manager", "team": below,
                "manager": boss.name, "region": "x", "skills": ["x"], "industries": ["x"], "seniority": "senior",
                "weight": 9, "location": pb.Location(latitude=1, longitude=1), "state": "LEFT",
                "email": "x@example.com", "calendar": "calendars/company",
            }.items()
        ),
    ]  # fmt: skip
    for denied in tries:
        with pytest.raises(Exception, match="PERMISSION_DENIED"):
            denied()
    assert house.admin.ListPeople() == before
    fields = {f.name for f in pb.Person.DESCRIPTOR.fields} - {"name", "create_time", "update_time", "etag"}
    assert fields - set(rights.OF_ADMINISTRATORS) == {"capacity", "presence"}


def test_P5_who_reads_only_his_team_finds_nobody_else(house: Any) -> None:
    team = house.admin.CreateTeam(team=pb.Team(display_name="North")).name
    mine, other = house.add("mine", team=team), house.add("other")
    reader = house.by(Principal(other.name, "x", team, (team,), {"people": Grant(Scope.TEAM)}))
    assert {p.name for p in reader.ListPeople().people} == {mine.name, other.name}
    alone = house.by(Principal(other.name, "x", "", (), {"people": Grant(Scope.OWN)}))
    assert [p.name for p in alone.ListPeople().people] == [other.name]
    with pytest.raises(Exception, match="NOT_FOUND"):
        alone.GetPerson(name=mine.name)


def test_N12_a_right_taken_from_a_role_bites_at_the_next_resolve(house: Any) -> None:
    house.add("li")
    token = house.token("li")
    role = house.admin.GetRole(name="roles/sales")
    changed = pb.Role(name=role.name, etag=role.etag, grants=[g for g in role.grants if g.resource != "leads"])
    changed.grants.add(resource="leads", read=pb.Grant.OWN, hidden_fields=["phone", "fullName"])
    updated = house.admin.UpdateRole(role=changed, update_mask=FieldMask(paths=["grants"]))
    grant = house.principal(token).grant("leads")
    assert (grant.read, grant.write, grant.hidden) == (Scope.OWN, Scope.NONE, frozenset({"phone", "full_name"}))
    last = house.events("RoleChanged")[-1]
    assert last.role == updated
    assert last.version > int(role.etag)
    with pytest.raises(Exception, match="ABORTED"):
        house.admin.UpdateRole(role=changed, update_mask=FieldMask(paths=["grants"]))


def test_P7_a_field_right_on_a_field_that_does_not_exist_is_refused(house: Any) -> None:
    grant = pb.Grant(resource="leads", read=pb.Grant.ALL, hidden_fields=["telephone"])
    with pytest.raises(Exception, match="telephone"):
        house.admin.UpdateRole(role=pb.Role(name="roles/sales", grants=[grant]))
    for wrong in (
        pb.Grant(resource="moon"),
        pb.Grant(resource="leads", read=9),  # type: ignore[arg-type]
        pb.Grant(resource="leads", hidden_fields=["name"]),
    ):
        with pytest.raises(Exception, match="INVALID_ARGUMENT"):
            house.admin.UpdateRole(role=pb.Role(name="roles/sales", grants=[wrong]))


def test_the_last_right_to_administer_cannot_be_lost(any_house: Any) -> None:
    admin = any_house.principal(any_house.admin_token).person
    tries: list[Callable[[], Any]] = [
        lambda: any_house.admin.UpdateRole(
            role=pb.Role(name="roles/admin", grants=[pb.Grant(resource="leads", read=pb.Grant.ALL)])
        ),
        lambda: any_house.admin.UpdatePerson(person=pb.Person(name=admin, state=pb.Person.LEFT)),
        lambda: any_house.admin.UpdatePerson(person=pb.Person(name=admin, role="sales")),
    ]
    for attempt in tries:
        with pytest.raises(Exception, match="LAST_ADMINISTRATOR"):
            attempt()
    any_house.add("second", role="admin")
    left = any_house.admin.UpdatePerson(person=pb.Person(name=admin, state=pb.Person.LEFT))
    assert left.state == pb.Person.LEFT
