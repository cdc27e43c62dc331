"""Two people at one record, through the public API: whoever comes second hears what the first changed, two fields
changed at once are both kept, and the company's own fields change key by key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.api import Api
from tests.journeys.desk import Desk, phone
from tests.journeys.signing import Team, cny, team_of

# Kinds with the field that one person changes, the other's, and whether they have own fields.
KINDS = (
    ("lead", "industry", "company", True),
    ("customer", "industry", "address", True),
    ("contact", "title", "fullName", False),
    ("opportunity", "need", "blocker", True),
    ("quote", "terms", "validUntil", True),
    ("contract", "terms", "title", True),
    ("product", "unit", "category", True),
    ("followUp", "summary", "nextPlan", True),
    ("task", "title", "detail", True),
    ("interaction", "title", "text", False),
    ("checkIn", "note", "address", False),
)


def _picture(mine: Api, record: str, kind: str) -> str:
    part = (f"{kind}.png", b"\x89PNG\r\n\x1a\n" + kind.encode(), "image/png")
    return str(mine.upload("/v1/attachments", {"record": record, "kind": kind}, {"file": part})["name"])


def _recorded(team: Team) -> Any:
    of = {"record": team.customer, "kind": "ORDER", "system": "shop", "externalId": phone()}
    return team.mine.post("/v1/interactions", of)


def _quoted(team: Team) -> Any:
    deal = team.mine.post("/v1/opportunities", {"customer": team.customer, "title": "仓储系统"})
    lines = [{"description": "实施", "unitPrice": cny(5)}]
    return team.mine.post("/v1/quotes", {"opportunity": deal["name"], "lines": lines})


def _logged(team: Team) -> Any:
    said = {"method": "CALL", "outcome": "PROGRESS", "summary": "电话"}
    return team.mine.post("/v1/followUps", {"record": team.customer, **said})


def _visited(team: Team) -> Any:
    proofs = {proof: _picture(team.mine, team.customer, proof) for proof in ("photo", "signature")}
    place = {"latitude": 31.2, "longitude": 121.5}
    return team.mine.post("/v1/checkIns", {"record": team.customer, "location": place, **proofs})


def _listed(team: Team) -> Any:
    of = {"code": f"P-{phone()}", "displayName": "产品", "unitPrice": cny(1)}
    return team.desk.api.post("/v1/products", of)


# A record of the seller's, of each kind.
MADE: dict[str, Callable[[Team], Any]] = {
    "lead": lambda team: team.desk.capture(region=team.mine.me["region"]),
    "customer": lambda team: team.mine.get(f"/v1/{team.customer}"),
    "contact": lambda team: team.mine.post("/v1/contacts", {"customer": team.customer, "fullName": "王小明"}),
    "opportunity": lambda team: team.mine.post("/v1/opportunities", {"customer": team.customer, "title": "仓储系统"}),
    "quote": _quoted,
    "contract": lambda team: team.draw(10),
    "product": _listed,
    "followUp": _logged,
    "task": lambda team: team.mine.post("/v1/tasks", {"record": team.customer, "title": "回访"}),
    "interaction": _recorded,
    "checkIn": _visited,
}


def _value(field: str, word: str) -> str:
    return "2099-01-01" if field == "validUntil" else word


@pytest.mark.parametrize(("kind", "first", "second", "own"), KINDS)
def test_two_people_at_one_record_lose_nothing_and_hear_of_each_other(
    desk: Desk, region: str, kind: str, first: str, second: str, own: bool
) -> None:
    team = team_of(desk, region)
    record = MADE[kind](team)
    address = f"/v1/{record['name']}"
    mine, other = (desk.api, desk.api) if kind == "product" else (team.mine, desk.api)
    record = mine.get(address)

    # With the etag: the second is refused, and told.
    mine.patch(address, {first: "甲的", "etag": record["etag"]})
    answer = other.raw("PATCH", address, json={second: _value(second, "乙的"), "etag": record["etag"]})
    problem = answer.json()
    assert (answer.status_code, problem["reason"]) == (409, "STALE")
    told = {one["field"]: one for one in problem["fields"]}
    assert (told[first]["value"], told[first]["actor"]) == ("甲的", mine.me["name"])
    assert told[first]["message"] == "已被修改"
    assert second not in told
    now = mine.get(address)
    assert problem["etag"] == now["etag"]
    assert (
        now["updateTime"][:19] == told[first]["changeTime"][:19] if "updateTime" in now else told[first]["changeTime"]
    )
    assert now.get(second) == record.get(second)

    # With what it is now, it goes through; and without an etag nobody writes another's field back.
    other.patch(address, {second: _value(second, "乙的"), "etag": problem["etag"]})
    mine.patch(address, {first: "甲再改"})
    now = mine.get(address)
    assert (now[first], now[second]) == ("甲再改", _value(second, "乙的"))

    if own:  # C8, O3: each key by itself
        for sent in ({"a": 1, "b": 2}, {"c": 3}):
            assert mine.raw("PATCH", address, json={"custom": sent}).status_code == 200
        mine.patch(address, {"custom": {"d": 4}})
        assert mine.get(address)["custom"] == {"a": 1, "b": 2, "c": 3, "d": 4}
        removed = mine.raw("PATCH", address, params={"updateMask": "custom.a"}, json={"custom": {"b": 9}})
        assert removed.json()["custom"] == {"b": 2, "c": 3, "d": 4}
        refused = mine.raw("PATCH", address, json={"custom": {"b": None}})
        assert [one["field"] for one in refused.json()["fields"]] == ["custom.b"]
        below = mine.raw("PATCH", address, params={"updateMask": "custom.c.d"}, json={"custom": {"c": {"d": 5}}})
        assert (below.status_code, [one["field"] for one in below.json()["fields"]]) == (400, ["updateMask.custom.c.d"])
        stale = mine.raw("PATCH", address, json={"custom": {"z": 1}, "etag": now["etag"]}).json()
        told = {one["field"]: one["value"] for one in stale["fields"]}
        assert told == {"custom.a": None, "custom.b": 2, "custom.c": 3, "custom.d": 4}


@pytest.mark.parametrize("kind", [kind for kind in MADE if kind != "lead"])
def test_what_was_deleted_is_read_by_who_asks_for_it(desk: Desk, region: str, kind: str) -> None:
    made = MADE[kind](team_of(desk, region))
    address = f"/v1/{made['name']}"
    gone = desk.api.delete(address)
    assert desk.api.raw("GET", address).status_code == 404
    assert desk.api.get(address, showDeleted="true") == gone
    assert "deleteTime" in gone
    assert "deleteTime" not in desk.api.post(f"{address}:undelete")
    assert desk.api.get(address)["name"] == made["name"]


def test_I22_what_another_system_recorded_is_deleted_and_brought_back(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    made = _recorded(team)

    def told() -> tuple[int, int]:
        timeline = team.mine.get("/v1/timeline", record=team.customer).get("entries", [])
        mine = team.mine.get("/v1/interactions", filter=f'record = "{team.customer}"').get("interactions", [])
        return sum(one["source"] == made["name"] for one in timeline), len(mine)

    assert told() == (1, 1)
    team.boss.delete(f"/v1/{made['name']}")
    assert told() == (0, 0)
    team.boss.post(f"/v1/{made['name']}:undelete")
    assert told() == (1, 1)


def test_what_a_role_does_not_show_is_not_told_of(desk: Desk, region: str) -> None:
    team = team_of(desk, region)
    customer = team.mine.get(f"/v1/{team.customer}")
    role = desk.api.get("/v1/roles/sales")
    rights = [{**one, "hiddenFields": ["address"]} if one["resource"] == "customers" else one for one in role["grants"]]
    desk.api.patch("/v1/roles/sales", {"grants": rights})
    try:
        blind = desk.sign_in(team.mine.me)
        team.boss.patch(f"/v1/{team.customer}", {"address": "上海", "industry": "物流"})
        stale = blind.raw("PATCH", f"/v1/{team.customer}", json={"region": "上海", "etag": customer["etag"]}).json()
        assert [(one["field"], one["value"]) for one in stale["fields"]] == [("industry", "物流")]
    finally:
        desk.api.patch("/v1/roles/sales", {"grants": role["grants"]})
