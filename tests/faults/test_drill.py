"""A sample of the drill, and proof that it can find what it looks for: each planted defect turns it red."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.check import check
from tests.faults.drill import Drill, campaign
from tests.faults.load import Acknowledged
from tests.faults.systems import EmbeddedSystem

_LONG = os.environ.get("LONG") == "1"


def test_U1_U2_no_kill_of_the_embedded_process_loses_or_doubles_anything() -> None:
    verdicts = campaign("embedded", 200 if _LONG else 4, seed=11)
    assert not verdicts[-1].wrong
    assert verdicts[-1].poison, "no poison was met: the sample proves less than it says"


@pytest.mark.cluster
def test_U1_U2_no_kill_of_a_process_the_broker_or_the_database_loses_or_doubles_anything() -> None:
    verdicts = campaign("cluster", 20 if _LONG else 3, seed=5)
    assert not verdicts[-1].wrong


@pytest.mark.parametrize(
    ("plant", "sign"),
    [
        ("early acknowledgement", "LOST"),
        # The services are idempotent beneath the inbox by now: what shows is that nothing was registered.
        ("no inbox", "NOT HANDLED|two owners"),
        ("no compare-and-set", "STALE DECISION"),
        ("lost turn", "LOST TURN"),
    ],
)
def test_a_planted_defect_turns_the_drill_red(plant: str, sign: str) -> None:
    verdicts = campaign("embedded", 8, seed=3, plant=plant, quiet=True)
    wrong = "\n".join(verdicts[-1].wrong)
    assert any(part in wrong for part in sign.split("|")), f"{plant} was not seen; what was: {wrong[:2000]}"


def test_an_edited_byte_of_the_journal_is_named(tmp_path: Path) -> None:
    with EmbeddedSystem(tmp_path, "9") as system:
        drill = Drill(system, "9")
        drill.begin()
        assert not drill.round(0).wrong
        journal = system.databases["rules"]
        with journal.begin() as connection:
            seq, body = connection.execute(
                sa.text("SELECT seq, body FROM journal ORDER BY seq DESC LIMIT 1 OFFSET 20")
            ).one()
            edited = bytearray(body)
            edited[len(edited) // 2] ^= 1
            connection.execute(
                sa.text("UPDATE journal SET body = :body WHERE seq = :seq"), {"body": bytes(edited), "seq": seq}
            )
        wrong = check(system.databases, Acknowledged()).wrong
    assert any(text.startswith("VERIFY") and f"entry {seq}:" in text for text in wrong), wrong[:5]
