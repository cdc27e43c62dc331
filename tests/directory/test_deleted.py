"""Teams and calendars that were deleted: as if they were not there, and back within 30 days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct

from chassis import clock
from dealwright.directory.v1 import directory_pb2 as pb


def _named(any_house: Any, name: str, **fields: Any) -> pb.Team:
    made: pb.Team = any_house.admin.CreateTeam(team=pb.Team(display_name=name, **fields))
    return made


def _purged(any_house: Any, patch: pytest.MonkeyPatch, days: int) -> None:
    """The errands run, so many days on."""
    real = clock.now
    with patch.context() as moved:
        moved.setattr(clock, "now", lambda: real() + timedelta(days=days))
        for loop in ("purge teams", "purge calendars"):
            any_house.run_loop(loop)


def test_a_deleted_team_is_away_for_all_and_comes_back_as_it_was(any_house: Any) -> None:
    admin = any_house.admin
    boss = any_house.add("boss")
    made = _named(any_house, "East", manager=boss.name)
    with pytest.raises(Exception, match="NOT_DELETED"):
        admin.UndeleteTeam(name=made.name)
    with pytest.raises(Exception, match="ABORTED"):
        admin.DeleteTeam(name=made.name, etag="7")
    gone = admin.DeleteTeam(name=made.name, etag=made.etag)
    assert gone.HasField("delete_time")
    tries: list[Callable[[], Any]] = [
        lambda: admin.GetTeam(name=made.name),
        lambda: admin.UpdateTeam(team=pb.Team(name=made.name, display_name="x")),
        lambda: admin.DeleteTeam(name=made.name),
        lambda: any_house.add("li", team=made.name),
        lambda: _named(any_house, "Below", parent=made.name),
    ]
    for asked in tries:
        with pytest.raises(Exception, match=r"NOT_FOUND|was not found"):
            asked()
    assert made.name not in any_house.principal(any_house.token("boss")).teams
    assert not admin.ListTeams().teams
    assert list(admin.ListTeams(show_deleted=True).teams) == [gone]
    assert admin.GetTeam(name=made.name, show_deleted=True) == gone
    last = any_house.events("TeamChanged")[-1]
    assert (last.team, last.deleted, last.version) == (gone, True, 2)

    back = admin.UndeleteTeam(name=made.name)
    same = pb.Team(name=made.name, display_name="East", manager=boss.name, etag="3")
    assert back == same == admin.GetTeam(name=made.name)
    last = any_house.events("TeamChanged")[-1]
    assert (last.team, last.deleted, last.version) == (back, False, 3)
    assert made.name in any_house.principal(any_house.token("boss")).teams


def test_who_left_while_in_a_team_is_in_it_again_with_it_and_in_none_when_it_is_gone_for_good(
    any_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = any_house.admin
    made, other = _named(any_house, "East"), _named(any_house, "West")
    li = any_house.add("li", team=made.name)
    admin.UpdatePerson(person=pb.Person(name=li.name, state=pb.Person.LEFT))
    admin.DeleteTeam(name=made.name)
    back = pb.Person(name=li.name, state=pb.Person.ACTIVE)
    with pytest.raises(Exception, match="INVALID_ARGUMENT") as caught:
        admin.UpdatePerson(person=back)
    assert list(caught.value.fields) == ["person.team"]  # type: ignore[attr-defined]
    admin.UndeleteTeam(name=made.name)
    assert admin.UpdatePerson(person=back).team == made.name

    admin.UpdatePerson(person=pb.Person(name=li.name, state=pb.Person.LEFT))
    admin.DeleteTeam(name=made.name)
    _purged(any_house, monkeypatch, 29)
    assert admin.GetTeam(name=made.name, show_deleted=True).HasField("delete_time")
    _purged(any_house, monkeypatch, 31)
    with pytest.raises(Exception, match="NOT_FOUND"):
        admin.UndeleteTeam(name=made.name)
    assert [t.name for t in admin.ListTeams(show_deleted=True).teams] == [other.name]
    assert admin.GetPerson(name=li.name).team == any_house.events("PersonChanged")[-1].person.team == ""


def test_a_team_comes_back_neither_under_one_that_is_deleted_nor_beside_another_of_its_name(any_house: Any) -> None:
    admin = any_house.admin
    top = _named(any_house, "Top")
    made = _named(any_house, "East", parent=top.name)
    admin.DeleteTeam(name=made.name)
    again = _named(any_house, "EAST")
    with pytest.raises(Exception, match="ALREADY_EXISTS"):
        admin.UndeleteTeam(name=made.name)
    # Two of one name may be deleted.
    admin.DeleteTeam(name=again.name)
    admin.DeleteTeam(name=top.name)
    with pytest.raises(Exception, match="PARENT_DELETED"):
        admin.UndeleteTeam(name=made.name)
    admin.UndeleteTeam(name=top.name)
    assert admin.UndeleteTeam(name=made.name).parent == top.name
    with pytest.raises(Exception, match="TEAM_NOT_EMPTY"):
        admin.DeleteTeam(name=top.name)


def test_P5_who_may_delete_the_teams_below_his_own_brings_those_back_and_no_others(any_house: Any) -> None:
    admin = any_house.admin
    grants = {g.resource: g for g in admin.GetRole(name="roles/manager").grants}
    for verb in ("read", "write", "delete"):
        setattr(grants["teams"], verb, pb.Grant.TEAM)
    admin.UpdateRole(
        role=pb.Role(name="roles/manager", grants=grants.values()), update_mask=FieldMask(paths=["grants"])
    )
    mine, others = _named(any_house, "Mine"), _named(any_house, "Others")
    any_house.add("boss", role="manager", team=mine.name)
    below, beside = _named(any_house, "Below", parent=mine.name), _named(any_house, "Beside", parent=others.name)
    boss = any_house.as_login("boss")
    boss.DeleteTeam(name=below.name)
    admin.DeleteTeam(name=beside.name)
    boss = any_house.as_login("boss")
    assert [t.name for t in boss.ListTeams(show_deleted=True).teams] == [mine.name, below.name]
    with pytest.raises(Exception, match="NOT_FOUND"):
        boss.UndeleteTeam(name=beside.name)
    assert boss.UndeleteTeam(name=below.name).name == below.name


def test_a_deleted_calendar_is_nobodys_and_comes_back_as_it_was(
    any_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = any_house.admin
    spans = [pb.Calendar.Span(weekday=1, start="20:00", end="24:00")]
    made = admin.CreateCalendar(calendar=pb.Calendar(display_name="夜班", spans=spans), calendar_id="night")
    part = admin.GetPart().version
    gone = admin.DeleteCalendar(name=made.name, etag=made.etag)
    assert gone.HasField("delete_time")
    assert admin.GetPart().version > part
    tries: list[Callable[[], Any]] = [
        lambda: admin.GetCalendar(name=made.name),
        lambda: admin.UpdateCalendar(calendar=pb.Calendar(name=made.name, display_name="x")),
        lambda: admin.DeleteCalendar(name=made.name),
        lambda: any_house.add("li", calendar=made.name),
    ]
    for asked in tries:
        with pytest.raises(Exception, match=r"NOT_FOUND|was not found"):
            asked()
    assert [c.name for c in admin.ListCalendars().calendars] == ["calendars/company"]
    assert gone in admin.ListCalendars(show_deleted=True).calendars
    assert admin.GetCalendar(name=made.name, show_deleted=True) == gone
    last = any_house.events("CalendarChanged")[-1]
    assert (last.calendar, last.deleted) == (gone, True)
    # Its id is its own until it is gone for good: nothing takes the place of what may come back.
    with pytest.raises(Exception, match=r"ALREADY_EXISTS.*deleted"):
        admin.CreateCalendar(calendar=pb.Calendar(display_name="x"), calendar_id="night")

    back = admin.UndeleteCalendar(name=made.name)
    assert list(back.spans) == spans
    assert int(back.etag) > int(gone.etag) > int(made.etag)
    last = any_house.events("CalendarChanged")[-1]
    assert (last.calendar, last.deleted) == (back, False)
    with pytest.raises(Exception, match="NOT_DELETED"):
        admin.UndeleteCalendar(name=made.name)

    admin.DeleteCalendar(name=made.name)
    _purged(any_house, monkeypatch, 29)
    assert len(admin.ListCalendars(show_deleted=True).calendars) == 2
    _purged(any_house, monkeypatch, 31)
    assert len(admin.ListCalendars(show_deleted=True).calendars) == 1
    with pytest.raises(Exception, match="NOT_FOUND"):
        admin.UndeleteCalendar(name=made.name)
    again = admin.CreateCalendar(calendar=pb.Calendar(display_name="x"), calendar_id="night")
    assert int(again.etag) > int(back.etag)


def test_N12_the_blueprint_leaves_deleted_calendars_out_and_brings_back_what_it_names(any_house: Any) -> None:
    admin = any_house.admin
    made = admin.CreateCalendar(calendar=pb.Calendar(display_name="夜班"), calendar_id="night")
    whole = admin.GetPart()
    admin.DeleteCalendar(name=made.name)
    part = admin.GetPart()
    assert list(json_format.MessageToDict(part.content)["calendars"]) == ["company"]
    said = len(any_house.events("CalendarChanged"))
    assert admin.ApplyPart(content=part.content, expected_version=part.version) == part
    assert len(any_house.events("CalendarChanged")) == said, "a part as it was read changes nothing, deleted or not"
    assert [c.path for c in admin.PlanPart(content=whole.content).changes] == ["calendars.night"]
    plain = json_format.MessageToDict(whole.content)
    plain["calendars"]["night"]["displayName"] = "晚班"
    wanted = Struct()
    wanted.update(plain)
    admin.ApplyPart(content=wanted, expected_version=part.version)
    back = admin.GetCalendar(name=made.name)
    assert (back.display_name, back.HasField("delete_time")) == ("晚班", False)
    assert any_house.events("CalendarChanged")[-1].calendar == back
    # What it leaves out can be brought back like any other.
    admin.ApplyPart(content=part.content, expected_version=admin.GetPart().version)
    assert any_house.events("CalendarChanged")[-1].deleted
    assert admin.UndeleteCalendar(name=made.name).display_name == "晚班"
