"""Through the public API: nobody reaches into another team's deals with a contract, and whoever has to decide sees what
he decides about, while he is asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.api import Api, Refused, until
from tests.journeys.desk import Desk
from tests.journeys.signing import Team, cny, name_groups, team_of
from tests.journeys.test_approvals import node, published
from tests.journeys.test_opportunities import log, refused, upload


def sees(api: Api, name: str) -> bool:
    try:
        api.get(f"/v1/{name}")
    except Refused as problem:
        if problem.status != 404:
            raise
        return False
    return True


def deal_of(team: Team) -> dict[str, Any]:
    given = {"title": "仓储系统", "customer": team.customer, "amount": cny(80_000)}
    made: dict[str, Any] = team.mine.post("/v1/opportunities", given)
    return made


def quote_of(team: Team, deal: dict[str, Any]) -> dict[str, Any]:
    lines = [{"description": "实施服务", "unitPrice": cny(1000), "discountPercent": "10"}]
    made: dict[str, Any] = team.mine.post("/v1/quotes", {"opportunity": deal["name"], "lines": lines})
    return made


def test_K1_nobody_puts_a_contract_on_another_teams_customer_or_deal(desk: Desk, region: str) -> None:
    mine, theirs = team_of(desk, region), team_of(desk, f"{region}西")
    deal, own = deal_of(theirs), mine.draw(10)
    assert not sees(mine.mine, theirs.customer)
    given = {"title": "越权", "amount": cny(900_000)}
    for who in (mine.mine, mine.boss):
        refused(
            lambda who=who: who.post("/v1/contracts", {**given, "customer": theirs.customer}),
            404,
            "NOT_FOUND",
            "customer",
        )
        refused(
            lambda who=who: who.post("/v1/contracts", {**given, "opportunity": deal["name"]}),
            404,
            "NOT_FOUND",
            "opportunity",
        )
        refused(
            lambda who=who: who.patch(f"/v1/{own['name']}", {"customer": theirs.customer}),
            *(404, "NOT_FOUND", "customer"),
        )
    assert mine.read(own)["customer"] == mine.customer


def test_Q2_Q14_a_director_of_another_team_reads_the_quote_he_is_asked_about(desk: Desk, region: str) -> None:
    team, elsewhere = team_of(desk, region), team_of(desk, f"{region}西")
    director, deputy = elsewhere.boss, elsewhere.mine
    quote = quote_of(team, deal_of(team))
    name_groups(desk, director=[director.me["name"]])
    try:
        asked = team.mine.post(f"/v1/{quote['name']}:submit")["approval"]
    finally:
        name_groups(desk, director=[])
    assert not sees(deputy, quote["name"])
    assert director.get(f"/v1/{quote['name']}")["total"]["units"] == "900"
    assert director.raw("GET", f"/v1/{quote['name']}:download").content.startswith(b"%PDF")
    seen = director.get(f"/v1/{asked}")
    assert (seen["customerHistory"]["customer"], seen["facts"]["fields"]["total"]) == (team.customer, "900")
    assert seen["facts"]["fields"]["lines"][0]["discount_percent"] == 10
    director.post(f"/v1/{asked}:delegate", {"to": deputy.me["name"]})
    assert (sees(director, quote["name"]), sees(deputy, quote["name"])) == (False, True)
    deputy.post(f"/v1/{asked}:decide", {"verdict": "APPROVE"})
    assert not sees(deputy, quote["name"])
    assert (deputy.get(f"/v1/{asked}")["status"], "customerHistory" in deputy.get(f"/v1/{asked}")) == (
        "APPROVED",
        False,
    )


def test_O19_O20_a_director_of_another_team_reads_the_deal_he_decides_about(desk: Desk, region: str) -> None:
    team, elsewhere = team_of(desk, region), team_of(desk, f"{region}西")
    deal, director, stranger = deal_of(team), elsewhere.boss, elsewhere.mine
    upload(team.mine, deal, "requirements")
    with published(desk, node("director", director.me["name"])) as flow:
        asked = team.mine.post("/v1/approvals", {"record": deal["name"], "flow": flow})
    assert until(lambda: sees(director, deal["name"]))
    seen = director.get(f"/v1/{deal['name']}")
    assert (seen["title"], seen["amount"]["units"]) == ("仓储系统", "80000")
    assert director.get(f"/v1/{deal['name']}/gates")["stageGates"]

    def papers() -> Any:
        found = director.get("/v1/attachments", filter=f'record = "{deal["name"]}"')
        return found.get("attachments")

    (paper,) = until(papers)
    assert director.raw("GET", f"/v1/{paper['name']}:download").content.startswith(b"%PDF")
    assert director.get("/v1/timeline", record=deal["name"])["entries"]
    # To read, no more; and nobody else.
    refused(lambda: director.patch(f"/v1/{deal['name']}", {"title": "改"}), 403, "DENIED")
    refused(lambda: log(director, deal), 404, "NOT_FOUND")
    assert not sees(director, team.customer)
    assert not sees(stranger, deal["name"])
    director.post(f"/v1/{asked['name']}:decide", {"verdict": "APPROVE"})
    desk.settle()
    assert sees(director, deal["name"]), "what he decided is his to read"
    assert director.get("/v1/timeline", record=deal["name"])["entries"]
    assert not sees(stranger, deal["name"])


def test_O34_Q1_K2_a_colleague_draws_up_the_papers_of_a_deal_as_long_as_it_is_shared_with_him(
    desk: Desk, region: str
) -> None:
    team, elsewhere = team_of(desk, region), team_of(desk, f"{region}西")
    deal, helper = deal_of(team), elsewhere.mine
    asked = {"opportunity": deal["name"], "lines": [{"description": "实施服务", "unitPrice": cny(1000)}]}
    refused(lambda: helper.post("/v1/quotes", asked), 404, "NOT_FOUND")
    team.mine.post(f"/v1/{deal['name']}:share", {"person": helper.me["name"]})
    desk.settle()
    quote = helper.post("/v1/quotes", asked)
    contract = helper.post(f"/v1/{deal['name']}:contract")
    assert (quote["owner"], contract["owner"]) == (team.mine.me["name"],) * 2
    assert sees(helper, quote["name"])
    assert sees(helper, contract["name"])
    assert team.mine.post(f"/v1/{quote['name']}:submit")["status"] == "SUBMITTED"
    team.mine.post(f"/v1/{deal['name']}:unshare", {"person": helper.me["name"]})
    desk.settle()
    refused(lambda: helper.post("/v1/quotes", asked), 404, "NOT_FOUND")
    refused(lambda: helper.post(f"/v1/{deal['name']}:contract"), 404, "NOT_FOUND")
    assert not sees(helper, quote["name"])
    assert not sees(helper, contract["name"])


@pytest.mark.parametrize("end", ["lose", "delete"])
def test_Q16_K1_quotes_and_contracts_end_with_their_deal(end: str, desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    deal = deal_of(team)
    quote, draft, agreed = quote_of(team, deal), *(team.draw(10, opportunity=deal["name"]) for _ in range(2))
    team.agree(team.mine.post(f"/v1/{agreed['name']}:submit")["approval"])
    if end == "lose":
        team.mine.post(f"/v1/{deal['name']}:lose", {"reason": "价格"})
    else:
        team.boss.delete(f"/v1/{deal['name']}")
    desk.settle()
    refused(lambda: team.mine.post(f"/v1/{quote['name']}:submit"), 409, "NOT_OPEN")
    refused(lambda: team.mine.post(f"/v1/{draft['name']}:submit"), 409, "NOT_OPEN")
    refused(lambda: team.mine.post(f"/v1/{agreed['name']}:sign"), 409, "NOT_OPEN")


def waiting(api: Api) -> list[str]:
    """The records about which somebody is asked."""
    mine = api.get("/v1/approvals", filter=f'pendingFor = "{api.me["name"]}"')
    return [one["record"] for one in mine.get("approvals", [])]


def unread(api: Api, about: str) -> list[str]:
    """What of this somebody finds in his inbox and has not read."""
    found = api.get("/v1/notifications", filter="read = false", pageSize=1000).get("notifications", [])
    return [one["titleZh"] for one in found if one.get("record") == about]


@pytest.mark.parametrize(("end", "why"), [("lose", "DEAL_LOST"), ("delete", "DEAL_DELETED")])
def test_Q9_Q12_nobody_is_asked_any_more_about_a_deal_that_is_over(end: str, why: str, desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    deal = deal_of(team)
    contract = team.draw(10, opportunity=deal["name"])
    asked = team.mine.post(f"/v1/{contract['name']}:submit")["approval"]
    assert waiting(team.boss) == [contract["name"]]
    assert until(lambda: unread(team.boss, asked))
    if end == "lose":
        team.mine.post(f"/v1/{deal['name']}:lose", {"reason": "价格"})
    else:
        team.boss.delete(f"/v1/{deal['name']}")
    (told,) = until(lambda: unread(team.mine, asked))
    assert told.startswith("您提交的审批已撤回：商机已")
    ended = team.mine.get(f"/v1/{asked}")
    assert (ended["status"], ended["endReason"]) == ("WITHDRAWN", why)
    assert waiting(team.boss) == unread(team.boss, asked) == []
    if end == "lose":
        team.mine.post(f"/v1/{deal['name']}:reopen", {"reason": "客户回来了"})
    else:
        team.boss.post(f"/v1/{deal['name']}:undelete")
    desk.settle()
    team.mine.post(f"/v1/{contract['name']}:submit")
    assert waiting(team.boss) == [contract["name"]]


def test_Q11_K5_the_timeline_tells_each_step_once_and_what_was_paid_back(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    contract = team.sign(team.draw(1000))
    team.pay(contract, 500)
    team.pay(contract, -200)

    def entries() -> Any:
        found = team.mine.get("/v1/timeline", record=contract["name"], orderBy="happen_time").get("entries", [])
        return found if any(one["titleZh"] == "退款" for one in found) else None

    found = [(one["titleZh"], one["actor"]) for one in until(entries)]
    mine, boss, money = (api.me["name"] for api in (team.mine, team.boss, team.finance))
    assert found[:3] == [("提交审批", mine), ("已同意，转下一步", boss), ("已同意，转下一步", money)]
    assert [title for title, _ in found[3:]] == ["审批通过", "合同签署", "收到回款", "退款"]
