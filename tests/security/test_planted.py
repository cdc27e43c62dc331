"""Defects planted into the code, each of which must turn the matrix red: or it would prove nothing."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
import sqlalchemy as sa

from chassis import server
from chassis.access import Grant, Principal, Scope
from chassis.errors import Denied
from dealwright.blueprint.v1 import blueprint_pb2 as blueprint
from leads.usecases import rights, working
from rules.usecases import reading
from tests.security.cells import Runner
from tests.security.matrix import table

TABLE = table()


def wrong(runner: Runner, rpc: str) -> str:
    return "\n".join(runner.run(TABLE[rpc]))


def test_P5_a_server_that_forgets_the_access_option_is_noticed(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "check_access", lambda rule, principal: None)
    found = wrong(runner, "directory.DirectoryService.ListRoles")
    assert "finance/any: D expected, Y found" in found
    assert "anonymous/any: A expected, Y found" in found
    assert "sales/any: D expected, Y found" in wrong(runner, "directory.DirectoryService.ResolveSession")


@pytest.mark.parametrize(
    ("module", "name", "defect", "rpc", "said"),
    [
        (rights, "criteria", lambda *_: sa.true(), "ListLeads", "sales/other: U expected, S found"),
        (rights, "criteria", lambda *_: sa.true(), "SummarizeLeads", "manager/other: U expected, S found"),
        (rights, "covers", lambda *_: True, "GetLead", "sales/other: N expected, Y found"),
        (rights, "covers", lambda *_: True, "UpdateLead", "sales/pooled: D expected, Y found"),
        (rights, "readable", lambda tx, asked: [True for _ in asked], "CaptureLead", "sales/other: O expected, Y"),
        (working, "_may_change_owners", lambda caller: True, "ReassignLead", "backoffice/own: D expected, Y found"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_P5_P6_a_rule_about_leads_that_is_missing_is_noticed(
    module: Any, name: str, defect: Any, rpc: str, said: str, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, defect)
    assert said in wrong(runner, f"leads.LeadService.{rpc}")


def test_P6_decisions_that_are_shown_to_everybody_are_noticed(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_may_see", lambda *_: True)
    assert "sales/mate: N expected, Y found" in wrong(runner, "rules.RuleService.ListDecisions")


def test_P5_tokens_that_nobody_checks_are_noticed(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    def believe(token: str, *_: object, **__: object) -> Any:
        return jwt.PyJWT().decode(token, options={"verify_signature": False}) | {"exp": 1 << 40}

    monkeypatch.setattr(jwt, "decode", believe)
    found = wrong(runner, "leads.LeadService.ListForms")
    for what in ("expired", "of another key", "with other claims"):
        assert f"a token {what}/any: A expected, Y found" in found


@pytest.mark.parametrize("audits", [True, False], ids=["writing", "an empty transaction"])
def test_P5_a_denial_that_writes_is_noticed(
    audits: bool, either_runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = server.check_access

    def check(rule: Any, principal: Principal) -> None:
        try:
            real(rule, principal)
        except Denied:
            with either_runner.house.runtimes["directory"].transaction() as tx:
                if audits:
                    tx.audit("denied", "people/-")
            raise

    monkeypatch.setattr(server, "check_access", check)
    found = wrong(either_runner, "directory.DirectoryService.ListRoles")
    assert "sales/any: D, and yet it wrote" in found
    assert ("changed directory.audit_log" in found) is audits


def test_P5_the_blueprint_is_no_way_round_the_right_to_write_roles(runner: Runner) -> None:
    """One who may apply blueprints, and nothing else, cannot make himself an administrator."""
    house = runner.house
    grants = {"blueprint": Grant(Scope.ALL, Scope.ALL, Scope.ALL, Scope.ALL)}
    clerk = Principal(house.people["backoffice"], "backoffice", grants=grants)
    before = runner.watch.hashes()
    changes: list[tuple[str, Any]] = [
        ("directory", lambda c: c["roles"]["backoffice"]["grants"]["roles"].update({"write": "ALL"})),
        ("directory", lambda c: c["calendars"]["company"].update({"displayName": "别的"})),
        ("leads", lambda c: c["forms"].update({"mine": {"displayName": "我的", "fields": ["phone"]}})),
        ("rules", lambda c: c["policies"]["assignment"]["clocks"].update({"responseMinutes": 61})),
    ]
    for owner, change in changes:
        part = house.do(f"{owner}.BlueprintService.GetPart", blueprint.GetPartRequest())
        if owner == "directory":
            part.content["roles"]["backoffice"]["grants"].get_or_create_struct("roles")
        change(part.content)
        request = blueprint.ApplyPartRequest(content=part.content, expected_version=part.version)
        answer = house.call(f"{owner}.BlueprintService.ApplyPart", request, house.tokens.sign(clerk))
        assert answer.code == "PERMISSION_DENIED", (owner, answer)
    assert runner.watch.hashes() == before
