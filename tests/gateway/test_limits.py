"""Rate limits: who asks too often waits, and Redis being away stops nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import fakeredis
import pytest
import redis

from chassis.cache import async_client
from dealwright.directory.v1 import directory_pb2
from dealwright.leads.v1 import leads_pb2
from gateway.doors.limits import Limits, TooMany


def count(limits: Limits, key: str, rate: int, calls: int) -> int:
    async def run() -> int:
        passed = 0
        for _ in range(calls):
            try:
                await limits.take(key, rate)
                passed += 1
            except TooMany as refusal:
                assert 1 <= refusal.seconds <= 60  # noqa: PT017 - either outcome is right, in its way
        return passed

    return asyncio.run(run())


def fresh() -> Limits:
    return Limits(async_client(server=fakeredis.FakeServer()))


def test_a_minute_holds_exactly_its_permits(time_stands: Any) -> None:
    assert count(fresh(), "a", 10, 25) == 10


def test_permits_drawn_in_blocks_pass_no_more_than_a_block_too_many(time_stands: Any) -> None:
    assert 5000 <= count(fresh(), "a", 5000, 6000) <= 5005


def test_zero_is_no_limit() -> None:
    assert count(fresh(), "a", 0, 100) == 100


def test_the_window_slides(time_stands: Any) -> None:
    limits = fresh()
    assert count(limits, "a", 10, 20) == 10
    time_stands.move(60)
    assert count(limits, "a", 10, 20) == 0  # the minute that just ended still weighs whole
    time_stands.move(30)
    assert count(limits, "a", 10, 20) == 5
    time_stands.move(90)
    assert count(limits, "a", 10, 20) == 10


def test_redis_away_stops_nobody_and_is_asked_again_later() -> None:
    class Away:
        asked = 0

        def pipeline(self, transaction: bool) -> Any:
            Away.asked += 1
            raise redis.ConnectionError("away")

    assert count(Limits(Away()), "a", 1, 50) == 50  # type: ignore[arg-type]
    assert Away.asked == 1


@pytest.fixture
def time_stands(monkeypatch: pytest.MonkeyPatch) -> Any:
    from datetime import UTC, datetime, timedelta

    from chassis import clock

    class Time:
        now = datetime(2026, 5, 1, 12, tzinfo=UTC)

        def move(self, seconds: float) -> None:
            self.now += timedelta(seconds=seconds)

    time = Time()
    monkeypatch.setattr(clock, "now", lambda: time.now)
    return time


def test_L3_a_form_takes_as_many_a_minute_from_one_address_as_it_says(world: Any, client_at: Any) -> None:
    world.on("SubmitForm", lambda call: leads_pb2.SubmitFormResponse(message="收到"))
    world.on("GetForm", lambda call: leads_pb2.Form(name=call.request.name, rate_per_minute=3))
    opened = world.open(feed_stream="limits")
    try:
        visitor = client_at(opened.url)
        answers = [visitor("POST", "/v1/forms/limited:submit", json={"lead": {"phone": "1"}}) for _ in range(5)]
        assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
        problem = answers[-1].json()
        assert problem["reason"] == "RATE_LIMITED"
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
        assert visitor("POST", "/v1/forms/other:submit", json={"lead": {"phone": "1"}}).status_code == 200
    finally:
        opened.stop()


def test_sign_in_and_forged_tokens_are_limited_by_address(world: Any, client_at: Any) -> None:
    world.on("CreateSession", lambda call: directory_pb2.Session(token="t"))
    opened = world.open(sign_in_rate=2, address_rate=6)
    try:
        someone = client_at(opened.url)
        sign_in = [someone("POST", "/v1/sessions", json={"login": "x", "password": "y"}).status_code for _ in range(4)]
        assert sign_in[-1] == 429
        forged = client_at(opened.url, "forged")
        assert [forged("GET", "/v1/leads").status_code for _ in range(12)][-1] == 429
        known = client_at(opened.url, "admin/limited/head")
        assert known("POST", "/v1/leads:capture", json={"lead": {"phone": "1"}}).status_code == 200
    finally:
        opened.stop()


def test_a_service_learns_where_the_caller_sits_so_that_it_counts_his_failures_alone(
    world: Any, client_at: Any
) -> None:
    seen: list[str] = []

    def sign_in(call: Any) -> Any:
        seen.append(call.address)
        return directory_pb2.Session(token="t")

    world.on("CreateSession", sign_in)
    opened = world.open(trusted_proxies="127.0.0.1")
    try:
        someone = client_at(opened.url)
        for forwarded in ("203.0.113.7", "2001:db8::1", "", "not an \xe9ddress", "a" * 65):
            headers = {"X-Forwarded-For": forwarded.encode("latin-1")} if forwarded else {}
            body = {"login": "x", "password": "y"}
            assert someone("POST", "/v1/sessions", json=body, headers=headers).status_code == 200
    finally:
        opened.stop()
    assert seen == ["203.0.113.7", "2001:db8::1", "127.0.0.1", "", ""]
