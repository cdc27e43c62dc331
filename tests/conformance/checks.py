"""Behaviours that are checked in more than one place: on sound processes, and on some with a planted defect."""

from __future__ import annotations

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import sqlalchemy as sa

from chassis.testing.parts import RabbitMQ
from dealwright.leads.v1.events_pb2 import LeadCaptured, LeadContacted, LeadTouched
from tests.conformance.client import Client, put
from tests.conformance.deployments import Cluster, Deployment, Program, body, envelope, wait_for
from tests.conformance.probe import notes

CONTACTED = LeadContacted.DESCRIPTOR.full_name
TOUCHED = LeadTouched.DESCRIPTOR.full_name


def names(run: str, count: int) -> list[str]:
    return [f"{run}-{i:05}" for i in range(count)]


def check_exactly_once(deployment: Deployment, run: str, count: int) -> None:
    """Each event twice and thrice, in messages of its own and beside others: one effect each."""
    events = [envelope(LeadTouched(lead=name)) for name in names(run, count)]
    deployment.put(TOUCHED, [body(e) for e in events])
    deployment.put(TOUCHED, [body(*events), body(*reversed(events), *events[:5])])
    wait_for(lambda: deployment.count("touched", run) >= count, what="all are handled")
    deployment.settle()
    assert deployment.subjects("touched", run) == names(run, count)


def check_newest_wins(deployment: Deployment, run: str) -> None:
    versions = list(range(1, 61))
    random.Random(7).shuffle(versions)
    versions.remove(60)
    versions.insert(3, 60)
    deployment.put(CONTACTED, [body(envelope(LeadContacted(lead=run, owner_version=v))) for v in versions])
    wait_for(lambda: deployment.count("contacted", run) == 60)
    assert deployment.version(run) == 60


def check_killed_in_a_transaction(cluster: Cluster, run: str, seconds: float = 20.0) -> None:
    """The consumer dies between a handler's statements and its commit; another takes over."""
    cluster.emit(
        LeadCaptured(lead=f"{run}-die", text=f"die {cluster.service_name}"),
        *(LeadCaptured(lead=n) for n in names(run, 20)),
    )
    wait_for(lambda: not cluster.workers[0].alive(), what="the consumer dies")
    cluster.restart_consumer()
    wait_for(lambda: cluster.count("captured", run) == 21, seconds, "what it had in hand is handled")
    assert cluster.subjects("captured", run) == [*names(run, 20), f"{run}-die"]


def check_marked_after_the_confirm(cluster: Cluster, broker: RabbitMQ, run: str) -> None:
    """The broker takes a message from the socket and dies before it has it: the row stays unpublished."""
    cluster.settle()
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        cluster.emit(LeadTouched(lead=run))
        time.sleep(0.7)
        assert cluster.unpublished() == 1
        broker.kill()
        broker.restart()
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    wait_for(lambda: cluster.count("touched", run) >= 1, 40, "it is published again")
    cluster.settle()
    assert cluster.count("touched", run) == 1


def check_answered_after_the_commit(deployment: Deployment, program: Program, run: str) -> None:
    """`serve` is killed at the moment of an answer, with others under way: what was answered is there."""
    program.start()
    address = "127.0.0.1:" + program.said("serving").split('"port": ')[1].split(",")[0]
    answered: list[str] = []

    def call(name: str) -> None:
        try:
            client.call("Put" if name.endswith(("0", "5")) else "Keep", put(name, request_id=name))
        except grpc.RpcError:
            return
        answered.append(name)
        if len(answered) == 30:
            program.kill()

    with Client(address) as client, ThreadPoolExecutor(20) as callers:
        list(callers.map(call, names(run, 120)))
    program.kill()
    time.sleep(0.1)  # PostgreSQL notices the death of its clients
    stored = {r.name for r in deployment.rows(sa.select(notes.c.name).where(notes.c.name.startswith(run)))}
    assert len(answered) >= 30
    assert set(answered) <= stored
