"""An apply that was left between two parts is finished or undone as a whole, and nobody sees its half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from google.protobuf.struct_pb2 import Struct

from chassis import clock, ids
from chassis.access import Principal, Tokens
from chassis.database import Database
from chassis.errors import Refused
from chassis.migration import migrate
from chassis.rpc import Call
from chassis.service import Runtime
from chassis.settings import Settings
from dealwright.blueprint.v1 import blueprint_pb2
from dealwright.gateway.v1 import gateway_pb2
from gateway.main import service
from gateway.storage import intents
from tests.gateway.conftest import KEY
from tests.gateway.test_blueprint import CHANGED, WHOLE, contents, versions

SERVE = """
import time
from chassis.service import runtime
from chassis.settings import Settings
from gateway.main import serve, service
print("open at", serve(runtime(service, Settings())).url, flush=True)
time.sleep(120)
"""


@pytest.fixture(autouse=True)
def the_same_clock_in_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other suites of a session move this process's clock on."""
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC))


@pytest.fixture
def doomed(world: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A gateway as a process of its own, on the database of this world's."""
    env = {
        **os.environ,
        **{f"DEALWRIGHT_PEER_{name.upper()}": address for name, address in world.addresses.items()},
        "DEALWRIGHT_DATA": str(world.folder),
        "DEALWRIGHT_TOKEN_KEY": KEY,
        "DEALWRIGHT_LOG_LEVEL": "ERROR",
        "PORT": "0",
        "GRPC_PORT": "0",
    }
    with subprocess.Popen([sys.executable, "-c", SERVE], env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = next(line for line in process.stdout if line.startswith("open at "))
        yield process, said.split()[-1]
        process.kill()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    def move(minutes: float) -> None:
        real = clock.now
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=minutes))

    return move


def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)


def killed_at_leads(doomed: Any, client_at: Any, world: Any, stored: bool) -> None:
    process, url = doomed

    def kill(call: Call[Any]) -> blueprint_pb2.Part:
        done = world._apply("leads", call.request) if stored else None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        if done is None:
            raise Refused("NOBODY", "nobody hears this", "没有人听到")
        part: blueprint_pb2.Part = done
        return part

    world.on("leads.ApplyPart", kill)
    with pytest.raises(requests.ConnectionError):
        client_at(url, "admin/root/head")("POST", "/v1/blueprint:apply", json={"content": CHANGED})
    assert versions(world) == {"directory": 2, "leads": 1 + stored, "rules": 1}, "it is half applied now"
    world.on("leads.ApplyPart", lambda call: world._apply("leads", call.request))


@pytest.mark.parametrize("stored", [False, True])
def test_a_gateway_killed_between_two_parts_leaves_all_of_them_to_the_next(
    doomed: Any, client_at: Any, admin: Any, world: Any, later: Any, stored: bool
) -> None:
    killed_at_leads(doomed, client_at, world, stored)
    answers = [admin("GET", "/v1/blueprint"), admin("POST", "/v1/blueprint:apply", json={"content": WHOLE})]
    assert [(a.status_code, a.json()["reason"]) for a in answers] == [(503, "BLUEPRINT_BUSY")] * 2
    assert "try again" in answers[0].json()["detail"]
    later(10)
    until(lambda: versions(world)["rules"] == 2)
    assert contents(admin) == CHANGED
    assert versions(world) == {"directory": 2, "leads": 2, "rules": 2}, "each part once"
    assert {principal.person for _, principal in world.calls("rules.ApplyPart")} == {"people/root"}


def test_where_a_part_then_refuses_none_of_them_stays(
    doomed: Any, client_at: Any, admin: Any, world: Any, later: Any
) -> None:
    def refuse(call: Any) -> Any:
        raise Refused("ROSTER_IN_USE", "The roster is in use.", "名册正在使用。")

    world.on("rules.ApplyPart", refuse)
    killed_at_leads(doomed, client_at, world, stored=True)
    later(10)
    until(lambda: versions(world) == {"directory": 3, "leads": 3, "rules": 1})
    assert contents(admin) == WHOLE


def test_what_somebody_changed_meanwhile_is_not_overwritten(
    doomed: Any, client_at: Any, admin: Any, world: Any, later: Any
) -> None:
    killed_at_leads(doomed, client_at, world, stored=False)
    hers = blueprint_pb2.Part(version=2)
    hers.content.update({"forms": {"hers": {"open": True}}})
    world.parts["leads"] = hers
    later(10)
    until(lambda: versions(world)["directory"] == 3)
    assert contents(admin) == {**WHOLE, "forms": {"hers": {"open": True}}}


def test_a_part_that_is_away_is_told_and_the_apply_is_finished_when_it_is_back(admin: Any, world: Any) -> None:
    away = True

    def apply(call: Any) -> Any:
        if away:
            raise Refused("BUSY", "The database is away.", "数据库暂时不可用。", code="UNAVAILABLE")
        return world._apply("leads", call.request)

    world.on("leads.ApplyPart", apply)
    answer = admin("POST", "/v1/blueprint:apply", json={"content": CHANGED})
    assert (answer.status_code, answer.json()["reason"]) == (503, "BLUEPRINT_UNSETTLED")
    assert versions(world) == {"directory": 2, "leads": 1, "rules": 1}
    away = False
    until(lambda: versions(world) == {"directory": 2, "leads": 2, "rules": 2})
    assert contents(admin) == CHANGED


def test_an_apply_stops_when_its_caller_has_gone_and_nothing_is_changed(channel: Any, admin: Any, world: Any) -> None:
    asked, hung_up = threading.Event(), threading.Event()

    def slow(call: Any) -> Any:
        done = world._apply("directory", call.request)
        if "-back" not in call.request.request_id:
            asked.set()
            hung_up.wait(5)
            time.sleep(0.2)
        return done

    request = gateway_pb2.ApplyBlueprintRequest()
    request.content.update(CHANGED)
    ask = channel.unary_unary("/dealwright.gateway.v1.GatewayService/ApplyBlueprint")
    world.on("directory.ApplyPart", slow)
    calling = ask.future(
        request.SerializeToString(), metadata=(("authorization", "Bearer admin/root/head"),), timeout=20
    )
    assert asked.wait(5)
    calling.cancel()
    hung_up.set()
    until(lambda: versions(world)["directory"] == 3)
    assert contents(admin) == WHOLE
    assert not world.calls("leads.ApplyPart")


def an_apply(until: datetime) -> intents.Apply:
    step = intents.Step("rules", Struct(), Struct(), 7)
    return intents.Apply(ids.new_id(), Principal("people/root", "admin"), (step,), until)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.cluster)])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runtime]:
    url = f"sqlite:///{tmp_path / 'g.db'}" if request.param == "sqlite" else request.getfixturevalue("fresh_database")
    runtime = Runtime(service, Settings(data=tmp_path), Database(url), Tokens(KEY))
    migrate(runtime)
    yield runtime
    runtime.database.dispose()


def test_one_apply_is_open_at_a_time_and_who_lost_it_writes_nothing(stored: Runtime) -> None:
    first = an_apply(clock.now() - timedelta(seconds=1))
    with stored.transaction() as tx:
        intents.add(tx, first)
    with pytest.raises(sa.exc.IntegrityError), stored.transaction() as tx:
        intents.add(tx, an_apply(clock.now()))
    with stored.transaction() as tx:
        taken = intents.take(tx, tx.now + timedelta(minutes=1))
        assert taken is not None
        assert (taken.id, taken.caller, taken.steps) == (first.id, first.caller, first.steps)
        assert intents.take(tx, tx.now) is None, "it is held"
    with pytest.raises(intents.Lost), stored.transaction() as tx:
        intents.applied(tx, first, "rules", 8, tx.now)
    with stored.transaction() as tx:
        done = intents.applied(tx, taken, "rules", 8, tx.now + timedelta(minutes=1))
        intents.close(tx, done, "APPLIED")
        assert intents.newest(tx) == (first.id, False)
    with stored.transaction() as tx:
        intents.add(tx, an_apply(clock.now()))
        assert intents.newest(tx)[1]
