"""Each defect that the suite exists for, planted: the same checks go red."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.bus import inbox, publisher
from chassis.migration import migrate
from chassis.testing.parts import RabbitMQ
from tests.conformance import checks
from tests.conformance.deployments import Cluster, Local, Program


@pytest.fixture
def apart(tmp_path: Path, fresh_database: str, rabbitmq_server: RabbitMQ) -> Iterator[Cluster]:
    """A cluster of its own, not started: its queues are not those of the shared one."""
    made = Cluster(tmp_path, fresh_database, rabbitmq_server.url, service_name="apart")
    yield made
    made.runtime.database.dispose()
    with publisher.connection(rabbitmq_server.url, 5.0) as broker, broker.channel() as channel:
        for subscription in made.runtime.service.subscribers():
            channel.queue_delete(subscription.queue("apart"))


def test_without_an_inbox_events_are_handled_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "register", lambda tx, queue, envelopes: list(envelopes))
    with (
        Local(tmp_path).running() as deployment,
        pytest.raises(AssertionError),
    ):
        checks.check_exactly_once(deployment, "leads/x", 40)


@pytest.mark.cluster
def test_what_is_acknowledged_before_the_commit_dies_with_the_consumer(apart: Cluster) -> None:
    apart.worker_environment["PROBE_DEFECT"] = "acknowledge_before_the_commit"
    with apart.running(), pytest.raises(AssertionError, match="what it had in hand is handled"):
        checks.check_killed_in_a_transaction(apart, "leads/x", seconds=4)


@pytest.mark.cluster
def test_what_is_marked_before_the_confirm_is_lost_with_the_broker(
    apart: Cluster, rabbitmq_server: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    with apart.running():
        monkeypatch.setattr(publisher.Confirmed, "wait", lambda self: None)
        with pytest.raises(AssertionError, match="assert 0 == 1"):
            checks.check_marked_after_the_confirm(apart, rabbitmq_server, "leads/x")


@pytest.mark.parametrize("defect", ["", "answer_before_the_commit"])
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def test_whoever_was_answered_finds_his_row_after_a_kill(
    defect: str, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Sound, and with the defect planted."""
    url = request.getfixturevalue("fresh_database") if database == "postgres" else ""
    deployment = Local(tmp_path, url)
    migrate(deployment.runtime)
    environment = {**deployment.environment, **({"PROBE_DEFECT": defect} if defect else {})}
    program = Program("serve", tmp_path, environment)
    if defect:
        with pytest.raises(AssertionError):
            checks.check_answered_after_the_commit(deployment, program, "notes/x")
    else:
        checks.check_answered_after_the_commit(deployment, program, "notes/x")
    deployment.runtime.database.dispose()
