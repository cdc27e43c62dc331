"""Two people at one opportunity: whoever comes second hears what the first changed, and no word of theirs is lost."""

from __future__ import annotations

import pytest

from chassis.access import Scope
from chassis.errors import Stale
from tests.opportunities.desk import BOSS, LI, Desk, money, principal


def said(stale: Stale) -> list[tuple[str, object, str]]:
    return [(one.field, one.value, one.actor) for one in stale.changes]


def test_O2_an_old_etag_hears_which_fields_changed_what_they_hold_now_by_whom_and_when(desk: Desk) -> None:
    made = desk.open(title="旧")
    desk.change(made.name, who=BOSS, title="新", amount=money(500))
    desk.change(made.name, title="更新")
    with pytest.raises(Stale) as stale:
        desk.change(made.name, mask="need", need="x", etag="1")
    assert said(stale.value) == [
        ("amount", {"currencyCode": "CNY", "units": "500", "nanos": 0}, "people/boss"),
        ("title", "更新", "people/li"),
    ]
    assert stale.value.etag == "3"
    assert all(one.time is not None for one in stale.value.changes)
    with pytest.raises(Stale) as newer:
        desk.change(made.name, mask="need", need="x", etag="2")
    assert said(newer.value) == [("title", "更新", "people/li")]
    assert (desk.get(made.name).need, desk.get(made.name).etag) == ("", "3")


def test_O2_what_a_role_does_not_show_is_not_told_of(desk: Desk) -> None:
    made = desk.open(amount=money(1))
    desk.change(made.name, who=BOSS, title="新", amount=money(500), budget=money(7))
    blind = principal(LI.person, "sales", Scope.OWN, "teams/east", hidden=frozenset({"amount", "budget"}))
    with pytest.raises(Stale) as stale:
        desk.change(made.name, who=blind, mask="need", need="x", etag="1")
    assert said(stale.value) == [("title", "新", "people/boss")]


def test_O2_of_a_version_that_nobody_tells_of_every_field_is_answered(desk: Desk) -> None:
    made = desk.open(title="旧")
    desk.change(made.name, title="新")
    for etag in ("0", "7", "nonsense"):
        with pytest.raises(Stale) as stale:
            desk.change(made.name, mask="need", need="x", etag=etag)
        told = {one.field: one.value for one in stale.value.changes}
        assert (told["title"], told["owner"], told["stage"]) == ("新", "people/li", "first-visit"), etag
        assert not {"name", "etag"} & told.keys()


def test_O2_own_fields_are_told_of_key_by_key_and_long_ones_by_name_alone(desk: Desk) -> None:
    made = desk.open()
    for key, value in (("级别", "A"), ("说明", "长" * 600)):
        given = type(made)()
        given.custom.update({key: value})
        desk.change(made.name, mask=f"custom.{key}", custom=given.custom)
    with pytest.raises(Stale) as stale:
        desk.change(made.name, mask="need", need="x", etag="1")
    assert [(one.field, one.value, one.too_long) for one in stale.value.changes] == [
        ("custom.级别", "A", False),
        ("custom.说明", None, True),
    ]
    many = type(made)()
    many.custom.update({f"k{n}": n for n in range(20)})
    desk.change(made.name, custom=many.custom)
    with pytest.raises(Stale) as all_of_them:
        desk.change(made.name, mask="need", need="x", etag="1")
    assert [one.field for one in all_of_them.value.changes] == ["custom"]


def test_O2_who_gave_it_away_first_is_told_to_whoever_comes_second(desk: Desk) -> None:
    made = desk.open()
    desk.act("Transfer", made.name, BOSS, owner="people/zhao")
    with pytest.raises(Stale) as stale:
        desk.act("Transfer", made.name, BOSS, owner="people/li", owner_version=1)
    assert said(stale.value) == [("owner", "people/zhao", "people/boss"), ("owner_version", "2", "people/boss")]


def test_O3_own_fields_that_a_patch_does_not_name_stay(desk: Desk) -> None:
    given = type(desk.open())()
    given.custom.update({"a": 1, "b": 2})
    made = desk.open(custom=given.custom)
    given.Clear()
    given.custom.update({"c": 3})
    assert dict(desk.change(made.name, custom=given.custom).custom) == {"a": 1, "b": 2, "c": 3}
    given.custom.update({"c": 4})
    assert dict(desk.change(made.name, mask="custom", custom=given.custom).custom) == {"a": 1, "b": 2, "c": 4}
    given.Clear()
    assert dict(desk.change(made.name, mask="custom.a", custom=given.custom).custom) == {"b": 2, "c": 4}


def test_O3_two_patches_of_two_fields_without_an_etag_both_survive(desk: Desk) -> None:
    made = desk.open()
    desk.change(made.name, need="要快")
    desk.change(made.name, who=BOSS, blocker="预算")
    now = desk.get(made.name)
    assert (now.need, now.blocker, now.title) == ("要快", "预算", made.title)
