"""Teams, calendars and the part of the blueprint."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct

from chassis.calendar import WEEKDAYS
from dealwright.directory.v1 import directory_pb2 as pb


def _struct(content: Any) -> Struct:
    made = Struct()
    made.update(content)
    return made


def _plain(part: Any) -> Any:
    return json_format.MessageToDict(part.content)


# --- teams ---


def test_teams_are_a_tree_with_unique_names_in_order_of_creation(any_house: Any) -> None:
    admin = any_house.admin
    top = admin.CreateTeam(team=pb.Team(display_name="Top"))
    below = admin.CreateTeam(team=pb.Team(display_name="Below", parent=top.name))
    assert [t.display_name for t in admin.ListTeams().teams] == ["Top", "Below"]
    page = admin.ListTeams(page_size=1)
    assert [t.name for t in page.teams] == [top.name]
    assert [t.name for t in admin.ListTeams(page_size=1, page_token=page.next_page_token).teams] == [below.name]
    with pytest.raises(Exception, match="ALREADY_EXISTS"):
        admin.CreateTeam(team=pb.Team(display_name="TOP"))
    with pytest.raises(Exception, match="ALREADY_EXISTS"):
        admin.UpdateTeam(team=pb.Team(name=below.name, display_name="top"))
    for parent in (top.name, below.name):
        with pytest.raises(Exception, match="under itself"):
            admin.UpdateTeam(team=pb.Team(name=top.name, parent=parent))
    renamed = admin.UpdateTeam(team=pb.Team(name=top.name, display_name="Headquarters", etag=top.etag))
    with pytest.raises(Exception, match="ABORTED"):
        admin.UpdateTeam(team=pb.Team(name=top.name, display_name="x", etag=top.etag))
    assert any_house.events("TeamChanged")[-1].team == renamed
    assert any_house.events("TeamChanged")[-1].version == 2


def test_a_team_with_people_or_teams_stays_and_goes_when_all_of_them_have_left(any_house: Any) -> None:
    admin = any_house.admin
    top = admin.CreateTeam(team=pb.Team(display_name="Top"))
    below = admin.CreateTeam(team=pb.Team(display_name="Below", parent=top.name))
    li = any_house.add("li", team=below.name)
    for team in (top, below):
        with pytest.raises(Exception, match="TEAM_NOT_EMPTY"):
            admin.DeleteTeam(name=team.name)
    admin.UpdatePerson(person=pb.Person(name=li.name, state=pb.Person.LEFT))
    admin.DeleteTeam(name=below.name)
    last = any_house.events("TeamChanged")[-1]
    assert (last.team.name, last.deleted, last.version) == (below.name, True, 2)
    with pytest.raises(Exception, match="NOT_FOUND"):
        admin.GetTeam(name=below.name)


def test_R20_others_learn_the_manager_of_each_person_from_his_team_and_again_when_it_changes(any_house: Any) -> None:
    admin = any_house.admin
    boss, head, other = any_house.add("boss"), any_house.add("head"), any_house.add("other")
    top = admin.CreateTeam(team=pb.Team(display_name="Top", manager=boss.name))
    below = admin.CreateTeam(team=pb.Team(display_name="Below", parent=top.name, manager=head.name))
    li = any_house.add("li", team=below.name)
    own = any_house.add("own", team=below.name, manager=other.name)
    admin.UpdatePerson(person=pb.Person(name=head.name, team=below.name))

    def managers() -> dict[str, str]:
        newest = {e.person.name: e for e in sorted(any_house.events("PersonChanged"), key=lambda e: e.version)}
        return {name: newest[name].person.manager for name in (li.name, own.name, head.name)}

    assert managers() == {li.name: head.name, own.name: other.name, head.name: boss.name}
    admin.UpdateTeam(team=pb.Team(name=below.name, manager=other.name))
    assert managers() == {li.name: other.name, own.name: other.name, head.name: other.name}
    said = len(any_house.events("PersonChanged"))
    admin.UpdateTeam(team=pb.Team(name=below.name, display_name="Renamed"))
    assert len(any_house.events("PersonChanged")) == said, "who did not get another manager is not announced"
    admin.UpdateTeam(team=pb.Team(name=below.name, manager=""), update_mask=FieldMask(paths=["manager"]))
    assert managers()[li.name] == boss.name
    assert admin.GetPerson(name=li.name).manager == "", "his own field stays as it was set"


# --- calendars ---


def test_N12_the_company_s_calendar_is_always_open_until_hours_are_set(any_house: Any) -> None:
    company = any_house.admin.GetCalendar(name="calendars/company")
    assert (company.time_zone, list(company.spans)) == ("Asia/Shanghai", [])
    assert any_house.events("CalendarChanged")[0].calendar == company
    spans = [pb.Calendar.Span(weekday=d, start="9:00", end="18:00") for d in range(1, 6)]
    changed = any_house.admin.UpdateCalendar(calendar=pb.Calendar(name=company.name, spans=spans, etag=company.etag))
    assert [(s.weekday, s.start, s.end) for s in changed.spans] == [(d, "09:00", "18:00") for d in range(1, 6)]
    announced = any_house.events("CalendarChanged")[-1]
    assert (announced.calendar, announced.deleted) == (changed, False)
    with pytest.raises(Exception, match="ABORTED"):
        any_house.admin.UpdateCalendar(calendar=pb.Calendar(name=company.name, display_name="x", etag=company.etag))


def test_china_s_holidays_are_written_out_with_their_make_up_days(house: Any) -> None:
    made = house.admin.CreateCalendar(
        calendar=pb.Calendar(display_name="Show floor", china_years=[2026], work_days=["2026-10-01"])
    )
    assert made.name == "calendars/show-floor"
    assert "2026-10-02" in made.off_days
    assert "2026-10-01" not in made.off_days
    assert "2026-10-10" in made.work_days
    assert not made.china_years
    assert house.admin.GetCalendar(name=made.name) == made
    renamed = house.admin.UpdateCalendar(
        calendar=pb.Calendar(name=made.name, display_name="Floor", china_years=[2025]),
        update_mask=FieldMask(paths=["display_name", "china_years"]),
    )
    assert "2025-10-01" in renamed.off_days
    assert "2026-10-02" in renamed.off_days


def test_a_wrong_calendar_is_refused_with_each_path(house: Any) -> None:
    with pytest.raises(Exception, match="INVALID_ARGUMENT") as caught:
        house.admin.CreateCalendar(
            calendar=pb.Calendar(
                display_name="x",
                time_zone="Mars/Olympus",
                spans=[
                    pb.Calendar.Span(weekday=1, start="09:00", end="12:00"),
                    pb.Calendar.Span(weekday=9, start="09:00", end="12:00"),
                    pb.Calendar.Span(weekday=2, start="18:00", end="09:00"),
                ],
                off_days=["9999-13-01"],
                china_years=[1999],
            )
        )
    assert sorted(caught.value.fields) == [  # type: ignore[attr-defined]
        "calendar.china_years",
        "calendar.off_days[0]",
        "calendar.spans[1].weekday",
        "calendar.spans[2]",
        "calendar.time_zone",
    ]


def test_a_calendar_in_use_is_not_deleted(any_house: Any) -> None:
    made = any_house.admin.CreateCalendar(calendar=pb.Calendar(display_name="夜班"), calendar_id="night")
    person = any_house.add("li", calendar=made.name)
    for name in (made.name, "calendars/company"):
        with pytest.raises(Exception, match="CALENDAR_IN_USE"):
            any_house.admin.DeleteCalendar(name=name)
    with pytest.raises(Exception, match="ALREADY_EXISTS"):
        any_house.admin.CreateCalendar(calendar=pb.Calendar(display_name="x"), calendar_id="night")
    any_house.admin.UpdatePerson(person=pb.Person(name=person.name), update_mask=FieldMask(paths=["calendar"]))
    any_house.admin.DeleteCalendar(name=made.name)
    gone = any_house.events("CalendarChanged")[-1]
    assert gone.deleted
    assert gone.version > int(made.etag)


# --- blueprint ---


def test_N12_the_part_as_read_changes_nothing_when_applied(any_house: Any) -> None:
    part = any_house.admin.GetPart()
    assert set(_plain(part)) == {"roles", "calendars"}
    plan = any_house.admin.PlanPart(content=part.content)
    assert (list(plan.changes), plan.version) == ([], part.version)
    assert any_house.admin.ApplyPart(content=part.content, expected_version=part.version) == part


def test_N12_a_part_is_planned_then_applied_whole_and_announced(any_house: Any) -> None:
    part = any_house.admin.GetPart()
    content = _plain(part)
    content["roles"]["sales"]["grants"]["leads"]["hiddenFields"] = ["phone"]
    content["calendars"]["company"]["weekly"] = {d: ["09:00-12:00", "13:00-18:00"] for d in WEEKDAYS[:5]}
    content["calendars"]["show"] = {"displayName": "Show", "chinaYears": [2026.0]}
    plan = any_house.admin.PlanPart(content=_struct(content))
    changes = {c.path: (c.before, c.after) for c in plan.changes}
    assert changes["roles.sales.grants.leads.hiddenFields"] == ("", '["phone"]')
    assert {"calendars.company.weekly", "calendars.show"} <= set(changes)
    assert any_house.admin.GetPart() == part
    applied = any_house.admin.ApplyPart(content=_struct(content), expected_version=part.version)
    assert applied.version > part.version
    assert _plain(applied)["roles"]["sales"]["grants"]["leads"]["hiddenFields"] == ["phone"]
    assert "2026-10-10" in any_house.admin.GetCalendar(name="calendars/show").work_days
    assert len(any_house.admin.GetCalendar(name="calendars/company").spans) == 10
    assert any_house.events("RoleChanged")[-1].role.name == "roles/sales"
    with pytest.raises(Exception, match="ABORTED"):
        any_house.admin.ApplyPart(content=_struct(content), expected_version=part.version)
    del content["calendars"]["show"]
    any_house.admin.ApplyPart(content=_struct(content), expected_version=applied.version)
    assert any_house.events("CalendarChanged")[-1].deleted


def test_N12_a_wrong_part_names_every_path_and_applies_nothing(house: Any) -> None:
    part = house.admin.GetPart()
    content = {
        "moons": {},
        "roles": {
            "king": {},
            "sales": {
                "displayName": "Sales",
                "grants": {"leads": {"read": "SOME", "hiddenFields": ["telephone"]}, "moon": {}, "people": 3},
            },
        },
        "calendars": {
            "company": {"displayName": "C", "weekly": {"monday": ["18:00-09:00"], "moonday": []}, "chinaYears": ["x"]},
            "No": {},
            "b": [],
        },
    }
    with pytest.raises(Exception, match="INVALID_ARGUMENT") as caught:
        house.admin.ApplyPart(content=_struct(content), expected_version=part.version)
    assert {
        "moons",
        "roles.king",
        "roles.sales.grants.leads.read",
        "roles.sales.grants.leads.hiddenFields",
        "roles.sales.grants.moon",
        "roles.sales.grants.people",
        "calendars.company.weekly.monday[0]",
        "calendars.company.weekly.moonday",
        "calendars.company.chinaYears",
        "calendars.No",
        "calendars.b",
    } <= set(caught.value.fields)  # type: ignore[attr-defined]
    assert house.admin.GetPart() == part


def test_N12_a_part_cannot_take_away_the_last_administrator_or_a_calendar_in_use(house: Any) -> None:
    part = house.admin.GetPart()
    content = _plain(part)
    content["roles"]["admin"]["grants"] = {}
    with pytest.raises(Exception, match="LAST_ADMINISTRATOR"):
        house.admin.ApplyPart(content=_struct(content), expected_version=part.version)
    with pytest.raises(Exception, match="in use"):
        house.admin.ApplyPart(content=_struct({"calendars": {}}), expected_version=part.version)
    house.add("li")
    with pytest.raises(Exception, match="PERMISSION_DENIED"):
        house.as_login("li").ApplyPart(content=part.content, expected_version=part.version)
