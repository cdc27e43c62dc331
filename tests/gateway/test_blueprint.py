"""The blueprint: one document of all services' settings, applied all or none."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from chassis.errors import Refused, Stale
from dealwright.blueprint.v1 import blueprint_pb2
from gateway.wire import yaml_text

WHOLE: dict[str, Any] = {
    "calendars": {"company": {"offDays": ["2026-10-01"]}},
    "roles": {"sales": "OWN"},
    "forms": {"booth": {"open": True}},
    "policies": {"assignment": {"steps": []}},
}
CHANGED: dict[str, Any] = {
    **WHOLE,
    "roles": {"sales": "TEAM"},
    "forms": {"booth": {"open": False}},
    "policies": {"assignment": {"steps": [1]}},
}


def versions(world: Any) -> dict[str, int]:
    return {owner: part.version for owner, part in world.parts.items() if part.version}


def contents(admin: Any) -> Any:
    return parts_of(admin("GET", "/v1/blueprint").json()["content"])


def parts_of(content: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != "version"}


def test_it_is_one_document_with_one_etag(admin: Any) -> None:
    first = admin("GET", "/v1/blueprint").json()
    assert first["content"] == {**WHOLE, "version": 3}
    assert first["version"] == "3"
    assert len(first["etag"]) == 32


def test_what_was_read_can_be_sent_back_and_changes_nothing(admin: Any, world: Any) -> None:
    read = admin("GET", "/v1/blueprint").json()
    answer = admin("POST", "/v1/blueprint:apply", json=read)
    assert answer.status_code == 200
    assert answer.json()["changes"] == []
    assert versions(world) == {"directory": 1, "leads": 1, "rules": 1}


def test_validate_only_tells_the_changes_and_writes_nothing(admin: Any, world: Any) -> None:
    answer = admin("POST", "/v1/blueprint:apply", json={"content": CHANGED, "validateOnly": True})
    assert {c["path"] for c in answer.json()["changes"]} == {"roles", "forms", "policies"}
    assert contents(admin) == WHOLE
    assert not [name for name, _, _ in world.seen if name.endswith("ApplyPart")]


def test_all_parts_are_applied_and_the_etag_moves(admin: Any) -> None:
    before = admin("GET", "/v1/blueprint").json()["etag"]
    answer = admin("POST", "/v1/blueprint:apply", json={"content": CHANGED, "etag": before})
    assert answer.status_code == 200, answer.text
    assert parts_of(answer.json()["blueprint"]["content"]) == CHANGED == contents(admin)
    assert answer.json()["blueprint"]["etag"] not in ("", before)
    stale = admin("POST", "/v1/blueprint:apply", json={"content": WHOLE, "etag": before})
    assert (stale.status_code, stale.json()["reason"]) == (409, "STALE")


def test_what_a_document_leaves_out_stays(admin: Any, world: Any) -> None:
    assert admin("POST", "/v1/blueprint:apply", json={"roles": {"sales": "ALL"}}).status_code == 200
    assert contents(admin) == {**WHOLE, "roles": {"sales": "ALL"}}
    assert versions(world) == {"directory": 2, "leads": 1, "rules": 1}


def test_the_version_rises_with_every_change_and_a_file_of_an_older_one_is_applied_all_the_same(admin: Any) -> None:
    old = admin("GET", "/v1/blueprint").json()["content"]
    answer = admin("POST", "/v1/blueprint:apply", json={"content": CHANGED}).json()
    assert answer["blueprint"]["version"] == "6"
    assert answer["blueprint"]["content"]["version"] == 6
    assert not [c for c in answer["changes"] if c["path"] == "version"]
    again = admin("POST", "/v1/blueprint:apply", json=old)
    assert again.status_code == 200, again.text
    assert contents(admin) == WHOLE
    assert again.json()["blueprint"]["version"] == "9"
    for version in ("1", 1.5, -1, [1], True):
        problem = admin("POST", "/v1/blueprint:apply", json={**WHOLE, "version": version}).json()
        assert [f["field"] for f in problem["fields"]] == ["content.version"]


def test_what_it_names_is_changed_what_it_leaves_out_stays_and_null_takes_away(admin: Any, world: Any) -> None:
    """In every part alike."""
    booth = {"booth": {"open": True}}
    steps: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"forms": {"site": {"open": True, "tags": ["a"]}}}, {**booth, "site": {"open": True, "tags": ["a"]}}),
        ({"forms": {"site": {"tags": ["c"]}}}, {**booth, "site": {"open": True, "tags": ["c"]}}),
        ({"forms": {"site": {"open": None}, "booth": None}}, {"site": {"tags": ["c"]}}),
        ({"forms": {"never": None}}, {"site": {"tags": ["c"]}}),
        ({"forms": {}}, {"site": {"tags": ["c"]}}),
        ({"forms": {"site": 7, "new": {"a": {"b": None}}}}, {"site": 7, "new": {"a": {}}}),
        ({"forms": {"site": {"tags": []}}}, {"site": {"tags": []}, "new": {"a": {}}}),
    ]  # fmt: skip
    for given, expected in steps:
        answer = admin("POST", "/v1/blueprint:apply", json=given)
        assert answer.status_code == 200, answer.text
        assert contents(admin) == {**WHOLE, "forms": expected}, given
    merged = {"calendars": {"company": {"zone": "x"}}, "policies": {"assignment": {"more": 1}}}
    assert admin("POST", "/v1/blueprint:apply", json=merged).status_code == 200
    assert contents(admin)["calendars"] == {"company": {"offDays": ["2026-10-01"], "zone": "x"}}
    assert contents(admin)["policies"] == {"assignment": {"steps": [], "more": 1}}


def test_what_a_part_keeps_all_the_same_cannot_be_taken_away(admin: Any, world: Any) -> None:
    world.on("rules.PlanPart", lambda call: blueprint_pb2.PlanPartResponse(version=1))
    for given, path in (({"policies": {"assignment": None}}, "policies.assignment"), ({"policies": None}, "policies")):
        problem = admin("POST", "/v1/blueprint:apply", json={"content": given}).json()
        assert [f["field"] for f in problem["fields"]] == [f"content.{path}"]
    assert contents(admin) == WHOLE


def test_no_part_is_taken_away_as_a_whole(admin: Any, world: Any) -> None:
    """Whatever its service made of it: every one is named, and the others of the document are not applied either."""
    for key in WHOLE:
        problem = admin("POST", "/v1/blueprint:apply", json={key: None}).json()
        assert ([f["field"] for f in problem["fields"]], problem["status"]) == ([f"content.{key}"], 400)
    problem = admin("POST", "/v1/blueprint:apply", json={"roles": {"sales": "ALL"}, "forms": None}).json()
    assert [f["field"] for f in problem["fields"]] == ["content.forms"]
    assert contents(admin) == WHOLE


@pytest.mark.parametrize(
    "accept", ["application/yaml", "text/yaml", "application/json;q=0.5, application/yaml", "*/*, application/x-yaml"]
)
def test_who_asks_for_yaml_gets_the_document_as_a_file(accept: str, admin: Any, world: Any) -> None:
    awkward = {
        t: t
        for t in (
            "18:00",
            "no",
            "1e3",
            "0x1f",
            "null",
            "",
            "~",
            ".nan",
            "123",
            "2026-10-01",
            "a: b",
            "# c",
            "早上好",
            "x\ny",
            "<<",
        )
    }
    world.parts["leads"].content.update({"forms": {"booth": awkward}})
    answer = admin("GET", "/v1/blueprint", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == "application/yaml"
    read = admin("GET", "/v1/blueprint").json()
    assert answer.headers["ETag"] == f'"{read["etag"]}"'
    assert answer.text.startswith("version: 3\n")
    assert "早上好" in answer.text
    assert yaml_text.parse(answer.content) == read["content"] == yaml.safe_load(answer.text)
    back = admin("POST", "/v1/blueprint:apply", data=answer.content, headers={"Content-Type": "application/yaml"})
    assert (back.status_code, back.json()["changes"]) == (200, [])


@pytest.mark.parametrize(
    "accept",
    ["", "*/*", "application/json", "application/json, application/yaml;q=0.9", "text/html", "application/yaml;q=0"],
)
def test_who_does_not_gets_json(accept: str, admin: Any) -> None:
    assert admin("GET", "/v1/blueprint", headers={"Accept": accept}).json()["version"] == "3"


def test_yaml_is_taken_as_the_document_itself(admin: Any) -> None:
    text = "roles:\n  sales: TEAM\ncalendars:\n  company:\n    offDays: [2026-10-02]\n    end: 18:00\n"
    kind = {"Content-Type": "application/yaml; charset=utf-8"}
    planned = admin("POST", "/v1/blueprint:apply?validateOnly=true", data=text.encode(), headers=kind)
    assert {c["path"] for c in planned.json()["changes"]} == {"roles", "calendars"}
    assert contents(admin) == WHOLE
    assert admin("POST", "/v1/blueprint:apply", data=text.encode(), headers=kind).status_code == 200
    assert contents(admin)["calendars"] == {"company": {"offDays": ["2026-10-02"], "end": "18:00"}}


def test_unknown_keys_and_wrong_paths_of_all_parts_are_told_together(admin: Any, world: Any) -> None:
    content = {**WHOLE, "rolse": 1, "roles": {"sales": "wrong"}, "policies": "wrong"}
    problem = admin("POST", "/v1/blueprint:apply", json={"content": content}).json()
    assert [f["field"] for f in problem["fields"]] == [
        "content.rolse",
        "content.roles.wrong_key",
        "content.policies.wrong_key",
    ]
    assert versions(world) == {"directory": 1, "leads": 1, "rules": 1}


@pytest.mark.parametrize(
    ("body", "kind", "query"),
    [
        (b"[]", "application/json", ""),
        (b"", "application/json", ""),
        (b"null", "application/json", ""),
        (b'{"a":1,"a":2}', "application/json", ""),
        (b"{}", "application/json", "?x=1"),
        (b"{}", "application/json", "?validateOnly=maybe"),
        (b'{"content":{},"etag":"a"}', "application/json", "?etag=b"),
        (b"a: &x [1]\nb: *x", "application/yaml", ""),
        (b"# nothing", "application/yaml", ""),
    ],
)
def test_what_is_no_blueprint_is_refused(admin: Any, world: Any, body: bytes, kind: str, query: str) -> None:
    answer = admin("POST", f"/v1/blueprint:apply{query}", data=body, headers={"Content-Type": kind})
    assert answer.status_code == 400, answer.text
    assert not [name for name, _, _ in world.seen if name.endswith("ApplyPart")]


def test_yaml_past_its_own_limit_is_too_large(admin: Any) -> None:
    body = b"a: " + b"x" * (600 * 1024)
    answer = admin("POST", "/v1/blueprint:apply", data=body, headers={"Content-Type": "application/yaml"})
    assert answer.status_code == 413


def test_when_a_part_fails_those_before_it_are_put_back(admin: Any, world: Any) -> None:
    def refuse(call: Any) -> Any:
        raise Refused("ROSTER_IN_USE", "The roster is in use.", "名册正在使用。")

    world.on("rules.ApplyPart", refuse)
    answer = admin("POST", "/v1/blueprint:apply", json={"content": CHANGED})
    assert (answer.status_code, answer.json()["reason"]) == (409, "ROSTER_IN_USE")
    assert contents(admin) == WHOLE
    assert versions(world) == {"directory": 3, "leads": 3, "rules": 1}


def test_a_part_that_breaks_after_it_was_stored_is_asked_again_and_answers(admin: Any, world: Any) -> None:
    first = True

    def apply_and_break(call: Any) -> Any:
        nonlocal first
        done = world._apply("rules", call.request)
        if first:
            first = False
            raise RuntimeError("broken after the commit")
        return done

    world.on("rules.ApplyPart", apply_and_break)
    assert admin("POST", "/v1/blueprint:apply", json={"content": CHANGED}).status_code == 200
    assert contents(admin) == CHANGED
    assert versions(world) == {"directory": 2, "leads": 2, "rules": 2}


def test_a_part_that_breaks_each_time_was_not_stored_and_the_others_are_put_back(admin: Any, world: Any) -> None:
    def broken(call: Any) -> Any:
        raise RuntimeError("broken before the commit")

    world.on("rules.ApplyPart", broken)
    assert admin("POST", "/v1/blueprint:apply", json={"content": CHANGED}).status_code == 500
    assert contents(admin) == WHOLE


def test_a_part_that_cannot_be_put_back_is_named(admin: Any, world: Any) -> None:
    applied = 0

    def once(call: Any) -> Any:
        nonlocal applied
        applied += 1
        if applied > 1:
            raise Stale("blueprint")
        return world._apply("leads", call.request)

    def refuse(call: Any) -> Any:
        raise Refused("NO", "No.", "不行。")

    world.on("leads.ApplyPart", once)
    world.on("rules.ApplyPart", refuse)
    answer = admin("POST", "/v1/blueprint:apply", json={"content": CHANGED})
    assert (answer.status_code, answer.json()["reason"]) == (500, "BLUEPRINT_HALF_APPLIED")
    assert "leads" in answer.json()["detail"]
    assert "directory" not in answer.json()["detail"]


def test_two_who_apply_at_once_leave_one_whole_document(admin: Any, many: Any) -> None:
    documents = [{**WHOLE, "roles": {"sales": str(i)}, "forms": {"f": i}, "policies": {"p": i}} for i in range(6)]
    answers = list(many.map(lambda d: admin("POST", "/v1/blueprint:apply", json={"content": d}).status_code, documents))
    assert set(answers) <= {200, 409}
    assert 200 in answers or contents(admin) == WHOLE


def test_the_parts_are_asked_under_the_callers_own_rights(client: Any, world: Any) -> None:
    assert client("manager/m/east")("GET", "/v1/blueprint").status_code == 403
    client("admin/root/head")("GET", "/v1/blueprint")
    ((_, principal),) = world.calls("rules.GetPart")
    assert principal.person == "people/root"


def test_every_inner_call_has_no_more_time_than_its_caller(channel: Any, world: Any) -> None:
    left: list[float] = []

    def get(call: Any) -> Any:
        left.append(call.left())
        return world.parts["rules"]

    world.on("rules.GetPart", get)
    ask = channel.unary_unary("/dealwright.gateway.v1.GatewayService/GetBlueprint")
    for seconds in (4, 20):
        ask(b"", metadata=(("authorization", "Bearer admin/root/head"),), timeout=seconds)
    assert 3 < left[0] < 4.5
    assert 15 < left[1] < 20.5, "gRPC rounds a timeout up a little"
