"""What a sheet says of records that are known: shown before, done as chosen, kept in their history, over REST."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.api import Api, until
from tests.journeys.desk import Desk
from tests.journeys.sheets import a_phone, bring, commit, counts, ended, rows, undo


@pytest.fixture
def api(desk: Desk) -> Api:
    return desk.api


def _differences(row: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["field"]: (one.get("ours", ""), one.get("theirs", "")) for one in row.get("differences", [])}


def _told(desk: Desk, record: str) -> list[dict[str, Any]]:
    """What imports said of a record, from its timeline."""
    desk.settle()
    entries = desk.api.get("/v1/timeline", record=record, filter="kind = IMPORT")
    return list(entries.get("entries", []))


def test_I2_I3_a_company_known_by_name_that_says_the_same_matches_and_what_it_lacks_is_filled(api: Api) -> None:
    name = f"华东甲{a_phone()}有限公司"
    made = api.post("/v1/customers", {"displayName": name})
    sheet = ("客户名称,行业,联系电话", f"{name},制造业,{a_phone()}", f"新公司{a_phone()},教育,")
    job = bring(api, "CUSTOMERS", *sheet, validateOnly="true")
    assert [row["verdict"] for row in rows(api, job)] == ["MATCHES", "CREATED"], rows(api, job)
    assert rows(api, job)[0]["record"] == made["name"]
    assert api.get(f"/v1/{made['name']}").get("industry", "") == ""
    api.patch(f"/v1/{job['name']}", {"onConflict": "UPDATE"})
    ended(api, job)
    job = commit(api, job)
    assert (job["counts"]["updated"], job["counts"]["created"]) == (1, 1), job
    assert api.get(f"/v1/{made['name']}")["industry"] == "制造业"
    assert undo(api, job)["counts"]["undone"] == 2
    assert api.get(f"/v1/{made['name']}").get("industry", "") == ""


def test_I2_I3_a_known_company_of_which_the_row_says_otherwise_is_a_conflict_and_a_merge_keeps_both(
    desk: Desk,
) -> None:
    api, name = desk.api, f"华东乙{a_phone()}有限公司"
    known = {"displayName": name, "email": f"old{a_phone()}@x.cn", "industry": "制造"}
    made = api.post("/v1/customers", known)["name"]
    theirs = f"new{a_phone()}@x.cn"
    sheet = ("客户名称,邮箱,行业,地址", f"{name},{theirs},软件,世纪大道 1 号")
    job = bring(api, "CUSTOMERS", *sheet, validateOnly="true")
    (row,) = rows(api, job, filter="verdict = CONFLICT")
    assert (row["record"], counts(job)) == (made, {"conflicts": 1})
    assert _differences(row) == {"email": (known["email"], theirs), "industry": ("制造", "软件")}
    job = commit(api, job)
    after = api.get(f"/v1/{made}")
    assert (after["email"], after["industry"], after["address"]) == (known["email"], "制造", "世纪大道 1 号")
    (entry,) = _told(desk, made)
    assert entry["detail"] == {
        "email": {"ours": known["email"], "theirs": theirs},
        "industry": {"ours": "制造", "theirs": "软件"},
    }
    assert entry["source"] == job["name"]
    assert undo(api, job)["counts"]["undone"] == 1
    assert api.get(f"/v1/{made}").get("address", "") == ""
    assert _told(desk, made) == []


def test_I3_known_companies_are_skipped_updated_merged_or_touched_as_chosen_for_each_row(desk: Desk) -> None:
    api = desk.api
    names = [f"各选{a_phone()}公司" for _ in range(4)]
    made = [api.post("/v1/customers", {"displayName": name, "industry": "旧"})["name"] for name in names]
    sheet = ("客户名称,行业,地址", *(f"{name},新,某路" for name in names))
    job = bring(api, "CUSTOMERS", *sheet, validateOnly="true")
    assert counts(job) == {"conflicts": 4}
    api.patch(f"/v1/{job['name']}", {"choices": {"2": "SKIP", "3": "UPDATE", "4": "MERGE", "5": "TOUCH"}})
    ended(api, job)
    job = commit(api, job)
    assert counts(job) == {"skipped": 1, "updated": 1, "merged": 1, "touched": 1}
    after = [api.get(f"/v1/{name}") for name in made]
    assert [(one["industry"], one.get("address", "")) for one in after] == [
        ("旧", ""), ("新", "某路"), ("旧", "某路"), ("旧", ""),
    ]  # fmt: skip
    told = [[sorted(entry["detail"]) for entry in _told(desk, name)] for name in made]
    assert told == [[], [["industry"]], [["industry"]], [["address", "industry"]]]
    undone = undo(api, job)
    assert (undone["counts"]["undone"], undone["counts"].get("kept", 0)) == (3, 0)
    assert [api.get(f"/v1/{name}")["industry"] for name in made] == ["旧"] * 4
    assert [_told(desk, name) for name in made] == [[]] * 4


def test_I3_contacts_and_opportunities_that_are_known_otherwise_are_conflicts_too(desk: Desk) -> None:
    api, company, phone = desk.api, f"冲突{a_phone()}公司", a_phone()
    customer = api.post("/v1/customers", {"displayName": company})["name"]
    contact = api.post("/v1/contacts", {"customer": customer, "fullName": "王小明", "title": "经理", "phone": phone})
    desk.settle()
    price = {"currencyCode": "CNY", "units": "80000"}
    given = {"title": "采购", "customer": customer, "amount": price, "importance": "IMPORTANT", "need": "十台"}
    deal = api.post("/v1/opportunities", given)
    people = bring(api, "CONTACTS", "公司,姓名,职务,手机", f"{company},王小明,总监,{phone}", validateOnly="true")
    assert _differences(rows(api, people)[0]) == {"title": ("经理", "总监")}
    deals = bring(api, "OPPORTUNITIES", "商机名称,客户,预计金额,需求", f"采购,{company},12万,十台", validateOnly="true")
    (row,) = rows(api, deals)
    assert (row["verdict"], row["record"]) == ("CONFLICT", deal["name"])
    assert _differences(row) == {"amount": ("80,000.00 CNY", "120,000.00 CNY")}
    commit(api, people)
    api.patch(f"/v1/{deals['name']}", {"onConflict": "UPDATE"})
    ended(api, deals)
    commit(api, deals)
    after = api.get(f"/v1/{deal['name']}")
    assert (after["amount"]["units"], after["importance"]) == ("120000", "IMPORTANT")
    assert api.get(f"/v1/{contact['name']}")["title"] == "经理"
    for record, field in ((contact["name"], "title"), (deal["name"], "amount")):
        assert [list(entry["detail"]) for entry in _told(desk, record)] == [[field]]


def test_I3_the_same_company_twice_in_a_sheet_is_seen_before_it_is_brought_however_far_apart(api: Api) -> None:
    phones = [a_phone() for _ in range(3)]
    many = [f"远隔{n}号{phones[0]}公司,," for n in range(1000)]
    first = f"首行{phones[0]}公司,{phones[1]},教育"
    again = (f"别名{phones[0]}公司,{phones[1]},", f"首行{phones[0]} 公司,{phones[2]},")
    job = bring(api, "CUSTOMERS", "客户名称,电话,行业", first, first, *many, *again, validateOnly="true")
    assert (job["counts"]["created"], job["counts"]["matches"]) == (1001, 3), job["counts"]
    known = rows(api, job, filter="verdict = MATCHES")
    assert [(row["number"], row["record"]) for row in known] == [(3, "rows/2"), (1004, "rows/2"), (1005, "rows/2")]


def test_I1_follow_ups_that_are_brought_again_are_there_once_whoever_brings_them(desk: Desk) -> None:
    api, company = desk.api, f"再次{a_phone()}公司"
    customer = api.post("/v1/customers", {"displayName": company})["name"]
    desk.settle()
    dated = ("客户,跟进方式,跟进内容,跟进时间", *(f"{company},电话,第{n}次,2026-03-0{n}" for n in (1, 2, 2)))
    undated = ("客户,跟进方式,跟进结果,跟进内容", *[f"{company},电话,未接通,没人接"] * 2)

    def count() -> int:
        found = api.get("/v1/followUps", filter=f'record = "{customer}"')
        return len(found.get("followUps", []))

    first = bring(api, "FOLLOW_UPS", *dated, historical="true")
    assert (first["counts"]["created"], first["counts"]["skipped"], count()) == (2, 1, 2)
    clerk = desk.sign_in(desk.hire("内勤", role="backoffice"))
    for who, conflict in ((api, "UPDATE"), (clerk, "MERGE")):
        again = bring(who, "FOLLOW_UPS", *dated, historical="true", onConflict=conflict)
        assert (counts(again), count()) == ({"skipped": 3}, 2)
    assert [row["verdict"] for row in rows(api, again)] == ["MATCHES"] * 3
    before = bring(api, "FOLLOW_UPS", *undated)
    after = bring(clerk, "FOLLOW_UPS", *undated, onConflict="SKIP")
    assert (before["counts"].get("created"), counts(after), count()) == (2, {"skipped": 2}, 4)
    undo(api, first)
    until(lambda: count() == 2)
