"""What a company adds to a record: its own fields, changed key by key, and tags."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from chassis import custom
from chassis.errors import Invalid
from chassis.fields import FieldProblem


def test_what_of_own_fields_an_update_does_not_name_stays() -> None:
    before = {"a": 1, "b": 2}

    def laid(**values: Any) -> Any:
        return custom.laid(before, values, "boat").get("custom", "untouched")

    assert laid(custom={"c": 3}) == {"a": 1, "b": 2, "c": 3}
    assert laid(custom={}) == laid(custom=None) == laid(title="x") == "untouched"
    assert laid(**{"custom.a": None}) == {"b": 2}
    assert laid(**{"custom.a": None, "custom.b": None}) == {}
    assert laid(**{"custom": {"c": 3}, "custom.a": None}) == {"b": 2, "c": 3}
    assert custom.laid(None, {"custom.a": None}, "boat") == {"custom": None}
    with pytest.raises(Invalid) as refused:
        laid(custom={"a": None})
    assert [one.field for one in refused.value.violations] == ["boat.custom.a"]


def test_a_path_below_a_key_of_the_own_fields_names_none_though_a_key_may_have_dots() -> None:
    before = {"c": {"d": 1}, "e.f": 2}
    for path in ("custom.c.d", "custom.x.y", "custom.c.d.e"):
        with pytest.raises(Invalid) as refused:
            custom.laid(before, {path: None}, "boat")
        assert [one.field for one in refused.value.violations] == [f"update_mask.{path}"]
    assert custom.laid(before, {"custom.e.f": None}, "boat") == {"custom": {"c": {"d": 1}}}
    assert custom.laid(before, {"custom.g.h": 3}, "boat") == {"custom": {**before, "g.h": 3}}
    assert custom.laid(before, {"custom.gone": None}, "boat") == {"custom": before}


def test_own_fields_are_patched_key_by_key_and_bounded() -> None:
    given = Struct()
    given.update({"a": 1, "b": {"c": ["x"]}})
    assert custom.values(given) == {"a": 1, "b": {"c": ["x"]}}
    assert custom.patched({"a": 1, "b": 2}, {"b": None, "c": 3}) == {"a": 1, "c": 3}
    assert custom.tags([" a ", "a", "b"]) == ["a", "b"]
    deep: dict[str, Any] = {"x": 1}
    for _ in range(6):
        deep = {"x": deep}
    for wrong in (deep, {"\0": 1}, {str(n): 1 for n in range(501)}, {"x": "y" * 70_000}, {"x": "\x00"}):
        with pytest.raises(FieldProblem):
            custom.checked(wrong)
    with pytest.raises(FieldProblem):
        custom.tags(["x"] * 51)
