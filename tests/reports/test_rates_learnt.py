"""What was known on a day of money from abroad, and of targets: by the rates and the targets of then."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa

from chassis.migration import migrate
from chassis.service import Runtime
from dealwright.reports.v1 import reports_pb2 as pb
from reports.servicer.rebuilder import Rebuilder
from reports.servicer.targets import TargetServicer
from reports.storage.tables import rate_states
from tests.reports.deals import Deal
from tests.reports.desk import ADMIN, Desk, moment, now_text
from tests.reports.people import Told
from tests.reports.test_abroad import _rate
from tests.reports.test_rebuilding import History, _begin, _envelopes, _live, _to_the_end
from tests.reports.test_targets import aim
from tests.reports.test_upgrade import old as old  # a database of the first release

_WON = Deal("opportunities/a", "2026-10-02T10:00", 1000, currency="EUR").win("2026-10-20T10:00").told
_RATES = [
    _rate("2026-10-01", "8", when="2026-10-01T08:00"),
    _rate("2026-10-15", "9", when="2026-11-10T10:00"),  # told a month late
    _rate("2026-10-15", "9.5", version=2, when="2026-11-12T10:00"),
    _rate("2026-10-15", "9.5", version=3, gone=True, when="2026-11-14T10:00"),
]
_THEN = {
    "2026-10-20T09:00": 0,
    "2026-11-05T10:00": 8000,
    "2026-11-10T09:59": 8000,
    "2026-11-10T10:00": 9000,
    "2026-11-12T10:00": 9500,
    "2026-11-14T10:00": 8000,
}


# As the first release writes one.
_OF_BEFORE = sa.text(
    "INSERT INTO exchange_rates (name, from_currency, to_currency, date, rate, gone, version) VALUES "
    "(:name, 'EUR', 'CNY', :date, :rate, false, :version) ON CONFLICT (name) DO UPDATE SET rate = excluded.rate, "
    "gone = excluded.gone, version = excluded.version WHERE exchange_rates.version < excluded.version"
)


def _tell_before(old: Runtime, *told: tuple[str, str, int]) -> None:
    with old.database.write() as connection:
        for date, rate, version in told:
            name = f"exchangeRates/EUR-CNY-{date}"
            connection.execute(_OF_BEFORE, {"name": name, "date": date, "rate": rate, "version": version})


def _won(desk: Desk) -> dict[str, float]:
    return {then: desk.figure("won-amount", period="2026-10", as_of=then) or 0 for then in _THEN}


def test_B41_a_rate_that_is_told_late_does_not_change_what_was_known_before(desk: Desk) -> None:
    desk.hear(_RATES[0], *_WON)
    for rate, known in zip(_RATES[1:], (9000, 9500, 8000), strict=True):
        desk.hear(rate)
        assert desk.figure("won-amount", period="2026-10") == known
        assert desk.figure("won-amount", period="2026-10", as_of="2026-11-05T10:00") == 8000
    assert _won(desk) == _THEN
    assert desk.figures("won-amount", period="2026-10", group_by=["owner"], as_of="2026-11-12T10:00") == {
        "people/li": 9500
    }


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_B41_in_whatever_order_and_however_often_rates_come(desk: Desk, order: tuple[int, ...]) -> None:
    desk.hear(*_WON)
    for place in (*order, *order[:2]):
        desk.hear(_RATES[place])
    assert _won(desk) == _THEN
    assert desk.figure("won-amount", period="2026-10") == 8000


def test_B41_what_is_open_and_what_explains_a_figure_go_by_the_rates_of_then(desk: Desk) -> None:
    opened = Deal("opportunities/b", "2026-11-01T10:00", 100, currency="EUR").told
    desk.hear(_RATES[0], *opened, _rate("2026-11-03", "20", when="2026-11-09T10:00"))
    assert desk.figure("open-amount", as_of="2026-11-08T10:00") == 800
    assert desk.figure("open-amount", as_of="2026-11-09T10:00") == 2000
    request = pb.ExplainFigureRequest(name="reports/open-amount")
    request.as_of_time.FromDatetime(moment("2026-11-08T10:00"))
    said = desk.call("ExplainFigure", request, ADMIN)
    assert [(one.currency, one.rate) for one in said.rates] == [("EUR", "8")]


def test_B41_a_house_of_before_learns_the_rates_of_then_from_history(old: Runtime) -> None:
    """Before the ledger is made anew the newest state of each rate is known since ever."""
    history = History()
    told: list[Told] = [*_RATES, *_WON]
    envelopes = _envelopes(told, history)
    _tell_before(old, ("2026-10-01", "8", 1), ("2026-10-15", "9.5", 2))
    migrate(old)
    desk = Desk(old)
    desk.bring(*(one for one in envelopes if one[0].DESCRIPTOR.name != "ExchangeRateChanged"))
    assert desk.figure("won-amount", period="2026-10") == 9500
    _to_the_end(desk, Rebuilder(desk.runtime, history.page))
    assert _won(desk) == _THEN
    with desk.runtime.reading() as tx:
        rows = tx.execute(sa.select(rate_states.c.version, rate_states.c.learn_time)).all()
    assert sorted(row.version for row in rows) == [1, 1, 2, 3]
    assert all(row.learn_time for row in rows)


def test_B41_what_a_process_of_before_writes_beside_the_new_ones_counts_and_is_filled_in(old: Runtime) -> None:
    """Of now at once, of then when the ledger is made anew out of history."""
    history = History()
    told: list[Told] = [*_RATES, *_WON]
    envelopes = _envelopes(told, history)
    migrate(old)
    desk = Desk(old)
    desk.bring(*(one for one in envelopes if one[0].DESCRIPTOR.name != "ExchangeRateChanged"))
    _tell_before(old, ("2026-10-01", "8", 1), ("2026-10-15", "9", 1))
    assert desk.figure("won-amount", period="2026-10") == 9000
    _tell_before(old, ("2026-10-15", "9.5", 2), ("2026-10-15", "9", 1))
    assert desk.figure("won-amount", period="2026-10") == 9500
    desk.hear(_RATES[3])
    assert desk.figure("won-amount", period="2026-10") == 8000
    _tell_before(old, ("2026-10-15", "9.5", 2))
    assert desk.figure("won-amount", period="2026-10") == 8000
    _to_the_end(desk, Rebuilder(desk.runtime, history.page))
    assert _won(desk) == _THEN
    assert desk.figure("won-amount", period="2026-10") == 8000


def test_B41_what_was_known_stays_when_the_ledger_is_made_anew(desk: Desk) -> None:
    history = History()
    _live(desk, _envelopes([*_RATES, *_WON], history))
    assert _won(desk) == _THEN
    _begin(desk)
    _to_the_end(desk, Rebuilder(desk.runtime, history.page))
    assert _won(desk) == _THEN


def test_B16_B41_a_target_that_was_set_since_does_not_stand_beside_what_was_known_before(desk: Desk) -> None:
    desk.also(TargetServicer())
    desk.hear(*Deal("opportunities/c", "2026-11-02T10:00", 100).win("2026-11-05T10:00").told)
    before = now_text()
    aim(desk, "1000")
    aim(desk, "500", person="people/wang")
    for when, there in ((before, False), ("", True), (now_text(), True)):
        total = desk.report("won-amount", as_of=when, period="2026-11").total
        assert (total.figure.value, total.HasField("target"), total.HasField("attainment")) == (100, there, there)
        assert ("people/wang" in desk.figures("won-amount", as_of=when, period="2026-11", group_by=["owner"])) is there
