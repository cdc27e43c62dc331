"""Publishing a policy: checked whole, refused with the place, versioned; what waits is looked at anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from chassis.access import ANONYMOUS, peer
from chassis.errors import Denied, Invalid, NotFound, Stale
from chassis.rpc import Call
from chassis.transaction import Origin
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.leads.v1 import leads_pb2
from dealwright.rules.v1 import events_pb2, rules_pb2
from rules import usecases, wire
from rules.domain.fairness import LEAD
from rules.domain.policy import CHANNELS, INTENTS, default_policy, to_plain
from rules.servicer import BlueprintServicer, RuleServicer
from rules.usecases import assignment
from tests.rules.house import House, lead
from tests.rules.story import credits_of

ADMIN = peer("test")
GUIDE = Path(__file__).parents[2] / "docs/guide/policies.md"


def with_when(expression: str) -> dict[str, Any]:
    content = to_plain(default_policy())
    content["steps"][5]["when"] = expression
    return content


def wrong(content: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as problem:
        usecases.plan_policy(content)
    assert all(v.english and v.chinese for v in problem.value.violations)
    return {v.field: v.english for v in problem.value.violations}


def update(house: House, content: dict[str, Any], **more: Any) -> rules_pb2.Policy:
    policy = rules_pb2.Policy(name="policies/assignment", content=wire.struct(content), etag=more.pop("etag", ""))
    with house.transaction() as tx:
        return RuleServicer(house.runtime).UpdatePolicy(tx, rules_pb2.UpdatePolicyRequest(policy=policy, **more))


def test_L22_a_condition_that_does_not_type_check_is_refused_with_line_and_column() -> None:
    found = wrong(with_when("region == '华东' &&\n  nobody == 'x'"))
    assert list(found) == ["content.steps[5].when"]
    assert found["content.steps[5].when"].startswith("line 2, column 3: ")
    assert "line 1, column" in wrong(with_when("region +"))["content.steps[5].when"]
    assert "true or false" in wrong(with_when("region + '!'"))["content.steps[5].when"]


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 200 + "true" + ")" * 200,
        "'" + "x" * 100_000 + "' == text",
        "tags.exists(a, tags.exists(b, tags.exists(c, a == b + c)))",
        "tags.map(t, t + t).size() > 0",
        "text.matches('(a+)+$' + text)",
        "\u202etrue",
        " ",
    ],
)
def test_a_hostile_condition_is_refused_when_saved(expression: str) -> None:
    if expression == " ":
        usecases.plan_policy(with_when(""))  # no condition is one that always holds
    assert list(wrong(with_when(expression))) == ["content.steps[5].when"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["steps", "id", "kind", "to", "rules"]), inner),
        max_leaves=12,
    )
)
def test_whatever_is_sent_as_a_policy_is_taken_or_refused_by_field(content: Any) -> None:
    found: list[str] = []
    try:
        usecases.plan_policy(content)
    except Invalid as problem:
        found = [v.field for v in problem.violations]
    assert all(field.startswith("content") for field in found)


def plan_part(servicer: BlueprintServicer, content: dict[str, Any]) -> blueprint_pb2.PlanPartResponse:
    request = blueprint_pb2.PlanPartRequest(content=wire.struct(content))
    return servicer.PlanPart(Call(request, ADMIN, Origin()))


def test_a_policy_is_published_once_per_change_and_a_stale_etag_is_refused(house: House) -> None:
    content = with_when("region != '海外'")
    checked = update(house, content, validate_only=True)
    assert (checked.version, house.state.policy.version) == (2, 1)
    first = update(house, content, etag="1")
    assert (first.version, first.etag, first.hash) == (2, "2", house.state.policy.hash())
    assert [e.policy.version for e in house.announced(events_pb2.PolicyPublished)] == [2]
    assert update(house, content).version == 2
    with pytest.raises(Stale):
        update(house, with_when(""), etag="1")
    with pytest.raises(NotFound), house.transaction() as tx:
        RuleServicer(house.runtime).UpdatePolicy(
            tx, rules_pb2.UpdatePolicyRequest(policy=rules_pb2.Policy(name="policies/x"))
        )
    with pytest.raises(Invalid):
        update(house, content, update_mask={"paths": ["hash"]})
    with house.reading() as tx:
        read = RuleServicer(house.runtime).GetPolicy(tx, rules_pb2.GetPolicyRequest(name="policies/assignment"))
        assert (read.version, read.publish_time.seconds) == (2, int(house.now.timestamp()))


def test_the_blueprints_part_is_applied_whole_or_not_at_all(house: House) -> None:
    servicer = BlueprintServicer(house.runtime)
    with house.reading(ADMIN) as tx:
        part = servicer.GetPart(tx, blueprint_pb2.GetPartRequest())
    content = wire.plain(part.content)
    content["policies"]["assignment"]["clocks"]["reclaimDays"] = 7
    plan = plan_part(servicer, content)
    assert [(c.path, c.before, c.after) for c in plan.changes] == [
        ("policies.assignment.clocks.reclaimDays", "14", "7")
    ]
    content["policies"]["assignment"]["steps"][0]["kind"] = "magic"
    content["policies"]["other"] = {}
    with pytest.raises(Invalid), house.transaction(ADMIN) as tx:
        servicer.ApplyPart(tx, blueprint_pb2.ApplyPartRequest(content=wire.struct(content)))
    assert house.state.policy.version == 1
    del content["policies"]["other"]
    with pytest.raises(Invalid) as problem, house.transaction(ADMIN) as tx:
        servicer.ApplyPart(tx, blueprint_pb2.ApplyPartRequest(content=wire.struct(content)))
    assert [v.field for v in problem.value.violations] == ["policies.assignment.steps[0].kind"]
    content["policies"]["assignment"]["steps"][0]["kind"] = "keep_owner"
    with pytest.raises(Stale), house.transaction(ADMIN) as tx:
        servicer.ApplyPart(tx, blueprint_pb2.ApplyPartRequest(content=wire.struct(content), expected_version=9))
    with house.transaction(ADMIN) as tx:
        applied = servicer.ApplyPart(
            tx, blueprint_pb2.ApplyPartRequest(content=wire.struct(content), expected_version=1)
        )
    assert (applied.version, house.state.policy.clocks.reclaim_days) == (2, 7)
    with pytest.raises(Denied), house.transaction(ANONYMOUS) as tx:
        servicer.ApplyPart(tx, blueprint_pb2.ApplyPartRequest(content=wire.struct(content)))


def test_what_waits_is_looked_at_anew_when_a_policy_is_published_and_in_its_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assignment, "_DRAIN_AT_ONCE", 10)
    house.hire("expert", role="manager")
    house.tell(*(house.captured(n, text="想了解采购" if n % 2 else "想了解") for n in range(30)))
    house.pass_time(minutes=1)
    house.tell(house.captured(99, text="采购，急"))
    assert len(house.waiting) == 31
    house.announced()
    steps = to_plain(default_policy())["steps"]
    steps[2]["rules"] = [{"phrases": ["采购"], "people": ["people/expert"]}]
    house.publish(steps=steps)
    while house.wait_loop():
        pass
    events = house.announced(events_pb2.LeadAssignmentDecided)
    assert [e.lead for e in events] == [lead(99), *(lead(n) for n in range(1, 30, 2))]
    assert {e.owner for e in events} == {"people/expert"}
    assert set(house.waiting) == {lead(n) for n in range(0, 30, 2)}
    assert not house.wait_loop()
    house.assert_sound()


def test_R9_a_move_by_hand_charges_the_roster_where_the_policy_says_so(house: House) -> None:
    house.hire("a", "b", "c")
    house.publish(chargeManualMoves=True)
    assert house.capture(1, 2, 3) == ["a", "b", "c"]
    house.tell(house.moved(1, "b", 2, "MANUAL", "a"))
    credits = credits_of(house.state)["roster/*"]
    assert {p: c / LEAD for p, c in credits.items()} == {"a": 1, "b": -1, "c": 0}
    assert house.capture(4) == ["a"]
    house.assert_sound()


def test_the_guides_example_is_a_policy_and_every_key_is_described() -> None:
    text = GUIDE.read_text()
    example = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])
    policy = usecases.plan_policy(example["policies"]["assignment"])
    assert [s.kind for s in policy.steps] == [
        *("keep_owner", "tag_urgent", "specialist", "nearest", "seniors", "roster", "fallback"),
    ]
    plain = to_plain(policy)
    keys = {*plain, *plain["clocks"], *(key for step in plain["steps"] for key in step), "match", "phrases", "people"}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []
    assert [name for name in wire.CONDITION_SCHEMA if f"`{name}`" not in text] == []


def test_L9_L13_a_policy_that_names_what_cannot_be_is_refused_with_the_place() -> None:
    content = to_plain(default_policy())
    steps = content["steps"]
    steps[1]["channels"] = ["DOUYIN", "FAX"]
    steps[2]["rules"] = [{"phrases": ["采购"], "people": ["people/expert", "expert", 7]}]
    steps[3]["match"] = {"channel": ["FAX"], "intent": ["MAYBE"], "region": ["华东"]}
    steps[6]["to"] = "banana"
    found = wrong(content)
    assert list(found) == [
        "content.steps[1].channels[1]",
        "content.steps[2].rules[0].people[1]",
        "content.steps[2].rules[0].people[2]",
        "content.steps[3].match.channel[0]",
        "content.steps[3].match.intent[0]",
        "content.steps[6].to",
    ]
    assert list(wrong({**to_plain(default_policy()), "id": "other"})) == ["content.id"]


def test_the_values_a_policy_may_match_are_those_of_leads() -> None:
    assert leads_pb2.Channel.keys()[1:] == list(CHANNELS)
    assert leads_pb2.Lead.Intent.keys()[1:] == list(INTENTS)


def test_L9_a_policy_that_names_people_who_are_not_there_is_refused_wherever_it_comes_from(house: House) -> None:
    house.hire("expert")
    content = wire.policy_content(default_policy())
    content["steps"][2]["rules"] = [{"phrases": ["采购"], "people": ["people/expert", "people/none"]}]
    content["steps"][6]["to"] = "people/nobody"
    fields = ["steps[2].rules[0].people[1]", "steps[6].to"]

    def refuses(ask: Callable[[], Any], prefix: str) -> None:
        with pytest.raises(Invalid) as problem:
            ask()
        assert [v.field for v in problem.value.violations] == [f"{prefix}.{field}" for field in fields]

    refuses(lambda: update(house, content), "content")
    refuses(lambda: update(house, content, validate_only=True), "content")
    document = {"policies": {"assignment": content}}
    apply = blueprint_pb2.ApplyPartRequest(content=wire.struct(document))
    with house.transaction(ADMIN) as tx:
        refuses(lambda: BlueprintServicer(house.runtime).ApplyPart(tx, apply), "policies.assignment")
    refuses(lambda: plan_part(BlueprintServicer(house.runtime), document), "policies.assignment")
    with house.reading(ADMIN) as tx:
        simulate = rules_pb2.SimulatePolicyRequest(content=wire.struct(content))
        refuses(lambda: RuleServicer(house.runtime).SimulatePolicy(tx, simulate), "content")
    house.hire("none", state="LEFT")
    house.hire("nobody")
    assert update(house, content).version == 2  # who has left is known: the step then finds nobody


def test_a_person_added_a_moment_before_the_policy_that_names_him_is_waited_for(house: House) -> None:
    content = wire.policy_content(default_policy())
    who = f"people/{ids.new_id()}"  # as the directory names people: nobody waits for other names
    content["steps"][6]["to"] = who
    comes = threading.Timer(0.2, lambda: house.hire(who.removeprefix("people/")))
    comes.start()
    plan = plan_part(BlueprintServicer(house.runtime), {"policies": {"assignment": content}})
    comes.join()
    assert [(c.path, c.after) for c in plan.changes] == [("policies.assignment.steps[6].to", f'"{who}"')]
