"""What a gateway tells of how it is used."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.access import Tokens
from chassis.bus.subscriptions import decode
from chassis.database import Database
from chassis.migration import migrate
from chassis.service import Runtime
from chassis.settings import Settings
from dealwright.bus.v1.envelope_pb2 import EventBatch
from dealwright.gateway.v1.events_pb2 import UsageCounted
from gateway.main import service
from gateway.usecases.usage import Usage


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    made = Runtime(service, Settings(data=tmp_path), Database(f"sqlite:///{tmp_path}/gateway.db"), Tokens("k" * 40))
    migrate(made)
    return made


def told(runtime: Runtime) -> list[UsageCounted]:
    with runtime.database.read() as connection:
        rows = connection.execute(sa.select(runtime.service.tables.outbox.c.body)).all()
    found = [decode(one) for row in rows for one in EventBatch.FromString(row.body).events]
    return [event for event in found if isinstance(event, UsageCounted)]


def test_X13_calls_are_counted_by_person_and_feature_and_told_together(runtime: Runtime) -> None:
    usage = Usage(runtime)
    for seconds, failed in ((0.1, False), (0.3, True)):
        usage.count("people/li", "leads", seconds, failed)
    usage.count("", "sessions", 0.2)
    usage.tell()
    (event,) = told(runtime)
    assert [(row.person, row.feature, row.calls, row.failures) for row in event.rows] == [
        ("", "sessions", 1, 0),
        ("people/li", "leads", 2, 1),
    ]
    assert event.rows[1].seconds == pytest.approx(0.4)
    assert event.begin_time.ToMicroseconds() <= event.end_time.ToMicroseconds()
    usage.tell()
    assert len(told(runtime)) == 1


def test_what_cannot_be_stored_is_told_later_and_the_rest_at_the_end(runtime: Runtime, tmp_path: Path) -> None:
    away = Runtime(service, Settings(data=tmp_path), Database(f"sqlite:///{tmp_path}/empty.db"), Tokens("k" * 40))
    usage = Usage(away)
    usage.count("people/li", "leads", 0.1)
    with pytest.raises(sa.exc.OperationalError):
        usage.tell()
    usage._runtime = runtime
    usage.count("people/li", "leads", 0.1)
    usage.start()
    usage.stop()
    assert [row.calls for row in told(runtime)[0].rows] == [2]
