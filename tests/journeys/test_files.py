"""Files, visits, templates and notices through the public API, and their mails through a real server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.activities import post, samples
from tests.activities.post import Box
from tests.activities.samples import PDF, PNG
from tests.journeys.api import Api, Refused, until
from tests.journeys.desk import Desk, phone
from tests.journeys.test_opportunities import dragged, opened, refused, team_of

File = tuple[str, bytes, str]


def customer_of(api: Api) -> str:
    made: str = api.post("/v1/customers", {"displayName": f"华东物流 {phone()}"})["name"]
    return made


def upload(api: Api, record: str, kind: str, file: File) -> Any:
    return api.upload("/v1/attachments", {"record": record, "kind": kind}, {"file": file})


def listed(api: Api, record: str) -> list[str]:
    found = api.get("/v1/attachments", filter=f'record = "{record}"')["attachments"]
    return [one["name"] for one in found]


def notices(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/v1/notifications")["notifications"]
    return found


def told(api: Api, kind: str) -> dict[str, Any]:
    """The newest notice of a kind, as soon as there is one."""
    found: dict[str, Any] = until(lambda: next((one for one in notices(api) if one["kind"] == kind), None))
    return found


def test_C7_F2_a_file_of_a_customer_is_kept_and_given_out_as_a_download(desk: Desk, region: str) -> None:
    boss, mine, other = (desk.sign_in(one) for one in team_of(desk, "经理", "甲", "乙", region=region))
    customer = customer_of(mine)
    big = PDF + os.urandom(6 * 1024 * 1024)
    made = upload(mine, customer, "licence", ("营业执照 扫描件.pdf", big, "application/pdf"))
    assert (made["customer"], made["kind"], made["sizeBytes"]) == (customer, "licence", str(len(big)))
    assert (made["fileName"], made["contentType"]) == ("营业执照 扫描件.pdf", "application/pdf")
    answer = mine.raw("GET", f"/v1/{made['name']}:download")
    assert answer.content == big
    headers = answer.headers
    assert headers["Content-Disposition"].startswith('attachment; filename="file.pdf"; ')
    assert "filename*=UTF-8''%E8%90%A5%E4%B8%9A%E6%89%A7%E7%85%A7%20" in headers["Content-Disposition"]
    assert (headers["Content-Type"], headers["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
    assert "sandbox" in headers["Content-Security-Policy"]
    assert listed(boss, customer) == [made["name"]]
    assert listed(other, customer) == []
    for path in (made["name"], f"{made['name']}:download"):
        refused(lambda path=path: other.get(f"/v1/{path}"), 404, "NOT_FOUND")
    refused(lambda: upload(other, customer, "licence", ("a.pdf", PDF, "")), 404, "NOT_FOUND")


def test_a_deleted_file_comes_back_within_30_days(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    customer = customer_of(mine)
    made = upload(mine, customer, "contract", ("a.pdf", PDF, "application/pdf"))
    changed = mine.patch(f"/v1/{made['name']}", {"kind": "quote", "fileName": "报价.pdf", "etag": made["etag"]})
    assert (changed["kind"], changed["fileName"]) == ("quote", "报价.pdf")
    mine.delete(f"/v1/{made['name']}")
    assert listed(mine, customer) == []
    desk.later(timedelta(days=29))
    assert mine.post(f"/v1/{made['name']}:undelete")["fileName"] == "报价.pdf"
    assert listed(mine, customer) == [made["name"]]
    assert mine.raw("GET", f"/v1/{made['name']}:download").content == PDF


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (("a.png", PDF, "image/png"), "实际是 application/pdf"),
        (("a.pdf", PDF, "image/png"), "却声明为 image/png"),
        (("a.svg", samples.SVG, "image/svg+xml"), "HTML、SVG 或 XML"),
        (("a.html", samples.HTML, "text/html"), "HTML、SVG 或 XML"),
        (("a.txt", samples.HTML, "text/plain"), "HTML、SVG 或 XML"),
        (("a.xlsx", samples.bomb(), ""), "疑似压缩炸弹"),
        (("a.xlsx", samples.overlapping(), ""), "疑似压缩炸弹"),
        (("a.docx", samples.office("docx", word__vbaProject_bin=b"x"), ""), "宏"),
        (("a.exe", b"MZ\x90", ""), "可执行程序"),
        (("a.pdf", b"", "application/pdf"), "文件为空"),
    ],
    ids=["pdf-as-png", "declared", "svg", "html", "html-as-txt", "bomb", "overlapping", "macros", "program", "empty"],
)
def test_F2_a_file_that_lies_or_does_harm_is_refused_and_nothing_changes(desk: Desk, file: File, why: str) -> None:
    customer = customer_of(desk.api)
    with pytest.raises(Refused) as problem:
        upload(desk.api, customer, "contract", file)
    assert (problem.value.status, problem.value.reason) == (400, "INVALID")
    assert why in problem.value.fields["content"]
    assert listed(desk.api, customer) == []


def test_F2_what_is_no_upload_or_too_large_is_told_so(desk: Desk) -> None:
    customer = customer_of(desk.api)
    with pytest.raises(Refused) as problem:
        upload(desk.api, customer, "contract", ("a.pdf", PDF + bytes(21 * 1024 * 1024), ""))
    assert (problem.value.status, problem.value.reason) == (413, "TOO_LARGE")
    with pytest.raises(Refused) as problem:
        desk.api.upload("/v1/attachments", {"record": customer, "kind": "x"}, {"other": ("a.pdf", PDF, "")})
    assert "other" in problem.value.fields
    with pytest.raises(Refused) as problem:
        desk.api.upload("/v1/attachments", {"record": customer, "kindly": "x"}, {"file": ("a.pdf", PDF, "")})
    assert "kindly" in problem.value.fields
    answer = desk.api.raw("POST", "/v1/attachments", data=b"x", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 400
    assert listed(desk.api, customer) == []


def test_E7_E8_a_visit_is_proven_and_stands_on_the_record(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    customer = customer_of(mine)
    proofs = {
        field: upload(mine, customer, field, (f"{field}.png", PNG + field.encode(), "image/png"))["name"]
        for field in ("photo", "signature")
    }
    place = {"latitude": 31.2304, "longitude": 121.4737}
    visit = {"record": customer, "location": place, "address": "人民大道1号", "note": "见到总经理", **proofs}
    for missing in ("location", "photo", "signature"):
        less = {field: value for field, value in visit.items() if field != missing}
        refused(lambda less=less: mine.post("/v1/checkIns", less), 400, "INVALID", missing)
    made = mine.post("/v1/checkIns", {**visit, "happenTime": "2026-05-01T01:30:00Z"})
    assert {field: made[field] for field in visit} == visit
    assert mine.get("/v1/checkIns", filter=f'customer = "{customer}"')["checkIns"] == [made]

    def entries() -> Any:
        found = mine.get("/v1/timeline", record=customer)["entries"]
        return [one for one in found if one.get("source") == made["name"]]

    (entry,) = until(entries)
    assert entry["happenTime"] == "2026-05-01T01:30:00Z"
    mine.delete(f"/v1/{made['name']}")
    assert "checkIns" not in mine.get("/v1/checkIns") or not mine.get("/v1/checkIns")["checkIns"]
    assert mine.post(f"/v1/{made['name']}:undelete")["note"] == "见到总经理"


def test_L20_a_new_lead_is_in_its_owners_inbox(desk: Desk, region: str) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region))
    lead = desk.capture(region=region)
    notice = told(mine, "LEAD_ASSIGNED")
    assert notice["record"] == lead["name"]
    assert notice["textZh"] == "您有一条新线索待处理,请在2小时内联系客户"
    assert mine.get("/v1/notifications")["unread"] == 1
    assert "readTime" in mine.post(f"/v1/{notice['name']}:markRead")
    assert mine.get("/v1/notifications", filter="read = false")["notifications"] == []
    refused(lambda: desk.api.post(f"/v1/{notice['name']}:markRead"), 404, "NOT_FOUND")


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    with post.opened() as opened_box:
        monkeypatch.setenv("DEALWRIGHT_SMTP_URL", opened_box.url)
        yield opened_box


def test_O27_the_standard_solution_is_mailed_when_a_deal_comes_to_its_solution(
    desk: Desk, region: str, box: Box
) -> None:
    mine = desk.sign_in(desk.hire("甲", region=region, email="jia@example.cn"))
    (template,) = desk.api.get("/v1/templates", filter='display_name = "标准解决方案"')["templates"]
    solution = upload(desk.api, template["name"], "solution", ("标准方案.pdf", PDF, "application/pdf"))
    desk.api.patch(f"/v1/{template['name']}", {"attachments": [solution["name"]]})
    customer = customer_of(mine)
    deal = opened(mine, title="仓储系统", customer=customer, pipeline="pipelines/seven-stage")
    rendered = mine.post(f"/v1/{template['name']}:render", {"record": deal["name"]})
    assert rendered["subjectZh"] == "标准方案模板：仓储系统"
    assert deal["number"] in rendered["bodyZh"]
    refused(lambda: upload(mine, template["name"], "x", ("a.pdf", PDF, "")), 403, "DENIED")
    dragged(mine, deal, "needs-analysis", "solution")
    letter = until(lambda: next((one for one in box.letters if one["To"] == "jia@example.cn"), None), 30)
    assert "仓储系统" in letter["Subject"]
    attached = [(part.get_filename(), part.get_content()) for part in letter.iter_attachments()]
    assert attached == [("标准方案.pdf", PDF)]
    assert told(mine, "MAIL")["attachments"] == [solution["name"]]
    until(lambda: told(mine, "MAIL")["mailState"] == "SENT")
