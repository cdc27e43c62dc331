"""An import survives the end of the process that carries it out: it goes on where it was, and no row is there twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.faults.systems import PASSWORD, EmbeddedSystem
from tests.journeys.api import Api, until
from tests.journeys.sheets import send

_ROWS = 12_000


def _count(system: EmbeddedSystem, what: str) -> int:
    with system.databases["leads"].connect() as connection:
        return int(connection.execute(sa.text(f"SELECT count(*) FROM {what}")).scalar_one())


def _again(look: Callable[[], Any]) -> Any:
    """While the house is away nobody answers."""

    def looked() -> Any:
        try:
            return look()
        except OSError:
            return None

    return until(looked, 90)


@pytest.mark.timeout(240)
def test_I10_an_import_whose_process_is_killed_goes_on_and_doubles_nothing(tmp_path: Path) -> None:
    sheet = "姓名,手机号\n" + "".join(f"客户{n},{13600000000 + n}\n" for n in range(_ROWS))
    with EmbeddedSystem(tmp_path, "imports") as system:
        api = Api(system.url, "admin", PASSWORD)
        job = send(api, "名单.csv", sheet.encode(), kind="LEADS")
        for at in (2000, 6000):
            _again(lambda at=at: _count(system, "leads") >= at)  # type: ignore[misc]
            victim = system.victims[0]
            system.kill(victim)
            time.sleep(0.2)
            system.restart(victim)
        api = _again(lambda: Api(system.url, "admin", PASSWORD))

        def ended() -> Any:
            now = api.get(f"/v1/{job['name']}")
            return now if now.get("done") else None

        done = _again(ended)
        assert (done["state"], done["counts"]["created"], done["doneRows"]) == ("SUCCEEDED", _ROWS, _ROWS)
        assert _count(system, "leads") == _ROWS
        assert _count(system, "touchpoints WHERE kind = 1") == _ROWS
        assert _count(system, "touchpoints WHERE kind = 2") == 0
