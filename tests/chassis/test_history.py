"""What a service told, told again: from where it is kept and from the outbox, in the order of ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chassis import clock, history, ids
from chassis.access import peer
from chassis.database import insert_rows
from chassis.errors import Invalid
from chassis.history_service import HistoryServicer
from chassis.migration import migrate
from chassis.retention import Retention
from chassis.transaction import Origin
from dealwright.api.v1 import history_pb2
from dealwright.leads.v1.events_pb2 import LeadCaptured, LeadContacted, LeadTouched
from tests.conformance.deployments import Deployment, Local

CAPTURED, CONTACTED, TOUCHED = (one.DESCRIPTOR.full_name for one in (LeadCaptured, LeadContacted, LeadTouched))
DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    url = request.getfixturevalue("fresh_database") if request.param == "postgres" else ""
    made = Local(tmp_path, url)
    made.runtime.service = replace(made.runtime.service, kept_events=(CAPTURED, CONTACTED))
    migrate(made.runtime)
    yield made
    made.runtime.database.dispose()


def _publish(deployment: Deployment, kind: str, age: timedelta, body: bytes = b"x") -> str:
    at = clock.now() - age
    made = ids.first_id_at(at.timestamp())[:12] + ids.new_id()[12:]
    columns = ("id", "type", "events", "body", "created_at", "published_at")
    with deployment.runtime.transaction() as tx:
        insert_rows(tx.connection, tx.tables.outbox, columns, [(made, kind, 1, body, at, at)])
    return made


def _all(deployment: Deployment, types: list[str], rows: int) -> list[str]:
    found: list[str] = []
    servicer, token, more = HistoryServicer(deployment.runtime.service), "", True
    while more:
        request = history_pb2.ListMessagesRequest(types=types, page_size=rows, page_token=token)
        with deployment.runtime.transaction(peer("reports"), Origin()) as tx:
            answer = servicer.ListMessages(tx, request)
        found += [one.id for one in answer.messages]
        token, more = answer.next_page_token, bool(answer.next_page_token)
    return found


def test_history_is_told_in_order_whether_it_was_moved_away_or_not(deployment: Deployment) -> None:
    made = [_publish(deployment, CAPTURED if day % 2 else CONTACTED, day * DAY) for day in (20, 12, 9, 5, 3, 1)]
    _publish(deployment, TOUCHED, 4 * DAY)
    assert _all(deployment, [CAPTURED, CONTACTED], 2) == made
    retention, more = Retention(deployment.runtime.service, deployment.settings.keep_days, 2), True
    while more:
        with deployment.runtime.transaction() as tx:
            more = retention.step(tx)
    kept = deployment.runtime.service.tables.kept_events
    assert [row.id for row in deployment.rows(kept.select().order_by(kept.c.id))] == made[:3]
    assert _all(deployment, [CAPTURED, CONTACTED], 2) == made
    assert _all(deployment, [CAPTURED], 50) == [
        one for one, day in zip(made, (20, 12, 9, 5, 3, 1), strict=True) if day % 2
    ]


def test_a_page_is_no_larger_than_an_answer_may_be(deployment: Deployment) -> None:
    made = [_publish(deployment, CAPTURED, day * DAY, b"x" * 700_000) for day in (3, 2, 1)]
    with deployment.runtime.reading() as tx:
        found = history.page(tx, [CAPTURED], "")
    assert ([one.id for one in found.messages], found.more) == (made[:1], True)
    assert _all(deployment, [CAPTURED], 50) == made


def test_what_is_not_kept_for_good_is_no_history(deployment: Deployment) -> None:
    for types in ([], [TOUCHED], [CAPTURED, TOUCHED]):
        with pytest.raises(Invalid):
            _all(deployment, types, 50)
