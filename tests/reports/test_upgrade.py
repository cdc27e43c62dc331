"""A house of before has a ledger of before: it is made anew out of history, and whoever asks meanwhile is answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from chassis import clock
from chassis.access import Scope
from chassis.migration import migrate
from chassis.service import Runtime
from chassis.testing.postgres import Postgres
from dealwright.reports.v1 import alerts_pb2, exports_pb2
from reports.servicer.alerts import AlertServicer
from reports.servicer.exports import ExportServicer
from reports.servicer.rebuilder import Rebuilder
from reports.storage import ledger
from reports.storage.tables import copies
from reports.usecases import alert_rules, rebuilding, schedules
from tests.reports.desk import Desk, moment, open_runtime
from tests.reports.exported import Format
from tests.reports.test_rebuilding import History, _envelopes, _story, _to_the_end
from tests.reports.test_usage import allowed

_BEFORE = ("chassis@head", "reports_0001")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.cluster)])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runtime]:
    """A database of the first release, with a ledger in it and another in the making."""
    server: Postgres | None = None if request.param == "sqlite" else request.getfixturevalue("postgres_server")
    url = f"sqlite:///{tmp_path}/reports.db" if server is None else server.create_database("reports_before")
    runtime = open_runtime(url, tmp_path)
    migrate(runtime, *_BEFORE)
    now = "2026-11-01 00:00:00"
    with runtime.database.write() as connection:
        for copy, state in ((1, "OLD"), (2, "LIVE"), (3, "BUILDING")):
            connection.execute(
                sa.text(f"INSERT INTO copies (copy, state, begin_time) VALUES ({copy}, '{state}', '{now}')")
            )
        connection.execute(
            sa.text("INSERT INTO subjects (copy, name, learn_time, state) VALUES (2, 'opportunities/000', 1, '[1, 2]')")
        )
        connection.execute(
            sa.text(
                "INSERT INTO postings (copy, batch, place, fact, record, learn_time, happen_time, hour, count, amount, "
                "seconds) VALUES (2, 1, 0, 'deal.won', 'opportunities/000', 1, 1, 1, 1, 5, 0)"
            )
        )
    yield runtime
    runtime.database.dispose()
    if server is not None:
        server.drop_database("reports_before")


def test_B33_B41_the_ledger_of_a_house_of_before_is_made_anew_by_itself(old: Runtime) -> None:
    history = History()
    _envelopes(_story(6), history)
    migrate(old)
    desk = Desk(old)
    assert not desk.figure("opportunities-opened", period="2026-11"), "what is not known yet is not made up"
    _to_the_end(desk, Rebuilder(old, history.page))
    assert desk.figure("opportunities-opened", period="2026-11") == 5
    with old.reading() as tx:
        assert not ledger.outdated(tx)
    migrate(old)
    with old.reading() as tx:
        assert rebuilding.progress(tx) is None


def test_X13_B17_what_no_service_keeps_the_history_of_is_there_after_an_upgrade(old: Runtime) -> None:
    """How Dealwright was used and what channels cost: in the figures at once, and when the ledger is made anew."""
    at = moment("2026-10-20T10:00")
    micros, hour = int(at.timestamp()) * 1_000_000, int(at.timestamp()) // 3600 + 8
    spent = f'[1, false, "DOUYIN", {micros}, {micros + 3_600_000_000}, 300, "CNY"]'
    minute = f'[{micros}, [["people/li", "leads", 8, 0, 4000], ["", "sessions", 3, 0, 6000]]]'
    posted = (
        ("usage/a", "usage.called", 8, 4000, "", "people/li", "", "leads"),
        ("usage/a", "usage.called", 3, 6000, "", "", "", "sessions"),
        ("attendance/a", "usage.attended", 1, 0, "", "people/li", "", ""),
        ("channelCosts/a", "cost.spent", 1, 3_000_000, "CNY", "", "DOUYIN", ""),
    )
    states = (("usage/a", minute), ("attendance/a", f'["people/li", {micros}]'), ("channelCosts/a", spent))
    with old.database.write() as connection:
        for copy in (2, 3):
            for name, state in states:
                connection.execute(
                    sa.text("INSERT INTO subjects (copy, name, learn_time, state) VALUES (:copy, :name, :at, :state)"),
                    {"copy": copy, "name": name, "at": micros, "state": state},
                )
            for place, (record, fact, count, amount, currency, owner, channel, detail) in enumerate(posted):
                connection.execute(
                    sa.text(
                        "INSERT INTO postings (copy, batch, place, fact, record, learn_time, happen_time, hour, count, "
                        "amount, seconds, currency, holder, owner, channel, detail) VALUES (:copy, 2, :place, :fact, "
                        ":record, :at, :at, :hour, :count, :amount, 0, :currency, :owner, :owner, :channel, :detail)"
                    ),
                    {"copy": copy, "place": place, "fact": fact, "record": record, "at": micros, "hour": hour,
                     "count": count, "amount": amount, "currency": currency, "owner": owner, "channel": channel,
                     "detail": detail},
                )  # fmt: skip
    migrate(old)
    desk = Desk(old)

    def found() -> list[object]:
        return [
            desk.figures("channel-cost", period="2026-10", group_by=["channel"]),
            desk.figures("feature-use", who, period="2026-10", group_by=["detail"]),
            desk.figure("active-people", who, period="2026-10"),
        ]

    who = allowed(Scope.ALL)
    kept: list[object] = [{"DOUYIN": 300}, {"leads": 8, "sessions": 3}, 1]
    assert found() == kept
    _to_the_end(desk, Rebuilder(old, History().page))
    assert found() == kept
    spent_time = desk.figures("feature-time", who, period="2026-10", group_by=["detail"])
    assert spent_time == pytest.approx({"leads": 1 / 60, "sessions": 0}), "a minute was not timed before"


def _editions(desk: Desk) -> list[tuple[int, str, int]]:
    with desk.runtime.reading() as tx:
        query = sa.select(copies.c.copy, copies.c.state, copies.c.edition).order_by(copies.c.copy)
        return [tuple(row) for row in tx.execute(query)]


def _half_made(desk: Desk, edition: int) -> None:
    with desk.runtime.transaction() as tx:
        values = {"copy": 2, "state": ledger.BUILDING, "begin_time": tx.now, "edition": edition}
        tx.execute(sa.insert(copies).values(**values))


def test_B33_a_copy_that_the_version_before_had_begun_is_given_up_and_begun_anew(desk: Desk) -> None:
    history = History()
    desk.bring(*_envelopes(_story(6), history))
    _half_made(desk, ledger.EDITION - 1)
    with desk.runtime.transaction() as tx:
        tx.execute(sa.update(copies).values(edition=ledger.EDITION - 1))
    migrate(desk.runtime)
    before = ledger.EDITION - 1
    assert _editions(desk) == [(1, "LIVE", before), (2, "OLD", before), (3, "BUILDING", ledger.EDITION)]
    _to_the_end(desk, Rebuilder(desk.runtime, history.page))
    assert _editions(desk)[-1] == (3, "LIVE", ledger.EDITION)
    assert desk.figure("opportunities-opened", period="2026-11") == 5


def test_B33_a_copy_that_a_later_version_is_making_is_left_to_it(desk: Desk) -> None:
    _half_made(desk, ledger.EDITION + 1)
    history = History()
    rebuilder = Rebuilder(desk.runtime, history.page)
    for _ in range(5):
        rebuilder.step()
    desk.bring(*_envelopes(_story(6), history))
    with desk.runtime.reading() as tx:
        assert ledger.filled(tx) == ledger.summed(tx) == [1]
        assert rebuilding.progress(tx) is None
    assert _editions(desk) == [(1, "LIVE", ledger.EDITION), (2, "BUILDING", ledger.EDITION + 1)]


def test_B33_a_new_house_has_nothing_to_make_anew(desk: Desk) -> None:
    with desk.runtime.reading() as tx:
        assert rebuilding.progress(tx) is None
        assert tx.execute(sa.select(copies.c.edition)).scalars().all() == [ledger.EDITION]


def _seeded(desk: Desk) -> tuple[set[str], set[str]]:
    """The names of the schedules and of the rules that are there after an upgrade."""
    migrate(desk.runtime)
    with desk.runtime.reading() as tx:
        return {one.name for one in schedules.every(tx)}, {one.name for one in alert_rules.every(tx)}


def test_B41_R11_what_comes_with_a_version_is_there_in_a_house_that_has_its_own(old: Runtime) -> None:
    migrate(old, "heads")
    desk = Desk(old)
    desk.also(ExportServicer(old, desk.servicers[0]))
    desk.also(AlertServicer())
    kpi, who = "opportunities-won", ["roles/sales"]
    mine = exports_pb2.ExportSchedule(
        display_name="Ours", report=f"reports/{kpi}", format=Format.CSV, span=exports_pb2.ExportSchedule.DAY, people=who
    )
    made = desk.call("CreateExportSchedule", exports_pb2.CreateExportScheduleRequest(export_schedule=mine))
    few = alerts_pb2.AlertRule(
        display_name="Few", kpi=f"kpis/{kpi}", condition=alerts_pb2.AlertRule.BELOW, limit="2",
        span=alerts_pb2.AlertRule.WEEK, notify=who,
    )  # fmt: skip
    rule = desk.call("CreateAlertRule", alerts_pb2.CreateAlertRuleRequest(alert_rule=few))
    assert _seeded(desk) == ({made.name, *schedules.SHIPPED}, {rule.name, *alert_rules.SHIPPED})


def test_B41_R11_what_comes_with_the_product_and_was_deleted_or_changed_stays_so(desk: Desk) -> None:
    desk.also(ExportServicer(desk.runtime, desk.servicers[0]))
    desk.also(AlertServicer())
    changed = alerts_pb2.AlertRule(name="alertRules/few-won", limit="0.1")
    for name in alert_rules.SHIPPED.keys() - {changed.name}:
        desk.call("DeleteAlertRule", alerts_pb2.DeleteAlertRuleRequest(name=name))
    desk.call("UpdateAlertRule", alerts_pb2.UpdateAlertRuleRequest(alert_rule=changed))
    for name in schedules.SHIPPED:
        desk.call("DeleteExportSchedule", exports_pb2.DeleteExportScheduleRequest(name=name))
    assert _seeded(desk) == (set(), {changed.name})
    with time_machine.travel(clock.now() + timedelta(days=31)):
        with desk.runtime.transaction() as tx:
            schedules.purge(tx)
            alert_rules.purge(tx)
        assert _seeded(desk) == (set(), {changed.name})
    assert desk.call("GetAlertRule", alerts_pb2.GetAlertRuleRequest(name=changed.name)).limit == "0.1"


def test_the_migrations_make_the_tables_that_the_code_has(desk: Desk) -> None:
    with desk.runtime.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, desk.runtime.service.metadata)
    assert [one for one in found if "alembic" not in str(one)] == []
