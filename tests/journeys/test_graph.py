"""ARCHITECTURE.md draws the services' graph and docs/trace.md one capture: both are what real traces show."""

from __future__ import annotations

import ast
import base64
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chassis import clock
from embedded.catalogue import NAMES
from tests.activities import post
from tests.journeys.api import Api, Refused, until
from tests.journeys.desk import Desk
from tests.journeys.spans import PASSWORD, Collector, Span, edges, traced_house

ROOT = Path(__file__).parents[2]
_ROW = re.compile(r"^\| (\w+) \| (\w+) \| (gRPC|`[\w.]+`) \|", re.MULTILINE)
_STEP = re.compile(r"^( *)- \*\*([\w./ ]+)\*\*", re.MULTILINE)
_PLACE = re.compile(r"`([\w/.-]+\.py):([\w.]+)`")


@pytest.fixture(scope="module")
def spans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Span]]:
    """What a house's traces tell of a day in which everything happens once."""
    collector, folder = Collector(), tmp_path_factory.mktemp("traced")
    with post.opened() as box, traced_house(folder, collector, box.url) as (url, later):
        desk = Desk(Api(url, "admin", PASSWORD), settle=lambda: time.sleep(0.3), later=lambda by: None)
        _by_mail(desk)
        _a_day(desk, later)
        _figures(desk, folder)
        until(lambda: any("Daily" in str(letter["Subject"]) for letter in box.letters), 60)
        time.sleep(0.5)
    yield collector.spans
    collector.close()


def _a_day(desk: Desk, later: Callable[[], None]) -> None:
    people = [desk.hire(name, region="华东") for name in ("甲", "乙")]
    desk.policy(skills={"海关": ["报关"]})
    desk.api.post("/v1/calendars", {"displayName": "白班", "spans": [{"weekday": 1, "start": "09:00", "end": "18:00"}]})
    desk.api.post("/v1/teams", {"displayName": "华东"})
    rate = {"fromCurrency": "EUR", "toCurrency": "CNY", "date": "2026-01-05", "rate": "7.9"}
    desk.api.post("/v1/exchangeRates", rate)
    lead = desk.capture(region="华东")
    for person in people:
        if person["name"] == lead["owner"]:
            desk.sign_in(person).post(f"/v1/{lead['name']}:contact")
            desk.sign_in(person).post(f"/v1/{lead['name']}:release")
        else:
            other = desk.sign_in(person)
    other.post(f"/v1/{lead['name']}:claim")
    _lose_a_race(desk, people[0]["name"])
    _a_deal(desk)
    _a_whole_deal(desk)
    _imports(desk)
    missed = desk.capture(region="华东")
    later()
    desk.when(missed["name"], lambda now: now["owner"] != missed["owner"])


def _by_mail(desk: Desk) -> None:
    """What was opened on a day goes out two hours from now: before the clock has gone on by three."""
    # The house runs in a process of its own: it has not the clock of this one, which other journeys move on.
    hour = (datetime.fromtimestamp(time.time(), clock.company_zone("Asia/Shanghai")).hour + 2) % 24
    me = desk.api.me["name"]
    desk.api.patch(f"/v1/{me}", {"email": "admin@example.com"})
    report = {"displayName": "Daily", "report": "reports/opportunities-opened", "format": "CSV", "span": "DAY"}
    desk.api.post("/v1/exportSchedules", {**report, "hour": hour, "people": [me], "enabled": True})


def _figures(desk: Desk, folder: Path) -> None:
    """Opportunities that were opened are made into tasks; and all that reports know is made anew by the house, which a
    command asks for where no other database is."""
    made = desk.api.post("/v1/reports/opportunities-opened:createTasks", {})
    assert int(made["tasks"])
    env = {**os.environ, "DATA": str(folder / "data"), "DEALWRIGHT_SERVICE": "reports"}
    subprocess.run([sys.executable, "-m", "embedded.command", "reports", "rebuild"], env=env, check=True, timeout=120)
    desk.settle()


def _a_deal(desk: Desk) -> None:
    """A lead becomes a customer with a contact, and its owner leaves."""
    leaver = desk.hire("丁", region="西北")
    lead = desk.capture(region="西北", company="华兴")
    desk.api.post(f"/v1/{lead['name']}:qualify")
    desk.settle()
    deal = desk.api.post("/v1/opportunities", {"title": "年度采购"})
    seen = {"record": deal["name"], "method": "CALL", "outcome": "PROGRESS", "summary": "已联系"}
    desk.api.post("/v1/followUps", seen)
    _quoted(desk, deal["name"], leaver["name"])
    desk.api.patch(f"/v1/{leaver['name']}", {"state": "LEFT"})
    desk.settle()


def _a_whole_deal(desk: Desk) -> None:
    """A qualified lead becomes an opportunity, a report is approved, a colleague helps, a contract is signed and
    invoiced, and who had it all leaves."""
    boss = desk.hire("经理", role="manager")
    leaver = desk.hire("戊", region="东北", manager=boss["name"])
    mine, leading, admin = desk.sign_in(leaver), desk.sign_in(boss), desk.api
    lead = desk.capture(region="东北", company="华丰")
    mine.post(f"/v1/{lead['name']}:qualify", {"opportunity": True})
    until(lambda: mine.get("/v1/opportunities", filter=f'lead = "{lead["name"]}"').get("opportunities"))
    (customer,) = mine.get("/v1/customers", filter=f'lead = "{lead["name"]}"')["customers"]
    named = {"title": "生命周期", "customer": customer["name"], "pipeline": "pipelines/lifecycle"}
    deal = mine.post("/v1/opportunities", named)
    mine.patch(f"/v1/{deal['name']}", {"stage": "first-contact"})
    body = (b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n", "application/pdf")
    mine.upload("/v1/attachments", {"record": deal["name"], "kind": "requirements"}, {"file": ("a.pdf", *body)})
    mine.post(f"/v1/{deal['name']}:requestCollaboration", {"person": boss["name"], "part": "技术方案"})
    won = mine.post("/v1/opportunities", {**named, "pipeline": "pipelines/four-stage"})
    for stage in ("intent", "quote", "won"):
        mine.patch(f"/v1/{won['name']}", {"stage": stage})
    price = {"currencyCode": "CNY", "units": "600000"}
    # Nothing of it is overdue when the clock goes on, whatever time of day it is.
    of = {"title": "框架", "customer": customer["name"], "amount": price, "startDate": "2099-01-01"}
    contract = mine.post("/v1/contracts", of)
    approval = mine.post(f"/v1/{contract['name']}:submit")["approval"]
    while admin.get(f"/v1/{approval}")["status"] == "PENDING":
        for one in (admin, leading):
            with suppress(Refused):  # not his turn
                one.post(f"/v1/{approval}:decide", {"verdict": "APPROVE"})
    until(lambda: mine.get(f"/v1/{contract['name']}")["status"] == "APPROVED")
    mine.post(f"/v1/{contract['name']}:sign", {})
    admin.post("/v1/invoices", {"contract": contract["name"], "amount": price})
    until(lambda: mine.get(f"/v1/{customer['name']}:view360")["customer"].get("vip"))
    left = desk.capture(region="东北")
    admin.patch(f"/v1/{leaver['name']}", {"state": "LEFT"})
    wanted = f'state = OPEN AND person = "{leaver["name"]}"'
    known = {customer["name"], deal["name"], left["name"]}
    until(lambda: known <= {one["record"] for one in admin.get("/v1/handOvers", filter=wanted)["handOvers"]})
    waiting = [one["name"] for one in admin.get("/v1/handOvers", filter=wanted)["handOvers"]]
    admin.post("/v1/handOvers:batchConfirm", {"names": waiting, "owner": boss["name"]})
    until(lambda: admin.get(f"/v1/{deal['name']}")["owner"] == boss["name"])
    desk.settle()


def _quoted(desk: Desk, deal: str, person: str) -> None:
    """A colleague looks on for a week, and a quote is drawn up."""
    desk.api.post(f"/v1/{deal}:share", {"person": person})
    customer = desk.api.post("/v1/customers", {"displayName": "华兴二部"})["name"]
    desk.api.patch(f"/v1/{deal}", {"customer": customer})
    desk.settle()
    line = {"description": "报价", "quantity": "1", "unitPrice": {"currencyCode": "CNY", "units": "100"}}
    desk.api.post("/v1/quotes", {"opportunity": deal, "lines": [line]})


def _imports(desk: Desk) -> None:
    """A customer, an opportunity of his and what was said, each from a sheet; the first of them is undone, in vain."""
    names = []
    for kind, sheet in (
        ("CUSTOMERS", "公司\n导入的公司"),
        ("OPPORTUNITIES", "商机名称,客户\n导入的商机,导入的公司"),
        ("FOLLOW_UPS", "客户,跟进方式,跟进内容,跟进时间\n导入的公司,电话,谈价格,2026-03-01"),
    ):
        content = base64.b64encode(sheet.encode()).decode()
        job = desk.api.post("/v1/imports", {"kind": kind, "content": content, "historical": True})
        names.append(job["name"])
        until(partial(_done, desk, job["name"]))
        desk.settle()
    desk.api.post(f"/v1/{names[0]}:undo")
    until(partial(_done, desk, names[0]))


def _done(desk: Desk, name: str) -> bool:
    return bool(desk.api.get(f"/v1/{name}").get("done"))


def _lose_a_race(desk: Desk, person: str) -> None:
    """Moves waiting leads by hand while the rules give them away, until `leads` refuses one that the rules decided."""
    skilled = desk.hire("丙", region="华东", skills=["报关"])

    def returned() -> bool:
        return any(d["returned"] for lead in leads for d in _decisions(desk, lead["name"]))

    hands = [Api(desk.api.url, "admin", PASSWORD) for _ in range(4)]
    for _ in range(10):
        desk.presence(skilled, "OFFLINE")
        leads = desk.capture_all([{"region": "华东", "skills": ["报关"]}] * 40)
        with ThreadPoolExecutor(4) as pool:
            moves = [pool.submit(_move, hands[n], leads[n::4], person) for n in range(4)]
            time.sleep(0.02)
            desk.api.post(f"/v1/{skilled['name']}:setPresence", {"presence": "ONLINE"})
            for move in moves:
                move.result()
        desk.settle()
        if returned():
            return
    raise AssertionError("the rules always won")


def _move(api: Api, leads: Sequence[dict[str, Any]], person: str) -> None:
    for lead in leads:
        with suppress(Refused):  # the rules were quicker
            api.post(f"/v1/{lead['name']}:reassign", {"owner": person})


def _decisions(desk: Desk, lead: str) -> list[dict[str, bool]]:
    found: list[dict[str, bool]] = desk.api.get(f"/v1/{lead}/decisions")["decisions"]
    return found


def drawn() -> set[tuple[str, str, str]]:
    rows = _ROW.findall((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    return {(source, target, how.strip("`")) for source, target, how in rows}


def test_U1_U2_the_graph_in_the_architecture_is_the_one_that_traces_show(spans: Sequence[Span]) -> None:
    assert edges(list(spans)) == drawn()


def test_U1_calls_between_services_make_no_circle() -> None:
    called = {name: {t for s, t, how in drawn() if s == name and how == "gRPC"} for name in NAMES}
    below: set[str] = set()
    while left := [name for name in NAMES if name not in below]:
        free = [name for name in left if called[name] <= below]
        assert free, f"{left} call each other in a circle"
        below.update(free)


def _steps(spans: Sequence[Span]) -> set[tuple[str, str]]:
    """(cause, effect) in the trace of a capture: the first whose events shared no delivery with those of another.
    Events of its own may come one by one or together; a delivery has each of them as a cause."""
    roots = sorted((s for s in spans if s.name == "gateway/CaptureLead" and not s.parents), key=lambda s: s.start)
    for root in roots:
        mine = {s.id: s for s in spans if s.trace == root.trace}
        touched = [s for s in spans if s.parents and (s.id in mine or mine.keys() & set(s.parents))]
        if all(set(s.parents) <= mine.keys() for s in touched):
            return {(mine[parent].name, s.name) for s in touched for parent in s.parents}
    raise AssertionError("each capture shared a delivery with another")


def _written() -> set[tuple[str, str]]:
    above: list[str] = []
    found = set()
    for indent, name in _STEP.findall((ROOT / "docs" / "trace.md").read_text(encoding="utf-8")):
        above = [*above[: len(indent) // 2], name]
        found |= {(above[-2], name)} if len(above) > 1 else set()
    return found


def test_U1_U2_the_trace_in_the_docs_is_the_one_of_a_capture(spans: Sequence[Span]) -> None:
    assert _written() == _steps(spans)


def test_every_place_that_the_documents_name_is_there() -> None:
    named = 0
    for document in (ROOT / "docs" / "trace.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs" / "decisions").glob("*.md")):
        for file, function in _PLACE.findall(document.read_text(encoding="utf-8")):
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            for part in function.split("."):
                found = [
                    node
                    for node in ast.walk(tree)
                    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == part
                ]
                assert found, f"{document.name}: {file} has no {part}"
                tree = found[0]
            named += 1
    assert named > 20
