"""Figures taken along as files, through the public API."""

from __future__ import annotations

import csv
import io
from typing import Any

from tests.journeys.api import Api, until
from tests.journeys.desk import Desk


def _export(api: Api, **asked: Any) -> Any:
    return api.raw("POST", "/v1/reports:export", json={"name": "reports/open-amount", "groupBy": ["owner"], **asked})


def test_B33_a_manager_takes_the_figures_of_his_team_along_and_a_salesperson_none(desk: Desk, region: str) -> None:
    boss = desk.hire("经理", "manager", region=region)
    seller = desk.hire("销售", region=region, manager=boss["name"])
    mine = desk.sign_in(seller)
    mine.post("/v1/opportunities", {"title": "采购", "amount": {"currencyCode": "CNY", "units": "4321"}})
    until(lambda: mine.get("/v1/reports/open-amount")["tiles"][0]["total"]["figure"].get("value") == 4321)
    answer = _export(desk.api, format="CSV", filter=f'owner = "{seller["name"]}"')
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert rows == [["负责人", "在谈金额 (CNY)"], ["销售", "4321"], ["合计", "4321"]]
    for format, begin in (("XLSX", b"PK"), ("PPTX", b"PK"), ("PDF", b"%PDF-")):
        assert _export(desk.sign_in(boss), format=format).content.startswith(begin), format
    assert _export(mine, format="CSV").status_code == 403
    assert _export(desk.api).status_code == 400
