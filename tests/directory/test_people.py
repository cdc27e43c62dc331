"""People: added, read, changed, announced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from dealwright.directory.v1 import directory_pb2 as pb


def test_L8_a_new_salesperson_is_online_active_and_takes_one_share_of_turns(any_house: Any) -> None:
    person = any_house.admin.CreatePerson(person=pb.Person(login="Li.Wei", role="sales", region="北京市"))
    assert (person.presence, person.state, person.weight) == (pb.Person.ONLINE, pb.Person.ACTIVE, 1)
    assert (person.login, person.display_name, person.region) == ("li.wei", "Li.Wei", "北京")
    assert not person.HasField("capacity")
    assert any_house.admin.GetPerson(name=person.name) == person
    announced = any_house.events("PersonChanged")[-1]
    assert announced.person == person
    assert announced.version == 1
    assert any_house.events("PresenceChanged")[-1].person == person.name


def test_a_password_is_never_given_back_nor_kept_in_clear(house: Any) -> None:
    person = house.admin.CreatePerson(
        person=pb.Person(login="li", role="sales", password="correct horse"), request_id="one"
    )
    assert not person.password
    assert not house.admin.GetPerson(name=person.name).password
    assert "correct horse" not in house.texts()
    assert "argon2id" in house.texts()


def test_a_login_is_unique_whatever_its_case_and_the_answer_says_so(any_house: Any) -> None:
    any_house.add("li")
    with pytest.raises(Exception, match="ALREADY_EXISTS"):
        any_house.add("LI")


def test_of_two_who_take_one_login_at_once_one_gets_it(any_house: Any) -> None:
    def one(number: int) -> str:
        try:
            return str(any_house.add("same").name)
        except Exception as said:
            return str(said).split()[0]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(one, range(4)))
    assert sorted(a[:7] for a in answers) == ["ALREADY"] * 3 + ["people/"]


def test_every_wrong_field_of_a_person_is_named_and_nothing_is_written(house: Any) -> None:
    before = house.texts()
    with pytest.raises(Exception, match="INVALID_ARGUMENT") as caught:
        house.admin.CreatePerson(
            person=pb.Person(
                login="has space",
                display_name="\u202etxt",
                role="king",
                team="nonsense",
                weight=101,
                seniority="ancient",
                email="nobody",
                password="short",
                presence=9,  # type: ignore[arg-type]
                location=pb.Location(latitude=float("nan"), longitude=0),
                capacity=pb.Capacity(open=-1),
                skills=["x" * 65],
            )
        )
    wrong = "login display_name role team weight seniority email password presence location capacity.open skills"
    assert sorted(caught.value.fields) == sorted(f"person.{f}" for f in wrong.split())  # type: ignore[attr-defined]
    assert house.texts() == before


def test_a_person_belongs_to_a_role_team_manager_and_calendar_that_exist(house: Any) -> None:
    missing = "0" * 32
    with pytest.raises(Exception, match="INVALID_ARGUMENT") as caught:
        house.add("li", team=f"teams/{missing}", manager=f"people/{missing}", calendar="calendars/none")
    assert sorted(caught.value.fields) == ["person.calendar", "person.manager", "person.team"]  # type: ignore[attr-defined]


def test_an_update_changes_what_its_mask_names_and_nothing_else(any_house: Any) -> None:
    person = any_house.add("li", capacity=pb.Capacity(open=5, per_day=3), skills=["a"])
    changed = any_house.admin.UpdatePerson(
        person=pb.Person(name=person.name, weight=7, region="上海", skills=["b"]),
        update_mask=FieldMask(paths=["weight", "capacity.open"]),
    )
    assert (changed.weight, changed.region, list(changed.skills)) == (7, "", ["a"])
    assert not changed.capacity.HasField("open")
    assert changed.capacity.per_day == 3
    last = any_house.events("PersonChanged")[-1]
    assert (last.person, last.version) == (changed, 2)


def test_without_a_mask_the_given_fields_change(house: Any) -> None:
    person = house.add("li", region="北京")
    changed = house.admin.UpdatePerson(person=pb.Person(name=person.name, weight=3))
    assert (changed.weight, changed.region) == (3, "北京")


def test_an_update_with_a_stale_etag_is_aborted_but_presence_alone_makes_none_stale(any_house: Any) -> None:
    person = any_house.add("li")
    any_house.admin.SetPresence(name=person.name, presence="AWAY")
    any_house.admin.UpdatePerson(person=pb.Person(name=person.name, weight=2, etag=person.etag))
    with pytest.raises(Exception, match="ABORTED"):
        any_house.admin.UpdatePerson(person=pb.Person(name=person.name, weight=3, etag=person.etag))
    with pytest.raises(Exception, match="update_mask"):
        any_house.admin.UpdatePerson(person=pb.Person(name=person.name), update_mask=FieldMask(paths=["nose"]))


def test_a_repeated_request_id_adds_one_person_and_gives_the_same_answer(house: Any) -> None:
    asked = {"person": pb.Person(login="li", role="sales", password="correct horse"), "request_id": "r1"}
    assert house.admin.CreatePerson(**asked) == house.admin.CreatePerson(**asked)
    with pytest.raises(Exception, match="REQUEST_ID_REUSED"):
        house.admin.CreatePerson(person=pb.Person(login="wang", role="sales"), request_id="r1")


def test_versions_rise_with_every_change_and_nothing_changed_announces_nothing(house: Any) -> None:
    person = house.add("li")
    house.admin.UpdatePerson(person=pb.Person(name=person.name, weight=2))
    house.admin.SetPresence(name=person.name, presence="AWAY")
    house.admin.SetPresence(name=person.name, presence="AWAY")
    house.admin.UpdatePerson(person=pb.Person(name=person.name, weight=2))
    versions = [e.version for e in house.events("PersonChanged") if e.person.name == person.name]
    assert versions == [1, 2, 3]
    assert [e.version for e in house.events("PresenceChanged") if e.person == person.name] == [1, 3]


def test_L22_who_leaves_is_offline_signed_out_announced_and_keeps_the_login(any_house: Any) -> None:
    boss = any_house.add("boss", role="manager")
    team = any_house.admin.CreateTeam(team=pb.Team(display_name="North", manager=boss.name))
    person = any_house.add("li", team=team.name)
    token = any_house.token("li")
    left = any_house.admin.UpdatePerson(person=pb.Person(name=person.name, state=pb.Person.LEFT))
    assert (left.state, left.presence) == (pb.Person.LEFT, pb.Person.OFFLINE)
    with pytest.raises(Exception, match="UNAUTHENTICATED"):
        any_house.principal(token)
    with pytest.raises(Exception, match="UNAUTHENTICATED"):
        any_house.token("li")
    gone = any_house.events("PersonLeft")
    assert [(e.person, e.manager) for e in gone] == [(person.name, boss.name)]
    with pytest.raises(Exception, match="ALREADY_EXISTS"):
        any_house.add("li")
    with pytest.raises(Exception, match="PERSON_LEFT"):
        any_house.admin.SetPresence(name=person.name, presence="ONLINE")
    with pytest.raises(Exception, match="has left"):
        any_house.add("wang", manager=person.name)
    back = any_house.admin.UpdatePerson(person=pb.Person(name=person.name, state=pb.Person.ACTIVE))
    assert (back.state, back.presence) == (pb.Person.ACTIVE, pb.Person.ONLINE)


def test_nobody_manages_himself_through_however_many_others(house: Any) -> None:
    one = house.add("one")
    two = house.add("two", manager=one.name)
    three = house.add("three", manager=two.name)
    for manager in (one, three):
        with pytest.raises(Exception, match="manage himself"):
            house.admin.UpdatePerson(person=pb.Person(name=one.name, manager=manager.name))


def test_people_are_listed_in_pages_and_filtered(any_house: Any) -> None:
    for number in range(5):
        any_house.add(f"p{number}", region="北京" if number % 2 else "上海")
    seen, token = [], ""
    while True:
        page = any_house.admin.ListPeople(page_size=2, page_token=token)
        assert page.total_size == 7
        seen += [p.login for p in page.people]
        token = page.next_page_token
        if not token:
            break
    assert sorted(seen) == ["admin", "p0", "p1", "p2", "p3", "p4", "sample"]
    found = any_house.admin.ListPeople(
        filter='role = "sales" AND state = ACTIVE AND region = "北京"', order_by="login desc"
    )
    assert [p.login for p in found.people] == ["p3", "p1"]
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        any_house.admin.ListPeople(filter='password_hash = "x"')


def test_nobody_is_called_nothing(house: Any) -> None:
    made = house.admin.CreatePerson(person=pb.Person(login="li", role="sales"))
    assert made.display_name == "li"
    for empty in ("", "  ", "\u200b"):
        with pytest.raises(Exception, match=r"person\.display_name"):
            house.admin.CreatePerson(person=pb.Person(login="wu", role="sales", display_name=empty))
        with pytest.raises(Exception, match=r"person\.display_name"):
            house.admin.UpdatePerson(person=pb.Person(name=made.name, display_name=empty))
    assert house.admin.GetPerson(name=made.name).display_name == "li"
