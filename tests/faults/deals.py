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

from tests.faults.house import House, money
from tests.faults.load import AWAY, call

_PATIENCE = 40.0
# A deal more is begun only while fewer than so many were done in a round.
_ENOUGH = 12
# Over 15 % off needs the finance director; the dearest needs risk control, and makes a VIP.
_PRICES, _DISCOUNTS = (90_000, 700_000, 900_000), ("0", "10", "20")
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


class Desks:
    """Runs the desks until `stop`. `answered` may be read at any time."""

    def __init__(self, url: str, house: House, admin: str, seed: str, answered: Answered) -> None:
        self.answered, self.done = answered, 0
        self._stopping, self.lock = threading.Event(), threading.Lock()
        desks = [
            _Desk(self, url, house, admin, person, place, f"{seed} desk {place}")
            for place, person in enumerate(house.sales)
        ]
        self._threads = [threading.Thread(target=partial(self._work, desk), daemon=True) for desk in desks]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait(self, paid: int, seconds: float) -> None:
        """Until so many deals are paid, or something is wrong, or the time is over."""
        end = time.monotonic() + seconds
        while self.answered.paid < paid and not self.answered.wrong and time.monotonic() < end:
            time.sleep(0.05)

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
            except Exception as problem:  # or nobody would hear of it
                self.answered.wrong.append(f"A desk stumbled: {problem!r}")
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

    def __init__(self, desks: Desks, url: str, house: House, admin: str, person: str, place: int, seed: str) -> None:
        self._desks, self._url, self._house, self._admin = desks, url, house, admin
        self._me, self._mine, self._seed = person, house.sales[person], seed
        self._rng, self._calls, self._deals = random.Random(seed), itertools.count(), itertools.count(place)
        self._turn = 0
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
        self._turn = next(self._deals)
        name = f"{self._seed} {self._turn}"
        customer = self._ask("customers", {"displayName": f"{name} 公司"})["name"]
        self._answers.customers[customer] = f"{name} 公司"
        price = _PRICES[self._turn % len(_PRICES)]
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
        """Ended for the first at least, and given again to another now and then."""
        for place, (of, person) in enumerate(one for one in list(self._answers.shares) if one[0] == deal):
            if not place or self._rng.random() < 0.7:
                self._ask(f"{of}:unshare", {"person": person})
                self._answers.shares[deal, person] = False
                if place and self._rng.random() < 0.5:
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
        for place in itertools.count():
            now = self._ask(approval, None, self._admin, "GET")
            if now["status"] != "PENDING":
                break
            waiting = next(step for step in now["steps"] if step["outcome"] == "WAITING")
            seat = next(seat for seat in waiting["seats"] if "verdict" not in seat)
            asked = [one for one in seat["people"] if one in self._house.deciders]
            if not asked:
                raise _Over(f"{approval} waits for {seat}")
            self._rng.shuffle(asked)
            if len(asked) > 1 and (not place or self._rng.random() < 0.5):
                self._at_once(approval, asked[:2])
            else:
                no = self._turn % 5 == 4 and self._rng.random() < 0.3
                self._decide(approval, asked[0], self._rng.choice(("RETURN", "REJECT")) if no else "APPROVE")
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
        """Invoices, what comes, and something paid back."""
        name, total = contract["name"], int(contract["amount"]["units"])
        part = total // 3
        for amount in (part, total - part):
            self._numbered(self._ask("invoices", {"contract": name, "amount": money(amount)}, self._house.finance))
        more = {"contract": name, "amount": money(1)}
        if self._ask("invoices", more, self._house.finance, may=("OVER_INVOICED", "EXCEEDS", "FAILED_PRECONDITION")):
            self._answers.wrong.append(f"INVOICES: {name} took more than was signed")
        transfers = [part, total - part, *([-part // 2, part // 2] if self._turn % 3 else [])]
        for place, amount in enumerate(transfers):
            self._pay(f"{name}-{place}", name, amount)

    def _pay(self, reference: str, contract: str, amount: int) -> None:
        """Once, or by two at once: the bank's reference makes it one payment."""
        body = {"contract": contract, "amount": money(amount), "reference": reference}
        asked = [body] * self._rng.choice((1, 1, 2))
        with ThreadPoolExecutor(2) as both:
            jobs = [both.submit(self._ask, "payments", one, self._house.finance, anew=True) for one in asked]
            names = {job.result()["name"] for job in jobs}
        self._answers.payments[reference] = (min(names), contract, amount * UNITS)
        if len(names) > 1:
            self._answers.wrong.append(f"PAID TWICE: {reference} was answered as {sorted(names)}")
