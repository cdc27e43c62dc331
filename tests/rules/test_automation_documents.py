"""Automations as documents: what is refused and where, whose they are, and how they are rehearsed."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from chassis.access import Principal, Scope
from chassis.errors import Denied, Invalid, NotFound, Stale
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.rules.v1 import rules_pb2
from rules import wire
from rules.domain.automation import build, to_plain
from rules.domain.automation_defaults import DEFAULTS
from rules.domain.automation_form import AutomationsInvalid, from_plain
from rules.domain.conditions import Conditions
from rules.servicer import BlueprintServicer, RuleServicer
from tests.rules.deals import ADMIN, IMPORTANT, Deals, brief, opportunity, principal
from tests.rules.house import House

SHIPPED = {one["id"]: one for one in DEFAULTS}


@pytest.fixture
def deals(house: House) -> Deals:
    made = Deals(house)
    made.staff()
    house.hire("admin", "other", role="admin")
    return made


def test_R1_what_is_shipped_is_right_and_reads_as_it_was_written() -> None:
    found = from_plain(DEFAULTS)
    assert [one.id for one in found] == list(SHIPPED)
    assert from_plain([to_plain(one) for one in found]) == found
    assert all(build(to_plain(one)) == one for one in found)
    assert all(one.name_zh and one.name_en for one in found)


def one(id: str = "stalled-warning", **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SHIPPED[id]), **changes}


def action(**changes: Any) -> dict[str, Any]:
    kept = {"kind": "NOTIFY", "to": ["owner"], "titleZh": "标题", "titleEn": "Title", **changes}
    return one(actions=[{key: value for key, value in kept.items() if value is not None}])


WRONG: list[tuple[str, Any, str, str]] = [
    ("no list", {"a": 1}, "automations", "list"),
    ("more than a hundred", [one(id="stalled-warning")] * 101, "automations", "100"),
    ("no object", ["x"], "automations[0]", "object"),
    ("an id with a blank", [one() | {"id": "a b"}], "automations[0].id", "lower-case"),
    ("the same id twice", [one(), one()], "automations[1].id", "twice"),
    ("no such trigger", [one(on="MOON_FULL")], "automations[0].on", "STAGE_CHANGED"),
    ("a setting that there is not", [one(colour="red")], "automations[0].colour", "not known"),
    ("a condition that is none", [one(when="importance ==")], "automations[0].when", "line 1"),
    ("a condition on an unknown fact", [one(when="daysSilent > 7")], "automations[0].when", "importance"),
    ("a condition of the wrong type", [one(when='amount > "much"')], "automations[0].when", "line 1"),
    ("a condition that is no yes or no", [one(when="amount + 1")], "automations[0].when", "true or false"),
    ("silence without a span", [one(after={})], "automations[0].after", "how long"),
    ("days below zero", [one(after={"days": -1})], "automations[0].after.days", "0 to 3650"),
    ("half a day", [one(after={"days": 0.5})], "automations[0].after.days", "whole"),
    ("a repeat where there is none", [one("quote-task", repeat={"days": 1})], "automations[0].repeat", "not known"),
    ("a wait for what does not wait", [one("payment-overdue", after={"days": 1})], "automations[0].after", "not known"),
    ("no time of day", [one("important-daily", at="9 o'clock")], "automations[0].at", "09:00"),
    ("no actions", [one(actions=[])], "automations[0].actions", "1 to 10"),
    ("no such action", [action(kind="EXPLODE")], "automations[0].actions[0].kind", "NOTIFY"),
    ("nobody to tell", [action(to=[])], "automations[0].actions[0].to", "owner"),
    ("a recipient that is none", [action(to=["everybody"])], "automations[0].actions[0].to[0]", "roles/"),
    ("a title in one language", [action(titleEn=None)], "automations[0].actions[0].titleEn", "non-empty"),
    ("an unknown placeholder", [action(titleZh="{phone}")], "automations[0].actions[0].titleZh", "{number}"),
    ("a code for a placeholder", [action(textEn="{0.__class__}")], "automations[0].actions[0].textEn", "{number}"),
    ("a text without end", [action(textZh="字" * 2001)], "automations[0].actions[0].textZh", "2000"),
    ("a task's date on a notice", [action(dueHours=1)], "automations[0].actions[0].dueHours", "not known"),
    (
        "customers that are lost",
        [one("tier-a-untouched", actions=[{"kind": "MARK_LOST", "textZh": "关", "textEn": "Lost"}])],
        "automations[0].actions[0].kind",
        "opportunities",
    ),
    ("an author who is no person", [one(author="me")], "automations[0].author", "people/"),
]


@pytest.mark.parametrize(("document", "path", "part"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_R1_what_is_wrong_is_named_by_its_path_in_both_languages(document: Any, path: str, part: str) -> None:
    with pytest.raises(AutomationsInvalid) as problem:
        from_plain(document)
    named = {found[0]: found for found in problem.value.problems}
    assert path in named
    assert part in named[path][1]
    assert named[path][2] != named[path][1]


def test_what_is_refused_changes_nothing_and_all_of_it_is_named(deals: Deals) -> None:
    before = deals.document()
    people = [action(to=["people/nobody"]), one("quote-task", on="NEVER")]
    with pytest.raises(Invalid) as problem:
        deals.apply(people)
    assert [v.field for v in problem.value.violations] == ["automations[1].on"]
    with pytest.raises(Invalid) as problem:
        deals.apply(people[:1])
    assert [v.field for v in problem.value.violations] == ["automations[0].actions[0].to[0]"]
    assert deals.document() == before


def blueprint(deals: Deals, content: dict[str, Any], expected: int = 0) -> blueprint_pb2.Part:
    request = blueprint_pb2.ApplyPartRequest(content=wire.struct(content), expected_version=expected)
    with deals.house.transaction(ADMIN) as tx:
        return BlueprintServicer(deals.house.runtime).ApplyPart(tx, request)


def test_R17_both_keys_of_the_part_are_applied_together_or_not_at_all_and_each_raises_its_version(
    deals: Deals,
) -> None:
    policy = wire.policy_content(deals.house.state.policy)
    policy["clocks"]["reclaimDays"] = 9
    wrong = {**policy, "steps": []}
    with pytest.raises(Invalid) as problem:
        blueprint(deals, {"policies": {"assignment": wrong}, "automations": [one(on="NEVER")]}, 1)
    assert [v.field for v in problem.value.violations] == ["policies.assignment.steps", "automations[0].on"]
    assert blueprint(deals, {"automations": [one()]}, 1).version == 2
    with pytest.raises(Stale):
        blueprint(deals, {"automations": []}, 1)
    both = blueprint(deals, {"policies": {"assignment": policy}, "automations": [one("quote-task")]}, 2)
    assert both.version == 4
    assert deals.house.state.policy.clocks.reclaim_days == 9
    assert [a["id"] for a in deals.document()] == ["quote-task"]
    assert blueprint(deals, wire.plain(both.content), 4) == both, "what is there already changes nothing"


def test_R6_an_automation_is_its_authors_who_must_be_allowed_what_it_does(deals: Deals) -> None:
    ids = [a["id"] for a in deals.document()]
    assert {a["author"] for a in deals.document()} == {""}, "what is shipped is the company's"
    changed = [a | {"nameEn": "Mine"} if a["id"] == "stalled-warning" else a for a in deals.document()]
    limited = principal("other", Scope.ALL, opportunities=Scope.TEAM)
    with pytest.raises(Denied, match=r"opportunities\.write"):
        deals.apply(changed, limited)
    with pytest.raises(Denied, match=r"policies\.write"):
        deals.apply(changed, principal("other", Scope.ALL, policies=Scope.NONE))
    # Whose it is is not for the document to say.
    deals.apply([a | {"author": "people/boss"} if a["nameEn"] == "Mine" else a for a in changed], ADMIN)
    authors = {a["id"]: a["author"] for a in deals.document()}
    assert authors == {**dict.fromkeys(ids, ""), "stalled-warning": "people/admin"}
    deal = deals.open(1)
    (warned,) = [e for e in (_later(deals, 7)) if e.action == "WARN"]
    assert (warned.author, warned.automation, warned.subject) == ("people/admin", "stalled-warning", deal.name)
    # The same document from somebody else, with or without its authors: nothing changes hands.
    deals.apply(deals.document(), principal("other", Scope.ALL))
    anonymous = [{k: v for k, v in a.items() if k != "author"} for a in deals.document()]
    deals.apply(anonymous, principal("other", Scope.ALL))
    assert {a["id"]: a["author"] for a in deals.document()} == authors
    # When its author has left, whoever applies it takes it over.
    deals.house.hire("admin", role="admin", state="LEFT")
    deals.apply(anonymous, principal("other", Scope.ALL))
    assert {a["id"]: a["author"] for a in deals.document()}["stalled-warning"] == "people/other"


def _later(deals: Deals, days: int) -> list[Any]:
    deals.house.pass_time(days=days)
    return deals.fire()


# --- rehearsal ---


def preview(deals: Deals, on: str, facts: dict[str, Any], document: Any = None) -> list[Any]:
    content = {} if document is None else {"automations": document}
    request = rules_pb2.PreviewAutomationsRequest(on=on, facts=wire.struct(facts), content=wire.struct(content))
    with deals.house.reading(ADMIN) as tx:
        return list(RuleServicer(deals.house.runtime).PreviewAutomations(tx, request).outcomes)


def test_R18_R19_a_rehearsal_says_which_automations_would_start_and_what_they_would_ask_of_whom(
    deals: Deals,
) -> None:
    facts = {"owner": "people/li", "title": "仓储系统", "number": "CRM-1", "importance": "IMPORTANT"}
    silent = {o.automation: o for o in preview(deals, "OPPORTUNITY_SILENT", facts)}
    assert {id for id, o in silent.items() if o.fires} == {
        *("important-reminder", "stalled-warning", "untouched-notice", "lost-after-silence")
    }
    (task,) = silent["important-reminder"].actions
    assert (task.action, task.person) == ("CREATE_TASK", "people/li")
    assert task.parameters["title_zh"] == "重要商机 仓储系统 已7天未跟进，请尽快跟进"
    assert silent["lost-after-silence"].after.ToTimedelta().days == 90
    assert not {o.automation: o for o in preview(deals, "OPPORTUNITY_SILENT", {})}["important-reminder"].fires
    (daily,) = preview(deals, "DAILY", {**facts, "daysSilent": 9})
    assert [(a.action, a.person) for a in daily.actions] == [("MAIL", "people/li"), ("MAIL", "people/boss")]
    assert daily.actions[0].parameters["subject_zh"] == "【高优商机跟进预警】仓储系统项目已超过7天未跟进"
    moved = preview(deals, "STAGE_CHANGED", {"fromStage": "needs-analysis", "toStage": "solution"})
    assert [o.automation for o in moved if o.fires] == ["solution-task", "solution-template", "stuck-notice"]
    # One that is not in force yet, and one that cannot be evaluated.
    (drafted,) = preview(deals, "OPPORTUNITY_SILENT", facts, [one(when="1 / amount > 0")])
    assert not drafted.fires
    assert "条件无法求值" in drafted.problem
    assert deals.asked() == [], "a rehearsal asks for nothing"


@pytest.mark.parametrize(
    ("on", "facts", "document", "field"),
    [
        ("MOON_FULL", {}, None, "on"),
        ("DAILY", {"phone": "1"}, None, "facts.phone"),
        ("DAILY", {"daysSilent": "many"}, None, "facts.daysSilent"),
        ("DAILY", {}, [{"id": "x"}], "automations[0].on"),
    ],
)
def test_R19_a_rehearsal_of_what_there_is_not_is_refused(
    deals: Deals, on: str, facts: dict[str, Any], document: Any, field: str
) -> None:
    with pytest.raises(Invalid) as problem:
        preview(deals, on, facts, document)
    assert field in [v.field for v in problem.value.violations]


# --- clocks as people read them ---


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        (ADMIN, True),
        (principal("li", Scope.OWN), True),
        (principal("wu", Scope.OWN), False),
        (principal("boss", Scope.TEAM, "teams/east"), True),
        (principal("boss", Scope.TEAM, "teams/west"), False),
    ],
)
def test_R5_the_clocks_of_an_opportunity_are_listed_for_who_may_see_it(
    deals: Deals, who: Principal, sees: bool
) -> None:
    deals.apply([one(), one("untouched-notice"), one("important-reminder")])
    deal = deals.open(1)
    deals.pass_days(7)

    def listed() -> list[tuple[str, bool, bool]]:
        return [(t.automation, t.HasField("fire_time"), t.paused) for t in deals.timers(deal.name, who)]

    if not sees:
        with pytest.raises(NotFound):
            listed()
        return
    ran_out = ("stalled-warning", True, False)
    assert listed() == [ran_out, ("stalled-warning", False, False), ("untouched-notice", False, False)]
    deal.change(importance=IMPORTANT)
    assert ("important-reminder", False, False) in listed()
    deal.hold()
    assert {paused for _, fired, paused in listed() if not fired} == {True}
    for name in (opportunity(99), "opportunities/x", "contracts/" + "1" * 32):
        with pytest.raises(NotFound):
            deals.timers(name, who)


def test_an_opportunity_is_not_listed_without_the_right_to_read_any(deals: Deals) -> None:
    deal = deals.open(1)
    with pytest.raises(Denied):
        deals.timers(deal.name, principal("li", Scope.OWN, opportunities=Scope.NONE))


# --- what is asked ---


def test_texts_are_filled_once_and_people_are_asked_once(deals: Deals) -> None:
    notice = {
        "kind": "NOTIFY",
        "to": ["owner", "people/li", "team", "manager", "roles/manager"],
        "titleZh": "{title} {after} {customer}",
        "titleEn": "{title}",
    }
    deals.apply([one(actions=[notice])])
    deals.open(1, title="{number} {days} %s {0}", team="teams/east")
    told = _later(deals, 7)
    assert brief(told) == [f"stalled-warning:NOTIFY:{who}" for who in ("li", "wu", "boss")]
    assert told[0].text_en == "{number} {days} %s {0}"
    assert told[0].text_zh == "{number} {days} %s {0} 7 "
    assert len({e.origin for e in told}) == 3


def test_a_condition_that_cannot_be_answered_does_not_hold(deals: Deals) -> None:
    deals.apply([one(when="1 / amount >= 0")])
    deals.open(1)
    assert _later(deals, 30) == []


def test_a_document_is_compiled_once_and_anew_when_another_is_applied(
    deals: Deals, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals.open(1)
    read: list[int] = []
    real = Conditions.__init__

    def counted(made: Conditions, of: Any) -> None:
        read.append(1)
        real(made, of)

    monkeypatch.setattr(Conditions, "__init__", counted)
    for number in range(2, 9):
        deals.open(number)
    deals.fire()
    assert read == []
    deals.apply([one()])
    read.clear()
    deals.open(9)
    deals.open(10)
    assert read == [1]
