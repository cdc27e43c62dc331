"""Commands through a real server on both databases: once per request_id, together where that is cheaper."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import psycopg
import pytest
import sqlalchemy as sa

from chassis import commands, ids
from chassis.access import Principal
from chassis.database import Database
from chassis.migration import migrate
from chassis.rpc import Call
from chassis.server import Server
from chassis.transaction import Origin, OutboxRow, Transaction
from tests.conformance.client import EVERYTHING, WRITER, Client, code, details, put
from tests.conformance.deployments import Deployment
from tests.conformance.probe import notes
from tests.conformance.probe_servicer import PutManyRequest


class Served(Deployment):
    def start(self) -> None:
        self.server = Server(self.runtime, "127.0.0.1", 0, 96)
        self.client = Client(f"127.0.0.1:{self.server.start()}")

    def stop(self) -> None:
        self.client.channel.close()
        self.server.stop(1.0)

    def stored(self, prefix: str) -> dict[str, str]:
        return {r.name: r.text for r in self.rows(sa.select(notes).where(notes.c.name.startswith(prefix)))}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    url = request.getfixturevalue("fresh_database") if request.param == "postgres" else ""
    with Served(tmp_path, url).running() as deployment:
        yield deployment


@pytest.mark.parametrize("method", ["Put", "Keep"])
def test_a_repeated_request_id_gets_the_first_answer_and_changes_nothing(served: Served, method: str) -> None:
    first = served.client.call(method, put("notes/1", "one", "r1"))
    assert served.client.call(method, put("notes/1", "one", "r1")) == first
    assert served.stored("notes/") == {"notes/1": "one"}
    outbox = served.runtime.service.tables.outbox
    assert served.rows(sa.select(sa.func.sum(outbox.c.events).label("events")))[0][0] == 1


@pytest.mark.parametrize("method", ["Put", "Keep"])
def test_a_request_id_with_another_body_is_refused(served: Served, method: str) -> None:
    served.client.call(method, put("notes/1", "one", "r1"))
    with pytest.raises(grpc.RpcError) as refused:
        served.client.call(method, put("notes/2", "two", "r1"))
    assert code(refused.value) == "FAILED_PRECONDITION"
    assert details(refused.value)["ErrorInfo"].reason == "REQUEST_ID_REUSED"
    assert served.stored("notes/") == {"notes/1": "one"}


def test_a_request_id_is_its_callers_own(served: Served) -> None:
    served.client.call("Put", put("notes/1", "one", "r1"))
    other = served.runtime.tokens.sign(Principal(person="people/other", role="x", grants={"notes": EVERYTHING}))
    served.client.call("Put", put("notes/2", "two", "r1"), token=other)
    assert served.stored("notes/") == {"notes/1": "one", "notes/2": "two"}


@pytest.mark.parametrize("method", ["Put", "Keep"])
def test_the_same_request_from_many_at_once_is_carried_out_once(served: Served, method: str) -> None:
    with ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(lambda _: served.client.call(method, put("notes/1", "one", "r1")), range(32)))
    assert all(a == answers[0] for a in answers)
    assert served.stored("notes/") == {"notes/1": "one"}


def test_a_command_without_a_request_id_is_carried_out_each_time(served: Served) -> None:
    served.client.call("Put", put("notes/1"))
    with pytest.raises(grpc.RpcError) as taken:
        served.client.call("Put", put("notes/1"))
    assert code(taken.value) == "ALREADY_EXISTS"


def test_a_command_that_says_no_leaves_nothing_behind_and_may_be_repeated(served: Served) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        served.client.call("Put", put("notes/1", "fail", "r1"))
    assert code(failed.value) == "INTERNAL"
    assert served.stored("notes/") == {}
    assert served.unpublished() == 0
    served.client.call("Put", put("notes/1", "fine", "r1"))
    assert served.stored("notes/") == {"notes/1": "fine"}


def test_64_calls_in_flight_share_transactions(served: Served) -> None:
    def keep(i: int) -> None:
        """Each takes its time, so that the others come meanwhile on a busy machine, too."""
        served.client.call("Keep", put(f"notes/{i:03}", "sleep 0.01", f"r{i}"))

    with ThreadPoolExecutor(64) as callers:
        list(callers.map(keep, range(256)))
    batches = served.rows(sa.select(sa.func.count(sa.distinct(notes.c.batch)), sa.func.count(notes.c.name)))[0]
    assert batches[1] == 256
    assert batches[0] <= 128, f"{batches[0]} transactions for 256 calls"


def test_a_bad_row_fails_alone(served: Served) -> None:
    texts = {17: "refuse", 40: "constraint", 61: "fail"}
    gate = threading.Barrier(64)

    def call(i: int) -> str:
        gate.wait()
        try:
            served.client.call("Keep", put(f"notes/{i:03}", texts.get(i, "good"), f"r{i}"))
        except grpc.RpcError as error:
            return code(error)
        return "OK"

    with ThreadPoolExecutor(64) as callers:
        answers = list(callers.map(call, range(64)))
    wrong = {i: a for i, a in enumerate(answers) if a != "OK"}
    assert wrong == {17: "NOT_FOUND", 40: "INTERNAL", 61: "INTERNAL"}
    assert len(served.stored("notes/")) == 61


def test_a_call_that_brings_many_gets_one_result_or_error_for_each(served: Served) -> None:
    texts = ["good", "refuse", "constraint", "good"]
    requests = [put(f"notes/{i}", text, f"r{i}") for i, text in enumerate(texts)]
    requests.append(put("", "nameless", "r9"))
    requests.append(put("notes/0", "good", "r0"))  # the first once more
    requests.append(put("notes/0", "other", "r0"))  # and with another body
    answer = served.client.call("KeepMany", PutManyRequest(requests=requests))
    assert [r.error for r in answer.results] == ["", "NOT_FOUND", "INTERNAL", "", "INVALID", "", "REQUEST_ID_REUSED"]
    assert served.stored("notes/") == {"notes/0": "good", "notes/3": "good"}


def test_a_call_that_brings_too_many_is_refused(served: Served) -> None:
    requests = [put(f"notes/{i}") for i in range(101)]
    with pytest.raises(grpc.RpcError) as refused:
        served.client.call("KeepMany", PutManyRequest(requests=requests))
    assert code(refused.value) == "INVALID_ARGUMENT"
    assert served.stored("notes/") == {}


def test_events_and_audit_of_a_batch_name_the_caller_of_each(served: Served) -> None:
    callers = [Principal(person=f"people/{i}", role="x", grants={"notes": EVERYTHING}) for i in range(8)]
    tokens = [served.runtime.tokens.sign(c) for c in callers]
    gate = threading.Barrier(8)

    def call(i: int) -> None:
        gate.wait()
        served.client.call("Keep", put(f"notes/{i}"), token=tokens[i])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(call, range(8)))
    log = served.runtime.service.tables.audit_log
    rows = served.rows(sa.select(log.c.subject, log.c.actor).order_by(log.c.subject))
    assert [(r.subject, r.actor) for r in rows] == [(f"notes/{i}", f"people/{i}") for i in range(8)]


# --- the database goes away ---


CLOSE_ALL = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)


@pytest.mark.cluster
@pytest.mark.parametrize("method", ["Put", "Keep", "List"])
def test_connections_that_the_database_closed_are_replaced_without_a_word(
    method: str, tmp_path: Path, fresh_database: str
) -> None:
    with Served(tmp_path, fresh_database).running() as served:
        for round_number in range(3):
            with ThreadPoolExecutor(8) as callers:  # fill the pool
                list(callers.map(lambda i, r=round_number: served.client.call("List", put(f"{r}{i}")), range(8)))
            with psycopg.connect(fresh_database, autocommit=True) as connection:
                connection.execute(CLOSE_ALL)
            for i in range(12):
                served.client.call(method, put(f"notes/{round_number}{i}"))


@pytest.mark.cluster
@pytest.mark.parametrize("method", ["Put", "Keep"])
@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_connection_lost_under_a_call_is_answered_truthfully(
    method: str, moment: str, tmp_path: Path, fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost before its commit a command runs again. Lost while committing, it runs again only under a request_id."""
    lost = [0]

    def lose(connection: sa.Connection) -> None:
        if not lost:
            lost.append(1)
            number = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
            with psycopg.connect(fresh_database, autocommit=True) as other:
                other.execute("select pg_terminate_backend(%s, 5000)", (number,))

    if moment == "before the commit":
        flush = Transaction.flush

        def lose_and_flush(tx: Transaction) -> list[OutboxRow]:
            lose(tx.connection)
            return flush(tx)

        monkeypatch.setattr(Transaction, "flush", lose_and_flush)
    else:
        commit = sa.engine.RootTransaction.commit

        def commit_and_lose(transaction: sa.engine.RootTransaction) -> None:
            connection = transaction.connection
            writing = connection.in_transaction() and not lost
            if writing:
                raw = connection.connection.driver_connection
                raw.commit()  # type: ignore[union-attr]
                lose(connection)
                connection.exec_driver_sql("select 1")  # the answer to the commit never came
            commit(transaction)

        monkeypatch.setattr(sa.engine.RootTransaction, "commit", commit_and_lose)
    with Served(tmp_path, fresh_database).running() as served:
        lost.clear()
        name = f"notes/{ids.new_id()}"
        served.client.call(method, put(name, request_id="r1"))
        assert lost
        assert list(served.stored(name)) == [name]
        lost.clear()
        bare = f"notes/{ids.new_id()}"
        if moment == "before the commit":
            served.client.call(method, put(bare))
        else:
            with pytest.raises(grpc.RpcError) as unsure:
                served.client.call(method, put(bare))
            assert code(unsure.value) == "UNAVAILABLE"
            assert details(unsure.value)["ErrorInfo"].reason == "UNCERTAIN"
        assert lost
        assert list(served.stored(bare)) == [bare]


@pytest.mark.cluster
def test_without_a_database_calls_are_told_to_come_back_and_soon_succeed(tmp_path: Path, fresh_database: str) -> None:
    with Served(tmp_path, fresh_database).running() as served:
        working = served.runtime.database
        served.runtime.database = Database("postgresql://postgres@127.0.0.1:1/nowhere")
        for method in ("Put", "Keep", "List"):
            with pytest.raises(grpc.RpcError) as away:
                served.client.call(method, put("notes/1"))
            assert code(away.value) == "UNAVAILABLE"
            assert details(away.value)["ErrorInfo"].reason == "BUSY"
        served.runtime.database = working
        served.client.call("Put", put("notes/1"))


@pytest.mark.cluster
def test_a_deadlock_is_broken_and_both_sides_succeed(tmp_path: Path, fresh_database: str) -> None:
    with Served(tmp_path, fresh_database).running() as served:
        migrate(served.runtime)
        served.client.call("Put", put("notes/a"))
        served.client.call("Put", put("notes/b"))
        gate = threading.Barrier(2)
        met: list[int] = []

        def cross(tx: Transaction, request: object) -> object:
            order = ("notes/a", "notes/b") if request.note.text == "x" else ("notes/b", "notes/a")  # type: ignore[attr-defined]
            for name in order:
                tx.execute(sa.update(notes).where(notes.c.name == name).values(text="locked"))
                if len(met) < 2:
                    met.append(1)
                    gate.wait(5)
            return request

        def run(text: str) -> object:
            call = Call(put("n", text), WRITER, Origin())
            return commands.run_command(served.runtime, "m", cross, call, type(call.request))  # type: ignore[arg-type]

        with ThreadPoolExecutor(2) as threads:
            assert len(list(threads.map(run, ["x", "y"]))) == 2
