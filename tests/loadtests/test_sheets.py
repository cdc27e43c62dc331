"""The bench's import, small, on a real cluster: that the figure comes out and every row is a lead that somebody has."""

from __future__ import annotations

import psycopg
import pytest

from leads.domain.lead import Status
from loadtests import sheets
from loadtests.driving import LoadFailed
from loadtests.measures import SMOKE, Bench
from loadtests.setting import House
from loadtests.yardsticks import G64, P1

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
_ROWS = 300


def _assigned(house: House) -> int:
    with psycopg.connect(house.cluster.databases["leads"]) as connection:
        query = "select count(*) from leads where status = %s and owner <> ''"
        row = connection.execute(query, [Status.ASSIGNED.value]).fetchone()
    assert row is not None
    return int(row[0])


def test_X4_a_sheet_is_measured_until_each_of_its_leads_is_assigned(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    g64, p1 = G64(), P1(house.cluster.parts.postgres)
    try:
        bench, before = Bench(house, p1, g64, SMOKE), _assigned(house)
        speed, memory = sheets.measure(bench, _ROWS)
        assert (speed.key, memory.key) == ("import", "import memory")
        assert speed.value > 0
        (run,) = speed.details["runs"]
        assert run["rows"] == _ROWS
        assert 0 < run["uploadSeconds"] <= run["committedSeconds"]
        assert speed.value == pytest.approx(_ROWS / run["assignedSeconds"])
        assert _assigned(house) == before + _ROWS
        # A sheet of which all rows but the last are known: no figure comes of it.
        last = house.numbers(1)
        monkeypatch.setattr(house, "numbers", lambda count: last - count + 1)
        with pytest.raises(LoadFailed, match="the import ended as"):
            sheets.measure(bench, _ROWS)
    finally:
        g64.stop()
        p1.drop()
