"""What made-up requests need after the lead: records that exist, in the standing that a command wants, and sound
bodies."""

from __future__ import annotations

import base64
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.security.front import Front

SPARE = "a spare one's password"
_PIPELINE = "four-stage"
PDF = base64.b64encode(b"%PDF-1.7\n").decode()
PNG = b"\x89PNG\r\n\x1a\n"
TEN = {"currencyCode": "CNY", "units": "10"}


def sheet(number: int) -> str:
    return base64.b64encode(f"姓名,手机号\n王,{13300000000 + number}\n".encode()).decode()


@dataclass
class Deals:
    """Makes records; `second` is the token of another administrator, for what one does not do to his own."""

    front: Front
    second: str = ""
    people: list[str] = field(default_factory=list)
    known: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def set_up(self, people: list[str]) -> None:
        """`people`: who may be given something. Nobody has to agree to a quote or a contract here."""
        self.people = [f"people/{one}" for one in people]
        given = {"displayName": "管", "login": "second-admin", "role": "admin", "password": SPARE}
        self.post("people", given)
        self.second = self.front.sign_in("second-admin", SPARE)
        content = self.front.done("GET", "/v1/blueprint")["content"]
        agreed = {
            id: None
            for id, flow in content["approvalFlows"].items()
            if flow["for"] in ("quote", "contract", "contractChange")
        }
        self.post("blueprint:apply", {"content": {"approvalFlows": agreed}})

    def post(self, path: str, body: Any, token: str | None = None) -> Any:
        return self.front.done("POST", f"/v1/{path}", json=body, token=token)

    def made(self, path: str, body: Any, token: str | None = None) -> str:
        return str(self.post(path, body, token)["name"])

    def gone(self, name: str) -> str:
        self.front.done("DELETE", f"/v1/{name}")
        return name

    def did(self, name: str, verb: str, **body: Any) -> str:
        self.post(f"{name}:{verb}", body)
        return name

    def changed(self, name: str, **body: Any) -> str:
        self.front.done("PATCH", f"/v1/{name}", json=body)
        return name

    # --- records ---

    def person(self) -> str:
        return self.people[next(self.numbers) % len(self.people)]

    def lead(self) -> str:
        phone = str(13400000000 + next(self.numbers))
        name = str(self.post("leads:capture", {"lead": {"phone": phone}})["lead"]["name"])
        self.front.heard()
        return self.did(name, "reassign", owner=self.person())

    def form(self) -> str:
        given = {"displayName": "表", "fields": ["phone"], "open": True}
        return self.made(f"forms?formId=sound-{next(self.numbers)}", given)

    def customer(self, **more: Any) -> str:
        return self.made("customers", {"displayName": f"客户 {next(self.numbers)}", **more})

    def contact(self) -> str:
        return self.made("contacts", {"customer": self.known_customer(), "fullName": "王"})

    def deal(self, **more: Any) -> str:
        """One that contracts and activities know of."""
        pipeline = f"pipelines/{_PIPELINE}"
        given = {"title": "采购", "pipeline": pipeline, "customer": self.known_customer(), "amount": TEN}
        name = self.made("opportunities", {**given, **more})
        self.front.heard()
        return name

    def ready(self) -> str:
        """One that only has to be won."""
        name = self.deal()
        for stage in ("intent", "quote"):
            self.changed(name, stage=stage)
        return name

    def known_customer(self) -> str:
        """One that every service has heard of, of whom nothing is asked but that."""
        if not self.known:
            self.known = self.fresh_customer()
        return self.known

    def fresh_customer(self) -> str:
        name = self.customer()
        self.front.heard()
        return name

    def follow_up(self) -> str:
        return self.made("followUps", {"record": self.known_customer(), "outcome": "PROGRESS", "summary": "谈过"})

    def task(self, **more: Any) -> str:
        return self.made("tasks", {"title": "报价", "owner": self.person(), **more})

    def change_request(self) -> str:
        return self.made("changeRequests", {"record": self.deal(), "type": "DELIVERY", "detail": "换地址"})

    def interaction(self) -> str:
        given = {"record": self.known_customer(), "kind": "ORDER", "system": "shop"}
        return self.made("interactions", {**given, "externalId": f"{next(self.numbers)}"})

    def attachment(self, record: str = "", kind: str = "contract", content: str = PDF) -> str:
        given = {"record": record or self.known_customer(), "kind": kind, "content": content, "fileName": "a"}
        return self.made("attachments", given)

    def visit(self) -> dict[str, Any]:
        record = self.known_customer()
        pictures = {kind: base64.b64encode(PNG + kind.encode()).decode() for kind in ("photo", "signature")}
        photo, signature = (self.attachment(record, kind, content) for kind, content in pictures.items())
        location = {"latitude": 31.2, "longitude": 121.5}
        return {"record": record, "photo": photo, "signature": signature, "location": location}

    def template(self) -> str:
        given = {"displayName": f"模板 {next(self.numbers)}", "kind": "MAIL", "bodyZh": "您好", "bodyEn": "hello"}
        return self.made("templates", given | {"subjectZh": "好", "subjectEn": "hi"})

    def notification(self) -> str:
        """What the administrator was told of: somebody gave him a task."""
        self.made("tasks", {"title": "报价", "owner": self.front.me}, self.second)
        self.front.heard()
        found = self.front.done("GET", "/v1/notifications", params={"orderBy": "create_time desc"})
        return str(found["notifications"][0]["name"])

    def product(self) -> str:
        return self.made("products", {"code": f"P-{next(self.numbers)}", "displayName": "产品", "unitPrice": TEN})

    def price_list(self) -> str:
        return self.made("priceLists", {"displayName": f"价目 {next(self.numbers)}", "currency": "CNY"})

    def rate(self) -> dict[str, Any]:
        number = next(self.numbers)
        day = f"{2030 + number // 336}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"
        return {"fromCurrency": "USD", "toCurrency": "CNY", "date": day, "rate": "7.1"}

    def exchange_rate(self) -> str:
        return self.made("exchangeRates", self.rate())

    def lines(self) -> list[dict[str, Any]]:
        return [{"description": "实施", "quantity": "1", "unitPrice": TEN}]

    def quote(self) -> str:
        return self.made("quotes", {"opportunity": self.deal(), "lines": self.lines()})

    def agreed_quote(self) -> str:
        return self.did(self.quote(), "submit")

    def link(self) -> str:
        return str(self.post(f"{self.agreed_quote()}:link", {})["url"]).rpartition("/")[2]

    def approval(self, token: str | None = "") -> str:
        """Asked for by the other administrator; None: by this one."""
        asked = {"record": self.deal()}
        return self.made("approvals", asked, self.second if token == "" else token)

    def contract(self, **more: Any) -> str:
        given = {"title": "采购", "customer": self.known_customer(), "amount": TEN}
        return self.made("contracts", given | more)

    def agreed_contract(self, **more: Any) -> str:
        return self.did(self.contract(**more), "submit")

    def signed(self, **more: Any) -> str:
        return self.did(self.agreed_contract(**more), "sign")

    def contract_change(self) -> str:
        return str(self.post(f"{self.signed()}:change", {"contract": {"terms": "延"}, "reason": "客户"})["name"])

    def instalment(self, contract: str = "") -> str:
        wanted = {"filter": f'contract = "{contract or self.contract()}"'}
        return str(self.front.done("GET", "/v1/instalments", params=wanted)["instalments"][0]["name"])

    def invoice(self) -> str:
        return self.made("invoices", {"contract": self.signed(), "amount": TEN})

    def payment(self) -> str:
        return self.made("payments", {"contract": self.signed(), "amount": TEN})

    def hand_over(self) -> str:
        """What somebody had who has left."""
        login = f"leaver-{next(self.numbers)}"
        who = self.made("people", {"displayName": "甲", "login": login, "role": "sales"})
        self.front.heard()
        self.customer(owner=who)
        self.changed(who, state="LEFT")
        self.front.heard()
        wanted = {"filter": f'person = "{who}"'}
        return str(self.front.done("GET", "/v1/handOvers", params=wanted)["handOvers"][0]["name"])

    def brought(self, *states: str, **more: Any) -> str:
        """An import that has come to one of these states."""
        given = {"kind": "LEADS", "content": sheet(next(self.numbers)), "fileName": "a.csv"}
        name = self.made("imports", {**given, **more})
        until = time.monotonic() + 20
        while (found := self.front.done("GET", f"/v1/{name}"))["state"] not in states:
            assert time.monotonic() < until, found
            time.sleep(0.05)
        return name

    def awaiting(self) -> str:
        """A deal that a manager has to confirm: asked for by somebody who may not."""
        way = self.front.done("GET", "/v1/blueprint")["content"]["pipelines"][_PIPELINE]
        self.post("blueprint:apply", {"content": {"pipelines": {"confirmed": {**way, "confirmBy": "manager"}}}})
        given = {"displayName": "乙", "login": f"seller-{next(self.numbers)}", "role": "sales", "password": SPARE}
        self.post("people", given)
        self.front.heard()
        token = self.front.sign_in(given["login"], SPARE)
        return self.made("opportunities", {"title": "采购", "pipeline": "pipelines/confirmed"}, token)


MAKERS: dict[str, Callable[[Deals], str]] = {
    "customer": Deals.fresh_customer,
    "contact": Deals.contact,
    "handOver": Deals.hand_over,
    "opportunity": Deals.deal,
    "followUp": Deals.follow_up,
    "task": Deals.task,
    "changeRequest": Deals.change_request,
    "interaction": Deals.interaction,
    "attachment": Deals.attachment,
    "checkIn": lambda d: d.made("checkIns", d.visit()),
    "template": Deals.template,
    "notification": Deals.notification,
    "product": Deals.product,
    "priceList": Deals.price_list,
    "exchangeRate": Deals.exchange_rate,
    "quote": Deals.quote,
    "approval": Deals.approval,
    "contract": Deals.contract,
    "contractChange": Deals.contract_change,
    "instalment": Deals.instalment,
    "invoice": Deals.invoice,
    "payment": Deals.payment,
    "import": lambda d: d.brought("PREVIEWED", validateOnly=True),
}
"""By path parameter: one more of that kind. Names that exist are made of these, two of each."""
