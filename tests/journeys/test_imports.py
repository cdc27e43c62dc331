"""Sheets go in, are looked at, taken in and undone, over REST and with the command."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.journeys.api import Api, Refused
from tests.journeys.desk import Desk
from tests.journeys.leads_50 import SAMPLE
from tests.journeys.sheets import a_phone, bring, ended, rows, send


@pytest.fixture
def api(desk: Desk) -> Api:
    return desk.api


def test_X4_I6_the_sample_imported_by_file_gives_what_captures_give(desk: Desk) -> None:
    job = ended(desk.api, send(desk.api, "leads-50.csv", SAMPLE.read_bytes(), kind="LEADS", validateOnly="true"))
    assert (job["state"], job["totalRows"]) == ("PREVIEWED", 50)
    before = [row["verdict"] for row in rows(desk.api, job)]
    assert before.count("ERROR") == 4
    desk.api.post(f"/v1/{job['name']}:commit")
    job = ended(desk.api, job)
    assert job["state"] == "SUCCEEDED"
    assert (job["counts"]["created"], job["counts"]["merged"], job["counts"]["refused"]) == (44, 2, 4)
    wrong = rows(desk.api, job, filter="outcome = REFUSED")
    assert [row["number"] for row in wrong] == [8, 10, 26, 40]
    assert "11 位" in wrong[0]["error"]["fields"][0]["message"]
    assert desk.api.post(f"/v1/{job['name']}:undo")["state"] in ("UNDOING", "UNDONE")
    assert ended(desk.api, job)["state"] == "UNDONE"


def test_I1_I9_a_double_click_imports_once_and_refused_rows_come_as_a_file(api: Api) -> None:
    content = f"姓名,手机号\n甲,{a_phone()}\n=1+1,12\n".encode()
    first, second = (send(api, "两次.csv", content, kind="LEADS") for _ in range(2))
    assert first["name"] == second["name"]
    ended(api, first)
    answer = api._session.get(f"{api.url}/v1/{first['name']}:downloadRefused", timeout=30)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    found = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert found[1][0] == "'=1+1"


def test_I24_contacts_opportunities_and_follow_ups_find_the_customer_that_their_rows_name(desk: Desk) -> None:
    api, phone = desk.api, a_phone()
    company = f"华南乙{phone}公司"
    bring(api, "CUSTOMERS", "公司,电话", f"{company},{phone}")
    customer = api.get("/v1/customers", filter=f'display_name = "{company}"')["customers"][0]["name"]
    contacts = bring(api, "CONTACTS", "公司,姓名,职务", f"{company},王小明,采购经理", "没有这家公司,李雷,经理")
    assert (contacts["counts"]["created"], contacts["counts"]["refused"]) == (1, 1)
    assert "没有您可见的客户" in rows(api, contacts, filter="outcome = REFUSED")[0]["error"]["message"]
    desk.settle()
    deals = bring(
        api, "OPPORTUNITIES", "商机名称,客户,手机,预计金额", f"年度采购,{company},,12万", f"另一单,,{phone},80000"
    )
    assert deals["counts"]["created"] == 2, rows(api, deals)
    found = api.get("/v1/opportunities", filter=f'customer = "{customer}"')["opportunities"]
    assert sorted(one["amount"]["units"] for one in found) == ["120000", "80000"]
    desk.settle()
    log = bring(
        api,
        "FOLLOW_UPS",
        "客户,跟进方式,跟进内容,跟进时间",
        f"{company},电话,谈价格,2026-03-01 10:00",
        historical="true",
    )
    assert log["counts"].get("created") == 1, rows(api, log)
    for job in (log, deals, contacts):
        api.post(f"/v1/{job['name']}:undo")
        assert ended(api, job)["counts"].get("kept", 0) == 0
    assert api.get("/v1/opportunities", filter=f'customer = "{customer}"', showDeleted="true")["opportunities"] == []


def test_I5_a_phone_has_11_digits_and_no_lead_comes_twice(api: Api) -> None:
    phone = a_phone()
    spelled = f"+86 {phone[:3]}-{phone[3:7]}-{phone[7:]}"
    people = (f"甲,{phone}", f"乙,{phone[:10]}", f"丙,{spelled}", f"丁,{phone}1")
    job = bring(api, "LEADS", "姓名,手机号", *people, validateOnly="true")
    seen = rows(api, job)
    assert [row["verdict"] for row in seen] == ["CREATED", "ERROR", "MATCHES", "ERROR"]
    # The row is named as the sheet numbers it: the header is its first.
    assert (seen[2]["number"], seen[2]["record"]) == (4, "rows/2")
    for row in (seen[1], seen[3]):
        (wrong,) = row["error"]["fields"]
        assert wrong["field"] == "手机号"
        assert "11 位" in wrong["message"]
    assert api.get("/v1/leads", filter=f'phone = "{phone}"').get("leads", []) == []
    api.post(f"/v1/{job['name']}:commit")
    counts = ended(api, job)["counts"]
    assert (counts["created"], counts["merged"], counts["refused"]) == (1, 1, 2)
    assert len(api.get("/v1/leads", filter=f'phone = "{phone}"')["leads"]) == 1


def test_V13_a_close_date_of_last_year_needs_historical_and_then_any_stage_will_do(desk: Desk) -> None:
    company = f"历史{a_phone()}公司"
    bring(desk.api, "CUSTOMERS", "公司", company)
    desk.settle()
    sheet = ("商机名称,客户,预计成交日期,阶段", f"旧单,{company},2019-05-01,won")
    job = bring(desk.api, "OPPORTUNITIES", *sheet)
    assert job["counts"]["refused"] == 1
    job = bring(desk.api, "OPPORTUNITIES", *sheet, historical="true")
    assert job["counts"].get("created") == 1, rows(desk.api, job)
    deal = desk.api.get(f"/v1/{rows(desk.api, job)[0]['record']}")
    assert (deal["status"], deal["expectedCloseDate"]) == ("WON", "2019-05-01")


def test_V13_I5_a_sheet_says_when_old_deals_were_opened_and_closed_and_why(desk: Desk) -> None:
    company = f"历史{a_phone()}公司"
    bring(desk.api, "CUSTOMERS", "公司", company)
    desk.settle()
    header = "商机名称,客户,阶段,商机创建时间,关闭时间,输单原因"
    sheet = (header, f"旧单,{company},lost,2019-03-01,2019-05-01,价格", f"倒,{company},lost,2019-05-02,2019-05-01,")
    assert bring(desk.api, "OPPORTUNITIES", *sheet)["counts"]["refused"] == 2
    job = bring(desk.api, "OPPORTUNITIES", *sheet, historical="true")
    (good, wrong) = rows(desk.api, job)
    assert [one["field"] for one in wrong["error"]["fields"]] == ["关闭时间"]
    deal = desk.api.get(f"/v1/{good['record']}")
    assert (deal["openTime"], deal["closeTime"]) == ("2019-02-28T16:00:00Z", "2019-04-30T16:00:00Z")
    assert (deal["status"], deal["statusReason"]) == ("LOST", "价格")


def test_I4_a_mapping_is_sent_with_the_file(api: Api) -> None:
    phone = a_phone()
    mapping = json.dumps({"甲栏": "fullName", "乙栏": "phone"})
    job = bring(api, "LEADS", "甲栏,乙栏", f"王,{phone}", mapping=mapping)
    assert api.get(f"/v1/{rows(api, job)[0]['record']}")["fullName"] == "王"


def test_P2_a_salesperson_imports_his_own_and_finance_none(desk: Desk, region: str) -> None:
    seller = desk.sign_in(desk.hire("导入员", region=region))
    job = bring(seller, "LEADS", "姓名,手机号", f"甲,{a_phone()}")
    assert job["counts"]["created"] == 1
    with pytest.raises(Refused) as refused:
        desk.sign_in(desk.hire("别人", region=region)).get(f"/v1/{job['name']}")
    assert refused.value.status == 404


def test_I10_a_file_that_is_no_sheet_is_refused_in_ones_language(api: Api) -> None:
    job = ended(api, send(api, "x.xlsx", b"PK\x03\x04nothing", kind="LEADS"))
    assert (job["state"], job["error"]["reason"]) == ("FAILED", "NOT_A_SHEET")
    assert "另存为" in job["error"]["message"]
    assert "messageZh" not in job["error"]
