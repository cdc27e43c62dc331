"""Captures under fire: callers that never give up, and remember every acknowledgement.

Single captures go through the gRPC front door, batches of 20 through REST. Now and then somebody acts by hand: a lead
is moved or deleted right after its capture (so that a decision finds its lead owned already, or gone), brought back,
contacted, released, claimed from the pool; people go and come back, a whole region at a time too. All over loopback,
bounded by `stop`.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc

from dealwright.leads.v1 import leads_pb2, leads_pb2_grpc

REGIONS = ("华东", "华南", "华北", "西南", "西北")
# A connection cut in the middle of an answer is an HTTPException and no OSError.
AWAY = (OSError, http.client.HTTPException)
# What may keep a person from doing something while others act on the same lead.
_LOST = (
    "NOT_OWNED",
    "NOT_POOLED",
    "COOL_DOWN",
    "FULL_OPEN",
    "AWAY",
    "OFFLINE",
    "PICK_LIMIT",
    "STALE",
    "CLOSED",
    "DELETED",
)
SINGLES, BATCHES, ROWS = 26, 2, 20
# From so many on they come more slowly; once somebody was killed, from fewer on, and still to whoever comes back.
MANY, ENOUGH = 1000, 300
# Captured after a region went home for good: a fifth of them is that region's, and must wait.
_LAST = 100


@dataclass
class Acknowledged:
    """What Dealwright said it has: phone to lead. What it said it did: how often, by (act or new owner, lead).
    `acts`: how often each act was answered."""

    leads: dict[str, str] = field(default_factory=dict)
    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def call(url: str, path: str, body: Any, token: str = "", method: str = "POST", timeout: float = 10.0) -> Any:
    """One REST call. Raises HTTPError or OSError."""
    request = urllib.request.Request(url + path, json.dumps(body).encode() if body is not None else None, method=method)
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.load(answer)


def insist(url: str, path: str, body: Any, token: str = "", seconds: float = 60.0, method: str = "POST") -> Any:
    """The same until it works."""
    end = time.monotonic() + seconds
    while True:
        try:
            return call(url, path, body, token, method)
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                raise AssertionError(f"{path}: {error.code} {error.read().decode(errors='replace')}") from error
            problem: Exception = error
        except AWAY as error:
            problem = error
        if time.monotonic() > end:
            raise TimeoutError(f"{path}: {problem}")
        time.sleep(0.1)


def _capture(stub: Any, request: leads_pb2.CaptureLeadRequest, metadata: Any) -> str:
    return str(stub.CaptureLead(request, metadata=metadata, timeout=5).lead.name)


@dataclass(frozen=True)
class Staff:
    """The people of the drill by region, and the tokens of those who sign in to claim leads."""

    regions: dict[str, list[str]]
    claimers: list[str]

    @property
    def everybody(self) -> list[str]:
        return [person for people in self.regions.values() for person in people]


class Load:
    """Runs callers until `stop`. `acknowledged` and `in_flight` may be read at any time."""

    def __init__(self, url: str, front_door: str, token: str, staff: Staff, seed: str) -> None:
        self.acknowledged = Acknowledged()
        self._url, self._front_door, self._token, self._staff = url, front_door, token, staff
        self._captured: deque[str] = deque(maxlen=200)
        self._released: deque[str] = deque(maxlen=100)
        self._seed = seed
        self._stopping, self._staying, self._easy, self._sparing = (threading.Event() for _ in range(4))
        self._lock = threading.Lock()
        self._number = 0
        self._flying = 0
        self._threads = [
            *(threading.Thread(target=self._singles, args=(i,), daemon=True) for i in range(SINGLES)),
            *(threading.Thread(target=self._batches, args=(i,), daemon=True) for i in range(BATCHES)),
        ]
        self._presence = threading.Thread(target=self._come_and_go, daemon=True)

    @property
    def in_flight(self) -> int:
        return self._flying

    def offset(self, part: int) -> None:
        """Numbers of a later round: its leads are new ones."""
        self._number = part * 100_000

    def start(self) -> None:
        for thread in (*self._threads, self._presence):
            thread.start()

    def spare(self) -> None:
        """Nobody more is killed while calls are in flight: fewer are enough."""
        self._sparing.set()

    def ease(self) -> None:
        """Leads enough came: others have more to do."""
        self._easy.set()

    def stop(self) -> None:
        """A region goes home and stays away while leads still come, so that somebody waits when the books are checked.
        Then every caller finishes what it has begun: an unanswered call would leave us not knowing."""
        self._easy.clear()
        self._staying.set()
        self._presence.join()
        for person in random.Random(f"{self._seed} last").choice(list(self._staff.regions.values())):
            insist(self._url, f"/v1/{person}:setPresence", {"presence": "OFFLINE"}, self._token)
        enough, end = len(self.acknowledged.leads) + _LAST, time.monotonic() + 60
        while len(self.acknowledged.leads) < enough:
            if time.monotonic() > end:
                self.acknowledged.wrong.append(f"{_LAST} more leads were not captured within 60 s")
                break
            time.sleep(0.02)  # the callers are threads of this process: let them run
        self._stopping.set()
        for thread in self._threads:
            thread.join(90)
            if thread.is_alive():
                self.acknowledged.wrong.append("a caller was not answered within 90 s")

    def _pause(self) -> None:
        """Enough is enough: callers go on, so that calls are in flight, but slowly."""
        if self._easy.is_set():
            self._stopping.wait(2)
        elif self._sparing.is_set() and len(self.acknowledged.leads) > ENOUGH:
            self._stopping.wait(1.0)
        elif len(self.acknowledged.leads) > MANY:
            self._stopping.wait(0.3)

    def _next(self) -> int:
        with self._lock:
            self._number += 1
            return self._number

    def _lead(self, rng: random.Random, number: int) -> dict[str, Any]:
        # Every tenth comes a second time under another request: one lead all the same.
        phone = f"+8613{number - (number % 10 == 7):09d}"
        text = rng.choice(("", "想了解产品", "急，马上要", "请联系"))
        return {
            "fullName": f"客户{number}",
            "phone": phone,
            "region": rng.choice(REGIONS),
            "channel": rng.choice(("WEB_FORM", "DOUYIN", "TRADE_SHOW")),
            "text": text,
        }

    def _acknowledge(self, phone: str, lead: str) -> None:
        with self._lock:
            known = self.acknowledged.leads.setdefault(phone, lead)
        if known != lead:
            self.acknowledged.wrong.append(f"{phone} was acknowledged as {known} and as {lead}")

    def _singles(self, index: int) -> None:
        rng = random.Random(f"{self._seed} single {index}")
        metadata = (("authorization", f"Bearer {self._token}"),)
        options = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
        with grpc.insecure_channel(
            self._front_door, options=[*options, ("grpc.use_local_subchannel_pool", 1)]
        ) as channel:
            stub = leads_pb2_grpc.LeadServiceStub(channel)
            while not self._stopping.is_set():
                self._pause()
                number = self._next()
                lead = self._lead(rng, number)
                request = leads_pb2.CaptureLeadRequest(
                    request_id=f"{self._seed}-{number}",
                    lead=leads_pb2.Lead(
                        full_name=lead["fullName"],
                        phone=lead["phone"],
                        region=lead["region"],
                        channel=leads_pb2.Channel.Value(lead["channel"]),
                        text=lead["text"],
                    ),
                )
                name = self._until_answered(partial(_capture, stub, request, metadata))
                self._acknowledge(lead["phone"], name)
                self._act_now_and_then(rng, name)
                self._throw_away_now_and_then(rng, number, name)

    def _until_answered(self, ask: Any) -> str:
        with self._lock:
            self._flying += 1
        try:
            while True:
                try:
                    answer: str = ask()
                    return answer
                except grpc.RpcError as error:
                    if error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED):
                        self.acknowledged.wrong.append(f"refused: {error.details()}")
                        return ""
                    time.sleep(0.05)
        finally:
            with self._lock:
                self._flying -= 1

    def _act_now_and_then(self, rng: random.Random, lead: str) -> None:
        """On a lead just captured, or on one from a while ago. It may well lose against the rules or a colleague, and
        either way there is one owner."""
        with self._lock:
            self._captured.append(lead)
            earlier = rng.choice(self._captured)
        chance = rng.random()
        if chance < 0.05:
            self._act("reassign", lead, {"owner": rng.choice(self._staff.everybody), "reason": "drill"})
        elif chance < 0.10:
            self._act("contact", earlier, {"note": "drill"})
        elif chance < 0.15:
            if self._act("release", earlier, {"reason": "drill"}):
                self._released.append(earlier)
        elif chance < 0.22:
            with self._lock:
                free = self._released.popleft() if self._released else ""
            if free:
                self._act("claim", free, {}, rng.choice(self._staff.claimers))

    def _throw_away_now_and_then(self, rng: random.Random, number: int, lead: str) -> None:
        """A lead just captured, while the rules decide; half of them come back. None that is captured twice: whoever
        comes to a deleted lead is a new one."""
        if number % 10 in (1, 2) and rng.random() < 0.5 and self._act("delete", lead, {}) and number % 10 == 1:
            self._act("undelete", lead, {})

    def _act(self, act: str, name: str, body: dict[str, Any], token: str = "") -> bool:
        """Whether it was answered. Asked once: without an answer nobody knows whether it was done."""
        try:
            verb, path = ("DELETE", f"/v1/{name}") if act == "delete" else ("POST", f"/v1/{name}:{act}")
            call(self._url, path, body, token or self._token, verb, timeout=5)
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            if error.code < 500 and not any(reason in said for reason in _LOST):
                self.acknowledged.wrong.append(f"refused: {act} of {name}: {error.code} {said}")
            return False
        except AWAY:
            return False
        with self._lock:
            self.acknowledged.acts[act] += 1
            if "owner" in body:  # who had it already, has it: nothing need have happened
                self.acknowledged.done[body["owner"], name] = 1
            elif name.startswith("leads/"):
                self.acknowledged.done[act, name] += 1
        return True

    def _come_and_go(self) -> None:
        """One region after another goes home as a whole, so that its leads wait; single people come and go."""
        rng = random.Random(f"{self._seed} presence")
        for person in self._staff.everybody:
            self._is(person, "ONLINE")
        while not self._staying.is_set():
            region = rng.choice(list(self._staff.regions.values()))
            for presence, at_least in ((rng.choice(("AWAY", "OFFLINE")), 0.6), ("ONLINE", 0.1)):
                for person in region:
                    self._is(person, presence)
                self._is(rng.choice(self._staff.everybody), rng.choice(("AWAY", "ONLINE")))
                if self._staying.wait(at_least + rng.uniform(0.0, 0.4)):
                    return

    def _is(self, person: str, presence: str) -> None:
        if not self._staying.is_set():
            self._act("setPresence", person, {"presence": presence})

    def _batches(self, index: int) -> None:
        rng = random.Random(f"{self._seed} batch {index}")
        while not self._stopping.is_set():
            self._pause()
            numbers = [self._next() for _ in range(ROWS)]
            rows = [{"requestId": f"{self._seed}-{n}", "lead": self._lead(rng, n)} for n in numbers]
            with self._lock:
                self._flying += 1
            try:
                left = rows
                while left:
                    left = self._send(rng, left)
                    if left:
                        time.sleep(0.1)
            finally:
                with self._lock:
                    self._flying -= 1
            time.sleep(0.05)

    def _send(self, rng: random.Random, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Returns the rows to send again."""
        try:
            answer = call(self._url, "/v1/leads:batchCapture", {"requests": rows}, self._token)
        except AWAY:
            return rows
        again = []
        for row, result in zip(rows, answer["results"], strict=True):
            if "error" in result:
                if result["error"].get("status", 500) < 500:
                    self.acknowledged.wrong.append(f"refused: {result['error']}")
                else:
                    again.append(row)
            else:
                self._acknowledge(row["lead"]["phone"], result["lead"]["name"])
                if rng.random() < 0.1:
                    self._act_now_and_then(rng, result["lead"]["name"])
        return again
