"""The blueprint of a whole system: read as a file, changed, applied, and one rule for what a document leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.security.front import Front, open_front

APPLY = "/v1/blueprint:apply"
YAML = {"Accept": "application/yaml", "Content-Type": "application/yaml"}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with open_front(tmp_path_factory.mktemp("blueprint")) as made:
        yield made


def content(front: Front) -> dict[str, Any]:
    read: dict[str, Any] = front.done("GET", "/v1/blueprint")["content"]
    return read


def test_L22_the_file_that_was_read_is_changed_and_applied(front: Front) -> None:
    file = front("GET", "/v1/blueprint", headers=YAML).text
    document = yaml.safe_load(file)
    every = {"version", "automations", "calendars", "customers", "forms", "leads", "pipelines", "policies", "roles"}
    every |= {"approvalFlows", "approverGroups", "company", "contracts", "followUps", "notices", "tasks"}
    every |= {"alertRules", "boards", "exportSchedules", "kpis"}
    assert set(document) == every
    assert front("POST", APPLY, data=file.encode(), headers=YAML).json()["changes"] == []
    changed = file.replace("pickLimitPerDay: 10", "pickLimitPerDay: 4")
    answer = front("POST", APPLY, data=changed.encode(), headers=YAML).json()
    assert [c["path"] for c in answer["changes"]] == ["leads.pickLimitPerDay"]
    assert answer["blueprint"]["content"]["version"] == document["version"] + 1
    assert content(front)["leads"]["pickLimitPerDay"] == 4


def test_L22_every_part_keeps_what_a_document_leaves_out_and_null_takes_it_away(front: Front) -> None:
    form = {"channel": "TRADE_SHOW", "fields": ["phone"], "requiredFields": []}
    shift = {"displayName": "早班", "weekly": {"monday": ["08:00-12:00"]}}
    first = {
        "forms": {"one": form, "two": form},
        "calendars": {"early": shift, "late": shift},
        "leads": {"pickLimitPerDay": 3, "coolDownHours": 1},
        "roles": {"sales": {"displayName": "业务员"}},
    }
    front.done("POST", APPLY, json=first)
    before = content(front)
    assert before["roles"]["sales"]["grants"]["leads"]["write"] == "OWN"
    second = {
        "forms": {"one": {"open": False}, "two": None},
        "calendars": {"early": {"displayName": "早"}, "late": None},
        "leads": {"pickLimitPerDay": None},
        "roles": {"finance": {"displayName": "出纳"}},
    }
    front.done("POST", APPLY, json=second)
    after = content(front)
    assert after["forms"]["one"] == {**before["forms"]["one"], "open": False}
    assert "two" not in after["forms"]
    assert after["calendars"]["early"] == {**before["calendars"]["early"], "displayName": "早"}
    assert set(after["calendars"]) == {"company", "early"}
    assert (after["leads"]["pickLimitPerDay"], after["leads"]["coolDownHours"]) == (10, 1)
    assert after["roles"] == {**before["roles"], "finance": {**before["roles"]["finance"], "displayName": "出纳"}}
    assert after["policies"] == before["policies"]


@pytest.mark.parametrize(
    "path",
    [
        *("roles.sales", "policies.assignment", "roles", "policies", "leads", "forms", "pipelines", "customers"),
        *("followUps", "notices", "tasks", "approvalFlows", "approverGroups", "contracts", "company"),
        *("boards", "kpis"),
    ],
)
def test_L22_what_a_system_cannot_be_without_is_not_taken_away(path: str, front: Front) -> None:
    document: Any = None
    for key in reversed(path.split(".")):
        document = {key: document}
    front.refuses("POST", APPLY, (400, "INVALID", {f"content.{path}"}), json=document)
