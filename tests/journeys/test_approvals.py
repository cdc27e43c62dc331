"""Approvals through the public API: flows that a company draws, tries and publishes, and what people do with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from tests.journeys.api import Api, until
from tests.journeys.desk import Desk, phone
from tests.journeys.test_opportunities import cny, opened, refused


def team_of(desk: Desk, region: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A manager, and who works for him."""
    team = desk.api.post("/v1/teams", {"displayName": f"队 {region}"})["name"]
    boss = desk.hire("经理", role="manager", region=region, team=team)
    return boss, desk.hire("甲", region=region, team=team, manager=boss["name"])


def node(id: str, *approvers: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "displayName": id, "kind": "APPROVE", "approvers": list(approvers), **more}


def flow(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"displayName": {"zh": "试行", "en": "Trial"}, "for": "trial", "nodes": list(nodes)}


@contextmanager
def published(desk: Desk, *nodes: dict[str, Any], **content: Any) -> Iterator[str]:
    """A flow of a test's own, with whatever else of the blueprint; the house is left as it was."""
    id = f"trial-{phone()}"
    _apply(desk, {"approvalFlows": {id: flow(*nodes)}, **content})
    try:
        yield id
    finally:
        _apply(desk, {"approvalFlows": {id: None}})


def _apply(desk: Desk, content: dict[str, Any]) -> None:
    desk.api.post("/v1/blueprint:apply", {"content": content})


def ask(api: Api, flow: str, deal: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    record = (deal or opened(api))["name"]
    asked: dict[str, Any] = api.post("/v1/approvals", {"record": record, "flow": flow, "facts": facts})
    return asked


def decide(api: Api, approval: dict[str, Any], verdict: str = "APPROVE", **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = api.post(f"/v1/{approval['name']}:decide", {"verdict": verdict, **more})
    return said


def read(api: Api, approval: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/v1/{approval['name']}")
    return found


def test_Q2_Q18_a_quote_goes_to_the_sales_director_who_needs_no_words(desk: Desk, region: str) -> None:
    boss, seller = team_of(desk, region)
    mine, leading = desk.sign_in(seller), desk.sign_in(boss)
    was = desk.api.get("/v1/blueprint")["content"]["approverGroups"]["director"].get("members")
    _apply(desk, {"approverGroups": {"director": {"members": [boss["name"]]}}})
    try:
        lines = [{"description": "实施服务", "unitPrice": cny(1000)}]
        customer = mine.post("/v1/customers", {"displayName": f"客户 {phone()}"})["name"]
        deal = opened(mine, customer=customer)
        quote = mine.post("/v1/quotes", {"opportunity": deal["name"], "lines": lines})
        asked = mine.post(f"/v1/{quote['name']}:submit")
        waiting = leading.get("/v1/approvals", filter=f'pendingFor = "{boss["name"]}"')["approvals"]
        assert [(one["name"], one["record"], one["kind"]) for one in waiting] == [
            (asked["approval"], quote["name"], "quote")
        ]
        refused(lambda: decide(mine, waiting[0]), 409, "OWN_REQUEST")
        done = decide(leading, waiting[0])
        assert (done["status"], done["steps"][0]["seats"][0].get("comment", "")) == ("APPROVED", "")
        assert mine.get(f"/v1/{quote['name']}")["status"] == "APPROVED"
        refused(lambda: decide(leading, done, "REJECT"), 409, "ALREADY_DECIDED")
    finally:
        _apply(desk, {"approverGroups": {"director": {"members": was}}})
    comments = node("a", "manager", minimumCommentLength=500)
    refused(
        lambda: _apply(desk, {"approvalFlows": {"trial-words": flow(comments)}}),
        *(400, "INVALID", "content.approvalFlows.trial-words.nodes[0].minimumCommentLength"),
    )


def test_Q2_in_commercial_negotiation_a_quote_is_asked_of_the_sales_director(desk: Desk, region: str) -> None:
    boss, seller = team_of(desk, region)
    mine, leading = desk.sign_in(seller), desk.sign_in(boss)
    customer = mine.post("/v1/customers", {"displayName": f"客户 {phone()}"})["name"]
    deal = opened(mine, customer=customer, pipeline="pipelines/seven-stage")
    for stage in ("needs-analysis", "solution", "commercial-negotiation"):
        deal = mine.patch(f"/v1/{deal['name']}", {"stage": stage})
    assert deal["stage"] == "commercial-negotiation"
    lines = [{"description": "实施服务", "unitPrice": cny(1000)}]
    quote = mine.post("/v1/quotes", {"opportunity": deal["name"], "lines": lines})
    asked = mine.post(f"/v1/{quote['name']}:submit")
    found = read(leading, {"name": asked["approval"]})
    (step,) = found["steps"]
    assert (step["node"], step["displayName"], step["outcome"]) == ("director", "Sales director", "WAITING")
    assert boss["name"] in found["pending"], "the top of who asks, as long as the company names nobody"
    assert decide(leading, found)["status"] == "APPROVED"


def test_Q3_two_steps_are_two_people_and_nobody_decides_for_whom_he_reports_to(desk: Desk, region: str) -> None:
    chief = desk.hire("总监", role="manager", region=region)
    boss = desk.hire("经理", role="manager", region=region, manager=chief["name"])
    seller = desk.hire("甲", region=region, manager=boss["name"])
    gold, silver = (desk.hire(name, role="finance") for name in ("财务总监", "财务"))
    mine, managing, leading, paying = map(desk.sign_in, (seller, boss, chief, gold))
    was = desk.api.get("/v1/blueprint")["content"]["approverGroups"]["finance-director"].get("members")
    _apply(desk, {"approverGroups": {"finance-director": {"members": [gold["name"]]}}})
    try:
        asked = submitted(mine, "20")
        assert decide(leading, asked)["pending"] == [gold["name"]]
        handed = f"/v1/{asked['name']}:delegate"
        refused(lambda: paying.post(handed, {"to": chief["name"]}), 409, "ALREADY_AGREED")
        refused(lambda: paying.post(handed, {"to": seller["name"]}), 409, "OWN_REQUEST")
        assert paying.post(handed, {"to": silver["name"]})["pending"] == [silver["name"]]
        assert decide(desk.sign_in(silver), asked)["status"] == "APPROVED"
        own = submitted(leading, "5")
        refused(lambda: decide(managing, own), 403, "DENIED")
        pending = read(desk.api, own)["pending"]
        assert boss["name"] not in pending
        assert pending, "next in line, then an administrator"
    finally:
        _apply(desk, {"approverGroups": {"finance-director": {"members": was}}})


def submitted(api: Api, discount: str) -> dict[str, Any]:
    """The approval of a new quote with so much off."""
    customer = api.post("/v1/customers", {"displayName": f"客户 {phone()}"})["name"]
    lines = [{"description": "实施服务", "unitPrice": cny(1000)}]
    given = {"opportunity": opened(api, customer=customer)["name"], "lines": lines, "discountPercent": discount}
    quote = api.post("/v1/quotes", given)
    return {"name": api.post(f"/v1/{quote['name']}:submit")["approval"]}


def test_Q7_Q11_levels_come_one_after_the_other_and_a_countersign_needs_them_all(desk: Desk, region: str) -> None:
    boss, seller = team_of(desk, region)
    law, money = desk.hire("法务", role="backoffice"), desk.hire("财务", role="finance")
    mine, leading, legal, paying = map(desk.sign_in, (seller, boss, law, money))
    both = node("countersign", law["name"], money["name"], mode="ALL")
    with published(desk, node("manager", "manager"), both) as id:
        asked = ask(mine, id)
        refused(lambda: decide(paying, asked), 403, "DENIED")  # finance sees it, and it is not its turn
        decide(leading, asked)
        assert decide(legal, asked)["status"] == "PENDING"
        refused(lambda: decide(legal, asked), 409, "ALREADY_DECIDED")
        done = decide(paying, asked, comment="同意")
        assert (done["status"], [step["outcome"] for step in done["steps"]]) == ("APPROVED", ["PASSED", "PASSED"])


def test_Q9_it_is_delegated_sent_back_taken_back_and_copied(desk: Desk, region: str) -> None:
    boss, seller = team_of(desk, region)
    deputy, watcher = desk.hire("副手", region=region), desk.hire("抄送", region=region)
    mine, leading, acting, watching = map(desk.sign_in, (seller, boss, deputy, watcher))
    copy = {"id": "copy", "displayName": "抄送", "kind": "COPY", "approvers": [watcher["name"]]}
    with published(desk, copy, node("manager", "manager")) as id:
        deal = opened(mine)
        first = ask(mine, id, deal)
        refused(lambda: ask(mine, id, deal), 409, "PENDING")
        assert read(watching, first)["pending"] == [boss["name"]]
        refused(lambda: decide(watching, first), 403, "DENIED")
        refused(lambda: read(acting, first), 404, "NOT_FOUND")
        leading.post(f"/v1/{first['name']}:delegate", {"to": deputy["name"]})
        refused(lambda: acting.post(f"/v1/{first['name']}:delegate", {"to": boss["name"]}), 409, "DELEGATION_LOOP")
        assert decide(acting, first, "RETURN", comment="请补充")["status"] == "RETURNED"
        second = ask(mine, id, deal)
        refused(lambda: leading.post(f"/v1/{second['name']}:withdraw"), 403, "DENIED")
        assert mine.post(f"/v1/{second['name']}:withdraw")["status"] == "WITHDRAWN"
        refused(lambda: decide(leading, second), 409, "NOT_PENDING")
        third = ask(mine, id, deal)
        assert decide(leading, third, "REJECT")["status"] == "REJECTED"
        mine_now = mine.get("/v1/approvals", filter=f'record = "{deal["name"]}"', orderBy="create_time")["approvals"]
        assert [one["name"] for one in mine_now] == [first["name"], second["name"], third["name"]]


def test_Q10_what_is_filled_in_decides_on_the_branch(desk: Desk, region: str) -> None:
    boss, seller = team_of(desk, region)
    money = desk.hire("财务", role="finance")
    mine, leading, paying = map(desk.sign_in, (seller, boss, money))
    form = {"id": "form", "displayName": "毛利测算", "kind": "FILL_IN", "approvers": ["asker"]}
    blanks = [{"id": "margin", "displayName": "毛利率", "required": True}]
    turn = {"id": "turn", "displayName": "毛利低?", "kind": "BRANCH", "next": "manager"}
    ways = [{"when": "fields.margin < 10.0", "next": "finance"}]
    nodes = [{**form, "fields": blanks}, {**turn, "branches": ways}]
    nodes += [node("finance", money["name"], next="end"), node("manager", "manager")]
    with published(desk, *nodes) as id:
        low, high = ask(mine, id), ask(mine, id)
        refused(lambda: decide(mine, low), 400, "INVALID", "values.margin")
        assert decide(mine, low, values={"margin": 9.99})["pending"] == [money["name"]]
        assert decide(mine, high, values={"margin": 10})["pending"] == [boss["name"]]
        assert decide(paying, low)["status"] == decide(leading, high)["status"] == "APPROVED"
        assert read(mine, low)["steps"][1]["reason"] == "fields.margin < 10.0"


def test_Q12_who_lets_it_lie_is_reminded_and_then_his_manager_asked_as_well(desk: Desk, region: str) -> None:
    boss, seller = team_of(desk, region)
    mine = desk.sign_in(seller)
    chief = desk.hire("总监", role="manager", region=region)
    desk.api.patch(f"/v1/{boss['name']}", {"manager": chief["name"]})
    desk.settle()
    late = node("manager", "manager", timeoutHours=4, onTimeout="REMIND_THEN_ESCALATE")
    with published(desk, late) as id:
        asked = ask(mine, id)
        mine.post(f"/v1/{asked['name']}:remind")
        refused(lambda: mine.post(f"/v1/{asked['name']}:remind"), 409, "REMINDED")

        def reminders(count: int) -> Any:
            found = read(mine, asked)
            return found if found["steps"][0].get("reminders", 0) == count else None

        desk.later(timedelta(hours=4))
        assert until(lambda: reminders(1))["pending"] == [boss["name"]]
        desk.later(timedelta(hours=4))
        found = until(lambda: reminders(2))
        assert set(found["pending"]) == {boss["name"], chief["name"]}
        (passed,) = found["steps"][0]["seats"][0]["passes"]
        assert (passed["giver"], passed["to"], passed["reason"]) == (boss["name"], chief["name"], "ESCALATED")
        assert decide(desk.sign_in(chief), asked)["status"] == "APPROVED"


def test_Q11_what_waits_for_who_leaves_goes_to_his_manager(desk: Desk, region: str) -> None:
    boss, seller = team_of(desk, region)
    chief = desk.hire("总监", role="manager", region=region)
    desk.api.patch(f"/v1/{boss['name']}", {"manager": chief["name"]})
    desk.settle()
    mine = desk.sign_in(seller)
    with published(desk, node("manager", "manager")) as id:
        asked = ask(mine, id)
        desk.api.patch(f"/v1/{boss['name']}", {"state": "LEFT"})
        found = until(lambda: (now := read(mine, asked))["pending"] == [chief["name"]] and now)
        assert found["steps"][0]["seats"][0]["passes"][0]["reason"] == "LEFT"
        assert decide(desk.sign_in(chief), asked)["status"] == "APPROVED"


def test_Q13_R16_a_flow_is_tried_before_it_is_published_and_one_in_a_circle_never_is(desk: Desk, region: str) -> None:
    _, seller = team_of(desk, region)
    small = node("small", "manager", when="discount <= 15.0")
    draft = flow(small, node("large", "role:finance", when="discount > 15.0"))
    samples = [{"asker": seller["name"], "discount": discount} for discount in (15, 15.0001)]
    tried = desk.api.post("/v1/approvalFlows:simulate", {"flow": draft, "samples": samples, "last": 10})
    asked = [[step["node"] for step in run["steps"] if step["outcome"] != "SKIPPED"] for run in tried["runs"][:2]]
    assert asked == [["small"], ["large"]]
    circle = flow(node("a", "manager"), node("b", "manager:2", next="a"))
    (problem,) = desk.api.post("/v1/approvalFlows:simulate", {"flow": circle})["problems"]
    assert (problem["field"], problem["messageZh"]) == ("nodes[1].next", "形成死循环：a > b > a")
    refused(
        lambda: _apply(desk, {"approvalFlows": {"trial-circle": circle}}),
        *(400, "INVALID", "content.approvalFlows.trial-circle.nodes[1].next"),
    )
    lost = flow(node("a", "manager", next="end"), node("b", "group:nobody"))
    refused(
        lambda: _apply(desk, {"approvalFlows": {"trial-lost": lost}}),
        *(400, "INVALID", "content.approvalFlows.trial-lost.nodes[1]"),
    )


def test_Q14_whoever_decides_sees_what_was_done_with_the_customer(desk: Desk, region: str) -> None:
    boss, seller = team_of(desk, region)
    mine = desk.sign_in(seller)
    customer = mine.post("/v1/customers", {"displayName": f"老客户 {phone()}"})
    given = {"title": "去年的合同", "customer": customer["name"], "amount": cny(70_000)}
    contract = mine.post("/v1/contracts", given)
    asked = ask(mine, "opportunity", opened(mine, customer=customer["name"]))
    history = read(desk.sign_in(boss), asked)["customerHistory"]
    assert (history["customer"], history["displayName"]) == (customer["name"], customer["displayName"])
    assert [(one["name"], one["status"]) for one in history["lastDeals"]] == [(contract["name"], "DRAFT")]
    assert history.get("contractCount", 0) == 0, "none was signed"
