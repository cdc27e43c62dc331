"""Behind one name there may be many pods: the gateway spreads its calls over them, whichever thread makes them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
import sqlalchemy as sa

from chassis.access import ANONYMOUS, Tokens
from chassis.database import Database
from chassis.rpc import Call
from chassis.service import Runtime, Service
from chassis.settings import Settings
from chassis.transaction import Origin
from dealwright.blueprint.v1 import blueprint_pb2
from gateway.peers.channels import Channels
from gateway.peers.parts import Parts

PATH = "/dealwright.blueprint.v1.BlueprintService/GetPart"
CALLS = 20


class Pods:
    """Two servers under one name; `asked` counts the calls of each."""

    def __init__(self) -> None:
        self.asked: Counter[int] = Counter()
        self.servers = [grpc.server(futures.ThreadPoolExecutor(2)) for _ in range(2)]
        ports = []
        for number, server in enumerate(self.servers):
            server.add_generic_rpc_handlers((_Answers(self.asked, number),))
            ports.append(server.add_insecure_port("127.0.0.1:0"))
            server.start()
        self.name = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)


class _Answers(grpc.GenericRpcHandler):
    def __init__(self, asked: Counter[int], number: int) -> None:
        self._asked, self._number = asked, number

    def service(self, handler_call_details: Any) -> Any:
        def answer(request: bytes, context: object) -> bytes:
            self._asked[self._number] += 1
            return blueprint_pb2.Part(version=1).SerializeToString()

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def pods() -> Iterator[Pods]:
    made = Pods()
    yield made
    for server in made.servers:
        server.stop(None)


def test_U7_the_loops_calls_are_spread_over_the_pods_behind_a_name(pods: Pods) -> None:
    async def call() -> None:
        channels = Channels(lambda service: pods.name, Settings())
        for _ in range(CALLS):
            await channels.call("leads", PATH, b"", (), 5.0)
        await channels.close()

    asyncio.run(call())
    assert min(pods.asked[0], pods.asked[1]) >= CALLS // 4, pods.asked


def test_U7_the_blueprints_calls_are_spread_over_the_pods_behind_a_name(pods: Pods, tmp_path: Path) -> None:
    mine = Service("gateway", sa.MetaData(), "gateway.migrations", servicers=lambda runtime: [])
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    parts = Parts(Runtime(mine, Settings(), database, Tokens("k" * 48), peers={"leads": pods.name}))
    call = Call(blueprint_pb2.GetPartRequest(), ANONYMOUS, Origin("people/1"))
    for _ in range(CALLS):
        assert parts.get("leads", call).version == 1
    assert min(pods.asked[0], pods.asked[1]) >= CALLS // 4, pods.asked
    database.dispose()
