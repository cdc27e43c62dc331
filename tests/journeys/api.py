"""Dealwright as its users' programs see it: HTTP and JSON, signed in as one person."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests

SECONDS = 15.0


class Refused(Exception):
    """The problem that the server answered with; `status`, `reason` and `fields` (path to message) of it."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem}")
        self.status = status
        self.reason = str(problem.get("reason", ""))
        self.fields = {f["field"]: f["message"] for f in problem.get("fields", [])}


class Api:
    """One person's way in. Signs in again when the session has ended (the tests move the clock by weeks)."""

    def __init__(self, url: str, login: str = "", password: str = "", tongue: str = "zh-CN") -> None:
        self.url = url
        self._login, self._password = login, password
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Accept-Language"] = tongue
        self.me: dict[str, Any] = {}
        if login:
            self._sign_in()

    def _sign_in(self) -> None:
        self._session.headers.pop("Authorization", None)
        signed = self.post("/v1/sessions", {"login": self._login, "password": self._password})
        self.me = signed["person"]
        self._session.headers["Authorization"] = f"Bearer {signed['token']}"

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, query, None)

    def post(self, path: str, body: Any = None) -> Any:
        return self._call("POST", path, {}, body or {})

    def upload(self, path: str, fields: dict[str, str], files: dict[str, Any]) -> Any:
        """`files`: part to (file name, bytes, content type)."""
        return _read(self.raw("POST", path, data=fields, files=files))

    def raw(self, verb: str, path: str, **more: Any) -> requests.Response:
        """The answer as it is: for files, and for what is no JSON."""
        answer = self._session.request(verb, self.url + path, timeout=60, **more)
        if answer.status_code == 401 and self._login and path != "/v1/sessions":
            self._sign_in()
            answer = self._session.request(verb, self.url + path, timeout=60, **more)
        return answer

    def patch(self, path: str, body: Any) -> Any:
        """Changes the fields that the body names, and no others."""
        mask = ",".join(key for key in body if key != "etag")
        return self._call("PATCH", path, {"updateMask": mask}, body)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path, {}, None)

    def _call(self, verb: str, path: str, query: dict[str, Any], body: Any) -> Any:
        return _read(self.raw(verb, path, params=query, json=body))

    def feed(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = SECONDS) -> dict[str, Any]:
        """The first event of the live feed, since there is one, for which `wanted` holds."""
        until = time.monotonic() + seconds
        for event in self._events(until):
            if wanted(event):
                return event
        raise AssertionError("no such event on the feed")

    def _events(self, until: float) -> Iterator[dict[str, Any]]:
        self.get("/v1/sessions/current")  # a session that has ended is renewed here
        with self._session.get(
            self.url + "/v1/feed", headers={"Last-Event-ID": "0-0"}, stream=True, timeout=(10, until - time.monotonic())
        ) as stream:
            assert stream.status_code == 200, stream.text
            try:
                for line in stream.iter_lines():
                    if line.startswith(b'data: {"type"'):
                        yield json.loads(line[6:])
                    if time.monotonic() > until:
                        return
            except requests.RequestException:  # nothing came within the time
                return


def _read(answer: requests.Response) -> Any:
    """Raises Refused."""
    if answer.status_code >= 400:
        raise Refused(answer.status_code, answer.json())
    return answer.json() if answer.content else {}


def until(found: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """What `found` answers, as soon as it is something."""
    end, pauses = time.monotonic() + seconds, growing()
    while True:
        answer = found()
        if answer:
            return answer
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(next(pauses))


def growing() -> Iterator[float]:
    """Pauses between two looks, in seconds: what does not come at once is not hurried by looking, which takes the
    processor from whoever works on it."""
    pause = 0.03
    while True:
        yield pause
        pause = min(1.3 * pause, 0.15)
