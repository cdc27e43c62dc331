"""A sample of the drill, and proof that it can find what it looks for: each planted defect turns it red."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.check import Verdict, check, unhandled
from tests.faults.drill import Drill, campaign, never_there, wait_settled
from tests.faults.load import Acknowledged
from tests.faults.systems import SERVICES, EmbeddedSystem

_LONG = os.environ.get("LONG") == "1"


def test_U1_U2_no_kill_of_the_embedded_process_loses_or_doubles_anything() -> None:
    verdicts = campaign("embedded", 200 if _LONG else 2, seed=11)
    assert not verdicts[-1].wrong
    _proves_what_it_says(verdicts)


def _proves_what_it_says(verdicts: list[Verdict]) -> None:
    """That what was looked for was there to be wrong."""
    assert verdicts[-1].poison, "no poison was met"
    assert any(v.waiting for v in verdicts), "nobody waited when the books were checked"
    assert verdicts[-1].snapshots, "no snapshot was compared"
    acts = Counter(act for v in verdicts for act in v.acts)
    assert not never_there(verdicts)
    assert {"reassign", "contact", "release", "claim", "delete", "undelete", "setPresence"} <= acts.keys(), acts


@pytest.mark.cluster
def test_U1_U2_no_kill_of_a_process_the_broker_or_the_database_loses_or_doubles_anything() -> None:
    verdicts = campaign("cluster", 20 if _LONG else 2, seed=5)
    assert not verdicts[-1].wrong
    _proves_what_it_says(verdicts)


def test_a_decision_about_an_old_reading_of_its_lead_is_refused_by_the_compare_and_set() -> None:
    verdicts = campaign("embedded", 3, seed=3, plant="old readings", quiet=True, deals=False)
    assert not verdicts[-1].wrong
    assert verdicts[-1].refused


@pytest.mark.parametrize(
    ("plant", "sign"),
    [
        ("early acknowledgement", "LOST"),
        # The services are idempotent beneath the inbox by now: what shows is that nothing was registered.
        ("no inbox", "NOT HANDLED|two owners"),
        ("no compare-and-set", "ANNOUNCED TWICE"),
        ("lost turn", "LOST TURN"),
    ],
)
def test_a_planted_defect_turns_the_drill_red(plant: str, sign: str) -> None:
    verdicts = campaign("embedded", 8, seed=3, plant=plant, quiet=True, patience=25, deals=False)
    wrong = "\n".join(verdicts[-1].wrong)
    assert any(part in wrong for part in sign.split("|")), f"{plant} was not seen; what was: {wrong[:2000]}"


_LOAD = "SELECT lead FROM ownerships WHERE owner <> '' AND NOT closed ORDER BY lead LIMIT 1"
_ONE_LESS = "DELETE FROM waiting_leads WHERE lead = (SELECT min(lead) FROM waiting_leads)"
_EDITS = {
    "an open lead that is none": ("leads", "UPDATE leads SET status = 6 WHERE name = :lead", "LOAD|OWNERSHIP|CLOCK"),
    "another owner of an ownership": ("rules", "UPDATE ownerships SET owner = 'x' WHERE lead = :bare", "OWNERSHIP"),
    "another ownership": ("rules", "UPDATE ownerships SET owner_version = 9 WHERE lead = :bare", "OWNERSHIP"),
    "another decision": ("rules", "UPDATE ownerships SET decision = decision + 1 WHERE lead = :bare", "OWNERSHIP"),
    "an ownership too few": ("rules", "DELETE FROM ownerships WHERE lead = :bare", "OWNERSHIP"),
    "a clock that stands": ("rules", "UPDATE ownerships SET next_due = NULL WHERE lead = :bare", "CLOCK"),
    "a lead that waits in one place": ("leads", "UPDATE leads SET status = 2 WHERE name = :lead", "WAITING|LOAD"),
    "an announcement too few": ("rules", _ONE_LESS, "WAITING"),
    "an announcement too many": ("rules", "INSERT INTO waiting_leads VALUES (:bare, 'x')", "WAITING"),
    "another presence": ("directory", "UPDATE people SET presence = 'DINNER' WHERE role = 'sales'", "PRESENCE"),
    "a failure in the gateway": (
        "gateway",
        "INSERT INTO failures VALUES ('gateway.stream', 'x', '', '', 'x', 5, 'why', 0, NULL, 1)",
        "FAILED",
    ),
    "an event that was not handled": (
        "gateway",
        "DELETE FROM inbox WHERE event_id = (SELECT min(event_id) FROM inbox)",
        "NOT HANDLED",
    ),
    "an act that was not done": ("leads", "DELETE FROM outbox WHERE type LIKE '%LeadContacted'", "ACT LOST"),
}


@pytest.fixture(scope="module")
def after_a_drill(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Acknowledged]:
    """The databases after two good rounds, somebody waiting, and what was acknowledged."""
    folder = tmp_path_factory.mktemp("drilled")
    with EmbeddedSystem(folder, "9") as system:
        drill = Drill(system, "9", deals=False)
        drill.begin()
        for number in range(9):
            verdict = drill.round(number)
            assert not verdict.wrong
            if number and verdict.waiting and verdict.snapshots:
                break
        assert verdict.waiting
        assert verdict.snapshots
    for _ in range(5):
        with ExitStack() as stack:
            stopped = {name: sa.create_engine(f"sqlite:///{folder}/data/{name}.db") for name in SERVICES}
            for on in stopped.values():
                stack.callback(on.dispose)
            if not unhandled(stopped):
                break
        with EmbeddedSystem(folder, "9") as system:  # what was said last is handled before it stops again
            assert wait_settled(system, 60)
    return folder / "data", drill.acknowledged


def _checked(data: Path, acknowledged: Acknowledged, edited: str, sql: str, folder: Path) -> list[str]:
    """What the check finds wrong in a copy in which one database was edited."""
    copies: dict[str, sa.Engine] = {}
    for service in SERVICES:
        shutil.copy(data / f"{service}.db", folder)
        copies[service] = sa.create_engine(f"sqlite:///{folder / service}.db")
    with copies["rules"].connect() as reading:
        bare = reading.execute(sa.text(_LOAD)).scalar_one()
    with copies[edited].begin() as connection:
        values = {name: value for name, value in {"bare": bare, "lead": f"leads/{bare}"}.items() if f":{name}" in sql}
        assert connection.execute(sa.text(sql), values).rowcount
    wrong = check(copies, acknowledged).wrong
    for on in copies.values():
        on.dispose()
    return wrong


@pytest.mark.parametrize("edit", _EDITS)
def test_what_differs_between_the_services_and_the_journal_is_named(
    after_a_drill: tuple[Path, Acknowledged], edit: str, tmp_path: Path
) -> None:
    service, sql, signs = _EDITS[edit]
    wrong = _checked(*after_a_drill, service, sql, tmp_path)
    for sign in signs.split("|"):
        assert any(text.startswith(sign) for text in wrong), wrong[:5]
    assert len(wrong) < 100 or service == "leads", wrong[:5]


def test_nothing_is_named_in_a_copy_that_nobody_edited(
    after_a_drill: tuple[Path, Acknowledged], tmp_path: Path
) -> None:
    assert _checked(*after_a_drill, "rules", "UPDATE journal_head SET seq = seq", tmp_path) == []


@pytest.mark.parametrize("place", ["load", "waiting", "people", "presence", "ledgers", "digest"])
def test_a_snapshot_that_is_not_the_fold_is_named(
    after_a_drill: tuple[Path, Acknowledged], place: str, tmp_path: Path
) -> None:
    """Edited with care: its digest fits again, and only the journal knows better."""
    data, acknowledged = after_a_drill
    with sqlite3.connect(data / "rules.db") as source:
        seq, head, body = source.execute("SELECT seq, hash, state FROM snapshots ORDER BY seq LIMIT 1").fetchone()
    source.close()
    state = json.loads(body)
    people, presence, load, ledgers, waiting = state[4], state[5], state[7], state[8], state[9]
    if place == "load":
        load[min(load)][0] += 1
    elif place == "waiting":
        waiting["x"] = [json.dumps(["d1", "x", "", "", "", "", 0, 0, 0, 0, "", 0]), "", False, 0]
    elif place == "people":
        people[min(people)] = people[min(people)].replace("sales", "admin").replace("ACTIVE", "LEFT")
    elif place == "presence":
        presence[min(presence)] = re.sub("ONLINE|AWAY|OFFLINE", "GONE", presence[min(presence)])
    elif place == "ledgers":
        ledger = next(ledger for ledger in ledgers.values() if len(ledger[1]) > 1)
        ledger[3][0], ledger[3][1] = ledger[3][0] + 1, ledger[3][1] - 1
    edited = json.dumps(state, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    digest = hashlib.sha256(head + edited).digest() if place != "digest" else bytes(32)
    sql = f"UPDATE snapshots SET state = X'{edited.hex()}', digest = X'{digest.hex()}' WHERE seq = {seq}"
    wrong = _checked(data, acknowledged, "rules", sql, tmp_path)
    assert [text for text in wrong if text.startswith(f"SNAPSHOT at {seq}:")] == wrong != [], wrong[:5]


def test_an_edited_byte_of_the_journal_is_named(tmp_path: Path) -> None:
    with EmbeddedSystem(tmp_path, "9") as system:
        drill = Drill(system, "9", deals=False)
        drill.begin()
        assert not drill.round(0).wrong
        journal = system.databases["rules"]
        with journal.begin() as connection:
            seq, body = connection.execute(
                sa.text("SELECT seq, body FROM journal ORDER BY seq DESC LIMIT 1 OFFSET 20")
            ).one()
            edited = bytearray(body)
            edited[-2] ^= 1  # whatever the entry says, it says it no more in a way that can be read
            connection.execute(
                sa.text("UPDATE journal SET body = :body WHERE seq = :seq"), {"body": bytes(edited), "seq": seq}
            )
        wrong = check(system.databases, Acknowledged()).wrong
    assert any(text.startswith("VERIFY") and f"entry {seq}:" in text for text in wrong), wrong[:5]
