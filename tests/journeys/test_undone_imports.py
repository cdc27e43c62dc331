"""An import is undone alone: what people built on it since stays, and is named with the reason, over REST."""

from __future__ import annotations

from typing import Any

import pytest

from tests.journeys.api import Api
from tests.journeys.desk import Desk
from tests.journeys.sheets import a_phone, bring, rows, undo

_PDF = (b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n", "application/pdf")


def _there(api: Api, name: str) -> bool:
    return api.raw("GET", f"/v1/{name}").status_code == 200


def _why(api: Api, job: Any) -> dict[str, str]:
    """What an undo left, and the reason."""
    return {row["record"]: row["error"]["message"] for row in rows(api, job, filter="outcome = KEPT")}


def _brought(desk: Desk, kind: str, *sheet: str) -> tuple[Any, list[str]]:
    job = bring(desk.api, kind, *sheet)
    names = [row["record"] for row in rows(desk.api, job)]
    assert job["counts"].get("created") == len(names), rows(desk.api, job)
    desk.settle()
    return job, names


def _log(api: Api, record: str) -> Any:
    body = {"record": record, "method": "CALL", "outcome": "PROGRESS", "summary": "已联系"}
    return api.post("/v1/followUps", body)


def test_I3_an_undo_leaves_customers_on_which_people_built_and_says_why(desk: Desk) -> None:
    api, tag = desk.api, a_phone()
    companies = [f"撤销{n}号{tag}公司" for n in range(6)]
    job, names = _brought(desk, "CUSTOMERS", "客户名称", *companies)
    deal = api.post("/v1/opportunities", {"title": "新单", "customer": names[0]})
    price = {"currencyCode": "CNY", "units": "100"}
    contract = api.post("/v1/contracts", {"title": "合同", "customer": names[1], "amount": price})
    _log(api, names[2])
    task = api.post("/v1/tasks", {"title": "送样品", "record": names[3]})
    api.upload("/v1/attachments", {"record": names[3], "kind": "requirements"}, {"file": ("a.pdf", *_PDF)})
    api.post("/v1/contacts", {"customer": names[4], "fullName": "王小明"})
    undone = undo(api, job)
    assert (undone["counts"]["kept"], undone["counts"]["undone"]) == (5, 1)
    assert sorted(undone["kept"]) == sorted(names[:5])
    assert _why(api, job) == {
        name: f"导入后已有{words}，予以保留"
        for name, words in zip(names, ("商机", "合同", "跟进", "任务、附件", "联系人"), strict=False)
    }
    assert [_there(api, name) for name in (*names, deal["name"], contract["name"], task["name"])] == [
        *[True] * 5, False, *[True] * 3,
    ]  # fmt: skip


def test_I3_an_undo_leaves_a_customer_into_whom_an_older_one_was_merged(desk: Desk) -> None:
    api, tag = desk.api, a_phone()
    older = api.post("/v1/customers", {"displayName": f"更早{tag}公司"})
    job, names = _brought(desk, "CUSTOMERS", "客户名称", *(f"并入{n}号{tag}公司" for n in range(2)))
    api.post(f"/v1/{names[0]}:merge", {"other": older["name"]})
    assert undo(api, job)["kept"] == names[:1]
    assert _why(api, job) == {names[0]: "导入后已有并入的客户，予以保留"}
    assert [_there(api, name) for name in (*names, older["name"])] == [True, False, True]


def test_I3_an_undo_leaves_opportunities_with_a_quote_or_a_follow_up(desk: Desk) -> None:
    api, company = desk.api, f"撤销商机{a_phone()}公司"
    customer = api.post("/v1/customers", {"displayName": company})["name"]
    desk.settle()
    job, names = _brought(desk, "OPPORTUNITIES", "商机名称,客户", *(f"第{n}单,{company}" for n in range(3)))
    line = {"description": "报价", "quantity": "1", "unitPrice": {"currencyCode": "CNY", "units": "100"}}
    quote = api.post("/v1/quotes", {"opportunity": names[0], "lines": [line]})
    _log(api, names[1])
    undone = undo(api, job)
    assert sorted(undone["kept"]) == sorted(names[:2])
    assert _why(api, job) == {names[0]: "导入后已有报价，予以保留", names[1]: "导入后已有跟进，予以保留"}
    assert [_there(api, name) for name in (*names, quote["name"])] == [True, True, False, True]
    desk.settle()
    told = api.get("/v1/timeline", record=customer).get("entries", [])
    assert not [entry for entry in told if entry["record"] == names[2]]  # nothing of it is left on the customer


def test_I3_an_undo_leaves_leads_with_a_task_or_a_file(desk: Desk) -> None:
    api = desk.api
    job, names = _brought(desk, "LEADS", "姓名,手机号", *(f"人{n},{a_phone()}" for n in range(3)))
    desk.settle()
    api.post("/v1/tasks", {"title": "送样品", "record": names[0]})
    api.upload("/v1/attachments", {"record": names[1], "kind": "requirements"}, {"file": ("a.pdf", *_PDF)})
    undone = undo(api, job)
    assert _why(api, job) == {names[0]: "导入后已有任务，予以保留", names[1]: "导入后已有附件，予以保留"}
    assert (undone["counts"]["undone"], _there(api, names[2])) == (1, False)


def test_I3_customers_contacts_opportunities_and_follow_ups_of_imports_go_when_these_are_undone_in_turn(
    desk: Desk,
) -> None:
    api, company = desk.api, f"全撤{a_phone()}公司"
    firms, (customer,) = _brought(desk, "CUSTOMERS", "客户名称", company)
    people, (contact,) = _brought(desk, "CONTACTS", "公司,姓名", f"{company},王小明")
    deals, (deal,) = _brought(desk, "OPPORTUNITIES", "商机名称,客户", f"采购,{company}")
    logs, names = _brought(desk, "FOLLOW_UPS", "客户,跟进方式,跟进结果,跟进内容", f"{company},电话,有进展,谈价格")
    for job in (logs, deals, people, firms):
        desk.settle()
        assert undo(api, job)["counts"].get("kept", 0) == 0, _why(api, job)
    assert [_there(api, name) for name in (*names, deal, contact, customer)] == [False] * 4


def test_I3_what_stayed_because_of_another_import_goes_when_it_is_undone_once_more(desk: Desk) -> None:
    api, company = desk.api, f"再撤{a_phone()}公司"
    firms, (customer,) = _brought(desk, "CUSTOMERS", "客户名称", company)
    deals, (deal,) = _brought(desk, "OPPORTUNITIES", "商机名称,客户", f"采购,{company}")
    logs, _ = _brought(desk, "FOLLOW_UPS", "客户,跟进方式,跟进结果,跟进内容", f"{company},电话,有进展,谈价格")
    assert undo(api, firms)["kept"] == [customer]
    for job in (logs, deals):
        undo(api, job)
        desk.settle()
    undone = undo(api, firms)
    assert (undone["state"], undone.get("kept", []), undone["counts"].get("kept", 0)) == ("UNDONE", [], 0)
    assert [_there(api, name) for name in (deal, customer)] == [False, False]


def test_I3_two_rows_of_one_customer_leave_nothing_when_they_are_undone(desk: Desk) -> None:
    api, company = desk.api, f"两行{a_phone()}公司"
    job = bring(api, "CUSTOMERS", "客户名称,行业,地址", f"{company},教育,", f"{company},,某路")
    first, second = rows(api, job)
    assert (first["record"], second["outcome"]) == (second["record"], "MERGED")
    assert undo(api, job)["counts"].get("kept", 0) == 0, _why(api, job)
    assert not _there(api, first["record"])


@pytest.mark.parametrize("conflict", ["UPDATE", "MERGE"])
def test_I3_two_rows_of_a_known_customer_leave_it_as_it_was_when_they_are_undone(desk: Desk, conflict: str) -> None:
    api, company = desk.api, f"原样{a_phone()}公司"
    made = api.post("/v1/customers", {"displayName": company, "industry": "制造"})["name"]
    rows_of = (f"{company},教育,", f"{company},软件,某路")
    job = bring(api, "CUSTOMERS", "客户名称,行业,地址", *rows_of, onConflict=conflict)
    assert undo(api, job)["counts"].get("kept", 0) == 0, _why(api, job)
    after = api.get(f"/v1/{made}")
    assert (after["industry"], after.get("address", "")) == ("制造", "")
