"""What becomes of all that somebody had who leaves, through the public API; and of what was signed for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.api import Api, Refused, until
from tests.journeys.desk import Desk
from tests.journeys.signing import cny, team_of

ALONE = 'owner = "{}" AND status = OPEN'


def _shown_out(api: Api) -> bool:
    """Whether the session is over, and there is no other."""
    try:
        api.get("/v1/customers")
    except Refused as refused:
        return refused.status == 401
    return False


def test_C16_whoever_leaves_is_out_at_once_and_nothing_stays_with_him_unseen(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    leaver, customer = team.mine.me["name"], team.customer
    heir = desk.hire("乙", team=team.boss.me["team"], region=region)
    theirs = desk.sign_in(heir)
    deal = team.mine.post("/v1/opportunities", {"title": "仓储系统", "customer": customer, "amount": cny(800)})
    lost = team.mine.post("/v1/opportunities", {"title": "旧单", "customer": customer, "amount": cny(5)})
    team.mine.post(f"/v1/{lost['name']}:lose", {"reason": "价格"})
    alone, of_deal = team.draw(700), team.draw(800, opportunity=deal["name"])
    tasks = [
        team.mine.post("/v1/tasks", {"title": title, **({"record": record} if record else {})})
        for title, record in (("回访", customer), ("报价", deal["name"]), ("整理", ""))
    ]
    desk.settle()
    desk.api.patch(f"/v1/{leaver}", {"state": "LEFT"})
    # Much sooner than a session's copy would be old.
    until(lambda: _shown_out(team.mine), 3.0)
    desk.settle()
    wanted = f'state = OPEN AND person = "{leaver}"'

    def waiting() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = team.boss.get("/v1/handOvers", filter=wanted)["handOvers"]
        return found

    until(lambda: {one["record"] for one in waiting()} == {customer, deal["name"]})
    names = [one["name"] for one in waiting()]
    with pytest.raises(Refused) as refused:
        team.boss.post("/v1/handOvers:batchConfirm", {"names": names, "owner": team.finance.me["name"]})
    assert refused.value.reason == "CANNOT_RECEIVE"
    assert "customers.write" in str(refused.value)
    team.boss.post("/v1/handOvers:batchConfirm", {"names": names, "owner": heir["name"]})

    def owner(record: str) -> str:
        return str(desk.api.get(f"/v1/{record}")["owner"])

    moved = [customer, deal["name"], lost["name"], alone["name"], of_deal["name"], *(one["name"] for one in tasks[:2])]
    until(lambda: {owner(record) for record in moved} == {heir["name"]})
    assert {theirs.get(f"/v1/{record}")["name"] for record in moved} == set(moved)
    assert owner(tasks[2]["name"]) == team.boss.me["name"]
    titles = {one["titleZh"] for one in theirs.get("/v1/notifications")["notifications"]}
    assert "离职同事的任务已转给您" in titles
    assert team.boss.get("/v1/tasks", filter=ALONE.format(leaver))["tasks"] == []


def test_C12_C1_business_abroad_counts_and_who_signed_is_not_deleted(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    # A currency that no other test uses: rates are the house's.
    currency = "CHF"
    amount = {"currencyCode": currency, "units": "100000"}

    def customer() -> dict[str, Any]:
        desk.settle()
        found: dict[str, Any] = team.mine.get(f"/v1/{team.customer}")
        return found

    def tasks() -> list[str]:
        desk.settle()
        found = team.mine.get("/v1/tasks", filter=f'record = "{team.customer}"')["tasks"]
        return sorted(one["status"] for one in found)

    signed = team.sign(team.draw(0, amount=amount))
    now = customer()
    assert (now["vip"], now["uncountedAmounts"][0]["units"]) == (False, "100000")
    rate = {"fromCurrency": currency, "toCurrency": "CNY", "rate": "7.1", "date": signed["signDate"]}
    known = team.finance.post("/v1/exchangeRates", rate)
    until(lambda: customer()["vip"])
    now = customer()
    assert (now["signedAmount"]["units"], now["uncountedAmounts"]) == ("710000", [])
    assert tasks() == ["OPEN", "OPEN"]
    with pytest.raises(Refused) as refused:
        team.boss.delete(f"/v1/{team.customer}")
    assert refused.value.reason == "CONTRACTED"
    assert signed["number"] in str(refused.value)
    team.boss.post(f"/v1/{signed['name']}:void", {"reason": "签错"})
    until(lambda: not customer()["vip"])
    until(lambda: tasks() == ["CANCELLED", "CANCELLED"])
    team.boss.delete(f"/v1/{team.customer}")
    team.finance.raw("DELETE", f"/v1/{known['name']}")


def test_O1_K2_a_deal_with_a_signed_contract_stays_and_none_is_made_without_a_customer(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    deal = team.mine.post("/v1/opportunities", {"title": "仓储系统", "customer": team.customer, "amount": cny(800)})
    signed = team.sign(team.mine.post(f"/v1/{deal['name']}:contract"))
    desk.settle()
    with pytest.raises(Refused) as refused:
        team.boss.delete(f"/v1/{deal['name']}")
    assert (refused.value.reason, signed["number"] in str(refused.value)) == ("CONTRACTED", True)
    team.boss.post(f"/v1/{signed['name']}:void", {"reason": "签错"})
    desk.settle()
    team.boss.delete(f"/v1/{team.customer}")
    desk.settle()
    with pytest.raises(Refused) as refused:
        team.mine.post(f"/v1/{deal['name']}:contract")
    assert refused.value.reason == "CUSTOMER_DELETED"
    team.boss.delete(f"/v1/{deal['name']}")
