"""Through the public API: a customer that is merged into another takes its deals along, and they go on."""

from __future__ import annotations

from tests.journeys.api import until
from tests.journeys.desk import Desk, phone
from tests.journeys.signing import cny, team_of


def test_C20_K3_Q14_the_deals_of_a_merged_customer_go_on_with_the_one_that_stays(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    other, mine = team.customer, team.mine
    deal = mine.post("/v1/opportunities", {"title": "仓储系统", "customer": other, "amount": cny(80_000)})
    signed = team.sign(team.draw(1000))
    stays = mine.post("/v1/customers", {"displayName": f"华东物流集团 {phone()}"})["name"]
    mine.post(f"/v1/{stays}:merge", {"other": other})
    # What is made for the deal from now on is that one's, whoever has heard of it yet.
    lines = [{"description": "实施服务", "unitPrice": cny(1000), "discountPercent": "10"}]
    quote = mine.post("/v1/quotes", {"opportunity": deal["name"], "lines": lines})
    wanted = {"filter": f'customer = "{stays}"'}
    for records in ("opportunities", "contracts", "quotes", "instalments"):
        until(lambda of=records: bool(mine.get(f"/v1/{of}", **wanted).get(of)))  # type: ignore[misc]
    (row,) = mine.get("/v1/contracts:summarize", **wanted)["rows"]
    assert (row["status"], int(row["count"])) == ("SIGNED", 1)
    assert mine.get(f"/v1/{signed['name']}")["customer"] == stays
    assert mine.get("/v1/contracts", filter=f'customer = "{other}"').get("contracts", []) == []
    # Whoever decides sees what was done with it so far.
    submitted = mine.post(f"/v1/{quote['name']}:submit")
    history = team.boss.get(f"/v1/{submitted['approval']}")["customerHistory"]
    assert (history["customer"], int(history["contractCount"])) == (stays, 1)
    # Both names will do, and neither is refused because of the other.
    for named in (stays, other):
        contract = team.draw(500, customer=named, opportunity=deal["name"])
        assert contract["customer"] == stays
    view = mine.get(f"/v1/{stays}:view360")
    assert [one["name"] for one in view["opportunities"]] == [deal["name"]]
