"""The queues that a service declares: they never drop a message, and those that are there are used as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chassis import ids
from chassis.bus import publisher
from chassis.bus.subscriptions import Subscription
from chassis.testing.parts import RabbitMQ
from tests.conformance.deployments import wait_for

TYPE = "dealwright.leads.v1.LeadTouched"
QUORUM = {"x-queue-type": "quorum"}


@pytest.mark.parametrize(
    ("version", "arguments"),
    [
        ("3.10.8", {}),
        ("3.13.7", {}),
        ("4.0.0", {"x-delivery-limit": -1}),
        ("4.1.0-rc.1", {"x-delivery-limit": -1}),
        ("10.0", {"x-delivery-limit": -1}),
        ("", {}),
        ("unknown", {}),
    ],
)
def test_only_a_broker_that_drops_what_comes_back_is_told_not_to(version: str, arguments: dict[str, int]) -> None:
    """RabbitMQ 3 would take -1 for 0, and drop a message at its first return."""
    assert publisher.without_limit({"product": "RabbitMQ", "version": version}) == arguments


def test_a_broker_that_does_not_say_what_it_is_gets_no_limit_argument() -> None:
    assert publisher.without_limit({}) == {}


@pytest.fixture
def mine(rabbitmq_server: RabbitMQ) -> Iterator[Subscription]:
    """A subscription whose queue is not there yet, and goes with the test."""
    subscription = Subscription(f"q{ids.new_id()}", (f"{TYPE}{ids.new_id()}",), print, 1)
    yield subscription
    with publisher.connection(rabbitmq_server.url, 5.0) as broker, broker.channel() as channel:
        channel.queue_delete(subscription.queue("probe"))


def publish(url: str, kind: str) -> None:
    with publisher.connection(url, 5.0) as broker:
        channel = publisher.Confirmed(broker, 5.0)
        channel.send(kind, b"body")
        channel.wait()


def take(channel: Any, name: str) -> Any:
    return wait_for(lambda: channel.basic_get(name), 5, "the message is there")


@pytest.mark.cluster
def test_a_message_survives_more_returns_than_the_broker_allows_by_itself(
    rabbitmq_server: RabbitMQ, mine: Subscription
) -> None:
    publisher.declare(rabbitmq_server.url, "probe", [mine])
    publish(rabbitmq_server.url, mine.types[0])
    with publisher.connection(rabbitmq_server.url, 5.0) as broker:
        for _ in range(25):
            with broker.channel() as channel:
                channel.basic_reject(take(channel, mine.queue("probe")).delivery_tag, requeue=True)
        with broker.channel() as channel:
            assert take(channel, mine.queue("probe")).body == b"body"


@pytest.mark.cluster
def test_a_queue_that_is_there_with_other_arguments_is_bound_and_used_as_it_is(
    rabbitmq_server: RabbitMQ, mine: Subscription
) -> None:
    name = mine.queue("probe")
    with publisher.connection(rabbitmq_server.url, 5.0) as broker:
        with broker.channel() as channel:
            channel.queue_declare(name, durable=True, auto_delete=False, arguments={**QUORUM, "x-delivery-limit": 7})
        assert publisher.declare_queues(broker, [publisher.queue("probe", mine)]) == [name]
    publisher.declare(rabbitmq_server.url, "probe", [mine])
    publish(rabbitmq_server.url, mine.types[0])
    with publisher.connection(rabbitmq_server.url, 5.0) as broker, broker.channel() as channel:
        assert take(channel, name).body == b"body"
    assert publisher.examine(rabbitmq_server.url, "probe", [mine]) == {name: "other arguments"}


@pytest.mark.cluster
def test_queues_are_declared_once_and_examined_without_making_any(
    rabbitmq_server: RabbitMQ, mine: Subscription
) -> None:
    url, name = rabbitmq_server.url, mine.queue("probe")
    assert publisher.examine(url, "probe", [mine]) == {name: "missing"}
    assert publisher.examine(url, "probe", [mine]) == {name: "missing"}
    for _ in range(2):
        with publisher.connection(url, 5.0) as broker:
            assert publisher.declare_queues(broker, [publisher.queue("probe", mine)]) == []
    assert publisher.examine(url, "probe", [mine]) == {}
