"""The capture path under Locust, through the gateway's REST and its gRPC front door, with a stepped load.

    make bench LOCUST=1                                     its own cluster, everything reported
    DEALWRIGHT_TOKEN=... locust -f loadtests/locustfile.py --host http://127.0.0.1:8080      against a running one

Settings from the environment: DEALWRIGHT_TOKEN (of a session), DEALWRIGHT_FRONT_DOOR (host:port), LOAD_STEPS
("8,16,32,64": users of each step), LOAD_STEP_SECONDS, LOAD_FIRST (number of the first contact), LOAD_REPORT (a file
for the samples of each step, JSON).
"""

from __future__ import annotations

import itertools
import json
import os
import time
from pathlib import Path
from typing import Any

import grpc
import grpc.experimental.gevent as grpc_gevent
from locust import FastHttpUser, LoadTestShape, User, events, task

from loadtests import contacts, rest
from loadtests.generator import SINGLE

grpc_gevent.init_gevent()

TOKEN = os.environ.get("DEALWRIGHT_TOKEN", "")
FRONT_DOOR = os.environ.get("DEALWRIGHT_FRONT_DOOR", "127.0.0.1:50051")
STEPS = [int(users) for users in os.environ.get("LOAD_STEPS", "8,16,32,64").split(",")]
STEP_SECONDS = float(os.environ.get("LOAD_STEP_SECONDS", "15"))
_numbers = itertools.count(int(os.environ.get("LOAD_FIRST", "70000000")))
_DEADLINE = 30.0


class RestUser(FastHttpUser):
    """Posts captures, one after another; one of twenty posts is a batch of fifty."""

    weight = 1
    network_timeout = _DEADLINE
    connection_timeout = _DEADLINE

    def on_start(self) -> None:
        self.headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}

    @task(19)
    def capture(self) -> None:
        self._post("/v1/leads:capture", rest.capture(next(_numbers)), 1)

    @task(1)
    def batch(self) -> None:
        self._post("/v1/leads:batchCapture", {"requests": [rest.capture(next(_numbers)) for _ in range(50)]}, 50)

    def _post(self, path: str, body: Any, leads: int) -> None:
        data = json.dumps(body, ensure_ascii=False)
        with self.client.post(path, data=data, headers=self.headers, catch_response=True) as answer:
            created, wrong = rest.outcomes(answer.content or b"{}")
            if created != leads:
                answer.failure(wrong[0] if wrong else f"status {answer.status_code}")


class FrontDoorUser(User):
    """Calls CaptureLead at the gRPC front door, one call after another."""

    weight = 3

    def on_start(self) -> None:
        self._channel = grpc.insecure_channel(FRONT_DOOR)
        self._call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(SINGLE)

    def on_stop(self) -> None:
        self._channel.close()

    @task
    def capture(self) -> None:
        body = contacts.single_body(next(_numbers))
        began, problem, answer = time.perf_counter(), None, b""
        try:
            answer = self._call(body, metadata=(("authorization", f"Bearer {TOKEN}"),), timeout=_DEADLINE)
        except grpc.RpcError as error:
            problem = error
        self.environment.events.request.fire(
            request_type="gRPC",
            name="CaptureLead",
            response_time=(time.perf_counter() - began) * 1000,
            response_length=len(answer),
            exception=problem,
        )


class Stepped(LoadTestShape):
    """Each step's users for STEP_SECONDS, then the end."""

    def tick(self) -> tuple[int, float] | None:
        step = int(self.get_run_time() / STEP_SECONDS)  # type: ignore[no-untyped-call]
        return (STEPS[step], 100.0) if step < len(STEPS) else None


_samples: list[tuple[float, str, float, bool]] = []


@events.request.add_listener  # type: ignore[untyped-decorator]
def _note(request_type: str, name: str, response_time: float, exception: Any = None, **_: Any) -> None:
    _samples.append((time.time(), f"{request_type} {name}", response_time, exception is None))


@events.test_stop.add_listener  # type: ignore[untyped-decorator]
def _report(environment: Any, **_: Any) -> None:
    target = os.environ.get("LOAD_REPORT")
    if target:
        began = environment.shape_class.start_time + time.time() - time.perf_counter()
        Path(target).write_text(json.dumps({"began": began, "samples": _samples}))
