"""Deals under fire: desks that take customers from the first visit to the money in the bank, and never give up.

Each desk is one salesperson; everything goes through REST. A call is repeated with its requestId until it is answered
(a payment even with another one: the bank's reference alone has to tell), and what was answered is remembered. Now and
then two people decide about the same step at once.
"""

from __future__ import annotations

import base64
import itertools
import json
import random
import threading
import time
import urllib.error
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote_plus

from tests.faults.load import AWAY, call, insist

DESKS = 3
_PATIENCE = 40.0
# A deal more is begun only while fewer than so many were done in a round.
_ENOUGH = 12
# Over 15 % off needs the finance director; the dearest needs risk control, and makes a VIP.
_PRICES, _DISCOUNTS = (90_000, 240_000, 700_000), ("0", "10", "20")
_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"
_PAPER = base64.b64encode(_PDF).decode()
_DECIDED = ("ALREADY_DECIDED", "NOT_PENDING", "PERMISSION_DENIED", "DENIED", "ABORTED", "STALE")
UNITS = 10_000


@dataclass
class Answered:
    """What Dealwright said that it did. Money in ten-thousandths."""

    # Number to record: opportunities, quotes, contracts, invoices.
    numbers: dict[str, str] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    # Follow-ups and attachments to the record that they are on.
    told: dict[str, str] = field(default_factory=dict)
    # (opportunity, stage) as often as it was moved there.
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    # (opportunity, person): whether it is shared at the end.
    shares: dict[tuple[str, str], bool] = field(default_factory=dict)
    # (opportunity, person, part)
    parts: set[tuple[str, str, str]] = field(default_factory=set)
    # Approval to what it is about, and what each said to it.
    approvals: dict[str, str] = field(default_factory=dict)
    verdicts: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    signed: set[str] = field(default_factory=set)
    # The bank's reference to (payment, contract, amount).
    payments: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    # Those that were asked for while another was, and how many deals were paid.
    races: int = 0
    paid: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class House:
    """Who has a part in the deals: salespeople by name with their tokens, who decides, finance, and what is sold."""

    sales: dict[str, str]
    deciders: dict[str, str]
    finance: str
    product: str


def money(amount: int) -> dict[str, str]:
    return {"currencyCode": "CNY", "units": str(amount)}


def staffed(url: str, admin: str, password: str) -> House:
    """Two people at every step that one of them can decide. Salespeople are away: they take no leads."""
    team = insist(url, "/v1/teams", {"displayName": "大客户部"}, admin)["name"]

    def hire(login: str, role: str, **more: Any) -> tuple[str, str]:
        person = {"displayName": login, "login": login, "password": password, "role": role, **more}
        name = insist(url, "/v1/people", person, admin)["name"]
        return name, insist(url, "/v1/sessions", {"login": login, "password": password})["token"]

    directors, generals = (
        [hire(f"{post}-{n}", "manager", team=team) for n in range(2)] for post in ("director", "general")
    )
    finance = [hire(f"finance-{n}", "finance") for n in range(2)]
    bosses = {"director": directors, "finance-director": finance, "general-manager": generals, "risk-control": generals}
    sales = dict(hire(f"desk-{n}", "sales", team=team, manager=directors[0][0]) for n in range(DESKS))
    for person in sales:
        insist(url, f"/v1/{person}:setPresence", {"presence": "OFFLINE"}, admin)
    named = {group: [name for name, _ in two] for group, two in bosses.items()}
    insist(url, "/v1/blueprint:apply", {"content": {"approverGroups": named}}, admin)
    product = insist(url, "/v1/products", {"code": "WMS", "displayName": "仓储", "unitPrice": money(1000)}, admin)
    return House(sales, dict([*directors, *generals, *finance]), finance[0][1], product["name"])


class Desks:
    """Runs the desks until `stop`. `answered` may be read at any time."""

    def __init__(self, url: str, house: House, admin: str, seed: str, answered: Answered) -> None:
        self.answered, self.done = answered, 0
        self._stopping, self.lock = threading.Event(), threading.Lock()
        desks = [_Desk(self, url, house, admin, person, f"{seed} {person}") for person in house.sales]
        self._threads = [threading.Thread(target=partial(self._work, desk), daemon=True) for desk in desks]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Every desk finishes what it is about: what waits for an answer gets one."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(150)
            if thread.is_alive():
                self.answered.wrong.append("a desk was not done within 150 s")

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def _work(self, desk: _Desk) -> None:
        while not self._stopping.is_set():
            if self.done >= _ENOUGH:
                self._stopping.wait(0.2)
                continue
            try:
                desk.deal()
            except _Over as over:
                if over.args:
                    self.answered.wrong.append(f"refused: {over}")
            with self.lock:
                self.done += 1


def _with_id(path: str, body: Any, id: str, verb: str) -> tuple[str, Any]:
    """Where the requestId goes: into the body of a custom method, else into the query."""
    if verb == "GET":
        return f"/v1/{path}", body
    if ":" in path or path == "attachments":
        return f"/v1/{path}", {**body, "requestId": id}
    return f"/v1/{path}{'&' if '?' in path else '?'}requestId={quote_plus(id)}", body


class _Over(Exception):
    """The deal comes to nothing; with a text, where it should have come to something."""


class _Desk:
    """One salesperson, and the deal at hand."""

    def __init__(self, desks: Desks, url: str, house: House, admin: str, person: str, seed: str) -> None:
        self._desks, self._url, self._house, self._admin = desks, url, house, admin
        self._me, self._mine, self._seed = person, house.sales[person], seed
        self._rng, self._calls, self._deals = random.Random(seed), itertools.count(), itertools.count()
        self._answers = desks.answered

    def _ask(
        self, path: str, body: Any, token: str = "", verb: str = "POST", may: tuple[str, ...] = (), anew: bool = False
    ) -> Any:
        """Asks until there is an answer; None for a refusal that `may` be. Others are asked again for a while too:
        what was made a moment ago is not known everywhere yet. `anew`: every try has a requestId of its own."""
        with self._desks.lock:
            id = f"{self._seed} {next(self._calls)}"
        end, tries = time.monotonic() + _PATIENCE, 0
        while True:
            tries += 1
            request = f"{id}/{tries}" if anew else id
            try:
                return call(self._url, *_with_id(path, body, request, verb), token or self._mine, verb)
            except urllib.error.HTTPError as error:
                said = error.read().decode(errors="replace")
                if error.code < 500 and error.code != 429:
                    if any(f'"{reason}"' in said for reason in may):
                        return None
                    if time.monotonic() > end:
                        raise _Over(f"{verb} {path} {json.dumps(body, ensure_ascii=False)[:200]}: {said}") from error
            except AWAY:
                pass
            time.sleep(0.1)

    def _numbered(self, record: dict[str, Any]) -> dict[str, Any]:
        with self._desks.lock:
            known = self._answers.numbers.setdefault(record["number"], record["name"])
        if known != record["name"]:
            self._answers.wrong.append(f"NUMBER: {record['number']} was answered for {known} and {record['name']}")
        return record

    def _go_on(self) -> None:
        """What is asked for is answered; what comes after it need not be begun."""
        if self._desks.stopping:
            raise _Over

    def deal(self) -> None:
        number = next(self._deals)
        name = f"{self._seed} {number}"
        customer = self._ask("customers", {"displayName": f"{name} 公司"})["name"]
        self._answers.customers[customer] = f"{name} 公司"
        price = self._rng.choice(_PRICES)
        wanted = {"title": name, "customer": customer, "amount": money(price), "products": [self._house.product]}
        deal = self._numbered(self._ask("opportunities", wanted))["name"]
        for step in (self._with_others, self._to_negotiation, self._unshared):
            step(deal)
            self._go_on()
        contract = self._agreed(deal, price)
        self._go_on()
        self._paid(contract)
        self._ask(f"{deal}:win", {})
        self._answers.moves[deal, "won"] += 1
        self._answers.paid += 1

    def _with_others(self, deal: str) -> None:
        """A colleague sees it, and others do a part."""
        others = [one for one in self._house.sales if one != self._me]
        for person in self._rng.sample(others, self._rng.randint(1, len(others))):
            self._ask(f"{deal}:share", {"person": person, "days": self._rng.randint(1, 9)})
            self._answers.shares[deal, person] = True
        person, part = self._rng.choice(list(self._house.deciders)), self._rng.choice(("报价", "技术", "法务"))
        for _ in range(self._rng.randint(1, 2)):  # the same part twice is one task
            self._ask(f"{deal}:requestCollaboration", {"person": person, "part": part})
        self._answers.parts.add((deal, person, part))

    def _unshared(self, deal: str) -> None:
        for (of, person), shared in list(self._answers.shares.items()):
            if of == deal and shared and self._rng.random() < 0.7:
                self._ask(f"{deal}:unshare", {"person": person})
                self._answers.shares[deal, person] = False
                if self._rng.random() < 0.3:
                    self._ask(f"{deal}:share", {"person": person, "days": 2})
                    self._answers.shares[deal, person] = True

    def _to_negotiation(self, deal: str) -> None:
        self._move(deal, "need-clear")
        paper = {"record": deal, "kind": "quote", "content": _PAPER, "fileName": "quote.pdf"}
        self._answers.told[self._ask("attachments", paper)["name"]] = deal
        self._move(deal, "quote")
        for summary in ("电话", "上门"):
            said = {"record": deal, "method": "CALL", "outcome": "PROGRESS", "summary": summary}
            self._answers.told[self._ask("followUps", said)["name"]] = deal
        self._move(deal, "negotiation")

    def _move(self, deal: str, stage: str) -> None:
        self._ask(f"{deal}?updateMask=stage", {"stage": stage}, verb="PATCH")
        self._answers.moves[deal, stage] += 1

    def _agreed(self, deal: str, price: int) -> dict[str, Any]:
        line = {"product": self._house.product, "quantity": "1", "unitPrice": money(price)}
        quoted = {"opportunity": deal, "lines": [line], "discountPercent": self._rng.choice(_DISCOUNTS)}
        quote = self._numbered(self._ask("quotes", quoted))
        self._decided(self._ask(f"{quote['name']}:submit", {}))
        contract = self._numbered(self._ask(f"{quote['name']}:contract", {}))
        contract = self._ask(f"{contract['name']}:submit", {})
        self._decided(contract)
        self._ask(f"{contract['name']}:sign", {})
        self._answers.signed.add(contract["name"])
        return dict(contract)

    def _decided(self, record: dict[str, Any]) -> None:
        """Whoever's turn it is decides. Raises _Over for a no."""
        approval = record["approval"]
        self._answers.approvals[approval] = record["name"]
        while (now := self._ask(approval, None, self._admin, "GET"))["status"] == "PENDING":
            waiting = next(step for step in now["steps"] if step["outcome"] == "WAITING")
            seat = next(seat for seat in waiting["seats"] if "verdict" not in seat)
            asked = [one for one in seat["people"] if one in self._house.deciders]
            if not asked:
                raise _Over(f"{approval} waits for {seat}")
            self._rng.shuffle(asked)
            if len(asked) > 1 and self._rng.random() < 0.6:
                self._at_once(approval, asked[:2])
            else:
                self._decide(approval, asked[0], "APPROVE" if self._rng.random() < 0.95 else "RETURN")
        if now["status"] != "APPROVED":
            raise _Over

    def _at_once(self, approval: str, two: list[str]) -> None:
        with ThreadPoolExecutor(2) as both:
            jobs = [both.submit(self._decide, approval, one, "APPROVE") for one in two]
            counted = sum(job.result() for job in jobs)
        self._answers.races += 1
        if counted != 1:
            self._answers.wrong.append(f"DECIDED TWICE: {counted} of {two} were answered that they decided {approval}")

    def _decide(self, approval: str, person: str, verdict: str) -> bool:
        token = self._house.deciders[person]
        said = self._ask(f"{approval}:decide", {"verdict": verdict}, token, may=_DECIDED)
        if said is not None:
            with self._desks.lock:
                self._answers.verdicts.setdefault((approval, person), []).append(verdict)
        return said is not None

    def _paid(self, contract: dict[str, Any]) -> None:
        """Invoices and payments, the same transfer told twice now and then, something paid back."""
        name, total = contract["name"], int(contract["amount"]["units"])
        part = total // 3
        for amount in (part, total - part):
            self._numbered(self._ask("invoices", {"contract": name, "amount": money(amount)}, self._house.finance))
        more = {"contract": name, "amount": money(1)}
        if self._ask("invoices", more, self._house.finance, may=("OVER_INVOICED", "EXCEEDS", "FAILED_PRECONDITION")):
            self._answers.wrong.append(f"INVOICES: {name} took more than was signed")
        transfers = [part, total - part, *([-part // 2, part // 2] if self._rng.random() < 0.4 else [])]
        for place, amount in enumerate(transfers):
            reference = f"{name}-{place}"
            for _ in range(self._rng.choice((1, 1, 2))):
                body = {"contract": name, "amount": money(amount), "reference": reference}
                paid = self._ask("payments", body, self._house.finance, anew=True)["name"]
                known = self._answers.payments.setdefault(reference, (paid, name, amount * UNITS))[0]
                if known != paid:
                    self._answers.wrong.append(f"PAID TWICE: {reference} was answered as {known} and as {paid}")
