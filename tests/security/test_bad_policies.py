"""Policies and blueprints from outside: hostile CEL, hostile YAML, values that fit nowhere; all refused at save."""

from __future__ import annotations

import copy
import re
import time
from typing import Any

import pytest
import yaml

from tests.security.front import Front, checked_problem

POLICY = "/v1/policies/assignment"
APPLY = "/v1/blueprint:apply"
INVALID = (400, "INVALID")
YAML = {"Content-Type": "application/yaml"}
WHERE = re.compile(r"line \d+, column \d+")


def content(front: Front, **step: Any) -> dict[str, Any]:
    """The policy in force with values laid over its first step."""
    found: dict[str, Any] = copy.deepcopy(front.done("GET", POLICY)["content"])
    found["steps"][0].update(step)
    return found


HOSTILE = {
    "no type": "region + 1 > 2",
    "no boolean": "region",
    "a number": "1",
    "unknown name": "secret == 'a'",
    "unknown function": "system('id') == ''",
    "syntax": "region ==",
    "another language": "__import__('os').system('id')",
    "assignment": "region = 'x'",
    "half a text": "region == 'x",
    "a list": "[region]",
    "wrong argument": "region.startsWith(1)",
    "nested brackets": "(" * 900 + "true" + ")" * 900,
    "nested lists": "[" * 900 + "]" * 900 + " == []",
    "nested conditions": "true ? " * 200 + "true" + " : false" * 200,
    "a huge text": "region == '" + "x" * 1900 + "'",
    "too long": "region == '" + "x" * 100_000 + "'",
    "a macro bomb": "[1,2,3].all(a, [1,2,3].all(b, [1,2,3].all(c, [1,2,3].all(d, [1,2,3].all(e, true)))))",
    "map": "tags.map(t, t + t).size() > 0",
    "nested maps": "[[1]].map(a, [[1]].map(b, [[1]].map(c, c))) == []",
    "doubling": "[1].exists(a, (text + text + text) == '')",
    "a regular expression that backtracks": "text.matches('(a+)+$') && text.matches(region)",
    "a computed pattern": "text.matches(region + '(')",
    "a broken pattern": "text.matches('(')",
    "a control character": "region == 'a\x07'",
    "an override": "region == 'a' /* \u202e */",
    "reserved": "true && for",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_L7_hostile_or_wrong_cel_is_refused_at_save_with_line_and_column(source: str, front: Front) -> None:
    started = time.monotonic()
    given = {"content": content(front, when=source)}
    answer = front("PATCH", POLICY, json=given)
    problem = checked_problem(answer)
    assert (answer.status_code, [f["field"] for f in problem["fields"]]) == (400, ["content.steps[0].when"]), problem
    assert len(source) > 2000 or WHERE.search(problem["fields"][0]["message"]), problem
    front.refuses("PATCH", POLICY, (*INVALID, {"content.steps[0].when"}), json=given)
    front.refuses("POST", "/v1/policies:simulate", (*INVALID, {"content.steps[0].when"}), json=given)
    blueprint = {"policies": {"assignment": given["content"]}}
    field = {"content.policies.assignment.steps[0].when"}
    front.refuses("POST", APPLY, (*INVALID, field), json=blueprint)
    assert time.monotonic() - started < 10


def test_L7_what_the_hostile_ones_resemble_is_fine(front: Front) -> None:
    version = front.done("GET", POLICY)["version"]
    fine = ["region == 'x' || text.contains('急')", "text.matches('^[a-z]+$')", "tags.exists(t, t == 'a')", ""]
    for source in [*fine, "!" * 1900 + "true"]:
        given = {"content": content(front, when=source)}
        with front.nothing_written():
            answer = front("PATCH", f"{POLICY}?validateOnly=true", json=given)
        assert answer.status_code == 200, (source, answer.text)
    assert front.done("GET", POLICY)["version"] == version


WRONG: list[tuple[str, dict[str, Any], set[str]]] = [
    ("no steps", {"steps": []}, {"content.steps"}),
    ("steps that are a text", {"steps": "all"}, {"content.steps"}),
    ("a step that is a number", {"steps": [1]}, {"content.steps[0]", "content.steps[0].kind", "content.steps[0].id"}),
    ("51 steps", {"steps": [{"id": f"s{n}", "kind": "roster"} for n in range(51)]}, {"content.steps"}),
    ("an unknown kind", {"steps": [{"id": "a", "kind": "steal"}]}, {"content.steps[0].kind"}),
    ("a kind that is a list", {"steps": [{"id": "a", "kind": ["roster"]}]}, {"content.steps[0].kind"}),
    ("the same id", {"steps": [{"id": "a", "kind": "roster"}] * 2}, {"content.steps[1].id"}),
    ("a hostile id", {"steps": [{"id": "../a", "kind": "roster"}]}, {"content.steps[0].id"}),
    ("checks that are objects", {"steps": [{"id": "a", "kind": "roster", "checks": [{"a": 1}]}]},
     {"content.steps[0].checks[0]"}),
    ("checks that are lists", {"steps": [{"id": "a", "kind": "roster", "checks": [["presence"]]}]},
     {"content.steps[0].checks[0]"}),
    ("an unknown check", {"steps": [{"id": "a", "kind": "roster", "checks": ["luck"]}]},
     {"content.steps[0].checks[0]"}),
    ("a radius of no size", {"steps": [{"id": "a", "kind": "nearest", "radius": -1}]}, {"content.steps[0].radius"}),
    ("an infinite radius", {"steps": [{"id": "a", "kind": "nearest", "radius": 1e300}]}, {"content.steps[0].radius"}),
    ("half a metre", {"steps": [{"id": "a", "kind": "nearest", "radius": 0.5}]}, {"content.steps[0].radius"}),
    ("an empty word", {"steps": [{"id": "a", "kind": "tag_urgent", "words": [""]}]}, {"content.steps[0].words[0]"}),
    ("clocks", {"clocks": {"responseMinutes": 0}, "steps": [{"id": "a", "kind": "roster"}]},
     {"content.clocks.responseMinutes"}),
    ("unknown keys", {"evil": 1, "steps": [{"id": "a", "kind": "roster", "more": 1}]},
     {"content.evil", "content.steps[0].more"}),
    ("a zone that is a path", {"timeZone": "../../etc/passwd", "steps": [{"id": "a", "kind": "roster"}]},
     {"content.timeZone"}),
    ("a zone that is none", {"timeZone": 8, "steps": [{"id": "a", "kind": "roster"}]}, {"content.timeZone"}),
    ("skills", {"skills": [], "steps": [{"id": "a", "kind": "roster"}]}, {"content.skills"}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "fields"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_L7_a_policy_that_is_wrong_names_every_path(given: dict[str, Any], fields: set[str], front: Front) -> None:
    front.refuses("PATCH", POLICY, (*INVALID, fields), json={"content": given})


# --- the blueprint, as YAML ---

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nforms: *c\n"
DOCUMENTS = {
    "a bomb": BOMB,
    "an anchor": "forms: &a {}\n",
    "a merge": "forms:\n  <<: {}\n",
    "a Python object": "forms: !!python/object/apply:os.system ['id']\n",
    "a binary": "forms: !!binary aGVsbG8=\n",
    "a custom tag": "forms: !Evil {}\n",
    "two documents": "forms: {}\n---\nforms: {}\n",
    "a list": "- forms\n",
    "a text": "forms\n",
    "nothing": "# nothing\n",
    "a tab": "forms:\n\tbooth: {}\n",
    "half a list": "forms: [\n",
    "a key that is a list": "[a]: 1\n",
    "deep nesting": "forms: " + "[" * 5000 + "]" * 5000 + "\n",
    "deep mappings": "".join(" " * n + "a:\n" for n in range(700)),
    "no UTF-8": b"forms: \xff\n",
    "UTF-16": "forms: {}\n".encode("utf-16"),
    "a NUL": "forms: \x00\n",
    "a directive": "%YAML 9.9\n---\nforms: {}\n",
}


@pytest.mark.parametrize("body", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_hostile_yaml_is_refused_as_a_whole_and_quickly(body: str | bytes, front: Front) -> None:
    started = time.monotonic()
    data = body if isinstance(body, bytes) else body.encode()
    front.refuses("POST", APPLY, (*INVALID, {""}), data=data, headers=YAML)
    assert time.monotonic() - started < 5


def test_yaml_of_half_a_megabyte_is_refused_before_it_is_read(front: Front) -> None:
    body = b"forms: {}\n#" + b"x" * 600_000
    front.refuses("POST", APPLY, (413, "TOO_LARGE", set()), data=body, headers=YAML)


PARTS: list[tuple[str, Any, set[str]]] = [
    ("an unknown part", {"evil": {}}, {"content.evil"}),
    ("parts that are texts", {"forms": "x", "leads": 1}, {"content.forms", "content.leads"}),
    ("an unknown setting", {"leads": {"evil": 1}}, {"content.leads.evil"}),
    ("a setting out of bounds", {"leads": {"pickLimitPerDay": -1}}, {"content.leads.pickLimitPerDay"}),
    ("a setting of another type", {"leads": {"hardRejectDuplicates": "yes"}}, {"content.leads.hardRejectDuplicates"}),
    ("a hostile form id", {"forms": {"../x": {"displayName": "x", "fields": ["phone"]}}}, {"content.forms.../x"}),
    ("a form without a way back", {"forms": {"x": {"displayName": "x", "fields": ["text"]}}},
     {"content.forms.x.fields"}),
    ("two parts wrong at once", {"leads": {"evil": 1}, "policies": {"assignment": {"steps": []}}},
     {"content.leads.evil", "content.policies.assignment.steps"}),
    ("a second policy", {"policies": {"other": {}}}, {"content.policies.other"}),
    ("an unknown role", {"roles": {"root": {"displayName": "r", "grants": {}}}}, {"content.roles.root"}),
    ("an unknown resource", {"roles": {"sales": {"displayName": "s", "grants": {"money": {"read": "ALL"}}}}},
     {"content.roles.sales.grants.money"}),
    ("a scope that is none", {"roles": {"sales": {"displayName": "s", "grants": {"leads": {"read": "EVERY"}}}}},
     {"content.roles.sales.grants.leads.read"}),
    ("a calendar of no zone", {"calendars": {"company": {"displayName": "c", "timeZone": "Mars/Olympus"}}},
     {"content.calendars.company.timeZone"}),
]  # fmt: skip


@pytest.mark.parametrize("as_yaml", [False, True], ids=["json", "yaml"])
@pytest.mark.parametrize(("parts", "fields"), [p[1:] for p in PARTS], ids=[p[0] for p in PARTS])
def test_a_blueprint_that_is_wrong_names_every_path_and_changes_no_part(
    parts: dict[str, Any], fields: set[str], as_yaml: bool, front: Front
) -> None:
    good = {"leads": {"coolDownHours": 13}}  # would change something, were it applied
    body = {**good, **parts}
    if as_yaml:
        text = yaml.safe_dump(body, allow_unicode=True).encode()
        front.refuses("POST", APPLY, (*INVALID, fields), data=text, headers=YAML)
    else:
        front.refuses("POST", APPLY, (*INVALID, fields), json=body)


def test_a_blueprint_of_an_old_etag_is_stale_in_every_spelling(front: Front) -> None:
    front.refuses("POST", f"{APPLY}?etag=old", (409, "STALE", set()), json={"leads": {"coolDownHours": 13}})
    old = {"content": {"leads": {"coolDownHours": 13}}, "etag": "old"}
    front.refuses("POST", APPLY, (409, "STALE", set()), json=old)
