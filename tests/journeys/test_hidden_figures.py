"""What a role hides is in no figure, through the public API of either deployment: not now, not as it was known then,
and not of what comes late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from tests.journeys.api import Api, Refused
from tests.journeys.desk import Desk
from tests.journeys.running import PASSWORD, Running
from tests.journeys.selling import comes, one, span, value
from tests.journeys.signing import cny
from tests.journeys.test_opportunities import dragged, opened


@contextmanager
def hidden(desk: Desk, resource: str, *fields: str) -> Iterator[None]:
    """While those who sell do not see these."""
    before = desk.api.get("/v1/roles/sales")["grants"]
    rights = [{**grant, "hiddenFields": fields} if grant["resource"] == resource else grant for grant in before]
    desk.api.patch("/v1/roles/sales", {"grants": rights})
    try:
        yield
    finally:
        desk.api.patch("/v1/roles/sales", {"grants": before})


def test_B6_L28_what_a_role_hides_is_in_no_figure_of_today_or_of_then_whatever_comes_late(
    running: Running, region: str
) -> None:
    desk = Desk(Api(running.url, "admin", PASSWORD), running.settle, running.later)
    desk.policy()
    seller, other = (desk.sign_in(desk.hire(name, region=of)) for name, of in (("甲", region), ("乙", f"{region}外")))
    now = clock.now()
    wrote = desk.capture(region=region, channel="WEB_FORM", captureTime=(now - timedelta(hours=1)).isoformat())
    assert wrote["owner"] == seller.me["name"]
    seller.post(f"/v1/{wrote['name']}:contact", {"note": "聊过"})
    deal = opened(seller, pipeline="pipelines/four-stage", lead=wrote["name"], amount=cny(4_321))
    dragged(seller, deal, "intent", "quote")
    seller.post(f"/v1/{deal['name']}:win")
    asked = {"period": span(now - timedelta(hours=6), now + timedelta(hours=1))}

    def by_channel(api: Api, kpi: str = "source-won-amount", **more: Any) -> dict[Any, Any]:
        (tile,) = api.get(f"/v1/reports/{kpi}", groupBy="channel", **asked, **more)["tiles"]
        return {one(row["keys"]): value(row) for row in tile["rows"] if value(row)}

    comes(lambda: by_channel(seller), {"WEB_FORM": 4_321}, 30)
    then = {"asOfTime": clock.now().isoformat()}
    # A device without a network had scanned him hours before.
    scan = {"phone": wrote["phone"], "channel": "TRADE_SHOW", "captureTime": (now - timedelta(hours=5)).isoformat()}
    desk.api.post("/v1/leads:capture", {"lead": scan})
    comes(lambda: by_channel(seller), {"TRADE_SHOW": 4_321}, 30)
    assert by_channel(seller, **then) == {"WEB_FORM": 4_321}
    hours = {(): by_channel(seller, "ctre"), ("then",): by_channel(seller, "ctre", **then)}
    assert [{channel: round(took) for channel, took in said.items()} for said in hours.values()] == [
        {"TRADE_SHOW": 5}, {"WEB_FORM": 1}
    ]  # fmt: skip
    # Whose records they are not has no figure of them.
    for moment in ({}, then):
        assert by_channel(other, **moment) == by_channel(other, "ctre", **moment) == {}
        assert other.get("/v1/reports/opportunities-won/records", **asked, **moment)["records"] == []
    with hidden(desk, "opportunities", "amount"):
        blind = desk.sign_in(seller.me)
        for moment in ({}, then):
            for kpi in ("source-won-amount", "won-amount", "won-amount:explain", "won-amount/records", "average-deal"):
                with pytest.raises(Refused, match=r"opportunities\.amount") as no:
                    blind.get(f"/v1/reports/{kpi}", **asked, **moment)
                assert no.value.status == 403
            # How many there are is no amount.
            assert by_channel(blind, "opportunities-won", **moment) == {"WEB_FORM" if moment else "TRADE_SHOW": 1}
            (drilled,) = blind.get("/v1/reports/opportunities-won/records", **asked, **moment)["records"]
            assert drilled["name"] == deal["name"]
            explained = blind.get("/v1/reports/opportunities-won:explain", **asked, **moment)
            assert "4321" not in f"{drilled} {explained}"
            board = blind.get("/v1/reports/my-sales", **moment)
            assert {tile["kpi"] for tile in board["tiles"] if tile.get("denied")} >= {"kpis/won-amount"}
            assert "4321" not in str(board)
        with pytest.raises(Refused, match="amount"):
            blind.get("/v1/opportunities", orderBy="amount desc")
    # What his lead came by, and so what his deals did.
    with hidden(desk, "leads", "channel"):
        blind = desk.sign_in(seller.me)
        for kpi in ("source-won-amount", "opportunities-won", "leads-captured"):
            for moment in ({}, then):
                for more in ({"groupBy": "channel"}, {"filter": "channel = TRADE_SHOW"}):
                    with pytest.raises(Refused, match=r"leads\.channel"):
                        blind.get(f"/v1/reports/{kpi}", **more, **asked, **moment)
