"""What all services of one process share in place of Redis."""

from __future__ import annotations

import functools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import fakeredis
import pytest

from chassis import cache


def test_services_that_start_at_once_share_one_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    made = fakeredis.FakeServer

    def slow(*words: Any) -> fakeredis.FakeServer:
        time.sleep(0.05)
        return made(*words)

    monkeypatch.setattr(fakeredis, "FakeServer", slow)
    monkeypatch.setattr(cache, "_made", functools.cache(cache._made.__wrapped__))
    with ThreadPoolExecutor(4) as threads:
        clients = [threads.submit(cache.client) for _ in range(4)]
    clients[0].result().set("told", "once")
    assert [one.result().get("told") for one in clients] == ["once"] * 4
