"""A company's year through the public API, so that every KPI that comes with the product has something to count: leads
that end in every way, deals that go on, back, over a stage and on hold, what was entered long after, money in two
currencies, customers who are merged, and what was deleted and brought back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chassis import clock
from tests.journeys.api import Api, until
from tests.journeys.desk import Desk, phone
from tests.journeys.signing import Team, cny, team_of
from tests.journeys.test_opportunities import dragged, opened

_PICTURE = b"\x89PNG\r\n\x1a\n"
_WAY = {"pipeline": "pipelines/four-stage"}
_RATES = {"USD": ("2020-01-01", "7"), "EUR": ("2020-01-01", "8")}


def live(desk: Desk, region: str) -> Team:
    """All of it, and forty days that pass over it."""
    team = team_of(desk, region)
    # His manager is his team's.
    desk.api.patch(f"/v1/{team.boss.me['team']}", {"manager": team.boss.me["name"]})
    other = desk.sign_in(desk.hire("乙", region=region, team=team.boss.me["team"]))
    for currency, (day, rate) in _RATES.items():
        rates = {"fromCurrency": currency, "toCurrency": "CNY", "date": day, "rate": rate}
        if not desk.api.get("/v1/exchangeRates", filter=f"from_currency = {currency}").get("exchangeRates"):
            desk.api.post("/v1/exchangeRates", rates)
    customer, lead = _leads(desk, team, other, region)
    _deals(desk, team, customer, lead)
    _changed_way(desk, team)
    _history(desk, team)
    _activities(desk, team)
    _money(desk, team)
    _merged(desk, team)
    _lent(desk, team, other, region)
    _closed(team, other)
    desk.settle()
    desk.later(timedelta(days=40))
    desk.settle()
    return team


def _leads(desk: Desk, team: Team, other: Api, region: str) -> tuple[str, str]:
    """The customer that one of them became, and that one."""
    sellers = {one.me["name"]: one for one in (team.mine, other)}

    def got(**fields: Any) -> tuple[str, Api]:
        lead = desk.capture(region=region, **fields)
        return f"/v1/{lead['name']}", sellers[lead["owner"]]

    path, mine = got(channel="WEB_FORM", company=f"客户{phone()}公司", fullName="王先生")
    # What was said before it was a customer's is part of the customer's history.
    desk.settle()
    mine.post("/v1/followUps", {"record": path.removeprefix("/v1/"), **_said("CALL", "PROGRESS")})
    mine.post(f"{path}:contact", {"note": "聊过"})
    lead = mine.post(f"{path}:qualify")["name"]
    customer = until(lambda: mine.get("/v1/customers", filter=f'lead = "{lead}"').get("customers"))[0]["name"]
    path, mine = got(channel="TRADE_SHOW", captureTime=_days_ago(20))
    desk.later(timedelta(minutes=90))
    mine.post(f"{path}:contact")
    path, mine = got(channel="DOUYIN")
    mine.post(f"{path}:disqualify", {"reason": "NO_BUDGET"})
    desk.api.delete(path)
    desk.api.post(f"{path}:undelete")
    for then in ("", "claimed", "given", "deleted"):
        path, mine = got(channel="WECHAT")
        mine.post(f"{path}:release", {"reason": "INACTIVE"})
        if then == "claimed":
            taker = next(one for one in sellers.values() if one is not mine)
            taker.post(f"{path}:claim")
            taker.post(f"{path}:contact")
        elif then == "given":
            desk.api.post(f"{path}:reassign", {"owner": mine.me["name"], "reason": "再跟一下"})
        elif then == "deleted":
            desk.api.delete(path)
            desk.api.post(f"{path}:undelete")
    path, mine = got(channel="REFERRAL")
    mine.post(f"{path}:contact")
    desk.api.delete(path)
    desk.api.post(f"{path}:undelete")
    mine.post(f"{path}:contact")
    path, _ = got(channel="REFERRAL")
    desk.api.delete(path)
    # A deal goes on without its lead, which is ended for good.
    path, mine = got(channel="PHONE_400")
    mine.patch(path, {"industry": "物流", "channel": "DOUYIN"})
    mine.post(f"{path}:contact")
    without = opened(mine, **_WAY, lead=path.removeprefix("/v1/"), amount=cny(4000))
    dragged(mine, without, "intent", "quote")
    mine.post(f"/v1/{without['name']}:win")
    desk.api.delete(path)
    # A device without a network had scanned him hours before, and says so when he has been answered.
    path, mine = got(channel="WEB_FORM")
    mine.post(f"{path}:contact")
    known = {"lead": path.removeprefix("/v1/"), **_WAY, "amount": cny(7)}
    opened(mine, **known)
    scan = {"phone": mine.get(path)["phone"], "channel": "TRADE_SHOW", "captureTime": _days_ago(0.25)}
    assert desk.api.post("/v1/leads:capture", {"lead": scan})["lead"]["channel"] == "TRADE_SHOW"
    # Nobody can do this: it waits.
    assert desk.capture(region=region, skills=["藏语"])["status"] == "UNASSIGNED"
    return customer, lead


def _deals(desk: Desk, team: Team, customer: str, lead: str) -> None:
    mine, boss = team.mine, team.boss
    won = opened(mine, **_WAY, customer=customer, lead=lead, amount=cny(90_000), products=["WMS"])
    mine.post("/v1/followUps", {"record": won["name"], **_said("VISIT", "PROGRESS")})
    dragged(mine, won, "intent")
    desk.later(timedelta(hours=30))
    dragged(mine, won, "quote")
    mine.post(f"/v1/{won['name']}:win")
    # A lead may come to more than one deal, and counts once.
    opened(mine, **_WAY, customer=customer, lead=lead, amount=cny(1))
    # These two have no lead, and are of a source all the same.
    products = ["WMS", "扫码枪", "打印机"]
    abroad = opened(mine, **_WAY, customer=team.customer, source="DOUYIN", amount=_usd(9_000), products=products)
    boss.patch(f"/v1/{abroad['name']}?force=true&reason=急", {"stage": "quote"})
    mine.post(f"/v1/{abroad['name']}:win")
    back = opened(mine, **_WAY, customer=team.customer, source="老客户介绍", amount=cny(70_000))
    dragged(mine, back, "intent", "quote", "intent")
    mine.post(f"/v1/{back['name']}:lose", {"reason": "PRICE"})
    again = opened(mine, **_WAY, amount=_usd(500), industry="物流")
    dragged(mine, again, "intent")
    mine.post(f"/v1/{again['name']}:lose", {"reason": "TIMING"})
    mine.post(f"/v1/{again['name']}:reopen", {"reason": "客户回来"})
    dragged(mine, again, "quote")
    # Of this currency nobody knows a rate.
    opened(mine, **_WAY, customer=team.customer, amount={"currencyCode": "GBP", "units": "30"})
    held = opened(mine, pipeline="pipelines/seven-stage", amount=cny(10_000))
    dragged(mine, held, "needs-analysis")
    mine.post(f"/v1/{held['name']}:hold", {"reason": "停产"})
    resumed = opened(mine, pipeline="pipelines/seven-stage", amount=cny(20_000))
    mine.post(f"/v1/{resumed['name']}:hold", {"reason": "停产"})
    mine.post(f"/v1/{resumed['name']}:resume")
    gone = opened(mine, **_WAY, amount=cny(5))
    desk.api.delete(f"/v1/{gone['name']}")
    boss.post(f"/v1/{opened(mine, **_WAY)['name']}:transfer", {"owner": boss.me["name"], "reason": "接手"})


def _changed_way(desk: Desk, team: Team) -> None:
    """A pipeline has a stage more, in between, while deals are on their way: what was one step is two now."""

    def way(*ids: str) -> None:
        stages = [{"id": id, "displayName": id, "probability": 10} for id in ids]
        stages.append({"id": "done", "displayName": "done", "probability": 100, "kind": "WON"})
        content = {"pipelines": {"growing": {"displayName": "growing", "stages": stages}}}
        desk.api.post("/v1/blueprint:apply", {"content": content})

    way("talk", "offer", "sign")
    before, after = (opened(team.mine, pipeline="pipelines/growing") for _ in range(2))
    dragged(team.mine, before, "offer")
    way("talk", "test", "offer", "sign")
    dragged(team.mine, before, "sign")
    dragged(team.mine, after, "test", "offer")


def _history(desk: Desk, team: Team) -> None:
    """Deals of before, one for each of the times after which a customer is not what he was."""
    requests = []
    for days, end in ((400, "won"), (200, "won"), (100, "won"), (60, "lost"), (45, "intent")):
        visits = [{"stage": "lead", "enterTime": _days_ago(days + 30)}, {"stage": end, "enterTime": _days_ago(days)}]
        name = f"老客户{phone()}"
        customer = team.mine.post("/v1/customers", {"displayName": name, "region": "华北", "industry": "教育"})
        of = {"title": name, "customer": customer["name"], "owner": team.mine.me["name"], "amount": cny(days * 1000)}
        requests.append({"opportunity": {**of, **_WAY}, "historical": True, "history": visits})
    desk.settle()
    results = desk.api.post("/v1/opportunities:batchCreate", {"requests": requests})["results"]
    assert [one for one in results if "error" in one] == []


def _activities(desk: Desk, team: Team) -> None:
    mine, of = team.mine, {"record": team.customer}
    mine.post("/v1/followUps", {**of, **_said("CALL", "NOT_REACHED"), "happenTime": _days_ago(2)})
    gone = mine.post("/v1/followUps", {**of, **_said("CALL", "REFUSED")})
    desk.api.delete(f"/v1/{gone['name']}")
    proofs = {}
    for kind in ("photo", "signature"):
        part = (f"{kind}.png", _PICTURE + kind.encode(), "image/png")
        proofs[kind] = mine.upload("/v1/attachments", {**of, "kind": kind}, {"file": part})["name"]
    mine.post("/v1/checkIns", {**of, "location": {"latitude": 31.2, "longitude": 121.5}, **proofs})
    for due in ({"dueTime": _days_ago(-3)}, {"dueTime": _days_ago(3)}, {}):
        task = mine.post("/v1/tasks", {"title": "报价", **of, **due})
        mine.post(f"/v1/{task['name']}:complete")
    mine.post("/v1/tasks", {"title": "回访", **of, "dueTime": _days_ago(-1)})


def _money(desk: Desk, team: Team) -> None:
    parts = [{"title": "首付", "amount": cny(300)}, {"title": "中期", "amount": cny(300)}]
    first = team.draw(900, financeMode="INSTALMENTS")
    days = [datetime.fromisoformat(_days_ago(-after)).date().isoformat() for after in (1, 20, 300)]
    rows = [*parts, {"title": "尾款", "amount": cny(300)}]
    team.mine.post(
        f"/v1/{first['name']}:plan",
        {"instalments": [{**row, "dueDate": day} for row, day in zip(rows, days, strict=True)]},
    )
    for deleted in (False, True):  # what nobody signed nobody owes
        draft = team.draw(700, financeMode="INSTALMENTS")
        rows_of_it = [{"title": "全款", "amount": cny(700), "dueDate": _days_ago(1)[:10]}]
        team.mine.post(f"/v1/{draft['name']}:plan", {"instalments": rows_of_it})
        if deleted:
            desk.api.delete(f"/v1/{draft['name']}")
    team.sign(first)
    team.pay(first, 350, method="电汇")
    team.pay(first, -20)
    team.invoice(first, 300)
    void = team.invoice(first, 100)
    team.finance.post(f"/v1/{void['name']}:void", {"reason": "开错"})
    abroad = team.sign(team.draw(0, amount=_usd(200)))
    team.finance.post("/v1/payments", {"contract": abroad["name"], "amount": _usd(50)})
    month = f"{clock.now():%Y-%m}"
    costs = desk.api.get("/v1/channelCosts", filter=f'month = "{month}"').get("channelCosts", [])
    for channel, amount in (("WEB_FORM", cny(5000)), ("TRADE_SHOW", _usd(300)), ("DOUYIN", cny(1))):
        if channel not in [one["channel"] for one in costs]:
            desk.api.post("/v1/channelCosts", {"channel": channel, "month": month, "amount": amount})


def _merged(desk: Desk, team: Team) -> None:
    """What was one's is the other's: deals, contracts and what was said."""
    names = [team.mine.post("/v1/customers", {"displayName": f"集团{phone()}"})["name"] for _ in range(2)]
    desk.settle()
    for name in names:
        team.mine.post("/v1/followUps", {"record": name, **_said("MEETING", "PROGRESS"), "happenTime": _days_ago(35)})
        opened(team.mine, **_WAY, customer=name, amount=cny(3000))
        team.sign(team.draw(60_000, customer=name))
    desk.settle()
    team.mine.post(f"/v1/{names[0]}:merge", {"other": names[1]})
    lone = team.mine.post("/v1/customers", {"displayName": f"走了{phone()}", "region": "西南"})["name"]
    desk.settle()
    opened(team.mine, **_WAY, customer=lone, amount=cny(1))
    desk.settle()
    desk.api.delete(f"/v1/{lone}")


def _lent(desk: Desk, team: Team, other: Api, region: str) -> None:
    """A deal and a contract of his, and the customer and the lead that they come of are another's now."""
    of = {"displayName": f"让出{phone()}", "region": "西北", "industry": "医疗"}
    customer = team.mine.post("/v1/customers", of)["name"]
    lead = desk.capture(region=region, channel="REFERRAL")
    if lead["owner"] != team.mine.me["name"]:
        desk.api.post(f"/v1/{lead['name']}:reassign", {"owner": team.mine.me["name"], "reason": "老客户"})
    desk.settle()
    team.mine.post(f"/v1/{lead['name']}:contact")
    won = opened(team.mine, **_WAY, customer=customer, lead=lead["name"], amount=cny(8000))
    dragged(team.mine, won, "intent", "quote")
    team.mine.post(f"/v1/{won['name']}:win")
    team.sign(team.draw(700, customer=customer))
    desk.settle()
    given = {"owner": other.me["name"], "reason": "换人"}
    team.boss.post(f"/v1/{customer}:transfer", given)
    desk.api.post(f"/v1/{lead['name']}:reassign", given)


def _closed(team: Team, other: Api) -> None:
    """What he won, lost and signed is another's now."""
    given = {"owner": other.me["name"], "reason": "换人"}
    of = {**_WAY, "customer": team.customer, "amount": cny(6000), "products": ["WMS", "扫码枪"]}
    for end in ("win", "lose"):
        deal = opened(team.mine, **of)
        dragged(team.mine, deal, "intent", "quote")
        team.mine.post(f"/v1/{deal['name']}:{end}", {"reason": "PRICE"} if end == "lose" else {})
        team.boss.post(f"/v1/{deal['name']}:transfer", given)
    signed = team.sign(team.draw(400))
    team.boss.post(f"/v1/{signed['name']}:transfer", given)


def _said(method: str, outcome: str) -> dict[str, str]:
    return {"method": method, "outcome": outcome, "summary": "聊过"}


def _usd(units: int) -> dict[str, str]:
    return {"currencyCode": "USD", "units": str(units)}


def _days_ago(days: float) -> str:
    return (clock.now() - timedelta(days=days)).isoformat()
