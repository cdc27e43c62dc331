"""A policy as data from outside: every mistake is named by its path, in both languages."""

from typing import Any

import pytest

from rules.domain.policy import default_policy, to_plain, with_version
from rules.domain.policy_form import PolicyInvalid, from_plain


def plain(**changes: Any) -> dict[str, Any]:
    return {**to_plain(default_policy()), **changes}


def test_L13_the_default_policy_survives_reading_and_writing_and_its_hash_follows_the_version() -> None:
    policy = from_plain(plain())
    assert policy == default_policy()
    assert policy.hash() == default_policy().hash()
    assert with_version(policy, 2).hash() != policy.hash()
    assert from_plain(plain(), version=2) == with_version(policy, 2)


def test_L13_the_order_of_steps_and_each_setting_change_the_hash() -> None:
    steps = plain()["steps"]
    hashes = {
        from_plain(plain(steps=steps)).hash(),
        from_plain(plain(steps=steps[::-1])).hash(),
        from_plain(plain(steps=[{**steps[0], "checks": []}, *steps[1:]])).hash(),
        from_plain(plain(timeZone="Europe/Berlin")).hash(),
    }
    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"steps": []}, ["steps"]),
        ({"steps": "roster"}, ["steps"]),
        ({"steps": [7]}, ["steps[0]", "steps[0].kind", "steps[0].id"]),
        ({"steps": [{"id": "a", "kind": "magic"}]}, ["steps[0].kind"]),
        ({"steps": [{"id": "a", "kind": ["roster"]}]}, ["steps[0].kind"]),
        ({"steps": [{"id": "a", "kind": "roster"}, {"id": "a", "kind": "roster"}]}, ["steps[1].id"]),
        ({"steps": [{"id": "escalate", "kind": "roster"}]}, ["steps[0].id"]),
        ({"steps": [{"id": "a", "kind": "roster", "radius": 3}]}, ["steps[0].radius"]),
        ({"steps": [{"id": "a", "kind": "nearest", "radius": 0}]}, ["steps[0].radius"]),
        ({"steps": [{"id": "a", "kind": "nearest", "radius": True}]}, ["steps[0].radius"]),
        ({"steps": [{"id": "a", "kind": "roster", "checks": ["mood"]}]}, ["steps[0].checks[0]"]),
        ({"steps": [{"id": "a", "kind": "roster", "when": "x" * 2001}]}, ["steps[0].when"]),
        ({"steps": [{"id": "a", "kind": "roster", "match": {"phone": ["1"]}}]}, ["steps[0].match.phone"]),
        (
            {"steps": [{"id": "a", "kind": "specialist", "rules": [{"phrases": ["采购", ""]}]}]},
            ["steps[0].rules[0].phrases[1]", "steps[0].rules[0].people"],
        ),
        ({"timeZone": "Mars/Olympus"}, ["timeZone"]),
        ({"timeZone": 8}, ["timeZone"]),
        ({"colour": "red"}, ["colour"]),
        ({"skills": {"轮毂": "german"}}, ["skills.轮毂"]),
        ({"clocks": {"reclaimDays": 0}}, ["clocks.reclaimDays"]),
        ({"chargeManualMoves": "no"}, ["chargeManualMoves"]),
    ],
)
def test_L13_a_wrong_policy_is_refused_and_every_wrong_path_is_named(changes: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        from_plain(plain(**changes))
    assert [path for path, _, _ in refused.value.problems] == paths
    assert all(english and chinese for _, english, chinese in refused.value.problems)


@pytest.mark.parametrize("whole", [None, [], "x", 3, {}])
def test_L13_what_is_no_policy_at_all_is_refused(whole: Any) -> None:
    with pytest.raises(PolicyInvalid):
        from_plain(whole)
