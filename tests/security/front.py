"""The embedded deployment as `make up` starts it, asked over HTTP, and what a refusal must look like."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from chassis.embedding import Embedding
from directory.usecases import settings as directory_settings
from embedded import starting
from embedded.starting import House
from tests.security.watching import Watch, differences

ADMIN_PASSWORD = "the admin's password"
TONGUES = ("zh-CN", "en")
# What the sealer of the audit log moves within a second by itself, and what reports sum of what was told before.
_BY_ITSELF = re.compile(r"\w+\.audit_(pending|blocks|head)\Z|reports\.(batches|cells|postings)\Z")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENVIRONMENT = {
    "PORT": "0",
    "GRPC_PORT": "0",
    "HOST": "127.0.0.1",
    "DEALWRIGHT_ADMIN_PASSWORD": ADMIN_PASSWORD,
    # Limits have tests of their own, in tests/gateway.
    "DEALWRIGHT_ADDRESS_RATE": "0",
    "DEALWRIGHT_SIGN_IN_RATE": "0",
    "DEALWRIGHT_FORM_RATE": "0",
    "DEALWRIGHT_SESSION_RATE": "0",
    "DEALWRIGHT_SIGN_IN_FAILURES": "1000000",
    "DEALWRIGHT_SIGN_IN_FAILURES_PER_ADDRESS": "1000000",
    "DEALWRIGHT_DRAIN_SECONDS": "0.5",
    # How it is used is told once a minute, whatever is asked meanwhile.
    "DEALWRIGHT_USAGE_SECONDS": "3600",
    "DEALWRIGHT_LOG_LEVEL": "WARNING",
}


class Front:
    """`front(verb, path, ...)` asks as the administrator, English unless told otherwise."""

    def __init__(self, house: House, folder: Path, databases: Mapping[str, str] | None = None) -> None:
        self.house = house
        self.url = house.gateway.url
        self.host, _, port = self.url.removeprefix("http://").partition(":")
        self.port = int(port)
        self.watch = Watch(folder, databases)
        self.token = self.sign_in("admin", ADMIN_PASSWORD)
        self.me = self("GET", "/v1/sessions/current").json()["person"]["name"]

    def sign_in(self, login: str, password: str) -> str:
        answer = self("POST", "/v1/sessions", token="", json={"login": login, "password": password})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def __call__(self, verb: str, path: str, token: str | None = None, **given: Any) -> requests.Response:
        headers = {"Accept-Language": "en", **given.pop("headers", {})}
        bearer = self.token if token is None else token
        if bearer:
            headers.setdefault("Authorization", f"Bearer {bearer}")
        with requests.Session() as session:
            session.trust_env = False
            return session.request(verb, self.url + path, headers=headers, timeout=30, **given)

    def done(self, verb: str, path: str, **given: Any) -> Any:
        answer = self(verb, path, **given)
        assert answer.status_code == 200, (verb, path, answer.status_code, answer.text)
        return answer.json()

    def rest(self) -> None:
        """Waits until nothing is under way, and reports have summed it and said so."""
        idle = self.house.embedding.bus.idle
        # First what is cheap to ask and comes last.
        _wait(lambda: self._summed() and idle() and self._summed() and idle())

    def heard(self) -> None:
        """Waits until every service has heard of what was done; reports may still have to sum it."""
        _wait(self.house.embedding.bus.idle)

    def _summed(self) -> bool:
        with self.house.embedding.runtimes["reports"].reading() as tx:
            return tx.execute(sa.text("SELECT 1 FROM batches LIMIT 1")).first() is None

    def counts(self) -> dict[str, int]:
        return {name: count for name, count in self.watch.counts().items() if not _BY_ITSELF.match(name)}

    @contextmanager
    def nothing_written(self) -> Iterator[None]:
        self.rest()
        before = self.counts()
        yield
        self.rest()
        changed = differences(before, self.counts())
        assert not changed, changed

    def refuses(self, verb: str, path: str, expected: tuple[int, str, set[str] | None], **given: Any) -> dict[str, Any]:
        """Asks in both languages; each time the problem must be the expected one (status, reason, fields; None: some),
        and not a row more or less in any database. Answers the English problem."""
        headers = given.pop("headers", {})
        problem: dict[str, Any] = {}
        with self.nothing_written():
            for tongue in TONGUES:
                answer = self(verb, path, headers={**headers, "Accept-Language": tongue}, **given)
                problem = checked_problem(answer, tongue)
                status, reason, fields = expected
                named = {one["field"] for one in problem["fields"]}
                assert (answer.status_code, problem["reason"]) == (status, reason), problem
                assert named == fields if fields is not None else named, problem
        return problem


def _wait(done: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until, "the bus does not come to rest"
        time.sleep(0.02)


def checked_problem(answer: requests.Response, tongue: str = "en") -> dict[str, Any]:
    """The problem of an answer, after making sure that it is a whole one in the language asked for."""
    assert answer.headers["Content-Type"] == "application/problem+json", (answer.status_code, answer.text[:300])
    problem: dict[str, Any] = answer.json()
    # What was changed meanwhile comes with the etag that stands.
    present = {"etag"} & set(problem) if problem["reason"] == "STALE" else set()
    wanted = {"type", "title", "status", "detail", "reason", "fields", "requestId"} | present
    assert set(problem) == wanted, problem
    assert problem["status"] == answer.status_code
    assert problem["requestId"] == answer.headers["X-Request-Id"]
    assert answer.headers["Content-Language"] == tongue
    for text in (problem["title"], problem["detail"], *(one["message"] for one in problem["fields"])):
        assert text
        if tongue != "en":
            assert _CHINESE.search(text), f"not in Chinese: {text!r}"
    if tongue == "en":
        assert not _CHINESE.search(problem["title"])
    for one in problem["fields"]:
        assert not re.search(r"[a-z]_[a-z]", one["field"].partition("custom")[0]), f"not in camelCase: {one['field']}"
    return problem


@contextmanager
def open_front(folder: Path, databases: Mapping[str, str] | None = None) -> Iterator[Front]:
    """Over SQLite in the folder, or over the databases given by service."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(starting, "Embedding", partial(Embedding, databases=databases))
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        directory_settings.settings.cache_clear()
        house = House(folder)
        house.start()
        front = Front(house, folder, databases)
        try:
            front.rest()
            yield front
        finally:
            front.watch.close()
            house.stop()
            directory_settings.settings.cache_clear()


def wide(value: object) -> bytes:
    """JSON as bytes, with whatever the value has in it."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
